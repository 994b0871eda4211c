"""Finds the engine of a state folder, where one runs, for commands that can do without."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from etltui.bootstrap import operator
from etltui.domain.pools import PoolMetrics
from etltui.door.client import NoDoorError, RemoteEngine, open_door

NO_POOLS = PoolMetrics(
    total_pools=0,
    active_pools=0,
    total_connections=0,
    places=0,
    max_connections=0,
    max_per_host=0,
    waiting=0,
    paused=False,
    acquires=0,
    served_by_open=0,
    leaked=0,
)
"""The pools where no engine runs."""


@asynccontextmanager
async def listening(state: Path) -> AsyncIterator[RemoteEngine | None]:
    """The engine that serves the state folder, None where none does.

    Raises:
        EtltuiError: It is of another version.
    """
    async with AsyncExitStack() as stack:
        try:
            remote = await stack.enter_async_context(open_door(state, who=operator()))
        except NoDoorError:
            remote = None
        yield remote
