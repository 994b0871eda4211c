"""Reads the connections of a run side by side, each to its end or until the run stops."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from statistics import mean

from etltui.domain.plan import PlanConnection
from etltui.domain.usual import Usual
from etltui.engine.connection import Host, RunConnection
from etltui.engine.tools import Tools


def in_turn(
    waiting: Sequence[PlanConnection],
    usual: Mapping[str, Usual],
    *,
    lanes: int,
) -> list[PlanConnection]:
    """What usually takes longest begins first: begun last, it would hold up the end alone.

    A single lane keeps to the job's order, where no order is any faster.

    Args:
        waiting: What is to be read, in the job's order.
        usual: Of the connections that completed in the last runs; any other counts as their mean.
        lanes: How many are read at once.
    """
    known = {name: past.seconds for name, past in usual.items() if past.seconds is not None}
    if lanes == 1 or not known:
        return list(waiting)
    typical = mean(known.values())
    return sorted(waiting, key=lambda planned: known.get(planned.name, typical), reverse=True)


class _Places:
    """Who waits for a free place gets it by rank, not by when it came.

    Args:
        count: Of the places.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[tuple[int, int], asyncio.Future[None]]] = []

    @asynccontextmanager
    async def place(self, rank: tuple[int, int]) -> AsyncIterator[None]:
        """Hold a place in the block.

        Args:
            rank: Of no other that waits; the lowest is first.
        """
        if self._free:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heappush(self._waiting, (rank, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    # It was handed over to somebody who was just leaving.
                    self._hand_on()
                raise
        try:
            yield
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting:
            _, turn = heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Lanes:
    """The lanes of one run.

    Args:
        tools: Of the engine.
        host: The run.
        count: How many connections are read at once.
        stopped: Set once nothing more may start.
    """

    def __init__(self, tools: Tools, host: Host, count: int, stopped: asyncio.Event) -> None:
        self._tools = tools
        self._host = host
        self._places = _Places(count)
        self._stopped = stopped

    async def read(self, group: Iterable[PlanConnection]) -> None:
        """Try every connection of a group until it has ended, or the run stops."""
        async with asyncio.TaskGroup() as tasks:
            for number, planned in enumerate(group):
                tasks.create_task(self._connection(planned, number), name=planned.name)

    async def _connection(self, planned: PlanConnection, number: int) -> None:
        connection = RunConnection(self._tools, self._host, planned)
        tries = 0
        # `attempt` looks whether the run has stopped before it starts anything.
        while True:
            if connection.shut:
                # Before it takes a place: behind a line that is down wait more than there are.
                await self._unless_stopped(connection.passage())
            # Those whose servers answer come before those that are still being reached.
            await self._unless_stopped(connection.scout())
            # Who is tried again comes after those that have not been tried.
            async with self._places.place((tries, number)):
                wait = await connection.attempt()
            tries += 1
            if wait is None:
                return
            if not connection.shut:
                await self._unless_stopped(self._tools.clock.sleep(wait))

    async def _unless_stopped(self, waiting: Coroutine[None, None, None]) -> None:
        """Wait, at most until the run stops."""
        over = asyncio.create_task(waiting)
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({over, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            stopped.cancel()
