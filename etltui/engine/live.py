"""Keeps an engine's pulse: weighs memory each second and records how everything stands."""

import asyncio
import logging
from collections.abc import Callable

from etltui.config.schema import Config
from etltui.domain.errors import StateError
from etltui.domain.progress import Snapshot
from etltui.domain.run import NOT_ENDED
from etltui.engine.deadlines import DeadlineWatch
from etltui.engine.samples import Sampler
from etltui.engine.tools import Tools

PULSE_S = 1.0

_log = logging.getLogger(__name__)


class Live:
    """Writes the live row once a second while runs exist, and once more when none does.

    Warns of deadlines, and of what was not given back, as it goes.

    Args:
        tools: Of the engine.
        snapshot: How everything stands.
        sampler: Asked at each beat.
        config: As it is now.
    """

    def __init__(
        self,
        tools: Tools,
        snapshot: Callable[[], Snapshot],
        sampler: Sampler,
        config: Callable[[], Config],
    ) -> None:
        self._tools = tools
        self._snapshot = snapshot
        self._sampler = sampler
        self._config = config
        self._deadlines = DeadlineWatch(lambda: config().settings.timezone)
        self._wrote_idle = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._beat(), name="pulse")

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - whatever it was, the next one is due
                # One look that fails must not be the last: the memory's threshold rests on it.
                _log.exception("A beat of the pulse failed")
            asleep = loop.time()
            await asyncio.sleep(PULSE_S)
            self._sampler.late(loop.time() - asleep - PULSE_S)

    async def _look(self) -> None:
        await self._tools.memory.weigh()
        if self._tools.strays is not None:
            await self._tools.strays.look(self._config().settings.leak_s)
        await self.write()
        await self._sampler.look()

    async def write(self) -> None:
        """Record how everything stands, unless nothing has happened since the last time."""
        snapshot = self._snapshot()
        self._deadlines.look(snapshot)
        idle = not any(view.status in NOT_ENDED for view in snapshot.runs)
        if idle and self._wrote_idle:
            return
        try:
            await self._tools.store.put_live(snapshot)
            if idle:
                await self._tools.store.settle()
            self._wrote_idle = idle
        except StateError as error:
            # A view of what is recorded elsewhere: losing it stops nothing.
            _log.warning("The live row was not written: %s", error)

    async def aclose(self) -> None:
        """Write a last row and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._wrote_idle = False
            await self.write()
            await self._sampler.aclose()
