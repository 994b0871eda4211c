"""Whether a branch has closed the day that is read: until then its rows are provisional."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from etltui.domain.job import Scalar

_YES = frozenset({"1", "y", "yes", "t", "true", "closed"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """How a connection is asked whether the day is closed there.

    Attributes:
        sql: Its first value decides.
        until: None: a value that says yes closes the day. Else the day is closed once the value,
            a time, has come this far.
    """

    sql: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    until: datetime | None = None

    def open_because(self, value: object) -> str:
        """Why the day is not closed, in words that are the same as long as it stays so.

        Args:
            value: What the query gave; None for NULL or no row.

        Returns:
            Empty where it is closed.

        Raises:
            ValueError: A time was expected, and it is none.
        """
        if self.until is None:
            said = value is True or str(value).strip().casefold() in _YES or _not_zero(value)
            return "" if said else "the day is not closed"
        if value is None:
            return "no row of the day yet"
        last = moment(value)
        # Each by its own clock: that of the branch, or UTC where the database says a zone.
        wanted = self.until if last.tzinfo else self.until.replace(tzinfo=None)
        if last >= wanted:
            return ""
        return f"the last row is of {last:%Y-%m-%d %H:%M}"


def _not_zero(value: object) -> bool:
    try:
        return float(str(value)) != 0
    except ValueError:
        return False


def moment(value: object) -> datetime:
    """A time as a database gives it, with its zone where it says one.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the branch's clock
    try:
        found = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"{str(value)[:40]!r} is no time") from None
    return found.astimezone(UTC) if found.tzinfo else found
