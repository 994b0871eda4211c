"""What a pool counts while it lives."""

import math
from collections import deque
from collections.abc import Iterable

from etltui.domain.pools import PoolKey

_REMEMBERED = 1000
"""So many of the last times are kept for percentiles."""


class Tally:
    """Counts of one pool, and its last times in seconds."""

    def __init__(self) -> None:
        self.acquires = 0
        self.served_by_open = 0
        self.opened = 0
        self.lost = 0
        self.closed = 0
        self.leaked = 0
        self.waits: deque[float] = deque(maxlen=_REMEMBERED)
        self.connects: deque[float] = deque(maxlen=_REMEMBERED)

    def acquired(self, *, was_open: bool) -> None:
        """A session was handed to a lease."""
        self.acquires += 1
        self.served_by_open += was_open


class Totals:
    """Counts over all pools since the start, also those that have gone.

    A pool's first acquisition is its warm-up and does not count, whatever served it.
    """

    def __init__(self) -> None:
        self.acquires = 0
        self.served_by_open = 0
        self.leaked = 0
        self._warm: set[PoolKey] = set()

    def acquired(self, key: PoolKey, *, was_open: bool) -> None:
        """A session of a pool was handed to a lease."""
        if key in self._warm:
            self.acquires += 1
            self.served_by_open += was_open
        self._warm.add(key)


def percentile_ms(seconds: Iterable[float], percent: int) -> float:
    """The smallest time that so many percent do not exceed, in ms; 0 where there is none."""
    ordered = sorted(seconds)
    if not ordered:
        return 0.0
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(rank, 1) - 1] * 1000
