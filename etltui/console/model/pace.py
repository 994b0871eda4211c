"""Rows per second of runs and run connections, over the last seconds."""

from collections import deque

from etltui.domain.progress import Snapshot
from etltui.domain.run import AT_WORK, ConnectionStatus

WINDOW_S = 5.0
"""Long enough that batches of a slow branch do not read as starts and stops."""

_Key = tuple[str, str]


class Paces:
    """Remembers how many rows there were, as long as the window goes back."""

    def __init__(self) -> None:
        self._seen: dict[_Key, deque[tuple[float, int]]] = {}

    def take(self, snapshot: Snapshot, now: float) -> None:
        """Learn from a snapshot taken now; what is not at work is forgotten."""
        alive: set[_Key] = set()
        for run in snapshot.runs:
            if run.status not in AT_WORK:
                continue
            self._note((run.run, ""), now, run.rows, alive)
            for name, view in run.connections.items():
                if view.status is ConnectionStatus.RUNNING:
                    self._note((run.run, name), now, view.rows, alive)
        for key in self._seen.keys() - alive:
            del self._seen[key]

    def _note(self, key: _Key, now: float, rows: int, alive: set[_Key]) -> None:
        alive.add(key)
        seen = self._seen.setdefault(key, deque())
        if seen and rows < seen[-1][1]:
            # Another try began: what an earlier one had read is no pace.
            seen.clear()
        seen.append((now, rows))
        while len(seen) > 2 and now - seen[1][0] >= WINDOW_S:
            seen.popleft()

    def rows_per_s(self, run: str, connection: str = "") -> float:
        """The pace of a run, or of one of its connections; 0 where it is not known."""
        seen = self._seen.get((run, connection))
        if seen is None or len(seen) < 2:
            return 0.0
        (before, then), (now, rows) = seen[0], seen[-1]
        return (rows - then) / (now - before) if now > before else 0.0
