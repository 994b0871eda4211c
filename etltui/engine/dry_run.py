"""Runs a job's queries at one connection as a run would, and keeps nothing of it."""

import asyncio
import os
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from etltui.domain.columns import Column
from etltui.domain.days import Days
from etltui.domain.errors import Failure, Trouble
from etltui.domain.inquiry import DryQuery, DryRun
from etltui.domain.job import Connection, Job
from etltui.domain.lending import Session
from etltui.domain.plan import Plan, PlanConnection, plan_connection, plan_hash
from etltui.domain.pools import StatementRun
from etltui.domain.run import run_id
from etltui.domain.task import Extracted, Progress
from etltui.engine import hours
from etltui.engine.admission import Load
from etltui.engine.describe import fixed_by
from etltui.engine.first_rows import PLAIN, first_rows, readable
from etltui.engine.log import about
from etltui.engine.past import past_of
from etltui.engine.prepare import make_folders
from etltui.engine.spending import Spending
from etltui.engine.tasks import extract_task, query_tasks
from etltui.engine.tools import Tools, to_the_end

_SCRATCH = ".dry-"
"""Begins the name of a folder of parts that is of no run: upkeep passes it over, and what a crash
leaves of it the next start removes."""
_SHOWN = 20
_LOOKED_AT = 20

_Columns = tuple[tuple[Column, ...], ...]


async def dry_run(
    tools: Tools,
    job: Job,
    connection: Connection,
    *,
    now: datetime,
    days: Days,
    priority: int,
) -> DryRun:
    """Read everything once, into parts that are removed; one try.

    The columns to be met are those that the job names, else those of its newest run that it still
    fits, else the connection's own.

    Args:
        tools: Of the engine.
        job: With its time limits.
        connection: Whose rows.
        now: In the settings' time zone.
        days: The business day to read.
        priority: Of the lease.

    Raises:
        StateError: The folder of the parts cannot be made, or what is recorded not be read.
    """
    answer = DryRun(job=job.name, connection=connection.name)
    hold = tools.holds.of(connection.name, tools.clock)
    if hold is not None:
        since = datetime.fromtimestamp(hold.since, now.tzinfo)
        return replace(answer, trouble=hold.trouble(f"{since:%Y-%m-%d %H:%M}"))
    if hours.opens(connection, tools.clock, tools.timezone):
        return replace(answer, trouble=hours.trouble(connection, tools.timezone))
    columns, columns_of = await _columns(tools, job)
    plan = (await asyncio.to_thread(_plan, job, connection, now, days)).with_columns(columns)
    folder = tools.parts_folder / plan.run
    with about(connection=connection.name):
        try:
            await to_the_end(asyncio.to_thread(make_folders, folder, plan.job))
            done = await _Reading(tools, plan, priority).read()
            return replace(done, columns_of=columns_of)
        except Failure as failure:
            return replace(answer, columns_of=columns_of, trouble=Trouble.of(failure))
        finally:
            await to_the_end(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


async def _columns(tools: Tools, job: Job) -> tuple[_Columns, str]:
    """The columns that are fixed already, and the run that has fixed them."""
    named = fixed_by(job)
    if named:
        return named, ""
    wanted = plan_hash(job)
    for row in await tools.store.runs(job=job.name, limit=_LOOKED_AT):
        if row.plan_hash == wanted and (found := (await tools.store.plan(row.run)).columns):
            return found, row.run
    return (), ""


def _plan(job: Job, connection: Connection, now: datetime, days: Days) -> Plan:
    """A plan of one connection; where no part of the job's can be shown, with one that can."""
    destinations = job.destinations
    if not any(map(readable, destinations)):
        destinations = (*destinations, PLAIN)
    return Plan(
        run=f"{_SCRATCH}{run_id(now, os.urandom)}",
        job=replace(job, destinations=destinations),
        started=now,
        connections=(plan_connection(1, connection, job, days),),
        targets=(),
        hash=plan_hash(job),
        day=days.day,
    )


class _Reading:
    """One reading of one connection."""

    def __init__(self, tools: Tools, plan: Plan, priority: int) -> None:
        self._tools = tools
        self._plan = plan
        self._planned: PlanConnection = plan.connections[0]
        self._priority = priority
        self._shown, self._options = next(
            (number, options)
            for number, destination in enumerate(plan.job.destinations)
            if (options := readable(destination))
        )

    async def read(self) -> DryRun:
        """Read, and say what came.

        Raises:
            Failure: Nothing did.
        """
        tools, job = self._tools, self._plan.job
        past = await past_of(tools.store, job.name)
        load = Load.of(past.usual.get(self._planned.name))
        async with tools.memory.room(load) as place:
            await asyncio.to_thread(tools.space.check, {tools.parts_folder: 0})
            spending = Spending(tools.clock)
            async with tools.leases.lease(
                self._planned.connection,
                priority=self._priority,
                holder=f"dry run of {job.name}, {self._planned.name}",
                expected_s=job.query_timeout_s or tools.query_timeout_s,
                waited=spending.waited,
            ) as session:
                spending.connected()
                extracted = await self._extracted(session, place.batch_bytes if place else 0)
                seconds = spending.completed(extracted.seconds)
        self._note(extracted)
        return DryRun(
            job=job.name,
            connection=self._planned.name,
            queries=await asyncio.to_thread(self._queries, extracted),
            rows=extracted.rows,
            bytes=sum(
                receipt.bytes
                for receipt in extracted.receipts
                if job.destinations[receipt.destination] is not PLAIN
            ),
            seconds=seconds,
            notes=extracted.notes,
        )

    async def _extracted(self, session: Session, batch_bytes: int) -> Extracted:
        if not self._plan.columns:
            tasks = query_tasks(self._plan, self._planned)
            self._plan = self._plan.with_columns(await session.describe(tasks))
        task = extract_task(
            self._plan,
            self._planned,
            tools=self._tools,
            attempt=1,
            batch_bytes=batch_bytes,
        )
        return await session.extract(task, _unheard)

    def _note(self, extracted: Extracted) -> None:
        sql = {query.name: query.sql for query in self._planned.queries}
        ran = [
            StatementRun(sql=sql[cost.name], rows=cost.rows, seconds=cost.seconds)
            for cost in extracted.costs
        ]
        self._tools.leases.ran(self._planned.connection, ran)

    def _queries(self, extracted: Extracted) -> tuple[DryQuery, ...]:
        parts = {
            receipt.query: receipt
            for receipt in extracted.receipts
            if receipt.destination == self._shown
        }
        folder: Path = self._tools.parts_folder / self._plan.run
        return tuple(
            DryQuery(
                name=query.name,
                columns=self._plan.columns[number],
                rows=parts[number].rows,
                first=first_rows(
                    folder / parts[number].path, parts[number].bytes, self._options, _SHOWN
                ),
            )
            for number, query in enumerate(self._planned.queries)
        )


def _unheard(progress: Progress) -> None:
    """Nobody follows a dry run."""
