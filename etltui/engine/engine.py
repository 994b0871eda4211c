"""The engine: what a surface may ask of it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from etltui.config.schema import Config
from etltui.domain.errors import NoSuchRunError, RefusedError
from etltui.domain.job import Job, Overlap
from etltui.domain.pools import PoolMetrics, PoolStats
from etltui.domain.ports import Pools
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.queue import Ask, Mode, QueueEntry, QueueMetrics
from etltui.domain.run import RunStatus
from etltui.domain.stored import RunRow
from etltui.engine.bus import Backlog
from etltui.engine.dispatcher import Dispatcher
from etltui.engine.finish import Finisher
from etltui.engine.live import Live
from etltui.engine.prepare import Preparer
from etltui.engine.progress import ProgressBook
from etltui.engine.queue import Queue
from etltui.engine.settings import Changes, hold
from etltui.engine.starts import Starts
from etltui.engine.tools import Tools
from etltui.engine.turn import RunHandle
from etltui.engine.upkeep import Upkeep

__all__ = ["Engine", "RunHandle"]


class Engine:
    """Runs jobs and tells what happens.

    Args:
        config: What may be run.
        tools: Wired by `bootstrap`.
        preparer: Makes runs ready.
        pools: Lends the sessions.
        resident: Whether it stays after the runs it was made for: then it takes up what waits in
            the queue, and what it takes in outlives it.
        configured: Told of each further reading of the configuration.
    """

    def __init__(
        self,
        *,
        config: Config,
        tools: Tools,
        preparer: Preparer,
        pools: Pools,
        resident: bool = False,
        configured: Callable[[Config], None] = lambda _: None,
    ) -> None:
        settings = config.settings
        self.resident = resident
        self.pools = pools
        self._configured = configured
        self._tools = tools
        self._preparer = preparer
        self._starts = Starts(
            config,
            store=tools.store,
            preparer=preparer,
            state=tools.parts_folder.parent,
        )
        self._finisher = Finisher(tools.clock, lambda: self.config.jobs)
        self.queue = Dispatcher(
            tools,
            Queue(
                limit=settings.max_jobs,
                types=config.run_types,
                ageing_s=settings.ageing_s,
            ),
            self._starts.prepare,
            self._finisher.start,
        )
        self._progress = ProgressBook(tools.clock)
        tools.bus.listen(self._progress.take)
        self._live = Live(tools, self.snapshot)
        self._submitting = asyncio.Lock()
        self._upkeep = Upkeep(tools, lambda: self.config.settings, self._submitting)

    @property
    def config(self) -> Config:
        """What may be run, with the settings as they are now."""
        return self._starts.config

    async def start(self) -> None:
        """Finish what an earlier engine left, take up the queue, begin pulse and upkeep."""
        await self._preparer.sweep()
        self.queue.queue.paused |= set(await self._tools.store.paused())
        self._live.start()
        self._upkeep.start(daily=self.resident)
        if self.resident:
            queued = await self._tools.store.queued()
            # The best first: each one that is added may get its turn at once.
            for entry in sorted(queued, key=lambda e: e.rank(self.config.settings.ageing_s)):
                await self._take_up(entry)

    async def _take_up(self, entry: QueueEntry) -> None:
        """Let an entry that outlived its engine wait again."""
        again = entry
        if entry.taken:
            # It was at work when that engine ended, so it goes on where the job resumes.
            job = self.config.jobs.get(entry.job)
            if (
                job is None
                or not self._starts.resumes(job, None)
                or entry.tries > job.retry.retries
            ):
                await self._tools.store.dequeue([entry.run], RunStatus.STOPPED)
                return
            again = entry.again(entry.not_before)
            await self._tools.store.requeue(again)
        self.queue.add(again)

    @contextmanager
    def events(self) -> Iterator[Backlog]:
        """Everything that happens from now on."""
        with self._tools.bus.subscribe() as backlog:
            yield backlog

    async def check(
        self,
        job: str,
        *,
        only: Sequence[str] = (),
        resume: bool | None = None,
    ) -> None:
        """Raise what `submit` would raise of the configuration, without leaving anything behind.

        Raises:
            ConfigError: See `submit`; or a target could not be written.
            PlanChangedError: See `submit`.
        """
        found = self._starts.job(job)
        await self._starts.check(found, only, resume=self._starts.resumes(found, resume))

    async def submit(  # noqa: PLR0913 - what somebody may say of a start, each with a default
        self,
        job: str,
        *,
        only: Sequence[str] = (),
        resume: bool | None = None,
        priority: int | None = None,
        delay_s: float = 0.0,
        owner: str = "",
        overlap: Overlap | None = None,
    ) -> RunHandle:
        """Let a run of the job wait for its turn.

        Args:
            job: Its name.
            only: Globs over the names of its connections; empty for all.
            resume: Take up the newest unfinished run; None as configured.
            priority: Lower is served first; None as configured.
            delay_s: Not before so long from now.
            owner: Who asks, as `user@host`; empty for whoever runs the engine.
            overlap: What to do when the job has a run already; None as configured.

        Returns:
            The run; where the job has one already and `overlap` says `join`, that one.

        Raises:
            ConfigError: There is no such job, `only` names no connection, or a target could not
                be written.
            PlanChangedError: The unfinished run does not fit any more.
            RefusedError: The job has a run already, or it is paused and nobody would resume it.
        """
        found = self._starts.job(job)
        resumes = self._starts.resumes(found, resume)
        # Between looking whether the job has a run and recording one nobody else may start it.
        async with self._submitting:
            row = await self._starts.check(found, only, resume=resumes)
            there = self._there(found, overlap, row)
            if there is not None:
                return there
            mode = Mode.RESUME if row else Mode.NEW
            entry = await self._starts.entry(found, Ask(mode=mode, only=tuple(only)), row)
            entry = replace(
                entry,
                priority=entry.priority if priority is None else priority,
                not_before=entry.submitted + delay_s if delay_s > 0 else 0.0,
                owner=owner or self._tools.operator,
                keep=self.resident,
            )
            return await self.queue.submit(entry, found.title)

    async def retry(self, run: str, ask: Ask, *, owner: str = "") -> RunHandle:
        """Read again what a run lacks, and patch its targets.

        Args:
            run: Its id, or an end of it that no other run has.
            ask: What of it; its mode is always `retry`.
            owner: Who asks.

        Raises:
            NoSuchRunError: There is no such run, or nothing of it is as asked.
            RefusedError: The job has a run already.
        """
        ask = replace(ask, mode=Mode.RETRY)
        async with self._submitting:
            there = self._named(run)
            if there is not None:
                self._refuse(there, None)
                return self.queue.join(there)
            job, row = await self._starts.retry(run, ask)
            joined = self._there(job, None, row)
            if joined is not None:
                return joined
            entry = await self._starts.entry(job, ask, row)
            owner = owner or self._tools.operator
            entry = replace(entry, owner=owner, keep=self.resident)
            return await self.queue.submit(entry, job.title)

    def _there(self, job: Job, overlap: Overlap | None, row: RunRow | None) -> RunHandle | None:
        """The run to join, None where another one may be queued."""
        entry = next(self.queue.queue.of(job.name), None)
        if entry is None:
            self._refuse_paused(job)
            return None
        policy = self._refuse(entry, overlap)
        same = next((e for e in self.queue.queue.of(job.name) if row and e.run == row.run), None)
        joined = same or (entry if policy == "join" else None)
        return self.queue.join(joined) if joined else None

    def _refuse(self, entry: QueueEntry, overlap: Overlap | None) -> Overlap:
        """What holds for a start of a job that has a run already.

        Raises:
            RefusedError: It is to be refused.
        """
        job = self.config.jobs.get(entry.job)
        policy = overlap or (job and job.overlap) or self.config.settings.overlap
        if policy == "refuse":
            state = "is running" if entry in self.queue.queue.working else "waits in the queue"
            raise RefusedError(
                job=entry.job,
                why=f"its run {entry.run}, asked for by {entry.owner}, {state}",
                way_out="Wait for its end, or cancel it with `etltui cancel`",
            )
        return policy

    def _named(self, run: str) -> QueueEntry | None:
        """The run that waits or is at work with this id, or the only one whose id ends so."""
        entries = (*self.queue.queue.working, *self.queue.pending())
        near = [entry for entry in entries if entry.run.casefold().endswith(run.casefold())]
        exact = [entry for entry in entries if entry.run == run]
        return next(iter(exact or near), None) if run and len(exact or near) == 1 else None

    def _refuse_paused(self, job: Job) -> None:
        paused = {"", job.name} & self.queue.queue.paused
        if paused and not self.resident:
            what = "the queue" if "" in paused else "the job"
            raise RefusedError(
                job=job.name,
                why=f"{what} is paused",
                way_out="Let it go on with `etltui queue resume`",
            )

    async def cancel(self, run: str, *, resumable: bool = False, reason: str = "") -> None:
        """End a run that waits or is at work.

        Args:
            run: Its id, an end of it, or a job's name.
            resumable: Record it as stopped instead of cancelled.
            reason: For the record.

        Raises:
            NoSuchRunError: No such run waits or is at work.
        """
        status = RunStatus.STOPPED if resumable else RunStatus.CANCELLED
        entry = next(self.queue.queue.of(run), None) or self._named(run)
        if entry and await self.queue.cancel(entry.run, status, reason or f"{status} by hand"):
            return
        raise NoSuchRunError(
            run=run,
            why="no such run waits or is at work",
            way_out="See `etltui jobs` and `etltui queue`",
        )

    def handle(self, run: str) -> RunHandle | None:
        """A run that has not ended, None for any other."""
        return self.queue.handle(run)

    def get_pool_metrics(self) -> PoolMetrics:
        """All pools in numbers (S0-94)."""
        return self.pools.get_metrics()

    def get_pool_info(self) -> tuple[PoolStats, ...]:
        """Each pool in numbers (S0-95)."""
        return self.pools.get_info()

    def get_queue_metrics(self) -> QueueMetrics:
        """The queue in numbers (S0-96)."""
        return self.queue.metrics()

    def get_running_jobs(self) -> tuple[QueueEntry, ...]:
        """Runs that have their turn (S0-97)."""
        return self.queue.queue.working

    def get_pending_jobs(self) -> tuple[QueueEntry, ...]:
        """Runs that wait, in the order of their turns (S0-98)."""
        return self.queue.pending()

    def get_job_progress(self, name: str) -> RunView | None:
        """How far a run is, by its id or by its job's name; None when it is forgotten (S0-99)."""
        return self._progress.run(name)

    def get_all_progress(self) -> tuple[RunView, ...]:
        """How far all runs are, those that finished in the last five minutes too (S0-100)."""
        return self._progress.runs()

    async def update_settings(self, changes: Mapping[str, object]) -> None:
        """Change settings while runs go on (S0-101).

        Raises:
            ConfigError: All that is wrong with the changes; none of them holds.
        """
        await self.reload(await Changes(self.config, changes).keep())

    async def reload(self, config: Config) -> None:
        """Work with another reading of the configuration; runs that began keep their plan."""
        self._starts.config = config
        self._configured(config)
        await hold(config, pools=self.pools, queue=self.queue, memory=self._tools.memory)

    def snapshot(self) -> Snapshot:
        """How everything stands."""
        return Snapshot(
            at=self._tools.clock.now().timestamp(),
            holder=self._tools.operator,
            runs=self.get_all_progress(),
            pending=self.get_pending_jobs(),
            queue=self.get_queue_metrics(),
            pools=self.get_pool_metrics(),
            pool_info=self.get_pool_info(),
            memory=self._tools.memory.used,
            threshold=self._tools.memory.threshold,
        )

    async def stop(self, reason: str) -> None:
        """Stop all runs resumably: what is being committed is finished, the rest is left."""
        await self.queue.stop(reason)

    async def shutdown(self, timeout_s: float, reason: str) -> None:
        """Start nothing more, wait so long for what runs, then stop it resumably."""
        await self.queue.drain(timeout_s)
        await self.queue.stop(reason)

    def end_events(self) -> None:
        """Let every subscriber stop after what it has not read yet."""
        self._tools.bus.end()

    async def aclose(self) -> None:
        """Stop everything; what the engine was wired with is closed by who wired it.

        Commands that ended runs have started get their own time limits.
        """
        await self.queue.aclose("the engine was closed")
        await self._finisher.aclose()
        await self._upkeep.aclose()
        await self._live.aclose()
        self._tools.bus.end()
