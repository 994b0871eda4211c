"""Opens sessions in places that were taken for them, and learns from what happens."""

from collections.abc import Callable

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.domain.ports import Clock, Session, Sessions
from etltui.domain.words import words
from etltui.pool.backoff import SILENT
from etltui.pool.desk import Desk
from etltui.pool.entry import Entry
from etltui.pool.guard import Login, LoginGuard


class Opener:
    """Opens sessions.

    Args:
        sessions: Does it, within its own time limit.
        desk: Has the places, and those who wait for the same server or login.
        guard: Knows which logins are not tried.
        clock: Tells how long it takes.
        chance: Numbers from 0 to 1.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        desk: Desk,
        guard: LoginGuard,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._desk = desk
        self._guard = guard
        self._clock = clock
        self._chance = chance

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
            self._learn(entry, connection, failure, begun)
            raise
        self._guard.proved(login)
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

    def _learn(
        self,
        entry: Entry,
        connection: Connection,
        failure: Failure,
        begun: float,
    ) -> None:
        """Remember a failure, and spare those who wait what they need not find out again."""
        pool = self._desk.pools[entry.key]
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
