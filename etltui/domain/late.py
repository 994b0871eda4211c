"""Connections that a run could not reach: which are tried on after its end, until when, how often.

They are patched into the run's finished targets as they come back.
"""

from collections.abc import Iterable

from etltui.domain.deadline import due_at
from etltui.domain.errors import ErrorClass
from etltui.domain.job import Connection
from etltui.domain.plan import Plan
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.stored import ConnectionRow
from etltui.domain.words import counted, local

_COMES_BACK = frozenset(
    {
        ErrorClass.UNREACHABLE,
        ErrorClass.REFUSED,
        ErrorClass.BUSY,
        ErrorClass.TIMEOUT,
        ErrorClass.STALLED,
        ErrorClass.LOST,
    },
)
_ENDED = frozenset({RunStatus.COMPLETED_WITH_ERRORS, RunStatus.FAILED})
_GAPS_MIN = (1, 2, 4, 8, 15)


def comes_back(error_class: ErrorClass, connection: Connection) -> bool:
    """Whether a connection that failed so may answer by itself later.

    A database without a server is a file: gone from its share it is out of reach, no more.
    """
    if error_class is ErrorClass.NO_DATABASE:
        return not connection.host
    return error_class in _COMES_BACK


def late(plan: Plan, results: Iterable[ConnectionResult]) -> tuple[str, ...]:
    """Names of the run's connections that may come back, of those whose end is given."""
    known = {planned.name: planned.connection for planned in plan.connections}
    return tuple(
        each.connection
        for each in results
        if each.status is ConnectionStatus.FAILED
        and each.trouble is not None
        and each.connection in known
        and comes_back(each.trouble.error_class, known[each.connection])
    )


def late_rows(plan: Plan, rows: Iterable[ConnectionRow]) -> tuple[str, ...]:
    """The same of what is recorded; one that was broken off when it was tried has no end yet."""
    rows = tuple(rows)
    found = {*late(plan, (row.result for row in rows if row.result is not None))}
    return tuple(row.connection for row in rows if row.connection in found or row.result is None)


def behind(status: RunStatus, plan: Plan) -> bool:
    """Whether a run was broken off when it was patched: its targets may lack what was read."""
    return status is RunStatus.STOPPED and plan.late == "open"


def late_until(status: RunStatus, plan: Plan, timezone: str) -> float:
    """Until when connections of a run that ended so are tried on; 0 where they are not.

    Args:
        status: How the run ended.
        plan: Its plan.
        timezone: Of the times of day; empty for the machine's own.

    Returns:
        Unix time in seconds.
    """
    if plan.late == "ended" or not (status in _ENDED or behind(status, plan)):
        return 0.0
    return due_at(plan.job.late_until, plan.started, timezone)


def gap_s(looks: int, jitter: float) -> float:
    """How long to wait before late connections are looked at again.

    Args:
        looks: How often they were.
        jitter: From [0, 1); the gap is lengthened by up to a tenth.
    """
    return 60.0 * _GAPS_MIN[min(looks, len(_GAPS_MIN) - 1)] * (1 + jitter / 10)


def tried_on(connections: int, until: float, timezone: str) -> str:
    """That so many are tried on until then, in words: `3 connections are tried on until 11:00`."""
    verb = "is" if connections == 1 else "are"
    clock = f"{local(until, timezone):%H:%M}"
    return f"{counted(connections, 'connection')} {verb} tried on until {clock}"
