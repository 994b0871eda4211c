"""Takes starts in: whether a run is queued, joined or refused; never two of a job by accident."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from etltui.domain.audit import also
from etltui.domain.errors import NoSuchRunError, RefusedError
from etltui.domain.job import Job, Overlap
from etltui.domain.ports import Store
from etltui.domain.queue import Ask, Mode, QueueEntry
from etltui.domain.run import RunStatus
from etltui.domain.stored import RunRow
from etltui.engine.dispatcher import Dispatcher
from etltui.engine.starts import Starts
from etltui.engine.turn import RunHandle

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """What somebody says of a start; see `engine.engine.Engine.submit`."""

    only: tuple[str, ...] = ()
    resume: bool | None = None
    priority: int | None = None
    delay_s: float = 0.0
    owner: str = ""
    overlap: Overlap | None = None
    canary: bool | None = None
    day: date | None = None


class Submissions:
    """Lets runs into the queue.

    Args:
        store: Keeps the queue.
        starts: Knows what may start.
        queue: Where runs wait.
        operator: Owns what nobody else does.
        resident: Whether what is taken in outlives the engine.

    Attributes:
        taking_in: Held while a start is looked at, so that nobody else may start the same job or
            change what it rests on.
        patches: Runs of earlier days that a new run has taken up again, to whoever waits for all.
    """

    def __init__(
        self,
        *,
        store: Store,
        starts: Starts,
        queue: Dispatcher,
        operator: str,
        resident: bool,
    ) -> None:
        self.taking_in = asyncio.Lock()
        self.patches: list[RunHandle] = []
        self._store = store
        self._starts = starts
        self._queue = queue
        self._operator = operator
        self._resident = resident

    async def check(self, job: str, only: Sequence[str], *, resume: bool | None) -> None:
        """Raise what `submit` would raise of the configuration."""
        found = self._starts.job(job)
        self._refuse_disabled(job)
        await self._starts.check(found, only, resume=self._starts.resumes(found, resume))

    async def submit(self, job: str, asked: Submission) -> RunHandle:
        """See `engine.engine.Engine.submit`."""
        found = self._starts.job(job)
        self._refuse_disabled(job)
        resumes = self._starts.resumes(found, asked.resume)
        async with self.taking_in:
            row = await self._starts.check(found, asked.only, resume=resumes, day=asked.day)
            there = self._there(found, asked, row)
            if there is not None:
                return there
            mode = Mode.RESUME if row else Mode.NEW
            ask = Ask(mode=mode, only=asked.only, canary=asked.canary, day=asked.day)
            entry = await self._starts.entry(found, ask, row)
            if asked.priority is not None:
                entry = replace(entry, priority=asked.priority)
            if asked.delay_s > 0:
                entry = replace(entry, not_before=entry.submitted + asked.delay_s)
            also(run=entry.run, mode=str(mode))
            handle = await self._queue.submit(self._owned(entry, asked.owner), found.title)
            if mode is Mode.NEW and not asked.only and asked.day is None:
                await self._patch(found, asked.owner)
            return handle

    async def _patch(self, job: Job, owner: str) -> None:
        """Let rows of days that were not closed be read again after the new run."""
        waiting = {entry.run for entry in self._queue.queue.of(job.name)}
        ask = Ask(mode=Mode.RETRY, provisional=True)
        for row in await self._starts.provisional(job):
            if row.run in waiting:
                continue
            try:
                then, _ = await self._starts.retry(row.run, ask)
            except NoSuchRunError as error:
                _log.info("Provisional rows are not read again: %s", error)
                continue
            entry = self._owned(await self._starts.entry(then, ask, row), owner)
            handle = await self._queue.submit(entry, then.title)
            if not self._resident:  # one that stays needs nobody who waits for all
                self.patches.append(handle)

    async def retry(self, run: str, ask: Ask, *, owner: str) -> RunHandle:
        """See `engine.engine.Engine.retry`."""
        ask = replace(ask, mode=Mode.RETRY)
        async with self.taking_in:
            there = self._named(run)
            if there is not None:
                self._refuse(there, None)
                return self._queue.join(there)
            job, row = await self._starts.retry(run, ask)
            self._refuse_disabled(job.name)
            joined = self._there(job, Submission(), row)
            if joined is not None:
                return joined
            entry = await self._starts.entry(job, ask, row)
            also(run=entry.run)
            return await self._queue.submit(self._owned(entry, owner), job.title)

    async def late(self, run: str, job: str, names: Sequence[str]) -> RunHandle | None:
        """Read late connections of a run that has ended; None where its job is not to run now.

        It does not outlive the engine: the next one looks itself which answer.

        Raises:
            NoSuchRunError: Nothing of it is late any more, or its targets are a later run's.
        """
        ask = Ask(mode=Mode.RETRY, only=tuple(names), late=True)
        async with self.taking_in:
            configured = self._starts.config.jobs.get(job)
            paused = {"", job} & self._queue.queue.paused
            disabled = configured is not None and not configured.enabled
            if paused or disabled or any(self._queue.queue.of(job)):
                return None
            then, row = await self._starts.retry(run, ask)
            entry = self._owned(await self._starts.entry(then, ask, row), "")
            return await self._queue.submit(replace(entry, keep=False), then.title)

    async def take_up(self, entry: QueueEntry) -> None:
        """Let an entry that outlived its engine wait again.

        One that was at work when that engine ended goes on only where the job resumes.
        """
        job = self._starts.config.jobs.get(entry.job)
        if entry.taken:
            resumes = job is not None and self._starts.resumes(job, None)
            if job is None or not resumes or entry.tries > job.retry.retries:
                await self._store.dequeue([entry.run], RunStatus.STOPPED)
                return
            entry = entry.again(entry.not_before)
            await self._store.requeue(entry)
        self._queue.add(entry, job.title if job else "")

    async def cancel(self, run: str, *, resumable: bool, reason: str) -> None:
        """See `engine.engine.Engine.cancel`."""
        status = RunStatus.STOPPED if resumable else RunStatus.CANCELLED
        entry = next(self._queue.queue.of(run), None) or self._named(run)
        if entry and await self._queue.cancel(entry.run, status, reason or f"{status} by hand"):
            return
        raise NoSuchRunError(
            run=run,
            why="no such run waits or is at work",
            way_out="See `etltui jobs` and `etltui queue`",
        )

    def knows(self, run: str) -> bool:
        """Whether a run of this id, end of it, or job waits or is at work."""
        return next(self._queue.queue.of(run), None) is not None or self._named(run) is not None

    def _owned(self, entry: QueueEntry, owner: str) -> QueueEntry:
        return replace(entry, owner=owner or self._operator, keep=self._resident)

    def _there(self, job: Job, asked: Submission, row: RunRow | None) -> RunHandle | None:
        """The run to join, None where another one may be queued."""
        # Nobody who wants a new run is given the patching of an earlier one.
        runs = (each for each in self._queue.queue.of(job.name) if not each.ask.patches)
        entry = next(runs, None)
        if entry is None:
            self._refuse_paused(job)
            return None
        policy = self._refuse(entry, asked.overlap)
        same = next((e for e in self._queue.queue.of(job.name) if row and e.run == row.run), None)
        # A run of another day has other rows: this one waits for its end.
        joins = policy == "join" and (asked.day is None or asked.day == entry.ask.day)
        joined = same or (entry if joins else None)
        return self._queue.join(joined) if joined else None

    def _refuse(self, entry: QueueEntry, overlap: Overlap | None) -> Overlap:
        """What holds for a start of a job that has a run already.

        Raises:
            RefusedError: It is to be refused.
        """
        job = self._starts.config.jobs.get(entry.job)
        policy = overlap or (job and job.overlap) or self._starts.config.settings.overlap
        if policy == "refuse":
            state = "is running" if entry in self._queue.queue.working else "waits in the queue"
            raise RefusedError(
                job=entry.job,
                why=f"its run {entry.run}, asked for by {entry.owner}, {state}",
                way_out="Wait for its end, or cancel it with `etltui cancel`",
            )
        return policy

    def _named(self, run: str) -> QueueEntry | None:
        """The run that waits or is at work with this id, or the only one whose id ends so."""
        entries = (*self._queue.queue.working, *self._queue.pending())
        near = [entry for entry in entries if entry.run.casefold().endswith(run.casefold())]
        exact = [entry for entry in entries if entry.run == run]
        return next(iter(exact or near), None) if run and len(exact or near) == 1 else None

    def _refuse_disabled(self, name: str) -> None:
        job = self._starts.config.jobs.get(name)
        if job is not None and not job.enabled:
            raise RefusedError(
                job=name,
                why="it is disabled",
                way_out=f"Enable it with `etltui config set jobs.{name}.enabled true`",
            )

    def _refuse_paused(self, job: Job) -> None:
        paused = {"", job.name} & self._queue.queue.paused
        if paused and not self._resident:
            what = "the queue" if "" in paused else "the job"
            raise RefusedError(
                job=job.name,
                why=f"{what} is paused",
                way_out="Let it go on with `etltui queue resume`",
            )
