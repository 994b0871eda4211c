"""Executes one run: fix the columns, gather the connections, publish, say how it ended."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from etltui.domain.columns import Column
from etltui.domain.errors import EtltuiError, Failure, StateError
from etltui.domain.events import Moment, RunFinished, RunProgress, RunRetrying, RunStarted
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.queue import QueueEntry
from etltui.domain.run import (
    ConnectionResult,
    ConnectionStatus,
    Output,
    RunResult,
    RunStatus,
    Step,
    final_status,
)
from etltui.domain.task import Extracted
from etltui.domain.usual import Past
from etltui.domain.words import because, words
from etltui.engine import canary
from etltui.engine.admission import Load, Place
from etltui.engine.delivery import NOT_PUBLISHED, clean
from etltui.engine.describe import columns_of, fixed_by
from etltui.engine.lanes import Lanes, in_turn
from etltui.engine.log import about
from etltui.engine.past import past_of
from etltui.engine.prepare import Prepared
from etltui.engine.publish import Publisher
from etltui.engine.standing import leave
from etltui.engine.tally import Tally
from etltui.engine.tools import Tools, to_the_end

_log = logging.getLogger(__name__)


class RunnerHalt(Exception):  # noqa: N818 - a signal inside this file, not an error
    """The run goes no further in this attempt."""

    def __init__(self, status: RunStatus, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


class Runner:
    """One attempt of one run; made, executed once, thrown away.

    Args:
        tools: Shared by the runs of an engine.
        prepared: What to run, and what is durable of it.
        again: Says for the result whether the run gets another turn, and as what entry.
    """

    def __init__(
        self,
        tools: Tools,
        prepared: Prepared,
        again: Callable[[RunResult], QueueEntry | None] = lambda _: None,
    ) -> None:
        self.plan: Plan = prepared.plan
        self.attempt = prepared.attempt
        self.retry = prepared.retry
        self.priority = prepared.priority
        self.again: QueueEntry | None = None
        """Its next turn, once this one has ended."""
        self._decide = again
        self._asked = prepared.asked
        self._owed = prepared.owed
        self._canary = prepared.canary
        self.due, self.closes = prepared.due, prepared.closes
        self._standing = prepared.standing
        self._outputs: list[Output] = []
        self._tools = tools
        self._tally = Tally.of(prepared)
        self._publisher = Publisher(tools, prepared, self._tally)
        self._stopped = asyncio.Event()
        self._lanes = Lanes(tools, self, prepared.plan.job.max_parallel, self._stopped)
        self._fixing = asyncio.Lock()
        self._failure: Failure | None = None
        self._begun = tools.clock.monotonic()
        self._publish_s = 0.0
        self.past = Past()
        self._step: str = Step.CONNECTING
        self.cancel_as = RunStatus.STOPPED
        """What a cancelled task makes of the run: stopped (resumable) or cancelled."""
        self.cancel_reason = "stopped"

    async def run(self) -> RunResult:
        """Execute the run; its end is recorded and published whatever happens."""
        with about(run=self.plan.run):
            try:
                await self._start()
                await self._gather()
                status, reason = await self._publish()
            except RunnerHalt as halt:
                status, reason = halt.status, halt.reason
            except asyncio.CancelledError:
                status, reason = self.cancel_as, self.cancel_reason
            except StateError as error:
                status, reason = RunStatus.STOPPED, f"cannot record: {error}"
            except Exception as error:  # noqa: BLE001 - every run must end in the store
                status, reason = RunStatus.FAILED, told(error)
            return await self._end(status, reason)

    async def _end(self, status: RunStatus, reason: str) -> RunResult:
        result = self._result(status, reason)
        try:
            await to_the_end(self._finish(result))
        except asyncio.CancelledError:
            # It comes too late: the run has ended.
            pass
        except EtltuiError as error:
            # The next start finds the run unfinished and stops it, resumably.
            reason = f"its end could not be recorded: {error}"
            _log.error("The run ended, but %s", reason)
            result = replace(result, status=RunStatus.STOPPED, reason=reason)
            self._tools.bus.publish(RunFinished(**self.moment(), result=result))
        return result

    async def _start(self) -> None:
        await self._tools.store.move_run(self.plan.run, RunStatus.RUNNING)
        try:
            await self._publisher.claims.begin()
        except Failure as failure:
            raise RunnerHalt(RunStatus.STOPPED, f"nothing was read: {failure}") from failure
        past = await past_of(self._tools.store, self.plan.job.name, besides=self.plan.run)
        self.past = past
        self._publisher.usual = {name: each.rows for name, each in past.usual.items()}
        self._tools.bus.publish(
            RunStarted(
                **self.moment(),
                total=self._tally.total,
                skipped=self._tally.kept,
                attempt=self.attempt,
                title=self.plan.job.title,
                parallel=self.plan.job.max_parallel,
                before=tuple(self._tally.results.values()),
                waiting=tuple(planned.name for planned in self._wanted()),
                past=past,
                due=self.due,
            ),
        )
        if self.attempt > 1:
            _log.info("Resuming job: Skipping %d already-completed connections", self._tally.kept)
            for name in self._tally.named(ConnectionStatus.COMPLETED):
                _log.info("Skipping already-completed connection: %s", name)
        self._progress()

    def _wanted(self) -> list[PlanConnection]:
        """What this attempt is to read."""
        return [planned for planned in self._tally.waiting() if planned.name in self._asked]

    async def _gather(self) -> None:
        """Try every waiting connection until it ended or the run stops."""
        waiting = self._wanted()
        if waiting and not self.plan.columns and (columns := await self._columns()):
            await self.fix(columns)
        partials = asyncio.create_task(self._publisher.partials(), name="partial targets")
        try:
            why = await self._stages() if self._canary else ""
            if not why:
                lanes = self.plan.job.max_parallel
                await self._lanes.read(in_turn(self._wanted(), self.past.usual, lanes=lanes))
            await self._publisher.end_partials(partials)
        finally:
            partials.cancel()
            await asyncio.wait({partials})
            if not partials.cancelled() and (mistake := partials.exception()):
                _log.error("Partial targets ended by a mistake in the program", exc_info=mistake)
        if reason := str(self._failure or why):
            raise RunnerHalt(RunStatus.STOPPED, reason)
        if rest := sum(1 for _ in self._tally.waiting()):
            total = self._tally.total
            reason = f"{rest} of {total} connections, left out by --only, are still to be read"
            raise RunnerHalt(RunStatus.STOPPED, reason)

    async def _columns(self) -> tuple[tuple[Column, ...], ...] | None:
        """The columns of each query, None where whoever is read first describes them."""
        if self._canary:
            # Only the first stage may be asked anything.
            return fixed_by(self.plan.job) or None
        found = None
        try:
            found = await columns_of(self.plan, self._tools)
        except* Failure as failed:
            # One task group asks them, so that none lies any deeper.
            for each in [one for one in failed.exceptions if isinstance(one, Failure)]:
                self.stop(each)
        return found

    async def _stages(self) -> str:
        """Read a few, then a few more; why the run goes no further, empty where it does."""
        waiting = canary.in_order(self._wanted(), self.past.usual)
        passed = 0
        while waiting and passed < len(canary.STAGES) and not self._stopped.is_set():
            size = canary.STAGES[passed]
            group, waiting = waiting[:size], waiting[size:]
            self._step = canary.step(len(group), self._tally.total)
            self._progress()
            await self._lanes.read(group)
            results = self._tally.of_these(group)
            if why := canary.why_stopped(
                results, completed=self._tally.completed, total=self._tally.total
            ):
                _log.error("The run stops: %s", why)
                return why
            passed += canary.passed(results)
        self._step = Step.CONNECTING
        return ""

    async def fix(self, columns: tuple[tuple[Column, ...], ...]) -> None:
        """See `engine.connection.Host`: recorded before any part can be written with them."""
        async with self._fixing:
            if self.plan.columns:
                return
            plan = self.plan.with_columns(columns)
            await self._tools.store.replan(plan)
            self._publisher.fixed(plan)
            self.plan = plan

    async def _publish(self) -> tuple[RunStatus, str]:
        """The final targets; a run without a completed connection never replaces one."""
        status = final_status(total=self._tally.total, completed=self._tally.completed)
        if status is RunStatus.FAILED:
            return status, "no connection completed; the targets were left as they are"
        if lost := sorted(self._owed - set(self._tally.named(ConnectionStatus.COMPLETED))):
            reason = (
                f"the targets were left as they are: they hold rows of {', '.join(lost)}, which "
                "could not be read again and whose parts are lost"
            )
            raise RunnerHalt(RunStatus.STOPPED, reason)
        self._step = Step.SENDING
        self._progress()
        await self._tools.store.move_run(self.plan.run, RunStatus.PUBLISHING)
        begun = self._tools.clock.monotonic()
        try:
            if self._standing and self._tally.completed == self._tally.kept:
                await leave(self._tools.store, self.plan.run)
            async for output in self._publisher.final():
                self._outputs.append(output)
        except Failure as failure:
            _log.error("The target was not published: %s", failure)
            raise RunnerHalt(RunStatus.STOPPED, f"{NOT_PUBLISHED}{failure}") from failure
        self._publish_s = round(self._tools.clock.monotonic() - begun, 3)
        return status, ""

    async def _finish(self, result: RunResult) -> None:
        """Record the end, then tidy up, then tell."""
        await self._publisher.claims.release()
        again = self._decide(result)
        await self._tools.store.finish_run(result, again)
        self.again = again
        if result.status is RunStatus.COMPLETED:
            try:
                await clean(self._tools, self.plan)
            except StateError as error:
                _log.warning("What the run does not need any more was left: %s", error)
        _log.info("Run %s: %s", self.plan.run, because(words(result.status), result.reason))
        if again is None or again.taken:
            self._tools.bus.publish(RunFinished(**self.moment(), result=result))
        else:
            self._retrying(result, again)

    def _retrying(self, result: RunResult, again: QueueEntry) -> None:
        wait = again.not_before - self._tools.clock.now().timestamp()
        _log.warning("Run %s gets another turn in %.0f s", self.plan.run, wait)
        self._tools.bus.publish(
            RunRetrying(
                **self.moment(),
                reason=result.reason,
                tries=again.tries - 1,
                wait_s=wait,
            ),
        )

    def _result(self, status: RunStatus, reason: str) -> RunResult:
        return RunResult(
            run=self.plan.run,
            job=self.plan.job.name,
            status=status,
            total=self._tally.total,
            completed=self._tally.completed,
            failed=self._tally.failed,
            skipped=self._tally.kept,
            rows=self._tally.rows,
            seconds=round(self._tools.clock.monotonic() - self._begun, 3),
            publish_s=self._publish_s,
            outputs=tuple(self._outputs),
            left_out=len(self.plan.left_out),
            held=self._tally.held,
            reason=reason,
            unusual=self._publisher.unusual(),
            connections=self._tally.ordered(),
        )

    def moment(self) -> Moment:
        """Time, run and job of an event that happens now."""
        return {
            "at": self._tools.clock.now().timestamp(),
            "run": self.plan.run,
            "job": self.plan.job.name,
        }

    @asynccontextmanager
    async def admitted(self, connection: str) -> AsyncIterator[Place | None]:
        """See `engine.connection.Host`: the memory and the disk gate."""
        async with AsyncExitStack() as stack:
            place = None
            if not self._stopped.is_set():
                try:
                    place = await self._admit(stack, connection)
                except Failure as failure:
                    self.stop(failure)
            yield None if self._stopped.is_set() else place

    async def _admit(self, stack: AsyncExitStack, connection: str) -> Place | None:
        load = Load.of(self.past.usual.get(connection))
        room = self._tools.memory.room(load, unwanted=self._stopped.is_set)
        place = await stack.enter_async_context(room)
        await asyncio.to_thread(self._tools.space.check, self._needs())
        return place

    def _needs(self) -> dict[Path, int]:
        """Bytes still to be written for what is durable: each target once more."""
        needs = {self._tools.parts_folder: 0}
        for number, target in enumerate(self.plan.targets):
            folder = Path(target).parent
            needs[folder] = needs.get(folder, 0) + self._tally.bytes_of(number)
        return needs

    async def record(self, result: ConnectionResult, extracted: Extracted | None) -> None:
        """See `engine.connection.Host`: data is durable already; mark, then mirror, then news."""
        receipts = extracted.receipts if extracted else ()
        before = self._tally.before.get(result.connection)
        better = before.after(result, receipts) if before else result
        if before and better is None:
            _log.info("%s keeps the rows that were read before", result.connection)
            result, receipts = before.result, before.receipts
        else:
            result = better or result
            await self._tools.store.checkpoint(self.plan.run, result, receipts)
        self._tally.settle(result)
        if receipts:
            self._tally.receipts[result.connection] = receipts
            self._publisher.changed()
        await self._mirror()
        self._progress()

    async def _mirror(self) -> None:
        """Rewrite the JSON mirror; the store is the truth, so losing it stops nothing."""
        try:
            await self._tools.mirror.write(
                self.plan.job.name,
                self.plan.job.title,
                completed=self._tally.named(ConnectionStatus.COMPLETED),
                failed=self._tally.named(ConnectionStatus.FAILED),
                total=self._tally.total,
                now=self._tools.clock.now(),
            )
        except StateError as error:
            _log.warning("The checkpoint's mirror was not written: %s", error)

    def stop(self, failure: Failure) -> None:
        """See `engine.connection.Host`: nothing more starts; what runs ends by itself."""
        if self._failure is None:
            self._failure = failure
            _log.error("The run stops: %s %s", failure, failure.advice.try_)
        self._stopped.set()
        self._tools.memory.wake()

    def _progress(self) -> None:
        if self._step == Step.CONNECTING and self._tally.results:
            self._step = Step.PROCESSING
        self._tools.bus.publish(
            RunProgress(
                **self.moment(),
                step=self._step,
                percent=self._tally.percent,
                completed=self._tally.completed,
                failed=self._tally.failed,
                total=self._tally.total,
                rows=self._tally.rows,
            ),
        )


def told(error: BaseException) -> str:
    """One sentence about a mistake in the program; the whole story goes to the log."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    _log.error("The run failed because of a mistake in the program", exc_info=error)
    return f"{type(error).__name__}: {error}"
