"""Fixes a run's columns: as the job says, or as the first connection that answers describes."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import islice

from etltui.domain.columns import Column
from etltui.domain.errors import Failure
from etltui.domain.job import Job
from etltui.domain.plan import Plan, PlanConnection
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
    """The columns of each query, None when no connection answers."""
    if named := fixed_by(plan.job):
        return named
    waiting = (c for c in plan.connections if not tools.holds.of(c.name, tools.clock))
    while group := list(islice(waiting, _AT_ONCE)):
        if (found := await _first(plan, group, tools)) is not None:
            return found
    return None


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
        # It gets its own tries later, and its own error.
        _log.info("%s did not describe its columns: %s", planned.name, failure)
        return None
