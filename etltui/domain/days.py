"""The business day that a run reads: where it begins and ends at each connection.

A day begins at midnight, or some hours later, by the clock of the branch, and ends where the next
one begins: the ends of two neighbouring days always meet, whether 23, 24 or 25 hours lie between.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from etltui.domain.closing import Closing
from etltui.domain.job import Connection, Job, Query, Scalar

NAMES = ("day", "day_start", "day_end", "day_start_utc", "day_end_utc")
"""What a query may bind without naming it in its params."""
DIRECTIVES = "YymdHMSj"
"""What may stand behind a % in the form of such a value."""
FARTHEST = 3660
"""Days that a business day may lie back."""

_BOUND = re.compile(rf"(?<![\w:])[:@$]({'|'.join(NAMES)})\b")
PLACEHOLDER = re.compile(r"\{(day\w*)(?::([^{}]*))?\}")
"""A name and its form, in the text of a bind value."""
_SPACED = "%Y-%m-%d %H:%M:%S"
_JOINED = "%Y-%m-%dT%H:%M:%S"
_OWN_FORM = {"mssql": _JOINED}
"""Of kinds that would read the usual one by the language of whoever is logged in."""


def business_day(said: str, today: date) -> date:
    """The day that a job means.

    Args:
        said: `today`, `yesterday`, or a number of days back, such as `-2`.
        today: Where the operator is.
    """
    back = {"today": 0, "yesterday": 1}.get(said)
    return today - timedelta(days=abs(int(said)) if back is None else back)


@dataclass(frozen=True, kw_only=True, slots=True)
class Days:
    """A run's business day, and whose clock tells it.

    Attributes:
        day: The day's name.
        begins_h: Hours after midnight at which it begins.
        timezone: Of connections that say none; empty: the machine's own.
    """

    day: date
    begins_h: int = 0
    timezone: str = ""

    @classmethod
    def of(cls, job: Job, started: datetime, timezone: str) -> "Days":
        """The business day that a run means which begins then.

        Args:
            job: Whose run.
            started: In the settings' time zone.
            timezone: Of the settings.
        """
        # The day that is under way: before it begins by the clock it is still the one before.
        today = (started - timedelta(hours=job.day_lag_h)).date()
        return cls(
            day=business_day(job.business_day, today),
            begins_h=job.day_lag_h,
            timezone=timezone,
        )

    def bounds(self, timezone: str = "") -> tuple[datetime, datetime]:
        """The first moment of the day and the first behind it, in a zone.

        Args:
            timezone: The connection's; empty: as the settings say.
        """
        name = timezone or self.timezone
        zone = ZoneInfo(name) if name else None

        def begin(day: date) -> datetime:
            said = datetime.combine(day, time(self.begins_h), zone)
            # A clock that skips this hour shows the next one: only the way through UTC tells it.
            return said.astimezone(UTC).astimezone(zone)

        return begin(self.day), begin(self.day + timedelta(days=1))

    def values(self, connection: Connection) -> dict[str, datetime | date]:
        """What each of the names stands for at a connection."""
        start, end = self.bounds(connection.timezone)
        return {
            "day": self.day,
            "day_start": start,
            "day_end": end,
            "day_start_utc": start.astimezone(UTC),
            "day_end_utc": end.astimezone(UTC),
        }

    def bound(self, query: Query, connection: Connection) -> Query:
        """The query with the values that it binds at a connection."""
        values = self.values(connection)
        form = _OWN_FORM.get(connection.kind, _SPACED)
        own = {name: _filled(value, values, form) for name, value in query.params.items()}
        given = {name: _text(values[name], "", form) for name in _asked(query)}
        return replace(query, params={**given, **own})

    def closing(self, job: Job, connection: Connection) -> Closing | None:
        """How a connection is asked whether the day is closed there; None: nobody asks."""
        sql = job.day_closed or job.day_until
        if not sql:
            return None
        bound = self.bound(Query(name="", sql=sql), connection)
        _, end = self.bounds(connection.timezone)
        until = end - timedelta(hours=job.day_until_slack_h) if job.day_until else None
        return Closing(sql=sql, params=bound.params, until=until)


def asks_for_day(query: Query) -> bool:
    """Whether the rows of a query depend on the business day."""
    return bool(_asked(query)) or any(
        isinstance(value, str) and PLACEHOLDER.search(value) for value in query.params.values()
    )


def of_days(job: Job) -> bool:
    """Whether a run of the job reads a business day."""
    own = [
        replace(query, sql=sql)
        for queries in job.overrides.values()
        for query in job.queries
        if (sql := queries.get(query.name))
    ]
    return any(map(asks_for_day, (*job.queries, *own)))


def _asked(query: Query) -> tuple[str, ...]:
    """Which of the names a query binds; one that has a value of its own is none of ours."""
    found = dict.fromkeys(_BOUND.findall(f"{query.sql}\n{query.control}"))
    return tuple(name for name in found if name not in query.params)


def _filled(
    value: Scalar,
    values: Mapping[str, datetime | date],
    form: str,
) -> Scalar:
    """A bind value with the day in place of its placeholders."""
    if not isinstance(value, str):
        return value
    return PLACEHOLDER.sub(
        lambda found: (
            _text(values[found[1]], found[2] or "", form) if found[1] in values else found[0]
        ),
        value,
    )


def _text(value: datetime | date, said: str, form: str) -> str:
    """A moment as a database reads it: a date for the day, else the time in that zone."""
    usual = form if isinstance(value, datetime) else "%Y-%m-%d"
    return value.strftime(said or usual)
