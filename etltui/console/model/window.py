"""How far back lists look: the same whole days in every view."""

DAYS = 28
"""How many days before today's midnight, in UTC."""
MOST = 1000
"""Runs, and what was done to begin them, that are read of these days at most."""
_DAY = 86400


def since(at: float) -> float:
    """Unix time in seconds from which on is looked; it stands still for a day.

    Args:
        at: Unix time in seconds of now.
    """
    return float(at // _DAY * _DAY - DAYS * _DAY)
