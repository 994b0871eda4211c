"""Takes in what the engine tells while it is under load; counts nothing that it does not tell."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionStarted,
    Event,
    Overflow,
)
from etltui.domain.logbook import Sample
from etltui.domain.pools import PoolMetrics, PoolStats
from etltui.domain.progress import Snapshot
from etltui.domain.run import RunResult
from etltui.domain.strays import Stray
from etltui.engine.samples import rows_read
from etltui.loadtest.figures import Point

_SHORTEST_S = 0.2
"""Over a moment a rate says nothing."""


@dataclass(kw_only=True)
class Taken:
    """What an engine has told.

    Attributes:
        began: Unix time in seconds; `seconds` from then to the end of the last run.
        rounds: Those that ran to their end.
        times: From each connection to the seconds of its tries that brought rows, by part.
        failures: Tries that failed, by class.
        again: Tries that were not the first of a connection in a run.
        samples: The engine's own.
        strays: What the engine's process held at the end although nothing at work accounts for it.
        missed: Events that came too fast to be counted.
    """

    began: float = 0.0
    seconds: float = 0.0
    rounds: int = 0
    results: list[RunResult] = field(default_factory=list)
    times: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    tries: int = 0
    again: int = 0
    events: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    points: list[Point] = field(default_factory=list)
    samples: Sequence[Sample] = ()
    pools: PoolMetrics | None = None
    still_lent: tuple[PoolStats, ...] = ()
    strays: tuple[Stray, ...] = ()
    cpu_s: float = 0.0
    stopped: bool = False

    def take(self, event: Event) -> None:
        """Take in an event."""
        self.events[type(event).__name__] += 1
        match event:
            case ConnectionStarted():
                self.tries += 1
                self.again += event.tries > 1
            case ConnectionCompleted():
                self.times.setdefault(event.connection, []).append(dict(event.result.seconds))
            case ConnectionFailed():
                self.failures[event.trouble.error_class] += 1
            case Overflow():
                self.missed += event.lost
            case _:
                pass


class Looks:
    """Turns snapshots into points of a line.

    Args:
        began: Unix time in seconds at which the line begins.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._rows: dict[str, int] = {}
        self._at = began

    def point(self, snapshot: Snapshot) -> Point:
        """The next point."""
        rows = {view.run: rows_read(view) for view in snapshot.runs}
        grown = sum(max(0, now - self._rows.get(run, 0)) for run, now in rows.items())
        seconds = max(snapshot.at - self._at, _SHORTEST_S)
        self._rows, self._at = rows, snapshot.at
        return Point(
            at=snapshot.at - self._began,
            rows_per_s=grown / seconds,
            sessions=snapshot.pools.total_connections,
            waiting=snapshot.pools.waiting,
            memory=snapshot.memory,
        )
