"""Whether one more extract may begin, by what past ones held in memory, and with what batches.

An extract never holds all its rows, but `BATCHES_HELD` batches of them, or all where they are
fewer. A batch is one row at least, however wide. What all extracts of an extractor hold together
is bounded by its budget, down to the least batch for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from etltui.domain.limits import BATCH_LEAST, BATCH_MOST, BATCHES_HELD
from etltui.domain.usual import Usual

SIZES = (BATCH_MOST, BATCH_MOST // 2, BATCH_MOST // 4, BATCH_LEAST)
"""Of batches, the one that is tried first at the front."""
WEIGHT = 3
"""Bytes of process for each byte of rows that is held: the rows, what is made of them and what the
allocator keeps. (478 - 190) MB for (64 - 9) MiB in two extractors were 2.6."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What an extract is expected to read.

    Attributes:
        rows: None where nothing is known.
        row_bytes: Of one row in memory, on average.
    """

    rows: int | None = None
    row_bytes: int = 0

    @classmethod
    def of(cls, usual: Usual | None) -> "Load":
        """What the connection's past runs of the job make one expect."""
        if usual is None or not usual.bytes or not usual.rows:
            return cls()
        return cls(rows=usual.rows, row_bytes=-(-usual.bytes // usual.rows))

    def placed(self, batch_bytes: int) -> "Place":
        """What it holds with batches of that size."""
        most = BATCHES_HELD * batch_bytes
        if self.rows is None:
            return Place(batch_bytes=batch_bytes, shared=most, wide=0)
        everything = self.rows * self.row_bytes
        wide = BATCHES_HELD * max(0, self.row_bytes - batch_bytes)
        return Place(
            batch_bytes=batch_bytes,
            shared=min(everything, most),
            wide=min(max(0, everything - most), wide),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What an extract may hold.

    Attributes:
        batch_bytes: How large its batches may be.
        shared: Bytes of rows that count against the extractors' budget.
        wide: Bytes beyond it, for rows wider than a batch.
    """

    batch_bytes: int
    shared: int
    wide: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """What is weighed, in bytes.

    Attributes:
        used: By the whole process tree now.
        idle: … when nothing was last read.
        threshold: 100 % of memory.
        budget: Of rows, of all extractors together.
    """

    used: int
    idle: int
    threshold: int
    budget: int


def growth(places: Sequence[Place], budget: int) -> int:
    """Bytes that the process tree grows by while these are at work."""
    least = len(places) * BATCHES_HELD * BATCH_LEAST
    shared = min(sum(place.shared for place in places), max(budget, least))
    return WEIGHT * (shared + sum(place.wide for place in places))


def admitted(load: Load, working: Sequence[Place], weights: Weights) -> Place | None:
    """The place of one more extract, with the largest batches that fit; None: not now.

    Where nothing else is at work it begins in any case, with the smallest batches if need be:
    what is expected may be wrong, and nobody would make room.
    """
    now = growth(working, weights.budget)
    base = max(weights.used, weights.idle + now)
    place = None
    for size in SIZES:
        place = load.placed(size)
        if base + growth([*working, place], weights.budget) - now <= weights.threshold:
            return place
    return None if working else place
