"""A limit that can be resized while tasks wait; the lowest priority number is served first."""

import asyncio
import heapq
from itertools import count


class Limiter:
    """Counts what is lent, and lets tasks wait for a place in order of priority.

    Args:
        limit: How many places there are, at least 1.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lent = 0
        self._order = count()
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def lent(self) -> int:
        """Places taken."""
        return self._lent

    @property
    def waiting(self) -> int:
        """Tasks that wait."""
        return sum(not future.done() for _, _, future in self._waiters)

    @property
    def limit(self) -> int:
        """Places there are."""
        return self._limit

    async def acquire(self, priority: int = 0) -> None:
        """Take a place, or wait for one."""
        # Where there is room nobody waits: whatever makes room hands it out at once.
        if self._lent < self._limit:
            self._lent += 1
            return
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (priority, next(self._order), place))
        try:
            await place
        except asyncio.CancelledError:
            # The place may have been handed over in the moment of the cancel: pass it on.
            if place.done() and not place.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a place back."""
        self._lent -= 1
        self._hand_out()

    def resize(self, limit: int) -> None:
        """Change the number of places; what is lent beyond it is not taken away."""
        self._limit = limit
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiters and self._lent < self._limit:
            _, _, place = heapq.heappop(self._waiters)
            if not place.done():
                self._lent += 1
                place.set_result(None)
