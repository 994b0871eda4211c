"""Fixes a run's columns: as the job says, as the first that answers describes, or as all do."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import islice

from etltui.domain import drift
from etltui.domain.columns import Column
from etltui.domain.errors import Failure
from etltui.domain.job import Job
from etltui.domain.plan import Plan, PlanConnection
from etltui.engine import hours
from etltui.engine.log import about
from etltui.engine.tasks import query_tasks
from etltui.engine.tools import Tools

_AT_ONCE = 8
"""Connections asked together: a first few that are down must not hold up the rest one by one."""

_PATIENCE_S = 0.5

_Columns = tuple[tuple[Column, ...], ...]
_log = logging.getLogger(__name__)


def fixed_by(job: Job) -> _Columns:
    """The columns that the job itself fixes; none where it leaves that to its connections."""
    named = tuple(Column(name=name) for name in job.columns)
    return (named,) * len(job.queries) if named else ()


async def columns_of(plan: Plan, tools: Tools) -> _Columns | None:
    """The columns of each query, None when no connection answers.

    Raises:
        Failure: Of a class that stops the run.
    """
    if named := fixed_by(plan.job):
        return named
    waiting = (c for c in plan.connections if _may_be_asked(c, tools))
    if plan.job.drift == "evolve":
        return await _of_all(plan, list(waiting), tools)
    while group := list(islice(waiting, _AT_ONCE)):
        if (found := await _first(plan, group, tools)) is not None:
            return found
    return None


def _may_be_asked(planned: PlanConnection, tools: Tools) -> bool:
    """Whether nobody holds it, it is within its hours, and its line is not down."""
    if tools.holds.of(planned.name, tools.clock) or tools.leases.breakers.shut(planned.connection):
        return False
    return not hours.opens(planned.connection, tools.clock, tools.timezone)


async def _of_all(
    plan: Plan,
    asked: Sequence[PlanConnection],
    tools: Tools,
) -> _Columns | None:
    """The columns that any of the connections has; as many are asked together as may be read."""
    room = asyncio.Semaphore(plan.job.max_parallel)

    async def one(planned: PlanConnection) -> _Columns | None:
        async with room:
            return await _ask(plan, planned, tools)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each), name=f"columns of {each.name}") for each in asked]
    answers = [found for task in tasks if (found := task.result()) is not None]
    if not answers:
        return None
    of_each_query = zip(*answers, strict=True)
    return tuple(drift.union(found, plan.job.aliases) for found in of_each_query)


async def _first(plan: Plan, group: Sequence[PlanConnection], tools: Tools) -> _Columns | None:
    """What the first connection in the job's order says, of those that answer."""
    asked = [asyncio.create_task(_ask(plan, planned, tools)) for planned in group]
    try:
        for task in asked:
            if (found := await task) is not None:
                return found
        return None
    finally:
        await _let_end(asked, tools)


async def _let_end(asked: Sequence[asyncio.Task[_Columns | None]], tools: Tools) -> None:
    """Wait a little for who still answers: a session that is broken off is lost to the pool."""
    patience = asyncio.create_task(tools.clock.sleep(_PATIENCE_S), name="patience")
    answers = asyncio.ensure_future(asyncio.wait(asked))
    try:
        await asyncio.wait({patience, answers}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (patience, *asked):
            task.cancel()
        await answers
        for task in asked:
            if not task.cancelled():
                task.exception()  # the first one to fail has told it for all


async def _ask(plan: Plan, planned: PlanConnection, tools: Tools) -> _Columns | None:
    with about(connection=planned.name):
        return await _described(plan, planned, tools)


async def _described(plan: Plan, planned: PlanConnection, tools: Tools) -> _Columns | None:
    try:
        async with tools.leases.lease(
            planned.connection,
            holder=f"run {plan.run}, {planned.name}, its columns",
            expected_s=plan.job.query_timeout_s or tools.query_timeout_s,
        ) as session:
            return await session.describe(query_tasks(plan, planned))
    except Failure as failure:
        if failure.advice.stops_run:
            raise
        # It gets its own tries later, and its own error.
        _log.info("%s did not describe its columns: %s", planned.name, failure)
        return None
