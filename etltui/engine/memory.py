"""Weighs the whole process tree and says when no more may start."""

import asyncio
import ctypes
import gc
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from etltui.domain.errors import ErrorClass, Failure

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


class Memory:
    """The memory gate: engine and extractors together against one threshold.

    Args:
        children: Bytes that the extractors weigh, as they last said.
        own: Bytes that this process weighs.
        threshold_mb: 100 % of memory.
    """

    def __init__(
        self,
        children: Callable[[], int],
        *,
        threshold_mb: int,
        own: Callable[[], int] = own_pss,
    ) -> None:
        self._children = children
        self._own = own
        self._threshold = threshold_mb * _MB
        self._last_own = 0
        self._starts = 0
        self.peak = 0

    @property
    def used(self) -> int:
        """Bytes in use by the tree when last weighed."""
        return self._last_own + self._children()

    async def weigh(self) -> int:
        """Weigh now."""
        self._last_own = await asyncio.to_thread(self._own)
        self.peak = max(self.peak, self.used)
        return self.used

    @property
    def threshold(self) -> int:
        """Bytes that are 100 % of memory."""
        return self._threshold

    def resize(self, threshold_mb: int) -> None:
        """Change what 100 % is."""
        self._threshold = threshold_mb * _MB

    async def admit(self) -> None:
        """Let one more connection start.

        Raises:
            Failure: Of class `memory`, when the threshold is passed and stays passed after
                everything that can be given back was given back.
        """
        # Counted before the wait: connections that start together are counted one by one.
        due = self._starts % LOG_EVERY == 0
        self._starts += 1
        if due:
            await self.weigh()
            _log.info("Memory usage: %s", self.text())
        if self.used <= self._threshold:
            return
        await asyncio.to_thread(give_back)
        if await self.weigh() > self._threshold:
            raise Failure(ErrorClass.MEMORY, f"memory usage {self.text()} is over the threshold")

    def text(self) -> str:
        """Used and threshold, as in `250MB / 512MB (48.8%)`."""
        share = 100 * self.used / self._threshold
        return f"{self.used // _MB}MB / {self._threshold // _MB}MB ({share:.1f}%)"
