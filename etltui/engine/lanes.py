"""Reads the connections of a run side by side, each to its end or until the run stops."""

import asyncio
from collections.abc import Iterable

from etltui.domain.plan import PlanConnection
from etltui.engine.connection import Host, RunConnection
from etltui.engine.tools import Tools


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
        self._places = asyncio.Semaphore(count)
        self._stopped = stopped

    async def read(self, group: Iterable[PlanConnection]) -> None:
        """Try every connection of a group until it has ended, or the run stops."""
        async with asyncio.TaskGroup() as tasks:
            for planned in group:
                tasks.create_task(self._connection(planned), name=planned.name)

    async def _connection(self, planned: PlanConnection) -> None:
        connection = RunConnection(self._tools, self._host, planned)
        # `attempt` looks whether the run has stopped before it starts anything.
        while True:
            async with self._places:
                wait = await connection.attempt()
            if wait is None:
                return
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until the run stops."""
        sleep = asyncio.create_task(self._tools.clock.sleep(seconds))
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({sleep, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            stopped.cancel()
