"""How many open files sessions need, and what to do where the system allows fewer."""

FILES_PER_CONNECTION = 8
"""Descriptors of one session at work: database and journal twice over, and a part for each
destination."""
SPARE_FILES = 128


def needed(connections: int) -> int:
    """Open files for so many sessions at once."""
    return connections * FILES_PER_CONNECTION + SPARE_FILES


def way_out(connections: int, limit: int) -> str:
    """What to do where the system allows only `limit`."""
    fits = (limit - SPARE_FILES) // FILES_PER_CONNECTION
    if fits > 0:
        return (
            f"Set max_connections to at most {fits}, or raise the hard limit "
            "(ulimit -Hn, LimitNOFILE=)"
        )
    return (
        f"Raise the hard limit to {needed(connections):,}, or to {needed(1)} for a single "
        "connection (ulimit -Hn, LimitNOFILE=)"
    )
