"""Opens sessions in places that were taken for them, and learns from what happens."""

from collections.abc import Callable

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.domain.lending import ReachingSessions, Session
from etltui.domain.pools import PoolKey
from etltui.domain.ports import Clock
from etltui.domain.server import Reached
from etltui.domain.words import words
from etltui.pool.backoff import SILENT
from etltui.pool.breakers import Breakers
from etltui.pool.desk import Desk
from etltui.pool.entry import Entry
from etltui.pool.guard import Login, LoginGuard
from etltui.pool.pool import Pool

_FRESH_S = 5.0
"""A server that was reached so lately need not be reached once more before a session is opened."""


class Opener:
    """Opens sessions.

    Args:
        sessions: Does it, within its own time limit.
        desk: Has the places, and those who wait for the same server or login.
        guard: Knows which logins are not tried.
        breakers: Told of what was tried at which line.
        clock: Tells how long it takes.
        chance: Numbers from 0 to 1.
    """

    def __init__(
        self,
        sessions: ReachingSessions,
        *,
        desk: Desk,
        guard: LoginGuard,
        breakers: Breakers,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._desk = desk
        self._guard = guard
        self._breakers = breakers
        self._clock = clock
        self._chance = chance
        self._reached: dict[str, float] = {}

    async def reach(self, pool: Pool, connection: Connection) -> Reached | None:
        """Find out whether the server takes connections, before a place is taken for a session.

        None where there is nothing to reach, or it is known: a session is open, or it was reached
        just now.

        Raises:
            Failure: It does not; those who wait for the same have been told, too.
        """
        server, begun = pool.key.server, self._clock.monotonic()
        known = begun - self._reached.get(server, -_FRESH_S) < _FRESH_S
        if known or not pool.hopeless or self._desk.refusal(pool) or self._guard.refusal(pool.key):
            return None
        try:
            reached = await self._sessions.reach(connection)
        except Failure as failure:
            self._failed(pool.key, connection, failure, begun)
            raise
        if reached is not None:
            self._reached[server] = self._clock.monotonic()
        return reached

    async def open(self, entry: Entry, connection: Connection) -> None:
        """Open the entry's session; where that fails its place is free.

        Raises:
            Failure: With the class that says why.
        """
        login = self._guard.login(entry.key)
        try:
            async with self._guard.attempt(login):
                await self._try(entry, connection, login)
        except BaseException:
            self._desk.freed(entry)
            raise

    async def _try(self, entry: Entry, connection: Connection, login: Login) -> None:
        # Since the place was taken somebody else may have failed to log in.
        if refusal := self._guard.refusal(entry.key):
            raise refusal
        begun = self._clock.monotonic()
        try:
            session = await self._sessions.open(connection)
        except Failure as failure:
            if failure.error_class is ErrorClass.LOGIN:
                self._guard.lock(
                    entry.key,
                    login,
                    connection=connection.name,
                    message=str(failure),
                )
            self._failed(entry.key, connection, failure, begun)
            raise
        self._guard.proved(login)
        self._breakers.answered(connection)
        self._opened(entry, session, begun)

    def _opened(self, entry: Entry, session: Session, begun: float) -> None:
        pool = self._desk.pools[entry.key]
        now = self._clock.monotonic()
        entry.opened(session, now)
        pool.record.answered(now)
        pool.tally.opened += 1
        pool.tally.connects.append(now - begun)
        was_down = pool.backoff.down
        pool.backoff.opened()
        if was_down:
            self._desk.pump()

    def _failed(
        self,
        key: PoolKey,
        connection: Connection,
        failure: Failure,
        begun: float,
    ) -> None:
        """Remember a failure, and spare those who wait what they need not find out again."""
        pool = self._desk.pools[key]
        self._reached.pop(key.server, None)
        error = f"{connection.name}: {words(failure.error_class)}: {failure}"
        pool.record.missed(error)
        pool.backoff.last_error = error
        pool.backoff.failed(
            failure.error_class,
            begun=begun,
            now=self._clock.monotonic(),
            chance=self._chance(),
        )
        # One try answers for all who wait; whoever still has a session to hope for waits on.
        if failure.error_class in SILENT and pool.hopeless:
            pool.fail_waiters(failure)
        for other in self._desk.pools.values():
            other.fail_waiters(self._guard.refusal(other.key))
        self._breakers.failed(connection, failure, begun=begun)
