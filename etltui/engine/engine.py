"""The engine: what a surface may ask of it."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from etltui.config.schema import Config
from etltui.config.select import select
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.job import Connection, Job
from etltui.domain.ports import Subscription
from etltui.domain.run import RunResult, RunStatus
from etltui.engine.preflight import obstacle
from etltui.engine.prepare import Prepared, Preparer
from etltui.engine.runner import Runner
from etltui.engine.tools import Tools
from etltui.pool.limits import Limiter


class RunHandle:
    """A run that was submitted."""

    def __init__(
        self,
        prepared: Prepared,
        runner: Runner,
        task: asyncio.Task[RunResult],
    ) -> None:
        self.prepared = prepared
        self._runner = runner
        self._task = task

    @property
    def run(self) -> str:
        """The run's id."""
        return self._runner.plan.run

    async def wait(self) -> RunResult:
        """How it ended; cancelling the waiting task leaves the run alone."""
        return await asyncio.shield(self._task)

    def stop(self, status: RunStatus, reason: str) -> None:
        """End it as stopped (resumable) or cancelled; what is durable stays durable."""
        self._runner.cancel_as = status
        self._runner.cancel_reason = reason
        # Later: a task that is cancelled before its first step would never record an end.
        asyncio.get_running_loop().call_soon(self._task.cancel)


class Engine:
    """Runs jobs and tells what happens.

    Args:
        config: What may be run.
        tools: Wired by `bootstrap`.
        preparer: Makes runs ready.
    """

    def __init__(
        self,
        *,
        config: Config,
        tools: Tools,
        preparer: Preparer,
    ) -> None:
        self.config = config
        self._tools = tools
        self._preparer = preparer
        self._jobs = Limiter(config.settings.max_jobs)
        self._runs: dict[str, RunHandle] = {}
        self._sampler: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Finish what an earlier engine left, and begin to watch memory."""
        await self._preparer.sweep()
        self._sampler = asyncio.create_task(self._tools.memory.sample(), name="memory")

    @contextmanager
    def events(self) -> Iterator[Subscription]:
        """Everything that happens from now on."""
        with self._tools.bus.subscribe() as backlog:
            yield backlog

    async def prepare(
        self,
        job: str,
        *,
        only: Sequence[str] = (),
        resume: bool | None = None,
    ) -> Prepared:
        """Make a run ready without starting it; of a job under way, the run that is.

        Args:
            job: Its name.
            only: Globs over the names of its connections; empty for all.
            resume: Take up the newest unfinished run; None as configured.

        Raises:
            ConfigError: There is no such job, or `only` names no connection.
            PlanChangedError: The unfinished run does not fit any more.
        """
        found, connections, resumes = self._asked(job, resume)
        asked = {c.name for c in select(self.config.connections, found.connections, only)}
        if job in self._runs:
            # Another run would clear away the parts that this one is writing.
            return self._runs[job].prepared
        return await self._preparer.prepare(found, connections, asked=asked, resume=resumes)

    async def check(
        self,
        job: str,
        *,
        only: Sequence[str] = (),
        resume: bool | None = None,
    ) -> None:
        """Raise what `prepare` would raise, without leaving anything behind.

        Raises:
            ConfigError: See `prepare`; or a target could not be written.
            PlanChangedError: See `prepare`.
        """
        found, _, resumes = self._asked(job, resume)
        select(self.config.connections, found.connections, only)
        await asyncio.to_thread(self._check_targets, found)
        await self._preparer.unfinished(found, resume=resumes)

    def _check_targets(self, job: Job) -> None:
        now = self._tools.clock.now()
        state = self._tools.parts_folder.parent
        mistakes = [
            Mistake(
                where=str(self.config.path),
                key=f"jobs.{job.name}.destinations[{number}].path",
                problem=problem,
                way_out="Give the destination another path, or clear the way",
            )
            for number, target in enumerate(self._preparer.targets(job, "run", now), start=1)
            if (problem := obstacle(Path(target), state))
        ]
        if mistakes:
            raise ConfigError(mistakes)

    def _asked(
        self,
        job: str,
        resume: bool | None,  # noqa: FBT001 - three answers: yes, no, as configured
    ) -> tuple[Job, tuple[Connection, ...], bool]:
        """The job, all its connections, and whether to resume: flag, then RESUME_JOBS, then job."""
        found = self.config.jobs.get(job)
        if found is None:
            raise ConfigError([self._no_such_job(job)])
        connections = select(self.config.connections, found.connections)
        said = (resume, self.config.settings.resume_jobs, found.resume)
        return found, connections, next(answer for answer in said if answer is not None)

    def submit(self, prepared: Prepared) -> RunHandle:
        """Start a run as soon as there is a place for it; a job's second run joins its first."""
        job = prepared.plan.job.name
        if job in self._runs:
            return self._runs[job]
        runner = Runner(self._tools, prepared)
        task = asyncio.create_task(self._run(runner, job), name=f"run {prepared.plan.run}")
        self._runs[job] = RunHandle(prepared, runner, task)
        return self._runs[job]

    async def _run(self, runner: Runner, job: str) -> RunResult:
        try:
            await self._jobs.acquire()
        except asyncio.CancelledError:
            return await runner.give_up()
        else:
            try:
                return await runner.run()
            finally:
                self._jobs.release()
        finally:
            del self._runs[job]

    async def stop(self, reason: str) -> None:
        """Stop all runs resumably: what is being committed is finished, the rest is left."""
        handles = tuple(self._runs.values())
        for handle in handles:
            handle.stop(RunStatus.STOPPED, reason)
        await asyncio.gather(*(handle.wait() for handle in handles), return_exceptions=True)

    def end_events(self) -> None:
        """Let every subscriber stop after what it has not read yet."""
        self._tools.bus.end()

    async def aclose(self) -> None:
        """Stop everything; what the engine was wired with is closed by who wired it."""
        await self.stop("the engine was closed")
        if self._sampler is not None:
            self._sampler.cancel()
            await asyncio.wait({self._sampler})
        self._tools.bus.end()

    def _no_such_job(self, job: str) -> Mistake:
        known = ", ".join(self.config.jobs)
        return Mistake(
            where=str(self.config.path),
            key="jobs",
            problem=f"there is no job {job!r}",
            way_out=f"There are: {known}" if known else "Add a table [jobs.NAME]",
        )
