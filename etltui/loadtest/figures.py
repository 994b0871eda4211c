"""The figures of a load test, as values that text, JSON and page are made of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etltui.loadtest.order import Order

FORMAT = 1
"""Of a stored report: raised when an older one cannot be read any more."""
CURVE = 20
"""Steps of a distribution's curve, of 5 percent each."""
DIGITS = 6
"""Behind the point: what is measured in seconds is not known more exactly."""

NEARLY = 0.9
"""Of a stall, what it is to a run that began a little after another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How many numbers are spread; percentiles are those of the nearest rank.

    Attributes:
        count: Of the numbers; where there is none all else is 0.
        curve: The percentiles 0, 5, …, 100.
    """

    count: int = 0
    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0
    curve: tuple[float, ...] = ()

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Spread":
        """How these numbers are spread."""
        if not numbers:
            return cls()
        ranked = sorted(round(number, DIGITS) for number in numbers)
        return cls(
            count=len(ranked),
            p50=percentile(ranked, 50),
            p90=percentile(ranked, 90),
            p95=percentile(ranked, 95),
            p99=percentile(ranked, 99),
            max=ranked[-1],
            curve=tuple(percentile(ranked, 100 * step / CURVE) for step in range(CURVE + 1)),
        )


def percentile(ranked: Sequence[float], percent: float) -> float:
    """The number that so many percent of them do not exceed: the nearest rank, never between two.

    Args:
        ranked: At least one, the least first.
        percent: From 0 to 100.
    """
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """How the engine stood at one moment.

    Attributes:
        at: Seconds from the beginning.
        rows_per_s: Rows that came in since the point before.
        sessions: Open ones.
        waiting: Who waits for a session.
        memory: Bytes that all processes weigh.
    """

    at: float
    rows_per_s: float
    sessions: int
    waiting: int
    memory: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Beat:
    """What the engine's own samples say of a few seconds.

    Attributes:
        at: Seconds from the beginning.
        lag_ms: How late its loop was at the worst.
        cpu_percent: Of all cores.
    """

    at: float
    lag_ms: float
    cpu_percent: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Slow:
    """A connection that took long.

    Attributes:
        tries: Those that brought its rows.
        p50: Seconds of one; `max` of the longest.
    """

    connection: str
    tries: int
    p50: float
    max: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Came:
    """What of the order came about.

    Attributes:
        failing: Connections that were made to fail, by how.
        failed: Of these, those that did in every run.
        stalling: Connections that were kept from answering.
        stalls: Tries at these that took nearly as long as a stall.
    """

    failing: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    stalling: int = 0
    stalls: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolFigures:
    """The pools of sessions.

    Attributes:
        acquires: Sessions lent, but for each pool's first.
        reused: … that were open before.
        efficiency: The one by the other; 1 where none was lent.
        leaked: Sessions that somebody kept for too long.
        lent: Those still lent when all runs had ended.
        peak: The most that were open at once, looked at once a second; `limit` what is allowed.
    """

    acquires: int = 0
    reused: int = 0
    efficiency: float = 1.0
    leaked: int = 0
    lent: int = 0
    peak: int = 0
    limit: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Where the test ran."""

    cores: int
    memory: int
    python: str
    etltui: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A load test that has ended.

    Attributes:
        at: Unix time in seconds of its beginning.
        stopped: Whether somebody ended it early.
        seconds: From the first run's start to the last one's end.
        runs: By how they ended.
        rows: In all targets together.
        times: Seconds of the tries that brought rows: `try` from its beginning to the last row
            being durable, of which `wait` for a place, `open` of a session, and `first row` from
            the beginning to there.
        tries: All, failed ones among them; `retries` those that were not the first of a run.
        failures: Tries that failed, by class; `lost` connections that were given up, likewise.
        lag: Milliseconds that the loop was late at the worst in each of the engine's samples.
        cpu_s: Seconds of a core that all processes used.
        peak_memory: Bytes that all processes weighed at the most, looked at once a second.
        events: By name, as they were published.
        wrong: Why the test failed, a sentence each; empty where it passed.
        notes: What else is to be known of the figures.
    """

    type: str = "loadtest"
    format: int = FORMAT
    at: float
    machine: Machine
    order: Order
    came: Came
    stopped: bool = False
    seconds: float
    rounds: int
    runs: Mapping[str, int]
    rows: int
    rows_per_s: float
    times: Mapping[str, Spread]
    tries: int
    retries: int
    failures: Mapping[str, int]
    lost: Mapping[str, int]
    pools: PoolFigures
    lag: Spread
    cpu_s: float
    peak_memory: int
    events: Mapping[str, int]
    slowest: tuple[Slow, ...] = ()
    points: tuple[Point, ...] = ()
    beats: tuple[Beat, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every row came once and nothing leaked."""
        return not self.wrong
