"""What a connection's past runs were, and whether its rows are near that: half to double."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median, median_high

_FEW = 3
_UNSURE = 0.25
"""Of the time: how far from it the next one may be, as long as there are few to compare."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """What the last runs of a job were for one connection.

    Attributes:
        rows: Their median; of runs on the same day of the week, where there are enough of them.
        seconds: The median of the time that a run's place was taken by it; None: not known.
        spread: How far from that half of the runs were, in seconds.
        bytes: The median of what the rows took in memory; 0: not known.
        weekday: The day of the week that `rows` is of; empty: of any.
        longest_s: The longest that its queries took; with so few runs that is their 99th percent.
        timed: How many runs tell that.
    """

    rows: int
    seconds: float | None = None
    spread: float = 0.0
    bytes: int = 0
    weekday: str = ""
    longest_s: float = 0.0
    timed: int = 0

    @classmethod
    def of(
        cls,
        rows: Sequence[int],
        seconds: Sequence[float],
        sizes: Sequence[int] = (),
    ) -> "Usual":
        """What so many rows, and so many seconds, are together.

        Args:
            rows: Of each run; at least one.
            seconds: Of each run that tells.
            sizes: Bytes of the rows, of each run that tells.
        """
        size = median_high(sizes) if sizes else 0
        if not seconds:
            return cls(rows=median_high(rows), bytes=size)
        middle = median(seconds)
        spread = median(abs(each - middle) for each in seconds)
        if len(seconds) < _FEW:
            spread = max(spread, _UNSURE * middle)
        return cls(rows=median_high(rows), seconds=middle, spread=spread, bytes=size)

    def timed_by(self, queries: Sequence[float]) -> "Usual":
        """The same, with what its queries took in each run that tells."""
        return replace(self, longest_s=max(queries, default=0.0), timed=len(queries))

    def on(self, weekday: str, rows: Sequence[int]) -> "Usual":
        """The same, judged by the rows of one day of the week where these are not too few."""
        if len(rows) < _FEW:
            return self
        return replace(self, rows=median_high(rows), weekday=weekday)


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """What the last runs of a job were, as far as they are recorded.

    Attributes:
        usual: From each connection that completed to what it was.
        publish_s: The median of the time in which the targets were made; None: not known.
    """

    usual: Mapping[str, Usual] = field(default_factory=dict)
    publish_s: float | None = None


def deviation(rows: int, usual: int | None) -> str:
    """How far rows are from the usual number, in words; empty where they are near it.

    Args:
        rows: What was read.
        usual: The median of past runs; None where there is none.
    """
    if usual is None or usual <= rows * 2 <= usual * 4:
        return ""
    if not rows:
        return f"empty, usually {usual:,}"
    if not usual:
        return "usually empty"
    return f"{'less than half' if rows < usual else 'more than double'} the usual {usual:,}"
