"""Gives runs their turns: takes them from the queue, executes them, decides on another turn."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from etltui.domain import retry
from etltui.domain.audit import also
from etltui.domain.cut_off import CutOff
from etltui.domain.errors import EtltuiError, StateError
from etltui.domain.events import Moment, QueueCleared, RunFinished, RunQueued
from etltui.domain.job import RetryPolicy
from etltui.domain.plan import Plan
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import RunResult, RunStatus
from etltui.engine.acts import acted
from etltui.engine.log import about
from etltui.engine.prepare import Prepared
from etltui.engine.queue import Queue
from etltui.engine.runner import Runner, told
from etltui.engine.tools import Tools, to_the_end, unbroken
from etltui.engine.turn import RunHandle, Turn

_LOOK_S = 60.0

_log = logging.getLogger(__name__)

Prepare = Callable[[QueueEntry], Awaitable[Prepared]]
Over = Callable[[RunResult, Plan | None], None]
"""Takes how a run ended for good, and its plan; None where it never began."""


class Dispatcher:
    """Owns the runs of an engine from submission to end.

    Args:
        tools: Shared by the runs.
        queue: Says whose turn it is.
        prepare: Makes the run of an entry ready.
        over: Told of each run that gets no other turn.
    """

    def __init__(self, tools: Tools, queue: Queue, prepare: Prepare, over: Over) -> None:
        self.queue = queue
        self.acts = tools.acts
        self._tools = tools
        self._prepare = prepare
        self._over = over
        self._turns: dict[str, Turn] = {}
        self._timer: asyncio.Task[None] | None = None
        self._closing = False
        self._ended = {RunStatus.COMPLETED: 0, RunStatus.FAILED: 0}
        self._processed = 0
        self._retried = 0
        self._seconds = 0.0

    def metrics(self) -> QueueMetrics:
        """The queue in numbers."""
        pending = self.queue.pending(self._now())
        return QueueMetrics(
            pending=len(pending),
            delayed=sum(entry.not_before > self._now() for entry in pending),
            running=len(self.queue.working),
            completed=self._ended[RunStatus.COMPLETED],
            failed=self._ended[RunStatus.FAILED],
            retried=self._retried,
            total_processed=self._processed,
            average_ms=1000 * self._seconds / self._processed if self._processed else 0.0,
            paused="" in self.queue.paused,
            paused_jobs=tuple(sorted(self.queue.paused - {""})),
        )

    def handle(self, run: str) -> RunHandle | None:
        """A run that has not ended, None for any other."""
        turn = self._turns.get(run)
        return None if turn is None else RunHandle(turn)

    def join(self, entry: QueueEntry) -> RunHandle:
        """A run that waits or is at work."""
        return RunHandle(self._turns[entry.run])

    def pending(self) -> tuple[QueueEntry, ...]:
        """Entries that wait, in the order of their turns."""
        return self.queue.pending(self._now())

    @unbroken
    async def submit(self, entry: QueueEntry, title: str) -> RunHandle:
        """Record an entry and let it wait for its turn.

        Raises:
            StateError: It could not be recorded; nothing waits.
        """
        await self._tools.store.enqueue([entry], title)
        return self.add(entry, title)

    def add(self, entry: QueueEntry, title: str) -> RunHandle:
        """Let a recorded entry wait for its turn."""
        turn = self._turns.setdefault(entry.run, Turn(entry))
        turn.entry = entry
        self.queue.add(entry)
        self._tools.bus.publish(
            RunQueued(
                **_moment(entry, self._now()),
                priority=entry.priority,
                owner=entry.owner,
                not_before=entry.not_before,
                title=title,
            ),
        )
        self.pump()
        return RunHandle(turn)

    def pump(self) -> None:
        """Give turns to whoever may have one now, and wake up for the next delayed one."""
        while not self._closing and (entry := self.queue.take(self._now())):
            turn = self._turns[entry.run]
            turn.at_work(asyncio.create_task(self._work(turn), name=f"run {entry.run}"))
        due = None if self._closing else self.queue.next_due()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = asyncio.create_task(self._later(due - self._now()), name="queue timer")

    async def _later(self, seconds: float) -> None:
        # The wall clock may jump, and a machine may sleep: it is looked at again and again.
        await self._tools.clock.sleep(min(max(seconds, 0.0), _LOOK_S))
        self._timer = None
        self.pump()

    async def _work(self, turn: Turn) -> None:
        """One turn of a run, whatever happens in it."""
        begun = self._tools.clock.monotonic()
        result = await self._execute(turn)
        again = turn.runner.again if turn.runner else None
        plan = turn.runner.plan if turn.runner else None
        turn.runner = None
        kept = False
        if again is not None and (self._closing or turn.stopping):
            # Told to stop when its next turn was recorded already: another engine may give it.
            kept = again.keep and turn.ends_as is RunStatus.STOPPED
            result = result if kept else await self._drop(again, turn.ends_as, turn.reason)
            again = None
        self.queue.ended(result.run)
        if again is not None:
            self._retried += 1
            turn.entry = again
            self.queue.add(again)
        else:
            self._processed += 1
            self._seconds += self._tools.clock.monotonic() - begun
            done = result.status in {RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS}
            self._ended[RunStatus.COMPLETED] += done
            self._ended[RunStatus.FAILED] += result.status is RunStatus.FAILED
            del self._turns[result.run]
            turn.end(result)
            if not kept:
                self._over(result, plan)
        self.pump()

    async def _execute(self, turn: Turn) -> RunResult:
        entry = turn.entry
        try:
            prepared = replace(await self._prepare(entry), owner=entry.owner)
            policy = prepared.plan.job.retry

            def again(result: RunResult) -> QueueEntry | None:
                if self._closing and not entry.keep:
                    return None
                if self._closing and result.status is RunStatus.STOPPED:
                    # As after a crash: the next engine goes on with it, where the job resumes.
                    return replace(entry, taken=True)
                return next_turn(entry, policy, result, self._now(), prepared.closes)

            turn.runner = Runner(self._tools, prepared, again)
            turn.runner.cancel_as, turn.runner.cancel_reason = turn.ends_as, turn.reason
            return await turn.runner.run()
        except asyncio.CancelledError:
            return await self._drop(entry, turn.ends_as, turn.reason)
        except StateError as error:
            # Of the disk, not of the run: it goes on when that is mended.
            return await self._drop(entry, RunStatus.STOPPED, str(error))
        except EtltuiError as error:
            return await self._drop(entry, RunStatus.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - every run must end
            return await self._drop(entry, RunStatus.FAILED, told(error))

    @unbroken
    async def cancel(self, run: str, status: RunStatus, reason: str) -> bool:
        """End a run that waits or is at work; False where there is none.

        Args:
            run: Its id.
            status: Cancelled, or stopped (resumable).
            reason: For the record.
        """
        turn = self._turns.get(run)
        if turn is None:
            return False
        if self.queue.remove(run) is None:
            turn.stop(status, reason)
            return True
        await self._leave([turn], status, reason)
        self.pump()
        return True

    @acted("queue.clear")
    @unbroken
    async def clear(self) -> int:
        """Cancel whatever waits; how many that were."""
        waiting = [self._turns[entry.run] for entry in self.pending()]
        for turn in waiting:
            self.queue.remove(turn.entry.run)
        also(runs=", ".join(turn.entry.run for turn in waiting))
        await self._leave(waiting, RunStatus.CANCELLED, "the queue was cleared")
        self._tools.bus.publish(
            QueueCleared(at=self._now(), count=len(waiting)),
        )
        return len(waiting)

    @acted("queue.reprioritise")
    @unbroken
    async def reprioritise(self, run: str, priority: int) -> bool:
        """Give a waiting run another priority; False where none waits."""
        entry = next((entry for entry in self.pending() if entry.run == run), None)
        if entry is None:
            return False
        changed = replace(entry, priority=priority)
        await self._tools.store.requeue(changed)
        # It may have got its turn, or its end, while that was recorded.
        if self.queue.remove(run) is not None:
            self._turns[run].entry = changed
            self.queue.add(changed)
            self.pump()
        return True

    @acted("queue.pause")
    @unbroken
    async def pause(self, job: str, *, paused: bool) -> None:
        """Give a job no turns any more, or with an empty name none to anybody; or give them."""
        await self._tools.store.pause(job, paused=paused)
        if paused:
            self.queue.paused.add(job)
        else:
            self.queue.paused.discard(job)
        self.pump()

    async def stop(self, reason: str) -> None:
        """End all runs resumably; entries that outlive the engine keep their places."""
        waiting = [self._turns[entry.run] for entry in self.pending()]
        working = [self._turns[entry.run] for entry in self.queue.working]
        for turn in waiting:
            self.queue.remove(turn.entry.run)
        for turn in working:
            turn.stop(RunStatus.STOPPED, reason)
        leave = [turn for turn in waiting if not turn.entry.keep]
        await self._leave(leave, RunStatus.STOPPED, reason)
        for turn in waiting:
            if turn.entry.keep:
                del self._turns[turn.entry.run]
                turn.end(_unread(turn.entry, RunStatus.QUEUED, f"{reason}; it keeps its place"))
        await _all(working)

    async def drain(self, seconds: float) -> None:
        """Give no more turns, and wait at most so long for the runs that are at work."""
        self._closing = True
        self.pump()
        working = [self._turns[entry.run] for entry in self.queue.working]
        if not working:
            return
        ends = asyncio.create_task(_all(working), name="shutdown")
        sleep = asyncio.create_task(self._tools.clock.sleep(seconds), name="shutdown deadline")
        try:
            await asyncio.wait({ends, sleep}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            ends.cancel()

    async def aclose(self, reason: str) -> None:
        """Stop everything; nobody gets a turn any more."""
        self._closing = True
        self.pump()
        await self.stop(reason)

    async def _leave(self, turns: Sequence[Turn], status: RunStatus, reason: str) -> None:
        """End runs that never had their turn."""
        names = [turn.entry.run for turn in turns]
        try:
            await self._tools.store.dequeue(names, status, reason)
        except StateError as error:
            reason = f"{reason}; this could not be recorded: {error}"
        for turn in turns:
            result = _unread(turn.entry, status, reason)
            self._tools.bus.publish(RunFinished(**_moment(turn.entry, self._now()), result=result))
            self._turns.pop(turn.entry.run, None)
            turn.end(result)
            self._over(result, None)

    async def _drop(self, entry: QueueEntry, status: RunStatus, reason: str) -> RunResult:
        """End a run that had its turn and could not be made ready."""
        with about(run=entry.run):
            _log.error("Run %s of %s did not begin: %s", entry.run, entry.job, reason)
        try:
            with suppress(asyncio.CancelledError):  # it comes too late: the run ends
                await to_the_end(self._tools.store.dequeue([entry.run], status, reason))
        except StateError as error:
            reason = f"{reason}; this could not be recorded: {error}"
        result = _unread(entry, status, reason)
        self._tools.bus.publish(RunFinished(**_moment(entry, self._now()), result=result))
        return result

    def _now(self) -> float:
        return self._tools.clock.now().timestamp()


def next_turn(
    entry: QueueEntry,
    policy: RetryPolicy,
    result: RunResult,
    now: float,
    closes: CutOff,
) -> QueueEntry | None:
    """The run's next turn, None where it has had its last.

    A run of which nothing completed is tried again where a connection of it might answer, unless it
    closes before. Late connections are tried on by themselves.
    """
    if result.status is not RunStatus.FAILED or entry.ask.late:
        return None
    failures = (each.trouble.raised() for each in result.connections if each.trouble)
    transient = next((failure for failure in failures if failure.transient), None)
    if transient is None:
        return None
    decision = retry.decide(
        transient,
        tries=entry.tries,
        policy=policy,
        jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
    )
    at = now + decision.wait_s
    return entry.again(at) if decision.again and not closes.behind(at) else None


def _moment(entry: QueueEntry, at: float) -> Moment:
    return {"at": at, "run": entry.run, "job": entry.job}


async def _all(turns: Sequence[Turn]) -> None:
    for turn in turns:
        await turn.wait()


def _unread(entry: QueueEntry, status: RunStatus, reason: str) -> RunResult:
    """The result of a run of which nothing was read."""
    return RunResult(
        run=entry.run,
        job=entry.job,
        status=status,
        total=0,
        completed=0,
        failed=0,
        skipped=0,
        rows=0,
        seconds=0.0,
        reason=reason,
    )
