"""Holds a load test against an earlier one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from etltui.loadtest.figures import Report

_TENTH = 0.1
"""Two tests differ by so much on a machine that does nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """A figure then and now.

    Attributes:
        more_is_better: Else less is.
    """

    name: str
    before: float
    now: float
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """Now by before; None where there was nothing before."""
        return self.now / self.before if self.before else None

    @property
    def judged(self) -> str:
        """Whether that is better or worse by more than a tenth; empty where it is neither."""
        low, high = self.before / (1 + _TENTH), self.before * (1 + _TENTH)
        if low <= self.now <= high:
            return ""
        return "better" if (self.now > high) == self.more_is_better else "worse"


_FIGURES: tuple[tuple[str, Callable[[Report], float], bool], ...] = (
    ("rows a second", lambda report: report.rows_per_s, True),
    ("try p50, s", lambda report: report.times["try"].p50, False),
    ("try p95, s", lambda report: report.times["try"].p95, False),
    ("try p99, s", lambda report: report.times["try"].p99, False),
    ("wait p95, s", lambda report: report.times["wait"].p95, False),
    ("open p95, s", lambda report: report.times["open"].p95, False),
    ("first row p95, s", lambda report: report.times["first row"].p95, False),
    ("pool efficiency", lambda report: report.pools.efficiency, True),
    ("loop lag p99, ms", lambda report: report.lag.p99, False),
    ("CPU s per million rows", lambda report: _per_million(report.cpu_s, report.rows), False),
    ("peak memory, MB", lambda report: report.peak_memory / 1e6, False),
    ("failed tries", lambda report: float(sum(report.failures.values())), False),
)


def compared(now: Report, before: Report) -> tuple[Ratio, ...]:
    """Each figure of the two."""
    return tuple(
        Ratio(name=name, before=of(before), now=of(now), more_is_better=more)
        for name, of, more in _FIGURES
    )


def differences(now: Report, before: Report) -> Iterator[str]:
    """Why the two are not alike: what was ordered otherwise, or another machine."""
    for name in type(now.order).__slots__:
        then, today = getattr(before.order, name), getattr(now.order, name)
        if then != today:
            yield f"{name} was {then}, is {today}"
    if (before.machine.cores, before.machine.memory) != (now.machine.cores, now.machine.memory):
        yield "it ran on another machine"


def _per_million(seconds: float, rows: int) -> float:
    return 1e6 * seconds / rows if rows else 0.0
