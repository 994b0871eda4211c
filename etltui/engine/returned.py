"""Which of the connections that could not be reached answer again; nothing is read of them."""

import asyncio
from collections.abc import Sequence

from etltui.domain.errors import Failure
from etltui.domain.late import comes_back
from etltui.domain.plan import Plan, PlanConnection
from etltui.engine import hours
from etltui.engine.answers import AT_ONCE, answer
from etltui.engine.log import about
from etltui.engine.tasks import query_tasks
from etltui.engine.tools import Tools


async def returned(
    tools: Tools,
    plan: Plan,
    asked: Sequence[PlanConnection],
    limit_s: float,
) -> list[str]:
    """Names of those that answer, in the order in which they are given.

    Who is held or outside its hours is not asked. A server that is out of reach costs no place of a
    pool and no login; one that is there is asked for the columns of its queries, over a session
    that is kept for reading them.

    Args:
        tools: Of the engine.
        plan: Of their run.
        asked: Who is asked.
        limit_s: How long one may take to describe its columns.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def one(planned: PlanConnection) -> bool:
        async with room:
            with about(connection=planned.name):
                return await _answers(tools, plan, planned, limit_s)

    there = [each for each in asked if _may_be_asked(tools, each)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each), name=f"late {each.name}") for each in there]
    return [each.name for each, task in zip(there, tasks, strict=True) if task.result()]


def _may_be_asked(tools: Tools, planned: PlanConnection) -> bool:
    held = tools.holds.of(planned.name, tools.clock)
    return not (held or hours.opens(planned.connection, tools.clock, tools.timezone))


async def _answers(tools: Tools, plan: Plan, planned: PlanConnection, limit_s: float) -> bool:
    """Whether it is back; one that refuses what it is asked is, and whoever reads it says so."""
    connection = planned.connection
    try:
        await tools.leases.reach(connection)
        holder = f"run {plan.run}, {planned.name}, whether it is back"
        async with tools.leases.lease(connection, holder=holder) as session:
            await answer(session.describe(query_tasks(plan, planned)), limit_s)
    except Failure as failure:
        return not comes_back(failure.error_class, connection)
    return True
