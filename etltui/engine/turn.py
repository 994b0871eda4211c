"""A run that was submitted, from its place in the queue to its end."""

import asyncio

from etltui.domain.queue import QueueEntry
from etltui.domain.run import RunResult, RunStatus
from etltui.engine.runner import Runner


class Turn:
    """What the engine keeps of a run until it has ended.

    Attributes:
        entry: Its place in the queue, as it is now.
        runner: While it is at work.
        stopping: Whether it was told to stop.
    """

    def __init__(self, entry: QueueEntry) -> None:
        self.entry = entry
        self.runner: Runner | None = None
        self.stopping = False
        self.ends_as = RunStatus.STOPPED
        self.reason = "stopped"
        self._task: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[RunResult] = asyncio.get_running_loop().create_future()

    def at_work(self, task: asyncio.Task[None]) -> None:
        """It has its turn, in this task."""
        self._task = task

    async def wait(self) -> RunResult:
        """How it ended; cancelling the waiting task leaves the run alone."""
        return await asyncio.shield(self._ended)

    def stop(self, status: RunStatus, reason: str) -> None:
        """End a run that is at work as stopped (resumable) or cancelled; what is durable stays."""
        self.ends_as, self.reason = status, reason
        if self.runner is not None:
            self.runner.cancel_as, self.runner.cancel_reason = status, reason
        if self._task is not None and not self.stopping:
            # Once: a further cancel would break off what records the end. Later: a task that is
            # cancelled before its first step would never record one.
            asyncio.get_running_loop().call_soon(self._task.cancel)
        self.stopping = True

    def end(self, result: RunResult) -> None:
        """Tell whoever waits how it ended."""
        self._ended.set_result(result)


class RunHandle:
    """A run that was submitted, for whoever asked for it."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    @property
    def run(self) -> str:
        """The run's id."""
        return self._turn.entry.run

    @property
    def job(self) -> str:
        """The job's name."""
        return self._turn.entry.job

    async def wait(self) -> RunResult:
        """How it ended; cancelling the waiting task leaves the run alone."""
        return await self._turn.wait()
