"""By when a run has to be done, and whether it is going to be."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from etltui.domain.progress import RunView
from etltui.domain.run import AT_WORK
from etltui.domain.words import local

_DAY_S = 86400
_MINUTE = 60


class Chance(StrEnum):
    """Whether a run that is at work meets its deadline."""

    SAFE = "safe"
    AT_RISK = "at risk"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """How a run at work stands against its deadline.

    Attributes:
        due: Unix time in seconds.
        chance: None as long as nobody can know.
        ends: Unix time in seconds; None where nothing is known of it.
        band_s: How many seconds sooner or later it may well end.
        guess: Whether that rests on little.
    """

    due: float
    chance: Chance | None
    ends: float | None = None
    band_s: float = 0.0
    guess: bool = False

    @property
    def endangered(self) -> bool:
        """Whether the run may miss it, or has."""
        return self.chance in {Chance.AT_RISK, Chance.MISSED}


def due_at(deadline: str, begun: datetime, timezone: str) -> float:
    """The first moment after a run's beginning at which the clock shows its deadline.

    Args:
        deadline: A time of day, such as `07:00`; empty for none.
        begun: The beginning of its first attempt.
        timezone: Whose clock; empty for the machine's own.

    Returns:
        Unix time in seconds; 0 without a deadline.
    """
    if not deadline:
        return 0.0
    clock = time.fromisoformat(deadline)
    # A day has 23 to 25 hours: the clock decides, not their number.
    zone = ZoneInfo(timezone) if timezone else None
    today = local(begun.timestamp(), timezone).date()
    days = (today, today + timedelta(days=1))
    moments = [datetime.combine(day, clock, zone).timestamp() for day in days]
    return next(moment for moment in moments if moment > begun.timestamp())


def outlook(run: RunView, now: float) -> Outlook | None:
    """How a run stands against its deadline; None where it has none, or is not at work.

    It is at risk where it may well end behind it, and has missed it once that moment has passed.
    """
    if not run.due or run.status not in AT_WORK:
        return None
    eta = run.eta
    if eta is None:
        missed = Chance.MISSED if now > run.due else None
        return Outlook(due=run.due, chance=missed)
    ends = now + eta.left_s
    chance = Chance.SAFE if ends + eta.band_s <= run.due else Chance.AT_RISK
    return Outlook(
        due=run.due,
        chance=Chance.MISSED if now > run.due else chance,
        ends=ends,
        band_s=eta.band_s,
        guess=eta.guess,
    )


def in_danger(runs: Iterable[RunView], now: float) -> bool:
    """Whether any of the runs may miss its deadline, or has."""
    found = (outlook(run, now) for run in runs)
    return any(each is not None and each.endangered for each in found)


def finishes(found: Outlook, timezone: str, sign: str = "±") -> str:
    """When it is going to end, in words: `finishes 06:40 ± 8 min`; empty where nobody knows."""
    if found.ends is None:
        return ""
    band = math.ceil(found.band_s / _MINUTE)
    about = f" {sign} {band} min" if found.band_s >= _MINUTE / 2 else ""
    return f"finishes {'~' if found.guess else ''}{local(found.ends, timezone):%H:%M}{about}"


def verdict(found: Outlook, now: float, timezone: str) -> str:
    """The deadline and whether it will be met: `07:00 safe`, `07:00 at risk`, `07:00 missed`."""
    chance = f" {found.chance}" if found.chance else ""
    return f"{clock_of(found.due, now, timezone)}{chance}"


def clock_of(due: float, now: float, timezone: str) -> str:
    """The time of day of a deadline; its day before it where that is not plain."""
    form = "%H:%M" if abs(due - now) < _DAY_S else "%Y-%m-%d %H:%M"
    return f"{local(due, timezone):{form}}"
