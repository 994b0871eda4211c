"""Sends what is durable while a run still reads, to the destinations that want it so."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence


class Progressive:
    """Calls for a sending after each change, one at a time, as long as anything is read.

    Args:
        destinations: Which of the job's to send to, by their position.
        send: Sends what was not sent yet to one of them; fails for none of them.
        goes_on: Whether connections are still to be read; the final targets send the rest.
    """

    def __init__(
        self,
        destinations: Sequence[int],
        *,
        send: Callable[[int], Awaitable[None]],
        goes_on: Callable[[], bool],
    ) -> None:
        self._destinations = destinations
        self._send = send
        self._goes_on = goes_on
        self._changed = asyncio.Event()
        self.sending = asyncio.Lock()
        """Held while anything is sent."""

    def changed(self) -> None:
        """Another connection is durable."""
        self._changed.set()

    async def run(self) -> None:
        """Send after each change; ends at once where no destination wants it."""
        while self._destinations:
            await self._changed.wait()
            self._changed.clear()
            if not self._goes_on():
                return
            async with self.sending:
                for number in self._destinations:
                    await self._send(number)
