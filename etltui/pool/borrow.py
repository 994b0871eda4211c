"""Takes one lease to its session: waits for its turn, then opens a session or proves one."""

from collections.abc import Callable
from itertools import count

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.domain.ports import Clock
from etltui.pool.desk import Desk
from etltui.pool.entry import Entry, State
from etltui.pool.guard import LoginGuard
from etltui.pool.opener import Opener
from etltui.pool.pool import Mode, Pool
from etltui.pool.prover import Prover
from etltui.pool.waiter import Waiter


class Borrower:
    """Finds sessions for leases.

    Args:
        desk: Gives out the places.
        guard: Knows which logins are not tried.
        opener: Opens a session in a place that has none.
        prover: Proves one that was idle for long.
        clock: Tells how long it takes.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        guard: LoginGuard,
        opener: Opener,
        prover: Prover,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._guard = guard
        self._opener = opener
        self._prover = prover
        self._clock = clock
        self._numbers = count()

    async def borrow(
        self, pool: Pool, connection: Connection, priority: int, waited: Callable[[float], None]
    ) -> tuple[Entry, bool]:
        """A place with a session that answers, and whether that was open before.

        One that turns out to be dead is replaced; who borrows waits on in the same turn.

        Args:
            pool: Of the connection.
            connection: Whose database.
            priority: Among those who wait.
            waited: Told the seconds of each time that a place was waited for.

        Raises:
            Failure: No session could be opened, or none was free in time.
        """
        turn = (priority, next(self._numbers))
        asked = self._clock.monotonic()
        while True:
            # Outside of the places: they are for those whose servers answer.
            await self._opener.reach(pool, connection)
            waiter = Waiter(pool.key, turn=turn, asked=asked)
            begun = self._clock.monotonic()
            try:
                entry = await self._place(waiter, pool, connection)
            finally:
                waited(self._clock.monotonic() - begun)
            pool.tally.waits.append(self._clock.monotonic() - asked)
            if entry.session is None:
                await self._opener.open(entry, connection)
                return self._lent(entry, pool), False
            if await self._usable(entry):
                return self._lent(entry, pool), True

    async def borrow_at_once(self, pool: Pool, connection: Connection) -> tuple[Entry, bool]:
        """As `borrow`, but only a place that is free now and that nobody waits for.

        Raises:
            Failure: There is none, or no session could be opened in it.
        """
        while True:
            if refusal := self._desk.refusal(pool) or self._guard.refusal(pool.key):
                raise refusal
            entry = self._desk.spare(pool)
            if entry is None:
                text = f"no session of the pool {pool.key} is free for {connection.name} at once"
                raise Failure(ErrorClass.TIMEOUT, text)
            if entry.session is None:
                await self._opener.open(entry, connection)
                return self._lent(entry, pool), False
            if await self._usable(entry):
                return self._lent(entry, pool), True

    async def _place(self, waiter: Waiter, pool: Pool, connection: Connection) -> Entry:
        if refusal := self._desk.refusal(pool) or self._guard.refusal(pool.key):
            raise refusal
        self._desk.ask(waiter)
        seconds = self._desk.settings.acquire_timeout_s
        try:
            return await waiter.place(self._clock, seconds)
        except TimeoutError:
            raise self._too_late(pool, connection) from None
        except BaseException:
            # A place may have been handed over in the moment of the cancel: pass it on.
            if (entry := waiter.left_over()) is not None:
                (self._desk.keep if entry.session else self._desk.freed)(entry)
            raise
        finally:
            self._desk.leave(waiter)

    async def _usable(self, entry: Entry) -> bool:
        """Whether a session may be lent: it answered of late, or does so now."""
        if self._clock.monotonic() - entry.proved < self._desk.settings.validate_after_s:
            return True
        entry.state = State.CHECKING
        return await self._prover.prove(entry)

    def _lent(self, entry: Entry, pool: Pool) -> Entry:
        entry.state = State.LENT
        # While it was being opened or proved things may have changed.
        if refusal := self._desk.refusal(pool):
            self._desk.discard(entry)
            raise refusal
        return entry

    def _too_late(self, pool: Pool, connection: Connection) -> Failure:
        """A time-out that tells the whole story."""
        lent, connecting = pool.count(State.LENT), pool.count(State.CONNECTING)
        idle = pool.count(State.IDLE, State.CHECKING)
        facts = {
            "pool": str(pool.key),
            "acquire_timeout_s": f"{self._desk.settings.acquire_timeout_s:g}",
            "open": str(lent + idle),
            "lent": str(lent),
            "idle": str(idle),
            "connecting": str(connecting),
            "waiting": str(len(pool.waiters) - 1),
            "limits": ", ".join(map(str, pool.limits)),
            "last_error": pool.backoff.last_error,
        }
        text = (
            f"no free session for {connection.name} in the pool {facts['pool']} within "
            f"acquire_timeout_s = {facts['acquire_timeout_s']} s: {facts['open']} open "
            f"({lent} lent, {idle} idle), {connecting} connecting, {facts['waiting']} others "
            f"waiting; places taken: {facts['limits']}"
        )
        if self._desk.paused or pool.mode is Mode.PAUSED:
            text += "; paused: resume it"
        if facts["last_error"]:
            text += f"; last connect error: {facts['last_error']}"
        return Failure(ErrorClass.TIMEOUT, text, facts)
