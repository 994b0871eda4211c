"""Asks one database how it would answer a job's queries, over a session that is lent."""

import asyncio

from etltui.domain.days import Days
from etltui.domain.errors import Failure, Trouble
from etltui.domain.inquiry import Explained, QueryPlan
from etltui.domain.job import Connection, Job
from etltui.domain.lending import Leases
from etltui.domain.plan import plan_connection
from etltui.domain.task import QueryTask
from etltui.engine.answers import answer


async def explained(
    lending: Leases,
    job: Job,
    connection: Connection,
    *,
    days: Days,
    limit_s: float,
) -> Explained:
    """Ask one database, in its turn; what goes wrong is said, not raised.

    Args:
        lending: Gives the session.
        job: Its queries, with what the connection is asked instead.
        connection: Whom to ask.
        days: The business day that it is asked for.
        limit_s: How long the answer may take.
    """
    # In a thread: it looks up the connection's zone.
    planned = await asyncio.to_thread(plan_connection, 1, connection, job, days)
    asked = tuple(
        QueryTask(name=query.name, sql=query.sql, params=query.params) for query in planned.queries
    )
    queries: tuple[QueryPlan, ...] = ()
    trouble = None
    try:
        plans = await _plans(lending, connection, asked, limit_s)
        named = zip(asked, plans, strict=True)
        queries = tuple(QueryPlan(name=query.name, plan=plan) for query, plan in named)
    except Failure as failure:
        trouble = Trouble.of(failure)
    return Explained(job=job.name, connection=connection.name, queries=queries, trouble=trouble)


async def _plans(
    lending: Leases,
    connection: Connection,
    queries: tuple[QueryTask, ...],
    limit_s: float,
) -> tuple[str, ...]:
    async with lending.lease(connection, holder="query plan") as session:
        return await answer(session.explain(queries), limit_s, "plan")
