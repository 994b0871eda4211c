"""Which extractor takes the next session; those of foreign drivers sit apart, few together."""

from collections.abc import Sequence

APART = frozenset({"odbc", "mssql"})
"""Kinds whose drivers are libraries of somebody else's in the extractor's process: Debian's
psqlODBC takes the process along when a line breaks in the middle of its rows. Kinds of our own
never sit with them."""
MOST_TOGETHER = 8
"""So many connections at most are lost with one such extractor …"""
MOST_APART = 16
"""… unless so many of them are there, about 50 MB each: then more than eight sit together."""


def seat(sessions: Sequence[int], *, apart: bool, limit: int) -> int | None:
    """The place in the sequence of the extractor that takes one more; None for a new one.

    Args:
        sessions: Of each extractor that may take it.
        apart: Whether they serve foreign drivers.
        limit: How many of a sort shall share the work.
    """
    if not sessions:
        return None
    least = min(range(len(sessions)), key=sessions.__getitem__)
    idle = not sessions[least]
    if not idle and len(sessions) < limit:
        return None
    crowded = apart and sessions[least] >= MOST_TOGETHER
    return None if crowded and len(sessions) < MOST_APART else least
