"""Asks one database how it would answer a job's queries, over a session that is lent."""

import asyncio

from etltui.domain.errors import ErrorClass, Failure, Trouble
from etltui.domain.inquiry import Explained, QueryPlan
from etltui.domain.job import Connection, Job
from etltui.domain.plan import plan_connection
from etltui.domain.ports import Leases
from etltui.domain.task import QueryTask


async def explained(lending: Leases, job: Job, connection: Connection, limit_s: float) -> Explained:
    """Ask one database, in its turn; what goes wrong is said, not raised.

    Args:
        lending: Gives the session.
        job: Its queries, with what the connection is asked instead.
        connection: Whom to ask.
        limit_s: How long the answer may take.
    """
    asked = tuple(
        QueryTask(name=query.name, sql=query.sql, params=query.params)
        for query in plan_connection(1, connection, job).queries
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
        try:
            async with asyncio.timeout(limit_s):
                return await session.explain(queries)
        except TimeoutError:
            text = f"no plan within request_timeout_s = {limit_s:g} s"
            raise Failure(ErrorClass.TIMEOUT, text) from None
