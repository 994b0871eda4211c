"""Looks after targets that could not have their places when their runs ended, until they can."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from etltui.domain.errors import EtltuiError
from etltui.domain.events import RunFinished
from etltui.domain.part import Published
from etltui.domain.plan import Plan
from etltui.domain.run import Output, RunResult, RunStatus, final_status
from etltui.domain.stored import PublicationRow, PublicationState, RunRow
from etltui.domain.targets import temporary_path
from etltui.engine.claims import Claims
from etltui.engine.delivery import NOT_PUBLISHED, clean, held_by, put
from etltui.engine.dispatcher import Dispatcher
from etltui.engine.finish import Finisher
from etltui.engine.log import about
from etltui.engine.tools import Tools

LOOK_S = 60.0
"""How often an engine that stays looks again."""

_log = logging.getLogger(__name__)


class Deliveries:
    """Delivers what earlier runs have assembled, and ends these runs as they would have ended.

    Args:
        tools: Of the engine.
        submitting: Held by whoever takes a run up.
        queue: Knows which runs wait or are at work.
        finisher: Told of each run that has ended so.
        wait: Lets time pass.
    """

    def __init__(
        self,
        tools: Tools,
        submitting: asyncio.Lock,
        queue: Dispatcher,
        finisher: Finisher,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._tools = tools
        self._submitting = submitting
        self._queue = queue
        self._finisher = finisher
        self._wait = wait
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look now and again and again.

        An engine that does not stay looks at its end: whoever started it for that very run is to
        have it.
        """
        self._looking = asyncio.create_task(self._look_on(), name="deliveries")

    async def aclose(self) -> None:
        """End; what is being delivered is finished."""
        if self._looking is None:
            await self.look()
            return
        async with self._submitting:
            self._looking.cancel()
        await asyncio.wait({self._looking})

    async def _look_on(self) -> None:
        while True:
            await self.look()
            await self._wait(LOOK_S)

    async def look(self) -> None:
        """Deliver what can be delivered now; what cannot be done is tried again later."""
        try:
            await self._look()
        except EtltuiError as error:
            _log.warning("Targets that wait for their places were not looked at: %s", error)

    async def _look(self) -> None:
        waiting = [
            row
            for row in await self._tools.store.publications()
            if row.state is PublicationState.ASSEMBLED
        ]
        for run in dict.fromkeys(row.run for row in waiting):
            row = await self._tools.store.run(run)
            if row is None or not row.reason.startswith(NOT_PUBLISHED):
                continue
            plan = await self._tools.store.plan(run)
            now = self._tools.clock.now().astimezone(plan.started.tzinfo)
            # Asked before anybody has to wait: a share that is away may take its time to say so.
            mine = [each for each in waiting if each.run == run]
            held = [await held_by(self._tools, each, now) for each in mine]
            if not all(held):
                async with self._submitting:
                    with about(run=run):
                        await self._deliver(plan)

    async def _deliver(self, plan: Plan) -> None:
        row = await self._tools.store.run(plan.run)
        if (
            row is None
            or row.status is not RunStatus.STOPPED
            or self._queue.handle(plan.run) is not None
        ):
            return
        for each in await self._tools.store.publications(plan.run):
            if each.state is PublicationState.ASSEMBLED and not await self._superseded(each):
                await self._put(each, plan)
        rows = await self._tools.store.publications(plan.run)
        done = all(each.state is PublicationState.DELIVERED for each in rows)
        if done and len(rows) == len(plan.targets) and row.result is not None:
            await self._end(row, row.result, rows, plan)

    async def _superseded(self, row: PublicationRow) -> bool:
        """Whether a later run has made the target meanwhile; what lies beside it stays there."""
        newest = next(iter(await self._tools.store.published_at(row.target)), row)
        return newest.run != row.run

    async def _put(self, row: PublicationRow, plan: Plan) -> None:
        """Put one in its place; what cannot be done now is tried again later."""
        published = Published(bytes=row.bytes, crc=row.crc, rows=row.rows)
        claims = Claims(self._tools, plan)
        try:
            await claims.hold(row.target)
            if await put(self._tools, claims, row, published):
                _log.info("%s has its place now: %d rows", row.target, row.rows)
            else:
                # Whoever has changed it keeps what he has made of it.
                hidden = str(temporary_path(Path(row.target)))
                again = replace(row, temporary=hidden)
                await self._tools.store.move_publication(again, PublicationState.ASSEMBLING)
                _log.warning(
                    "%s is not what was assembled any more: etltui run %s --resume makes %s again",
                    row.temporary,
                    plan.job.name,
                    row.target,
                )
        except EtltuiError as error:
            _log.info("%s waits on: %s", row.target, error)
        finally:
            await claims.release()

    async def _end(
        self, row: RunRow, result: RunResult, rows: list[PublicationRow], plan: Plan
    ) -> None:
        """End a run whose targets all have their places."""
        connections = await self._tools.store.connections(row.run)
        ended = replace(
            result,
            status=final_status(total=result.total, completed=result.completed),
            reason="",
            outputs=tuple(
                Output(
                    type=plan.job.destinations[each.destination].type,
                    path=each.target,
                    rows=each.rows,
                    bytes=each.bytes,
                    final=True,
                )
                for each in rows
            ),
            connections=tuple(each.result for each in connections if each.result),
        )
        await self._tools.store.finish_run(ended)
        if ended.status is RunStatus.COMPLETED:
            await clean(self._tools, plan)
        at = self._tools.clock.now().timestamp()
        self._tools.bus.publish(
            RunFinished(at=at, run=row.run, job=row.job, result=ended),
        )
        self._finisher.start(ended, plan.job)
