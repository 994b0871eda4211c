"""Weighs the whole process tree and says when no more may start."""

import asyncio
import ctypes
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.limits import BUDGET_BYTES
from etltui.engine.admission import Load, Place, Weights, admitted

LOG_EVERY = 10
"""Connections: looked at before the 1st, 11th, 21st …."""

_MB = 1024 * 1024
_log = logging.getLogger(__name__)


def own_pss() -> int:
    """Proportional set size of this process in bytes; 0 where the kernel does not tell."""
    with suppress(OSError):
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def give_back() -> None:
    """Collect what nobody refers to and give it back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


async def _at_once() -> None:
    """Of children that always say what they weigh now."""


class Memory:
    """The memory gate: engine and extractors together against one threshold.

    Args:
        children: Bytes that the extractors weigh, as they last said.
        own: Bytes that this process weighs.
        threshold_mb: 100 % of memory.
        extractors: How many there may be.
        settle: Waits until `children` has heard what they have just given back.
    """

    def __init__(
        self,
        children: Callable[[], int],
        *,
        threshold_mb: int,
        own: Callable[[], int] = own_pss,
        extractors: int = 1,
        settle: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._children = children
        self._own = own
        self._threshold = threshold_mb * _MB
        self._budget = extractors * BUDGET_BYTES
        self._settle = settle
        self._last_own = 0
        self._starts = 0
        self._idle = 0
        self._working: list[Place] = []
        self._turn = asyncio.Lock()
        self._weighed = asyncio.Event()
        self._changed = asyncio.Event()
        self.peak = 0

    @property
    def used(self) -> int:
        """Bytes in use by the tree when last weighed."""
        return self._last_own + self._children()

    async def weigh(self) -> int:
        """Weigh now."""
        self._last_own = await asyncio.to_thread(self._own)
        self.peak = max(self.peak, self.used)
        if not self._working:
            self._idle = self.used
        self._weighed.set()
        self.wake()
        return self.used

    @property
    def threshold(self) -> int:
        """Bytes that are 100 % of memory."""
        return self._threshold

    def resize(self, threshold_mb: int) -> None:
        """Change what 100 % is."""
        self._threshold = threshold_mb * _MB
        self.wake()

    async def admit(self) -> None:
        """Let one more connection start, or wait for those that are at work.

        Raises:
            Failure: Of class `memory`, when nothing is at work and the threshold is passed, and
                stays passed after everything that can be given back was given back.
        """
        # Counted before the wait: connections that start together are counted one by one.
        due = self._starts % LOG_EVERY == 0
        self._starts += 1
        if due:
            await self.weigh()
            _log.info("Memory usage: %s", self.text())
        await self._check()

    async def _check(self) -> None:
        if self._working or self.used <= self._threshold:
            return
        await asyncio.to_thread(give_back)
        if await self.weigh() <= self._threshold:
            return
        await self._settle()
        if await self.weigh() > self._threshold:
            raise Failure(ErrorClass.MEMORY, f"memory usage {self.text()} is over the threshold")

    @asynccontextmanager
    async def room(
        self,
        load: Load,
        *,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> AsyncIterator[Place | None]:
        """Let an extract work in the block as soon as what it is expected to hold fits in.

        First come, first served. None: it has become unwanted meanwhile.

        Args:
            load: What it is expected to read.
            unwanted: Asked while it waits, and after each `wake`.

        Raises:
            Failure: See `admit`.
        """
        await self.admit()
        await self._weighed.wait()
        async with self._turn:
            place = await self._place(load, unwanted)
        if place is None:
            yield None
            return
        self._working.append(place)
        try:
            yield place
        finally:
            self._working.remove(place)
            self.wake()

    def wake(self) -> None:
        """Look again whether somebody who waits may begin."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _place(self, load: Load, unwanted: Callable[[], bool]) -> Place | None:
        waited = False
        while not unwanted():
            weights = Weights(
                used=self.used,
                idle=self._idle,
                threshold=self._threshold,
                budget=self._budget,
            )
            if place := admitted(load, self._working, weights):
                return place
            if not waited:
                _log.info("Waiting for memory: %s, %d at work", self.text(), len(self._working))
            waited = True
            await self._changed.wait()
            await self._check()
        return None

    def text(self) -> str:
        """Used and threshold, as in `250MB / 512MB (48.8%)`."""
        share = 100 * self.used / self._threshold
        return f"{self.used // _MB}MB / {self._threshold // _MB}MB ({share:.1f}%)"
