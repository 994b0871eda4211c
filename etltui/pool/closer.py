"""Closes sessions in the background: a driver that hangs while closing must hold nobody."""

import asyncio
import logging
from collections.abc import Callable

from etltui.domain.ports import Clock
from etltui.pool.entry import Entry
from etltui.pool.waiting import finished

_log = logging.getLogger(__name__)


class Closer:
    """Owns the tasks that close sessions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def close(self, entry: Entry, *, grace_s: float, freed: Callable[[Entry], None]) -> None:
        """Begin to close an entry's session.

        `freed` is told once, when the session is closed, or when that takes longer than the grace.
        """
        task = asyncio.create_task(self._close(entry, grace_s, freed), name="close session")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ended(self) -> None:
        """Wait until all that is being closed is closed."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def abandon(self) -> None:
        """Wait no longer for what is being closed."""
        for task in self._tasks:
            task.cancel()
        await self.ended()

    async def _close(
        self,
        entry: Entry,
        grace_s: float,
        freed: Callable[[Entry], None],
    ) -> None:
        closing = asyncio.create_task(_end(entry), name="close session")
        try:
            # Until it is closed the server counts it, so its place stays taken.
            await finished(closing, self._clock, grace_s)
        except asyncio.CancelledError:
            closing.cancel()
            raise
        finally:
            freed(entry)
        await closing


async def _end(entry: Entry) -> None:
    if entry.ping is not None and not entry.ping.done():
        entry.ping.cancel()
        await asyncio.wait({entry.ping})
    try:
        await entry.open_session.close()
    except Exception:  # noqa: BLE001 - nobody waits for it; the extractor clears up after itself
        _log.warning("A session of %s could not be closed", entry.key, exc_info=True)
