"""The connections that may not be read at this time of day, by the clock where they are."""

from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.hours import opening
from etltui.domain.job import Connection
from etltui.domain.ports import Clock
from etltui.domain.words import local


def opens(connection: Connection, clock: Clock, timezone: str) -> float:
    """When its next hours begin, in Unix seconds; 0 where it may be read now.

    What has begun is finished, however late it gets: only nothing begins outside its hours.

    Args:
        connection: Its own zone, where it says one, decides.
        clock: The time now.
        timezone: Of the settings; empty for the machine's own.
    """
    now = clock.now().timestamp()
    return opening(connection.hours, local(now, connection.timezone or timezone))


def trouble(connection: Connection, timezone: str) -> Trouble:
    """Why the connection has no rows, the same in each run."""
    zone = connection.timezone or timezone
    return Trouble(
        error_class=ErrorClass.HOURS,
        message=f"it may be read {connection.hours}{f' {zone}' if zone else ''}",
    )
