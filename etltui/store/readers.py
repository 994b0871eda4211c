"""Connections that read the state database: one to begin with, more while many read at once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self, TypeVar

from etltui.store.database import Database, Statements

T = TypeVar("T")

MOST = 10


class Readers:
    """Reads on whichever connection is free, and opens another where none is, up to a limit.

    Args:
        path: The database.
        first: The connection to begin with.
        most: Connections at once, at least 1; who comes when all are at work waits.
    """

    def __init__(self, path: Path, first: Database, *, most: int) -> None:
        self._path = path
        self._idle = [first]
        self._turn = asyncio.Semaphore(most)
        self._all = AsyncExitStack()
        self._all.push_async_callback(first.aclose)
        self.count = 1
        """Connections that are open."""

    @classmethod
    async def open(cls, path: Path, *, most: int = MOST) -> Self:
        """Open the first connection. Needs `aclose`.

        Raises:
            StateError: See `Database.reader`.
        """
        return cls(path, await Database.reader(path), most=most)

    async def transact(self, work: Callable[[Statements], Awaitable[T]]) -> T:
        """Do the work in a transaction of its own; see `Database.transact`."""
        async with self._turn:
            reader = self._idle.pop() if self._idle else await self._another()
            try:
                return await reader.transact(work)
            finally:
                self._idle.append(reader)

    async def _another(self) -> Database:
        reader = await Database.reader(self._path)
        self._all.push_async_callback(reader.aclose)
        self.count += 1
        return reader

    async def aclose(self) -> None:
        """Finish what is being read and close all connections."""
        await self._all.aclose()
