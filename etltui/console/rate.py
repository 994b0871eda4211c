"""How often to paint, by how fast the terminal takes what is painted."""

FASTEST_S = 0.1
SLOWEST_S = 2.0
SHARE = 2.0
"""The time between two paints, in times that one took to drain: half the line stays free for what
the operator does."""


def next_interval(base_s: float, drained_s: float) -> float:
    """Seconds from one paint to the next, from 0.1 to 2.

    Args:
        base_s: What the operator wants.
        drained_s: How long the terminal took for the last burst of output.
    """
    return min(SLOWEST_S, max(FASTEST_S, base_s, SHARE * drained_s))
