"""Whether a run may start, and what it starts with: requests held against what there is."""

import asyncio
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from etltui.config.schema import Config
from etltui.config.select import select
from etltui.config.statements import statements
from etltui.domain.cut_off import cut_off_of
from etltui.domain.deadline import due_at
from etltui.domain.errors import ConfigError, ErrorClass, Mistake, NoSuchRunError, misused
from etltui.domain.job import Connection, Job
from etltui.domain.late import behind, late_rows
from etltui.domain.plan import Plan, plan_hash
from etltui.domain.queue import Ask, Mode, QueueEntry
from etltui.domain.run import RESUMABLE, ConnectionResult, ConnectionStatus, RunStatus, run_id
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.engine import guarding
from etltui.engine.checkpoints import named
from etltui.engine.preflight import obstacle, refuse_taken
from etltui.engine.prepare import Prepared, Preparer
from etltui.engine.provisional import Before, patchable, provisional, unfinished
from etltui.engine.tools import Tools

_LACKING = frozenset({ConnectionStatus.FAILED, ConnectionStatus.SKIPPED})
_RETRIED = RESUMABLE | {RunStatus.COMPLETED_WITH_ERRORS}


class Starts:
    """Turns what is asked into entries of the queue, and entries into prepared runs.

    Args:
        config: What may be run; replaced when settings change.
        tools: Of the engine.
        preparer: Makes runs ready.
    """

    def __init__(self, config: Config, tools: Tools, preparer: Preparer) -> None:
        self.config = config
        self._store = tools.store
        self._guard = tools.guard
        self._preparer = preparer
        # No target may lie in it.
        self._state = tools.parts_folder.parent

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

    async def check(
        self,
        job: Job,
        only: Sequence[str],
        *,
        resume: bool,
        day: date | None = None,
    ) -> RunRow | None:
        """The run that would be taken up; raises what starting would raise.

        Args:
            job: Which.
            only: Selectors over its connections.
            resume: Whether an unfinished run is taken up.
            day: The business day that is asked for; a run of another one is not taken up.

        Raises:
            ConfigError: `only` names no connection, a query does more than read, a target could
                not be written, or the day has not begun.
            PlanChangedError: The unfinished run was made by another plan.
            RefusedError: An engine of another state folder writes one of the targets.
        """
        if day is not None and day > (today := self._preparer.now().date()):
            raise misused("--day", f"{day} has not begun", f"Today is {today}")
        await self.guard(job, self.connections(job, only, day))
        await asyncio.to_thread(self._check_targets, job)
        targets = self._preparer.targets(job, "run", self._preparer.now())
        await asyncio.to_thread(refuse_taken, job.name, targets, self.config.settings.timezone)
        row = await self._store.unfinished(job.name) if resume else None
        if row is None or (day and (await self._store.plan(row.run)).day != day):
            return None
        await self._preparer.fits(row, job)
        return row

    async def guard(self, job: Job, connections: Sequence[Connection]) -> None:
        """Refuse queries that do more than read.

        Raises:
            ConfigError: All of them, each with where it stands.
        """
        await guarding.refuse(self._guard, self.config.path, statements(job, connections))

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
        retried = _RETRIED | {RunStatus.COMPLETED} if ask.provisional else _RETRIED
        if row.status not in retried or not row.plan_hash:
            raise NoSuchRunError(
                run=row.run,
                why=f"it is {row.status}, so there is nothing to read again",
                way_out="Only what failed or was not read can be; `etltui run` reads all anew",
            )
        plan = await self._store.plan(row.run)
        await self._refuse_taken(plan, row)
        goes_on = ask.provisional and unfinished(row, plan)
        goes_on = goes_on or (ask.late and behind(row.status, plan))
        missing = self._missing(plan, await self._store.connections(row.run), ask)
        if not missing and not goes_on:
            raise NoSuchRunError(
                run=row.run,
                why="none of its connections is as asked",
                way_out="See `etltui show` for how each of them ended",
            )
        return self._job_of(plan), row

    async def provisional(self, job: Job) -> list[RunRow]:
        """Runs of the job whose targets hold rows of days that were not closed."""
        now = self._preparer.now()
        taken = frozenset(self._preparer.targets(job, "run", now))
        return await patchable(self._store, job, now.date(), taken)

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
            ConfigError: The job or its connections are there no more, or a query does more than
                read.
            PlanChangedError: The run was made by another plan.
            NoSuchRunError: A later run has made the targets meanwhile.
            StateError: Something cannot be recorded, or a folder not be made.
        """
        if entry.ask.mode is Mode.RETRY:
            prepared = await self._prepare_retry(entry)
        else:
            prepared = await self._prepare_job(entry)
        plan = prepared.plan
        # What the configuration says may have changed since this was asked for.
        await self.guard(plan.job, [planned.connection for planned in plan.connections])
        return replace(
            prepared,
            priority=entry.priority,
            canary=_canary(prepared, entry.ask),
            due=_due(plan, self.config.settings.timezone),
            closes=cut_off_of(plan, self._preparer.now(), self.config.settings.timezone),
        )

    def _further(self, prepared: Prepared, row: RunRow, entry: QueueEntry) -> Prepared:
        """A further turn of a run that failed, or of one whose late connections answer.

        Its connections had their tries: a turn gives each one more, so that retries of runs and of
        connections never multiply.
        """
        first = row.status is not RunStatus.FAILED or entry.tries == 1
        if first and not entry.ask.late:
            return prepared
        return replace(prepared, retry=replace(prepared.retry, retries=0))

    async def _prepare_job(self, entry: QueueEntry) -> Prepared:
        job = self.job(entry.job)
        if entry.ask.mode is Mode.NEW:
            day = entry.ask.day
            connections = self.connections(job, (), day)
            asked = {c.name for c in self.connections(job, entry.ask.only, day)}
            return await self._preparer.new(entry.run, job, connections, asked=asked, day=day)
        row = await self._row(entry.run)
        await self._preparer.fits(row, job)
        plan = await self._store.plan(row.run)
        await self._refuse_taken(plan, row)
        day = entry.ask.day or plan.started.date()
        connections = self.connections(job, (), day)
        asked = {c.name for c in self.connections(job, entry.ask.only, day)}
        prepared = await self._preparer.again(row, job, connections, asked=asked)
        return self._further(prepared, row, entry)

    async def _prepare_retry(self, entry: QueueEntry) -> Prepared:
        row = await self._row(entry.run)
        plan = await self._store.plan(row.run)
        # Another run may have had its turn since this one was asked for.
        await self._refuse_taken(plan, row)
        if entry.ask.late and not plan.late:
            await self._store.replan(replace(plan, late="open"))
        rows = await self._store.connections(row.run)
        asked = self._missing(plan, rows, entry.ask)
        settled: dict[str, ConnectionResult] = {
            each.connection: each.result
            for each in rows
            if each.result and each.connection not in asked and not each.done
        }
        connections = plan.as_now(self.config.connections)
        prepared = await self._preparer.again(
            row, self._job_of(plan), connections, asked=asked, settled=settled
        )
        if entry.ask.provisional:
            await self._preparer.set_back(row.run)
            prepared = _anew(prepared, asked)
            rows = [each for each in rows if each.connection not in asked]
        # What was done and cannot be found again is missing, too.
        lost = {each.connection for each in rows if each.done} - prepared.kept.keys()
        standing = entry.ask.late and row.status is RunStatus.COMPLETED_WITH_ERRORS
        prepared = replace(prepared, asked=prepared.asked | lost, standing=standing)
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
        if ask.late:
            return {*late_rows(plan, rows)} & {*ask.only}
        names = {each.name: each for each in plan.as_now(self.config.connections)}
        if ask.only:
            chosen = {c.name for c in select(tuple(names.values()), tuple(names), ask.only)}
        else:
            chosen = set(names)
        if ask.provisional:
            return provisional(rows) & chosen
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


def _anew(prepared: Prepared, names: Collection[str]) -> Prepared:
    """The run with these connections read again; what is durable of them stays until then."""
    before = {
        name: Before(result=result, receipts=prepared.receipts[name])
        for name, result in prepared.kept.items()
        if name in names
    }
    return replace(
        prepared,
        before=before,
        kept={name: each for name, each in prepared.kept.items() if name not in before},
        receipts={name: each for name, each in prepared.receipts.items() if name not in before},
    )


def _canary(prepared: Prepared, ask: Ask) -> bool:
    """Whether a run begins with few connections: no more once one of them has completed."""
    if prepared.kept:
        return False
    if ask.canary is not None:
        return ask.canary
    return prepared.plan.job.canary and ask.mode is not Mode.RETRY


def _due(plan: Plan, timezone: str) -> float:
    """The deadline of a run; one that has ended met it or not, whatever is patched later."""
    return 0.0 if plan.published or plan.late else due_at(plan.job.deadline, plan.started, timezone)


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
