"""Asks databases for an answer, over sessions that are lent: who is there, and how soon."""

import asyncio
from collections.abc import Sequence
from datetime import date

from etltui.config.schema import Config
from etltui.config.select import matches, suggestion
from etltui.domain.errors import ConfigError, ErrorClass, Failure, Mistake, Trouble
from etltui.domain.inquiry import Tested
from etltui.domain.job import Connection
from etltui.domain.ports import Clock, Leases, Session

_TRIPS = 3
"""The quickest of so many: what else this machine does should not count."""


def chosen(config: Config, selectors: Sequence[str], day: date) -> tuple[Connection, ...]:
    """The connections to ask, each once; without a selector those that are there on the day.

    Raises:
        ConfigError: There is none, or a selector matches none.
    """
    there = config.connections
    if not selectors:
        found = tuple(each for each in there if each.exists(day))
        if not found:
            problem = "there is no connection to test"
            raise ConfigError([Mistake(where=str(config.path), key="connections", problem=problem)])
        return found
    groups = matches(there, selectors)
    mistakes = [
        Mistake(
            where="command line",
            key="CONNECTION",
            problem=f'"{selector}" matches no connection',
            way_out=suggestion(there, selector),
        )
        for selector, group in groups
        if not group
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return tuple({each.name: each for _, group in groups for each in group}.values())


async def _trip(session: Session, limit_s: float, clock: Clock) -> float:
    """Seconds from asking to the answer."""
    asked = clock.monotonic()
    try:
        async with asyncio.timeout(limit_s):
            await session.ping()
    except TimeoutError:
        text = f"no answer within request_timeout_s = {limit_s:g} s"
        raise Failure(ErrorClass.TIMEOUT, text) from None
    return clock.monotonic() - asked


async def tested(lending: Leases, connection: Connection, limit_s: float, clock: Clock) -> Tested:
    """Ask one database, in its turn; what goes wrong is said, not raised."""
    milliseconds, trouble = 0.0, None
    try:
        async with lending.lease(connection, holder="test") as session:
            trips = [await _trip(session, limit_s, clock) for _ in range(_TRIPS)]
            milliseconds = 1000 * min(trips)
    except Failure as failure:
        trouble = Trouble.of(failure)
    return Tested(
        connection=connection.name,
        milliseconds=milliseconds,
        trouble=trouble,
        contact=connection.contact,
    )
