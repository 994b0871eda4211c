"""Lends sessions: one pool for each pool key, a limit for each pool and one over all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.domain.ports import Session, Sessions
from etltui.pool.limits import Limiter

PoolKey = tuple[str, str, int, str, str]
"""Kind, host, port, database, credential: connections with the same key share a pool."""


def pool_key(connection: Connection) -> PoolKey:
    """The key of the pool that serves a connection."""
    return (
        connection.kind,
        connection.host.lower(),
        connection.port,
        connection.database,
        connection.credential,
    )


@dataclass(slots=True)
class _Pool:
    """One pool: its limit and who refers to it."""

    limiter: Limiter
    refs: int = 0


class PoolManager:
    """Lends sessions under the limits; implements `domain.ports.Leases`.

    Args:
        sessions: Opens sessions.
        max_connections: Sessions over all pools.
        pool_size: Sessions for each pool.
        acquire_timeout_s: How long a lease may wait for a free place.
        close_grace_s: How long a session that is being closed keeps its places at most.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        max_connections: int,
        pool_size: int,
        acquire_timeout_s: float,
        close_grace_s: float = 2.0,
    ) -> None:
        self._sessions = sessions
        self._all = Limiter(max_connections)
        self._pool_size = pool_size
        self._acquire_timeout_s = acquire_timeout_s
        self._close_grace_s = close_grace_s
        self._pools: dict[PoolKey, _Pool] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def lent(self) -> int:
        """Sessions lent over all pools, those being closed among them."""
        return self._all.lent

    @asynccontextmanager
    async def lease(self, connection: Connection, *, priority: int = 0) -> AsyncIterator[Session]:
        """See `domain.ports.Leases`."""
        key = pool_key(connection)
        pool = self._pools.setdefault(key, _Pool(limiter=Limiter(self._pool_size)))
        async with AsyncExitStack() as held:
            pool.refs += 1
            held.callback(self._let_go, key)
            # First the pool, then the whole: nobody holds a place of all while a pool is full.
            await self._place(pool.limiter, connection, priority)
            held.callback(pool.limiter.release)
            await self._place(self._all, connection, priority)
            held.callback(self._all.release)
            session = await self._sessions.open(connection)
            try:
                yield session
            finally:
                self._discard(session, held.pop_all())

    async def aclose(self) -> None:
        """Wait until every session that is being closed is closed."""
        if self._closing:
            await asyncio.wait(self._closing)

    async def _place(self, limiter: Limiter, connection: Connection, priority: int) -> None:
        try:
            async with asyncio.timeout(self._acquire_timeout_s):
                await limiter.acquire(priority)
        except TimeoutError:
            which = "all pools" if limiter is self._all else f"the pool of {connection.name}"
            raise Failure(
                ErrorClass.TIMEOUT,
                f"no free session of {which} within acquire_timeout_s = "
                f"{self._acquire_timeout_s:g} s: {limiter.lent} of {limiter.limit} lent, "
                f"{limiter.waiting} waiting",
            ) from None

    def _let_go(self, key: PoolKey) -> None:
        """Refer to a pool no longer; the last one to do so ends it."""
        pool = self._pools[key]
        pool.refs -= 1
        if pool.refs == 0:
            del self._pools[key]

    def _discard(self, session: Session, held: AsyncExitStack) -> None:
        """Close in the background: a driver that hangs while closing must not hold its borrower."""
        task = asyncio.create_task(self._close(session, held), name="close session")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, session: Session, held: AsyncExitStack) -> None:
        closing = asyncio.create_task(session.close(), name="close session")
        async with held:
            # Until it is closed the server counts it, so its places stay taken.
            await asyncio.wait({closing}, timeout=self._close_grace_s)
        await closing
