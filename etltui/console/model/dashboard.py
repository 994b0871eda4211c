"""What the dashboard draws: which numbers, over which time, with which words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etltui.console.frame import short_size
from etltui.console.model.chart import spread, top_of
from etltui.domain.logbook import Sample
from etltui.domain.words import number

GAP_S = 150.0
"""An idle engine is sampled once a minute: after two that are missing there was none."""
POINTS = 400
"""Samples that are asked for, whatever the range: more than any chart has dots."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A stretch of time that ends now.

    Attributes:
        name: As it is typed and shown.
        step_s: How often it moves on.
    """

    name: str
    seconds: float
    step_s: float


RANGES = (
    Range(name="15m", seconds=900, step_s=5),
    Range(name="1h", seconds=3_600, step_s=15),
    Range(name="6h", seconds=21_600, step_s=60),
    Range(name="1d", seconds=86_400, step_s=300),
    Range(name="7d", seconds=604_800, step_s=1_800),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """A chart.

    Attributes:
        value: What is drawn of a sample.
        least: The least that the top of the chart may be, from the samples.
        words: How a value is written, beside what it is held against.
        role: Of its colour.
    """

    title: str
    value: Callable[[Sample], float]
    words: Callable[[float, Sample], str]
    least: Callable[[Sample], float] = lambda _: 1.0
    role: str = "busy"


def _failure_rate(sample: Sample) -> float:
    ended = sample.completed + sample.failed
    return 100 * sample.failed / ended if ended else 0.0


SERIES = (
    Series(
        title="active connections",
        value=lambda s: s.lent,
        words=lambda v, s: f"{v:.0f} / {s.max_connections:.0f}",
        least=lambda s: s.max_connections,
    ),
    Series(
        title="rows per second",
        value=lambda s: s.rows_per_s,
        words=lambda v, _: number(round(v)),
    ),
    Series(
        title="queue",
        value=lambda s: s.pending,
        words=lambda v, s: f"{v:.0f} waiting, {s.running:.0f} running",
        least=lambda _: 5.0,
    ),
    Series(
        title="failed runs",
        value=_failure_rate,
        words=lambda v, s: f"{v:.0f}% of {s.completed + s.failed:.0f} ended",
        least=lambda _: 100.0,
        role="bad",
    ),
    Series(
        title="cpu",
        value=lambda s: s.cpu_percent,
        words=lambda v, _: f"{v:.0f}%",
        least=lambda _: 100.0,
    ),
    Series(
        title="memory",
        value=lambda s: s.memory,
        words=lambda v, s: f"{short_size(round(v))} / {short_size(round(s.threshold))}",
        least=lambda s: s.threshold,
    ),
)

NOTHING = Sample(at=0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A series over a range.

    Attributes:
        values: From left to right, None in a gap.
        top: What fills the chart.
        said: The value at the cursor, or the newest, in words.
    """

    series: Series
    values: tuple[float | None, ...]
    top: float
    said: str


def curve(
    series: Series,
    samples: Sequence[Sample],
    window: tuple[float, float],
    count: int,
    cursor: float | None,
) -> Curve:
    """A series as it is drawn.

    Args:
        series: Which.
        samples: By their time.
        window: Its first and last moment, Unix time in seconds.
        count: Values to draw.
        cursor: The moment that is asked about; None for the newest.
    """
    since, until = window
    gap = max(GAP_S, 2.5 * (until - since) / POINTS)
    values = spread(
        samples,
        series.value,
        lambda sample: sample.at,
        since=since,
        until=until,
        count=count,
        gap_s=gap,
    )
    asked = sample_at(samples, cursor, gap)
    known = samples[-1] if samples else NOTHING
    said = series.words(series.value(asked), asked) if asked is not None else ""
    return Curve(
        series=series,
        values=tuple(values),
        top=top_of(values, series.least(known)),
        said=said,
    )


def sample_at(samples: Sequence[Sample], at: float | None, gap_s: float) -> Sample | None:
    """The sample that holds at a moment, the newest for None; None in a gap."""
    if at is None:
        return samples[-1] if samples else None
    before = [sample for sample in samples if sample.at <= at]
    if not before or at - before[-1].at > gap_s:
        return None
    return before[-1]
