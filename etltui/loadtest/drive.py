"""Lets an engine run the jobs of a load test, round after round."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from etltui.bootstrap import engine, open_history
from etltui.domain.events import ConnectionStarted
from etltui.domain.ports import Clock
from etltui.domain.run import RunResult
from etltui.domain.words import counted, duration, number
from etltui.engine.bus import Backlog
from etltui.engine.clock import SystemClock
from etltui.engine.engine import Engine
from etltui.engine.samples import tree_times
from etltui.loadtest.ground import Ground
from etltui.loadtest.taking import Looks, Taken

LOOK_S = 1.0
_MOST_SAMPLES = 10_000


class Drive:
    """One load test, from the engine's start to its end.

    Args:
        ground: What it runs over.
        state: A state folder of its own.
        tell: Told of each round, in words.
        clock: Tells the time.
    """

    def __init__(
        self,
        ground: Ground,
        state: Path,
        *,
        tell: Callable[[str], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self._ground = ground
        self._state = state
        self._tell = tell
        self._clock = clock or SystemClock()
        self._taken = Taken()
        self._stop = ""
        self._engine: Engine | None = None

    async def run(self) -> Taken:
        """Everything that the engine told, until the end or until it was stopped.

        Raises:
            EtltuiError: The engine cannot be started, or a job not be run.
        """
        taken, weather = self._taken, self._ground.weather
        try:
            async with engine(self._ground.config, self._state, environ=os.environ) as own:
                self._engine = own
                self._tell(_begun(self._ground))
                before = await asyncio.to_thread(tree_times)
                taken.began = self._clock.now().timestamp()
                await self._watched(own)
                after = await asyncio.to_thread(tree_times)
                taken.cpu_s = sum(used - before.get(pid, 0.0) for pid, used in after.items())
        finally:
            self._engine = None
            await weather.aclose()
        async with await open_history(self._state) as history:
            until = self._clock.now().timestamp() + 1
            taken.samples = await history.samples(taken.began, until, points=_MOST_SAMPLES)
        return taken

    def _stopping(self) -> bool:
        """Whether somebody has ended it."""
        return bool(self._stop)

    async def stop(self, reason: str) -> None:
        """End it early; what is there by then is reported."""
        self._stop = reason
        if self._engine is not None:
            await self._engine.stop(reason)

    async def _watched(self, own: Engine) -> None:
        with own.events() as backlog:
            reading = asyncio.create_task(self._read(backlog), name="client reading")
            looking = asyncio.create_task(self._look(own), name="client looking")
            try:
                await self._rounds(own)
            finally:
                looking.cancel()
                with suppress(asyncio.CancelledError):
                    await looking
                # Whoever has published everything by now is heard to the end.
                backlog.end()
                await reading
        taken = self._taken
        taken.pools = own.get_pool_metrics()
        taken.still_lent = tuple(each for each in own.get_pool_info() if each.lent)
        taken.strays = own.snapshot().strays
        taken.stopped = self._stopping()

    async def _rounds(self, own: Engine) -> None:
        order, taken = self._ground.order, self._taken
        began = self._clock.monotonic()
        while not self._stopping():
            await self._ground.weather.round()
            results = await self._round(own)
            taken.seconds = self._clock.monotonic() - began
            taken.results += results
            if self._stopping():
                return
            taken.rounds += 1
            self._tell(_told(taken.rounds, results, taken.seconds))
            over = taken.rounds >= order.rounds if order.rounds else taken.seconds >= order.seconds
            if over:
                return

    async def _round(self, own: Engine) -> list[RunResult]:
        """One run of each job, all at once."""
        jobs = self._ground.jobs
        handles = [await own.submit(job, resume=False) for job in jobs if not self._stopping()]
        if self._stopping():
            await own.stop(self._stop)
        return [await handle.wait() for handle in handles]

    async def _read(self, backlog: Backlog) -> None:
        async for event in backlog:
            self._taken.take(event)
            if isinstance(event, ConnectionStarted):
                self._ground.weather.tried(event.connection)

    async def _look(self, own: Engine) -> None:
        looks = Looks(self._taken.began)
        try:
            while True:
                self._taken.points.append(looks.point(own.snapshot()))
                await self._clock.sleep(LOOK_S)
        finally:
            self._taken.points.append(looks.point(own.snapshot()))


def _begun(ground: Ground) -> str:
    order = ground.order
    last = counted(order.rounds, "round") if order.rounds else f"{order.seconds:g} s"
    return f"running {counted(len(ground.jobs), 'job')} at once for {last}"


def _told(rounds: int, results: list[RunResult], seconds: float) -> str:
    rows = number(sum(result.rows for result in results))
    lost = sum(result.failed for result in results)
    also = f", {counted(lost, 'connection')} failed" if lost else ""
    return (
        f"round {rounds}: {counted(len(results), 'run')}, {rows} rows{also} ({duration(seconds)})"
    )
