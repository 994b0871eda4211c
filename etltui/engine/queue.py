"""Decides which run gets its turn next; keeps the books, never waits and never writes."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import count

from etltui.domain.job import RunType
from etltui.domain.queue import QueueEntry

_Place = tuple[tuple[float, str], int, QueueEntry]
"""A rank, a number that no other place has, and who stands there."""


class Queue:
    """Runs in the order of their turns.

    A job has one run at work at a time, a type at most its limit, all together at most `limit`.

    Args:
        limit: Runs at work at once.
        types: By name; a type that is not there has no limit of its own.
        ageing_s: Waiting that is worth one step of priority.
    """

    def __init__(self, *, limit: int, types: Mapping[str, RunType], ageing_s: float) -> None:
        self.limit = limit
        self.types = types
        self._ageing_s = ageing_s
        self._lines: defaultdict[tuple[str, str], list[_Place]] = defaultdict(list)
        """By job and type: of such entries the first one alone may have the next turn."""
        self._delayed: list[_Place] = []
        self._numbers = count()
        self._waiting: dict[str, QueueEntry] = {}
        self._working: dict[str, QueueEntry] = {}
        self.paused: set[str] = set()
        """Jobs that get no turn; the empty name pauses all."""

    def age(self, ageing_s: float) -> None:
        """Let so many seconds of waiting be worth one step of priority from now on."""
        if ageing_s == self._ageing_s:
            return
        self._ageing_s = ageing_s
        for line in self._lines.values():
            line[:] = [(entry.rank(ageing_s), number, entry) for _, number, entry in line]
            heapq.heapify(line)

    def add(self, entry: QueueEntry) -> None:
        """Let an entry wait; one of the same run is replaced."""
        self._waiting[entry.run] = entry
        place = (entry.not_before, entry.run), next(self._numbers), entry
        heapq.heappush(self._delayed, place)

    def remove(self, run: str) -> QueueEntry | None:
        """Take a waiting entry out; None where none waits."""
        # What lies in the heaps is passed over when it comes up.
        return self._waiting.pop(run, None)

    def take(self, now: float) -> QueueEntry | None:
        """The next entry that may have its turn, which it has from here on; None for none."""
        self._ripen(now)
        if "" in self.paused or len(self._working) >= self.limit:
            return None
        at_work = Counter(entry.type for entry in self._working.values())
        jobs = {entry.job for entry in self._working.values()} | self.paused
        best: _Place | None = None
        for line in [line for line in self._lines if line[0] not in jobs]:
            head = self._head(line)
            if head is None:
                del self._lines[line]
            elif self._has_room(head[2].type, at_work) and (best is None or head < best):
                best = head
        if best is None:
            return None
        entry = best[2]
        heapq.heappop(self._lines[entry.job, entry.type])
        del self._waiting[entry.run]
        self._working[entry.run] = entry
        return entry

    def ended(self, run: str) -> None:
        """The turn of a run is over."""
        self._working.pop(run, None)

    def next_due(self) -> float | None:
        """Unix time in seconds at which the next delayed entry is due; None for none."""
        while self._delayed and not self._current(self._delayed[0][2]):
            heapq.heappop(self._delayed)
        return self._delayed[0][2].not_before if self._delayed else None

    def pending(self, now: float) -> tuple[QueueEntry, ...]:
        """Entries that wait, in the order of their turns; those not yet due are the last."""
        return tuple(
            sorted(
                self._waiting.values(),
                key=lambda entry: (max(entry.not_before - now, 0), entry.rank(self._ageing_s)),
            ),
        )

    @property
    def working(self) -> tuple[QueueEntry, ...]:
        """Entries that have their turn."""
        return tuple(self._working.values())

    def of(self, job: str) -> Iterator[QueueEntry]:
        """Entries of a job, those at work first."""
        for entries in (self._working, self._waiting):
            yield from (entry for entry in entries.values() if entry.job == job)

    def _ripen(self, now: float) -> None:
        """Let entries that are due stand in their job's line."""
        while (due := self.next_due()) is not None and due <= now:
            _, number, entry = heapq.heappop(self._delayed)
            place = entry.rank(self._ageing_s), number, entry
            heapq.heappush(self._lines[entry.job, entry.type], place)

    def _head(self, key: tuple[str, str]) -> _Place | None:
        line = self._lines[key]
        while line and not self._current(line[0][2]):
            heapq.heappop(line)
        return line[0] if line else None

    def _current(self, entry: QueueEntry) -> bool:
        """Whether an entry in a heap is the one that waits, not one that was replaced."""
        return self._waiting.get(entry.run) is entry

    def _has_room(self, kind: str, at_work: Counter[str]) -> bool:
        known = self.types.get(kind)
        return known is None or at_work[kind] < known.limit
