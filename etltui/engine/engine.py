"""The engine: what a surface may ask of it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import cast

from etltui.config.reading import Reading
from etltui.config.schema import Config
from etltui.domain.job import Overlap
from etltui.domain.lending import Pools
from etltui.domain.pools import PoolMetrics, PoolStats
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.queue import Ask, QueueEntry, QueueMetrics
from etltui.engine.acts import Levers, acted
from etltui.engine.bus import Backlog
from etltui.engine.deliveries import Deliveries
from etltui.engine.dispatcher import Dispatcher
from etltui.engine.finish import Finisher
from etltui.engine.inquiries import Inquiries
from etltui.engine.late import LateWindows
from etltui.engine.live import Live
from etltui.engine.options import Options, Read
from etltui.engine.prepare import Preparer
from etltui.engine.progress import ProgressBook
from etltui.engine.queue import Queue
from etltui.engine.records import Records
from etltui.engine.samples import Sampler
from etltui.engine.settings import Held
from etltui.engine.starts import Starts
from etltui.engine.submissions import Submission, Submissions
from etltui.engine.tidy import sweep
from etltui.engine.tools import Tools, unbroken
from etltui.engine.turn import RunHandle
from etltui.engine.upkeep import Upkeep

__all__ = ["Engine", "RunHandle"]

POOL_LEVERS = frozenset(
    {"drain", "pause", "resume", "reconnect_all", "close_idle", "release_credential"},
)


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
        read: Reads the configuration again; by default its file, with this process's variables.

    Attributes:
        late: Connections that runs could not reach, tried on after their end.
        patches: Runs of earlier days that new runs have taken up: their days were not closed.
    """

    _deliveries: Deliveries | None = None

    def __init__(  # noqa: PLR0913 - what it is wired with, each by name
        self,
        *,
        config: Config,
        tools: Tools,
        preparer: Preparer,
        pools: Pools,
        resident: bool = False,
        configured: Callable[[Config], None] = lambda _: None,
        read: Read | None = None,
    ) -> None:
        settings = config.settings
        self.resident = resident
        self.acts = tools.acts
        levers = Levers(pools, prefix="pools", names=POOL_LEVERS, acts=tools.acts)
        self.pools = cast(Pools, levers)
        self._configured = configured
        self._tools = tools
        self._starts = Starts(config, tools, preparer)
        self._finisher = Finisher(tools.clock, lambda: self.config.jobs)
        self.queue = Dispatcher(
            tools,
            Queue(limit=settings.max_jobs, types=config.run_types, ageing_s=settings.ageing_s),
            self._starts.prepare,
            lambda result, plan: self.late.ended(result, plan),  # noqa: PLW0108 - made below
        )
        self._held = Held(pools=pools, queue=self.queue, memory=tools.memory, space=tools.space)
        self.options = Options(
            lambda: self.config,
            read=read or Reading(config, os.environ),
            held=self._held,
            reload=self.reload,
            acts=tools.acts,
        )
        self._progress = ProgressBook(tools.clock, lambda: self.config.settings.max_connections)
        tools.bus.listen(self._progress.take)
        self._live = Live(tools, self.snapshot, Sampler(tools, self.snapshot), lambda: self.config)
        self._submissions = Submissions(
            store=tools.store,
            starts=self._starts,
            queue=self.queue,
            operator=tools.operator,
            resident=resident,
        )
        self.late = LateWindows(tools, self._starts, self._submissions, self._finisher.start)
        self.patches = self._submissions.patches
        self.records = Records(
            tools,
            config=lambda: self.config,
            queue=self.queue.queue,
            taking_in=self._submissions.taking_in,
        )
        self.inquiries = Inquiries(
            tools,
            self._starts,
            preparer=preparer,
            pools=pools,
            worked=lambda: self.queue.metrics().total_processed > 0,
        )
        self._upkeep = Upkeep(tools, lambda: self.config.settings, self._submissions.taking_in)

    @property
    def config(self) -> Config:
        """What may be run, with the settings as they are now."""
        return self._starts.config

    async def start(self) -> None:
        """Finish what an earlier engine left, take up the queue, begin pulse and upkeep."""
        await sweep(self._tools.store, self._tools.parts_folder, self._tools.clock.now())
        self.queue.queue.paused |= set(await self._tools.store.paused())
        await self.records.start()
        self._live.start()
        if self.resident:
            await self.late.start()
        self._upkeep.start(daily=self.resident)
        taking_in = self._submissions.taking_in
        self._deliveries = Deliveries(self._tools, taking_in, self.queue, self._finisher)
        if self.resident:
            self._deliveries.start()
            queued = await self._tools.store.queued()
            # The best first: each one that is added may get its turn at once.
            for entry in sorted(queued, key=lambda e: e.rank(self.config.settings.ageing_s)):
                await self._submissions.take_up(entry)

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
        await self._submissions.check(job, only, resume=resume)

    @acted("submit")
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
        canary: bool | None = None,
        day: date | None = None,
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
            canary: Begin with one connection, then five, and stop resumably where one of them
                fails; None as configured. A run that has completed connections begins with all.
            day: The business day that a new run reads; None as configured. An unfinished run of
                another day is not taken up, nor joined.

        Returns:
            The run; where the job has one already and `overlap` says `join`, that one.

        Raises:
            ConfigError: There is no such job, `only` names no connection, or a target could not
                be written.
            PlanChangedError: The unfinished run does not fit any more.
            RefusedError: The job has a run already, or it is paused and nobody would resume it.
        """
        asked = Submission(
            only=tuple(only),
            resume=resume,
            priority=priority,
            delay_s=delay_s,
            owner=owner,
            overlap=overlap,
            canary=canary,
            day=day,
        )
        return await self._submissions.submit(job, asked)

    @acted("retry")
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
        return await self._submissions.retry(run, ask, owner=owner)

    @acted("cancel")
    async def cancel(self, run: str, *, resumable: bool = False, reason: str = "") -> None:
        """End a run that waits or is at work; of one that has ended nobody is tried on any more.

        Args:
            run: Its id, an end of it, or a job's name.
            resumable: Record it as stopped instead of cancelled.
            reason: For the record.

        Raises:
            NoSuchRunError: No such run waits or is at work, and of none connections are tried on.
        """
        if await self.late.close(run) and not self._submissions.knows(run):
            return
        await self._submissions.cancel(run, resumable=resumable, reason=reason)

    def get_pool_metrics(self) -> PoolMetrics:
        """All pools in numbers."""
        return self.pools.get_metrics()

    def get_pool_info(self) -> tuple[PoolStats, ...]:
        """Each pool in numbers."""
        return self.pools.get_info()

    def get_queue_metrics(self) -> QueueMetrics:
        """The queue in numbers."""
        return self.queue.metrics()

    def get_running_jobs(self) -> tuple[QueueEntry, ...]:
        """Runs that have their turn."""
        return self.queue.queue.working

    def get_pending_jobs(self) -> tuple[QueueEntry, ...]:
        """Runs that wait, in the order of their turns."""
        return self.queue.pending()

    def get_job_progress(self, name: str) -> RunView | None:
        """How far a run is, by its id or by its job's name; None when it is forgotten."""
        return self._progress.run(name)

    def get_all_progress(self) -> tuple[RunView, ...]:
        """How far all runs are, those that finished in the last five minutes too."""
        return self._progress.runs()

    @acted("update_settings")
    @unbroken
    async def update_settings(self, changes: Mapping[str, object]) -> None:
        """Change settings while runs go on.

        Raises:
            ConfigError: All that is wrong with the changes; none of them holds.
        """
        await self.options.change(changes)

    @unbroken
    async def reload(self, config: Config) -> None:
        """Work with another reading of the configuration; runs that began keep their plan."""
        self._starts.config = config
        self._configured(config)
        self._held.hold(config)

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
            strays=self._tools.strays.strays if self._tools.strays else (),
            late=self.late.views(),
        )

    async def stop(self, reason: str) -> None:
        """Stop all runs resumably: what is being committed is finished, the rest is left."""
        self.late.stop()
        await self.queue.stop(reason)

    async def shutdown(self, timeout_s: float, reason: str) -> None:
        """Start nothing more, wait so long for what runs, then stop it resumably."""
        self.late.stop()
        await self.queue.drain(timeout_s)
        await self.queue.stop(reason)

    def end_events(self) -> None:
        """Let every subscriber stop after what it has not read yet."""
        self._tools.bus.end()

    async def aclose(self) -> None:
        """Stop everything; what the engine was wired with is closed by who wired it.

        Commands that ended runs have started get their own time limits.
        """
        await self.late.aclose()
        await self.queue.aclose("the engine was closed")
        if self._deliveries is not None:
            await self._deliveries.aclose()
        await self._finisher.aclose()
        await self._upkeep.aclose()
        await self._live.aclose()
        await self.records.aclose()
        self._tools.bus.end()
