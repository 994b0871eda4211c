"""Whether a run may start, and what it starts with: requests held against what there is."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from etltui.config.schema import Config
from etltui.config.select import select
from etltui.domain.deadline import due_at
from etltui.domain.errors import ConfigError, ErrorClass, Mistake, NoSuchRunError
from etltui.domain.job import Connection, Job
from etltui.domain.plan import Plan, plan_hash
from etltui.domain.ports import Store
from etltui.domain.queue import Ask, Mode, QueueEntry
from etltui.domain.run import RESUMABLE, ConnectionResult, ConnectionStatus, RunStatus, run_id
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.engine.checkpoints import named
from etltui.engine.preflight import obstacle
from etltui.engine.prepare import Prepared, Preparer

_LACKING = frozenset({ConnectionStatus.FAILED, ConnectionStatus.SKIPPED})
_RETRIED = RESUMABLE | {RunStatus.COMPLETED_WITH_ERRORS}


class Starts:
    """Turns what is asked into entries of the queue, and entries into prepared runs.

    Args:
        config: What may be run; replaced when settings change.
        state: The state folder, which no target may lie in.
    """

    def __init__(self, config: Config, *, store: Store, preparer: Preparer, state: Path) -> None:
        self.config = config
        self._store = store
        self._preparer = preparer
        self._state = state

    def job(self, name: str) -> Job:
        """The job of a name, with the time limits that hold for it.

        Raises:
            ConfigError: There is none.
        """
        found = self.config.jobs.get(name)
        if found is not None:
            return self._resolved(found)
        known = ", ".join(self.config.jobs)
        raise ConfigError(
            [
                Mistake(
                    where=str(self.config.path),
                    key="jobs",
                    problem=f"there is no job {name!r}",
                    way_out=f"There are: {known}" if known else "Add a table [jobs.NAME]",
                ),
            ],
        )

    def resumes(self, job: Job, asked: bool | None) -> bool:  # noqa: FBT001 - yes, no, as configured
        """Whether a run of the job takes up an unfinished one: flag, then RESUME_JOBS, then job."""
        said = (asked, self.config.settings.resume_jobs, job.resume)
        return next(answer for answer in said if answer is not None)

    async def check(self, job: Job, only: Sequence[str], *, resume: bool) -> RunRow | None:
        """The run that would be taken up; raises what starting would raise.

        Raises:
            ConfigError: `only` names no connection, or a target could not be written.
            PlanChangedError: The unfinished run was made by another plan.
        """
        self.connections(job, only)
        await asyncio.to_thread(self._check_targets, job)
        row = await self._store.unfinished(job.name) if resume else None
        if row is not None:
            await self._preparer.fits(row, job)
        return row

    async def entry(self, job: Job, ask: Ask, row: RunRow | None) -> QueueEntry:
        """An entry for a run of the job, or for a further attempt of the run in `row`."""
        now = self._preparer.now()
        run = row.run if row else run_id(now, os.urandom)
        # Of hundreds of runs that are asked for in one second two may draw the same letters.
        while row is None and await self._store.run(run):
            run = run_id(now, os.urandom)
        return QueueEntry(
            run=run,
            job=job.name,
            type=job.type,
            priority=self.priority(job),
            submitted=now.timestamp(),
            ask=ask,
        )

    def priority(self, job: Job) -> int:
        """The priority of a run of the job: its own, else that of its type."""
        kind = self.config.run_types.get(job.type)
        return job.priority if job.priority is not None else kind.priority if kind else 100

    async def retry(self, run: str, ask: Ask) -> tuple[Job, RunRow]:
        """The job and the run that a retry takes up.

        Raises:
            NoSuchRunError: There is no such run, nothing of it is missing, or its targets are a
                later run's by now.
        """
        row = await named(self._store, run)
        if row is None:
            raise NoSuchRunError(
                run=run, why="there is no such run or job", way_out="See `etltui runs`"
            )
        if row.status not in _RETRIED or not row.plan_hash:
            raise NoSuchRunError(
                run=row.run,
                why=f"it is {row.status}, so there is nothing to read again",
                way_out="Only what failed or was not read can be; `etltui run` reads all anew",
            )
        plan = await self._store.plan(row.run)
        await self._refuse_taken(plan, row)
        if not self._missing(plan, await self._store.connections(row.run), ask):
            raise NoSuchRunError(
                run=row.run,
                why="none of its connections is as asked",
                way_out="See `etltui show` for how each of them ended",
            )
        return self._job_of(plan), row

    async def _refuse_taken(self, plan: Plan, row: RunRow) -> None:
        """Patch no target that a later run has made."""
        for target in plan.targets:
            newest = next(iter(await self._store.published_at(target)), None)
            if newest is not None and newest.run != row.run and await self._newer(newest.run, row):
                raise NoSuchRunError(
                    run=row.run,
                    why=f"{target} holds the later run {newest.run} by now",
                    way_out=f"Retry that one, or run {row.job} anew; {{date}} in a path keeps "
                    "the targets of different days apart",
                )

    async def _newer(self, other: str, row: RunRow) -> bool:
        found = await self._store.run(other)
        return found is not None and found.started >= row.started

    async def prepare(self, entry: QueueEntry) -> Prepared:
        """Make the run of an entry ready.

        Raises:
            ConfigError: The job or its connections are there no more.
            PlanChangedError: The run was made by another plan.
            NoSuchRunError: A later run has made the targets meanwhile.
            StateError: Something cannot be recorded, or a folder not be made.
        """
        if entry.ask.mode is Mode.RETRY:
            prepared = await self._prepare_retry(entry)
        else:
            prepared = await self._prepare_job(entry)
        return replace(
            prepared,
            priority=entry.priority,
            canary=_canary(prepared, entry.ask),
            due=_due(prepared.plan, self.config.settings.timezone),
        )

    def _further(self, prepared: Prepared, row: RunRow, entry: QueueEntry) -> Prepared:
        """A further turn of a run that failed.

        Its connections had their tries: a turn gives each one more, so that retries of runs and of
        connections never multiply.
        """
        if row.status is not RunStatus.FAILED or entry.tries == 1:
            return prepared
        return replace(prepared, retry=replace(prepared.retry, retries=0))

    async def _prepare_job(self, entry: QueueEntry) -> Prepared:
        job = self.job(entry.job)
        if entry.ask.mode is Mode.NEW:
            connections = self.connections(job, ())
            asked = {c.name for c in self.connections(job, entry.ask.only)}
            return await self._preparer.new(entry.run, job, connections, asked=asked)
        row = await self._row(entry.run)
        await self._preparer.fits(row, job)
        plan = await self._store.plan(row.run)
        await self._refuse_taken(plan, row)
        day = plan.started.date()
        connections = self.connections(job, (), day)
        asked = {c.name for c in self.connections(job, entry.ask.only, day)}
        prepared = await self._preparer.again(row, job, connections, asked=asked)
        return self._further(prepared, row, entry)

    async def _prepare_retry(self, entry: QueueEntry) -> Prepared:
        row = await self._row(entry.run)
        plan = await self._store.plan(row.run)
        # Another run may have had its turn since this one was asked for.
        await self._refuse_taken(plan, row)
        rows = await self._store.connections(row.run)
        asked = self._missing(plan, rows, entry.ask)
        settled: dict[str, ConnectionResult] = {
            each.connection: each.result
            for each in rows
            if each.result and each.connection not in asked and not each.done
        }
        known = {connection.name: connection for connection in self.config.connections}
        connections = [known.get(c.name, c.connection) for c in plan.connections]
        prepared = await self._preparer.again(
            row, self._job_of(plan), connections, asked=asked, settled=settled
        )
        # What was done and cannot be found again is missing, too.
        lost = {each.connection for each in rows if each.done} - prepared.kept.keys()
        prepared = replace(prepared, asked=prepared.asked | lost)
        return self._further(prepared, row, entry)

    def _job_of(self, plan: Plan) -> Job:
        """The job as it is now where the parts fit it, else as it was when the run began."""
        now = self.config.jobs.get(plan.job.name)
        fits = now is not None and plan_hash(now) == plan.hash
        return self._resolved(now if now is not None and fits else plan.job)

    def _resolved(self, job: Job) -> Job:
        settings = self.config.settings
        return replace(
            job,
            query_timeout_s=job.query_timeout_s or settings.query_timeout_s,
            stall_timeout_s=job.stall_timeout_s or settings.stall_timeout_s,
        )

    def _missing(self, plan: Plan, rows: Sequence[ConnectionRow], ask: Ask) -> set[str]:
        """Names of the connections that a retry reads."""
        known = {connection.name: connection for connection in self.config.connections}
        names = {c.name: known.get(c.name, c.connection) for c in plan.connections}
        if ask.only:
            chosen = {c.name for c in select(tuple(names.values()), tuple(names), ask.only)}
        else:
            chosen = set(names)
        return {row.connection for row in rows if not row.done and _fits(row, ask)} & chosen

    async def _row(self, run: str) -> RunRow:
        row = await self._store.run(run)
        if row is None:
            raise NoSuchRunError(run=run, why="it is not recorded any more", way_out="Run its job")
        return row

    def connections(
        self,
        job: Job,
        only: Sequence[str],
        day: date | None = None,
    ) -> tuple[Connection, ...]:
        """The job's connections that are there on a day, today for None.

        Raises:
            ConfigError: `only` names none of them, or there is none at all.
        """
        day = day or self._preparer.now().date()
        found = select(self.config.connections, job.connections, only, day)
        if found:
            return found
        raise ConfigError(
            [
                Mistake(
                    where=str(self.config.path),
                    key=f"jobs.{job.name}.connections",
                    problem=f"all of its connections are closed or not yet open on {day}",
                    way_out="Change the job, or the days of its connections",
                ),
            ],
        )

    def _check_targets(self, job: Job) -> None:
        mistakes = [
            Mistake(
                where=str(self.config.path),
                key=f"jobs.{job.name}.destinations[{number}].path",
                problem=problem,
                way_out="Give the destination another path, or clear the way",
            )
            for number, (target, each) in enumerate(
                zip(
                    self._preparer.targets(job, "run", self._preparer.now()),
                    job.destinations,
                    strict=True,
                ),
                start=1,
            )
            if (problem := obstacle(Path(target), self._state, is_folder=each.is_folder))
        ]
        if mistakes:
            raise ConfigError(mistakes)


def _canary(prepared: Prepared, ask: Ask) -> bool:
    """Whether a run begins with few connections: no more once one of them has completed."""
    if prepared.kept:
        return False
    if ask.canary is not None:
        return ask.canary
    return prepared.plan.job.canary and ask.mode is not Mode.RETRY


def _due(plan: Plan, timezone: str) -> float:
    """The deadline of a run; one that has published met it or not, whatever is patched later."""
    return 0.0 if plan.published else due_at(plan.job.deadline, plan.started, timezone)


def _fits(row: ConnectionRow, ask: Ask) -> bool:
    """Whether a connection that is not done is among those that a retry asks for.

    One that was held counts as one that failed: it lacks its rows for a reason of its own.
    """
    failed = row.result is not None and row.result.status in _LACKING
    kind: ErrorClass | None = None
    if row.result is not None and row.result.trouble is not None:
        kind = row.result.trouble.error_class
    if ask.classes:
        return failed and kind in ask.classes
    return failed or not ask.only_failed
