"""Each connection day by day: what a cell of the heat map says, and how well it answers at all."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from statistics import mean
from zoneinfo import ZoneInfo

from etltui.console.glyphs import Glyphs
from etltui.console.model.connections import counts
from etltui.domain.logbook import Outcome
from etltui.domain.run import ConnectionStatus
from etltui.domain.words import age, local, moment

DAYS = 28
"""How many days the map has."""


class Heat(IntEnum):
    """What became of a connection on a day, the worse the higher."""

    NOT_ASKED = 0
    ALL = 1
    FAR = 2
    EMPTY = 3
    FAILED = 4


_ROLES: Mapping[Heat, str] = {
    Heat.NOT_ASKED: "muted",
    Heat.ALL: "ok",
    Heat.FAR: "warn",
    Heat.EMPTY: "warn",
    Heat.FAILED: "bad",
}
WORDS: Mapping[Heat, str] = {
    Heat.ALL: "all rows",
    Heat.FAR: "far from usual",
    Heat.EMPTY: "empty",
    Heat.FAILED: "failed",
    Heat.NOT_ASKED: "not asked",
}
"""The legend, in its order."""


def heat_sign(glyphs: Glyphs, heat: Heat) -> tuple[str, str]:
    """The sign of a cell and the role of its colour."""
    signs = {
        Heat.NOT_ASKED: glyphs.waiting,
        Heat.ALL: glyphs.heat[0],
        Heat.FAR: glyphs.heat[1],
        Heat.EMPTY: glyphs.heat[2],
        Heat.FAILED: glyphs.failed,
    }
    sign = signs[heat]
    if heat is Heat.NOT_ASKED and sign == glyphs.heat[2]:
        sign = " "  # without Unicode a point says that it was empty
    return sign, _ROLES[heat]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the map.

    Attributes:
        days: The oldest first; the last one is today.
        begins: Unix time in seconds at which each begins.
    """

    days: tuple[date, ...]
    begins: tuple[float, ...]

    def day_of(self, at: float) -> int:
        """The number of the day of a moment; -1: before all of them."""
        return bisect_right(self.begins, at) - 1


def calendar(at: float, timezone: str, days: int = DAYS) -> Calendar:
    """The last days, as they begin in a zone.

    Args:
        at: Unix time in seconds of a moment of the last one.
        timezone: Empty for the machine's own.
        days: How many.
    """
    today = local(at, timezone).date()
    found = tuple(today - timedelta(days=back) for back in range(days - 1, -1, -1))
    zone = ZoneInfo(timezone) if timezone else None

    def begin(day: date) -> float:
        # Without a zone this is the machine's own time, with its changes in summer.
        return datetime.combine(day, time.min, tzinfo=zone).timestamp()

    return Calendar(found, tuple(map(begin, found)))


def heat_of(outcomes: Sequence[Outcome]) -> Heat:
    """What became of a connection on a day: the worst of how each job's last run ended there.

    Args:
        outcomes: Of that day, the oldest first.
    """
    last = {each.job: each for each in outcomes if counts(each)}
    return max(map(_heat, last.values()), default=Heat.NOT_ASKED)


def _heat(outcome: Outcome) -> Heat:
    if outcome.status is not ConnectionStatus.COMPLETED:
        return Heat.FAILED
    if not outcome.rows:
        return Heat.EMPTY
    return Heat.FAR if outcome.far else Heat.ALL


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """A connection in the days of the map.

    Attributes:
        cells: What became of it, day by day.
        asked: How often it was asked; held and cancelled ones do not count.
        failed: How often it failed then.
        last_failed: Unix time in seconds; 0: never.
        return_s: How long it took on average until it answered again; None: it was never away and
            back.
        streak: How often it has completed without a failure by now; below 0: failed.
        hour: The hour of the day at which it fails most often; None: it never did.
        by_day: From the number of a day to what happened there, the oldest first.
    """

    connection: str
    cells: tuple[Heat, ...]
    by_day: Mapping[int, Sequence[Outcome]]
    asked: int = 0
    failed: int = 0
    last_failed: float = 0.0
    return_s: float | None = None
    streak: int = 0
    hour: int | None = None

    @property
    def reliability(self) -> float | None:
        """Of the times it was asked, the part in which it completed; None: it was not asked."""
        return (self.asked - self.failed) / self.asked if self.asked else None


def ledgers(
    outcomes: Iterable[Outcome],
    names: Iterable[str],
    days: Calendar,
    timezone: str,
) -> list[Ledger]:
    """Every connection, the one that failed most often first.

    Args:
        outcomes: The oldest first.
        names: Connections that are there even where nothing is known of them.
        days: The days of the map.
        timezone: In which an hour is told.
    """
    found: dict[str, list[Outcome]] = {name: [] for name in names}
    for each in outcomes:
        found.setdefault(each.connection, []).append(each)
    made = [_ledger(name, past, days, timezone) for name, past in found.items()]
    return sorted(made, key=lambda each: (-each.failed, -each.last_failed, each.connection))


def _ledger(name: str, past: Sequence[Outcome], days: Calendar, timezone: str) -> Ledger:
    by_day: dict[int, list[Outcome]] = {}
    for each in past:
        by_day.setdefault(days.day_of(each.at), []).append(each)
    counted = [each for each in past if counts(each)]
    bad = [each for each in counted if each.status is not ConnectionStatus.COMPLETED]
    hours = Counter(local(each.at, timezone).hour for each in bad)
    return Ledger(
        connection=name,
        cells=tuple(heat_of(by_day.get(day, ())) for day in range(len(days.days))),
        by_day=by_day,
        asked=len(counted),
        failed=len(bad),
        last_failed=bad[-1].at if bad else 0.0,
        return_s=return_time(counted),
        streak=streak(counted),
        hour=min(hours, key=lambda hour: (-hours[hour], hour)) if hours else None,
    )


def return_time(past: Iterable[Outcome]) -> float | None:
    """Seconds from a first failure to the next time it completed, on average; None: never."""
    away: float | None = None
    times: list[float] = []
    for each in past:
        if each.status is not ConnectionStatus.COMPLETED:
            away = each.at if away is None else away
        elif away is not None:
            times.append(each.at - away)
            away = None
    return mean(times) if times else None


def streak(past: Sequence[Outcome]) -> int:
    """How often it has ended by now as it ended last; below 0 for failures."""
    if not past:
        return 0
    good = past[-1].status is ConnectionStatus.COMPLETED
    length = 0
    for each in reversed(past):
        if (each.status is ConnectionStatus.COMPLETED) is not good:
            break
        length += 1
    return length if good else -length


def percent(part: float | None) -> str:
    """A part as a percentage that never rounds a failure away; empty for none."""
    if part is None:
        return ""
    return "99%" if 0.99 < part < 1 else f"{part:.0%}"


def in_words(ledger: Ledger) -> list[str]:
    """How well a connection answers, in short words."""
    if not ledger.asked:
        return ["not asked in these days"]
    said = [f"{percent(ledger.reliability)} of {ledger.asked:,} answered"]
    if ledger.return_s is not None:
        said.append(f"back after {age(ledger.return_s)}")
    if ledger.streak < -1:
        said.append(f"{-ledger.streak} failures in a row")
    if ledger.hour is not None:
        said.append(f"fails mostly at {ledger.hour:02d}h")
    return said


def lost(ledgers_: Iterable[Ledger], days: Iterable[int]) -> list[Outcome]:
    """What failed in some days of some connections and has not been read since, newest first."""
    chosen = list(days)
    found = [
        each
        for ledger in ledgers_
        for day in chosen
        for each in ledger.by_day.get(day, ())
        if each.status in (ConnectionStatus.FAILED, ConnectionStatus.CANCELLED)
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)


@dataclass(frozen=True, slots=True)
class Again:
    """What of one run is to be read again."""

    run: str
    job: str
    connections: tuple[str, ...]


def again(found: Iterable[Outcome]) -> tuple[list[Again], int]:
    """Of each job the newest run that something failed in, and how many older ones there are.

    A job has one run at a time: the older ones can follow when that one has ended.

    Args:
        found: What failed, the newest first.
    """
    runs: dict[str, list[Outcome]] = {}
    for each in found:
        runs.setdefault(each.run, []).append(each)
    newest: dict[str, Again] = {}
    for run in sorted(runs, reverse=True):
        job = runs[run][0].job
        names = tuple(sorted(each.connection for each in runs[run]))
        newest.setdefault(job, Again(run, job, names))
    return list(newest.values()), len(runs) - len(newest)


CSV_HEAD = (
    "connection",
    "contact",
    "asked",
    "failed",
    "reliability_percent",
    "mean_time_to_return_minutes",
    "streak",
    "usual_hour_of_failure",
    "last_failed",
)


def csv_lines(
    found: Iterable[Ledger], days: Calendar, timezone: str, contact: Callable[[str], str]
) -> list[list[str]]:
    """The map as lines of a CSV file, its head first.

    Args:
        found: Its connections.
        days: Its days.
        timezone: In which moments are told.
        contact: Whom to call about a connection.
    """
    lines = [[*CSV_HEAD, *(day.isoformat() for day in days.days)]]
    for each in found:
        part, back = each.reliability, each.return_s
        lines.append(
            [
                each.connection,
                contact(each.connection),
                str(each.asked),
                str(each.failed),
                "" if part is None else f"{part * 100:.2f}",
                "" if back is None else f"{back / 60:.1f}",
                str(each.streak),
                "" if each.hour is None else str(each.hour),
                moment(each.last_failed, timezone) if each.last_failed else "",
                *(WORDS[cell] for cell in each.cells),
            ]
        )
    return lines
