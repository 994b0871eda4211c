"""Somebody who waits for a place in a pool, in order of priority, for so long at most."""

import asyncio

from etltui.domain.errors import Failure, Trouble
from etltui.domain.pools import PoolKey
from etltui.domain.ports import Clock
from etltui.pool.entry import Entry

Turn = tuple[int, int]
"""Priority, then the number in order of coming: the smallest is served first."""


class Waiter:
    """A promise of a place.

    Args:
        key: Of the pool it waits at.
        turn: When it is to be served.
        asked: When it began to wait.
    """

    def __init__(self, key: PoolKey, *, turn: Turn, asked: float) -> None:
        self.key = key
        self.turn = turn
        self.asked = asked
        self._place: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._alarm: asyncio.Task[None] | None = None

    @property
    def gone(self) -> bool:
        """Whether it takes nothing any more: its time is up, or its task was cancelled."""
        return self._place.done()

    def give(self, entry: Entry) -> None:
        """Hand a place over to one that is not gone."""
        self._place.set_result(entry)

    def fail(self, failure: Failure) -> None:
        """Let it wait no longer."""
        if not self._place.done():
            # Each gets its own: an exception raised in many tasks mixes up their tracebacks.
            self._place.set_exception(Trouble.of(failure).raised())

    def arm(self, clock: Clock, seconds: float) -> None:
        """Let it wait until so many seconds after it asked, and no longer."""
        if self._alarm is not None:
            self._alarm.cancel()
        left = max(0.0, self.asked + seconds - clock.monotonic())
        self._alarm = asyncio.create_task(clock.sleep(left), name="acquire timeout")
        self._alarm.add_done_callback(self._ring)

    def _ring(self, alarm: asyncio.Task[None]) -> None:
        if not alarm.cancelled() and not self._place.done():
            self._place.set_exception(TimeoutError())

    async def place(self, clock: Clock, seconds: float) -> Entry:
        """Wait for the place.

        Raises:
            Failure: What `fail` was told.
            TimeoutError: Its time is up.
        """
        if not self._place.done():
            self.arm(clock, seconds)
        try:
            return await self._place
        finally:
            if self._alarm is not None:
                self._alarm.cancel()

    def left_over(self) -> Entry | None:
        """What it was given in the very moment in which its task was cancelled."""
        if self._place.cancelled() or self._place.exception() is not None:
            return None
        return self._place.result()
