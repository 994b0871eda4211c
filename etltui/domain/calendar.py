"""Days on which a branch is not expected to have sold anything."""

from dataclasses import dataclass
from datetime import date

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """The days off of connections that share them.

    Attributes:
        name: Empty for that of a connection which names none.
        holidays: Single days.
        closed: Days of every week, as in `WEEKDAYS`.
    """

    name: str = ""
    holidays: tuple[date, ...] = ()
    closed: tuple[str, ...] = ()

    def day_off(self, day: date) -> str:
        """Why nothing is expected of a day, in words; empty for a day like any other."""
        if day in self.holidays:
            return f"a holiday in the calendar {self.name}"
        weekday = WEEKDAYS[day.weekday()]
        if weekday in self.closed:
            return f"closed on {weekday.capitalize()}s in the calendar {self.name}"
        return ""
