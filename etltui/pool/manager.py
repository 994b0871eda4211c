"""Lends sessions: one pool for each pool key, under limits of its own, of its server and of all.

To follow a lease: `borrow` (waits for its turn) → `desk` (decides) → `opener` or `prover`.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.events import Event
from etltui.domain.job import Connection
from etltui.domain.lending import ReachingSessions, Session
from etltui.domain.pools import (
    PoolHistory,
    PoolKey,
    PoolMetrics,
    PoolSettings,
    PoolStats,
    StatementRun,
)
from etltui.domain.ports import Clock
from etltui.domain.server import Reached
from etltui.pool.borrow import Borrower
from etltui.pool.breakers import Breakers
from etltui.pool.chores import Chores
from etltui.pool.closer import Closer
from etltui.pool.control import Control
from etltui.pool.desk import Desk
from etltui.pool.entry import Entry, Loan
from etltui.pool.guard import LoginGuard
from etltui.pool.housekeeper import Housekeeper
from etltui.pool.opener import Opener
from etltui.pool.pool import Mode, Pool
from etltui.pool.prover import Prover
from etltui.pool.statistics import histories_of, metrics_of, stats_of
from etltui.pool.tally import Totals
from etltui.pool.waiting import finished

_HARMLESS = frozenset({ErrorClass.SYNTAX, ErrorClass.PERMISSION, ErrorClass.DRIFT})
"""Failures that a database says in good order: its session stays usable. Not `value`: that one is
found while writing, and the driver is interrupted for it."""
_LOST = frozenset({ErrorClass.LOST, ErrorClass.DRIVER_CRASH})

_log = logging.getLogger(__name__)


class PoolManager:
    """Lends sessions under the limits; implements `domain.lending.Pools`.

    Args:
        sessions: Opens sessions.
        clock: Every time limit's.
        settings: What holds until `update`.
        reference: What a credential's password is configured as (a reference, not the password):
            when it changes a login that failed is tried again.
        chance: Numbers from 0 to 1 that spread what would come together.
        publish: Told of lines that are down, and up again.

    Attributes:
        breakers: See `domain.lending.Leases`.
    """

    def __init__(
        self,
        sessions: ReachingSessions,
        *,
        clock: Clock,
        settings: PoolSettings,
        reference: Callable[[str], str] = str,
        chance: Callable[[], float] = random.random,
        publish: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._closer = Closer(clock)
        self._desk = Desk(settings, clock=clock, closer=self._closer, chance=chance)
        self._control = Control(self._desk, clock)
        self._guard = LoginGuard(reference)
        self._totals = Totals()
        self.breakers = Breakers(clock, publish=publish, chance=chance)
        self._opener = opener = Opener(
            sessions,
            desk=self._desk,
            guard=self._guard,
            breakers=self.breakers,
            clock=clock,
            chance=chance,
        )
        prover = Prover(self._desk, clock)
        self._borrower = Borrower(
            self._desk,
            guard=self._guard,
            opener=opener,
            prover=prover,
            clock=clock,
        )
        self._chores = Chores(
            self._desk,
            opener=opener,
            prover=prover,
            clock=clock,
            totals=self._totals,
        )
        self._housekeeper = Housekeeper(clock, self._chores.tend)

    @asynccontextmanager
    async def lease(
        self,
        connection: Connection,
        *,
        priority: int = 0,
        holder: str = "",
        expected_s: float | None = None,
        waited: Callable[[float], None] | None = None,
        at_once: bool = False,
    ) -> AsyncIterator[Session]:
        """See `domain.lending.Leases`."""
        with self._desk.referred(PoolKey.of(connection)) as pool:
            if at_once:
                entry, was_open = await self._borrower.borrow_at_once(pool, connection)
            else:
                entry, was_open = await self._borrower.borrow(
                    pool, connection, priority, waited or _unheard
                )
            pool.tally.acquired(was_open=was_open)
            self._totals.acquired(pool.key, was_open=was_open)
            entry.loan = Loan(holder=holder or connection.name, since=self._clock.monotonic())
            if expected_s is not None:
                entry.loan.expected_at = entry.loan.since + expected_s
            try:
                yield entry.open_session
            except BaseException as error:
                self._take_back(entry, connection, error)
                raise
            self._take_back(entry, connection, None)

    async def reach(self, connection: Connection) -> Reached | None:
        """See `domain.lending.Leases`."""
        with self._desk.referred(PoolKey.of(connection)) as pool:
            return await self._opener.reach(pool, connection)

    def start(self) -> None:
        """See `domain.lending.Pools`."""
        self._housekeeper.start()

    async def aclose(self) -> None:
        """See `domain.lending.Pools`."""
        self._control.shut()
        await self._housekeeper.aclose()
        await self._chores.aclose()
        emptied = asyncio.create_task(self._desk.emptied.wait(), name="pools empty")
        # One grace for what comes back, one for what closes then.
        if not await finished(emptied, self._clock, 2 * self._desk.settings.close_grace_s):
            emptied.cancel()
            for entry in self._desk.entries:
                _log.warning("A session of %s is still open: %s", entry.key, entry.state.name)
        await self._closer.abandon()

    def get_metrics(self) -> PoolMetrics:
        """See `domain.lending.Pools`."""
        now = self._clock.monotonic()
        found = metrics_of(self._desk, self._guard, self._totals, now=now)
        return replace(found, breakers=self.breakers.stats())

    def get_info(self) -> tuple[PoolStats, ...]:
        """See `domain.lending.Pools`."""
        now = self._clock.monotonic()
        return tuple(
            stats_of(pool, paused=self._desk.paused, now=now) for pool in self._desk.pools.values()
        )

    def get_history(self) -> tuple[PoolHistory, ...]:
        """See `domain.lending.Pools`."""
        return histories_of(self._desk, now=self._clock.monotonic())

    def ran(self, connection: Connection, statements: Sequence[StatementRun]) -> None:
        """See `domain.lending.Leases`."""
        self._desk.limits.record(PoolKey.of(connection)).ran(statements)

    def update(self, settings: PoolSettings) -> None:
        """See `domain.lending.Pools`."""
        self._control.resize(settings)
        self._housekeeper.wake()

    async def warm_up(self, connection: Connection, count: int) -> int:
        """See `domain.lending.Pools`."""
        with self._desk.referred(PoolKey.of(connection)) as pool:
            if refusal := self._desk.refusal(pool) or self._guard.refusal(pool.key):
                raise refusal
            return await self._chores.warm_up(pool, connection, count)

    def drain(self, key_text: str) -> bool:
        """See `domain.lending.Pools`."""
        pools = self._pools(key_text) if key_text else []
        for pool in pools:
            self._control.drain(pool)
        return bool(pools)

    def pause(self, key_text: str = "") -> bool:
        """See `domain.lending.Pools`."""
        if not key_text:
            self._desk.paused = True
            return True
        pools = self._pools(key_text)
        for pool in pools:
            pool.mode = Mode.PAUSED
        return bool(pools)

    def resume(self, key_text: str = "") -> bool:
        """See `domain.lending.Pools`."""
        if not key_text:
            self._desk.paused = False
        pools = self._pools(key_text)
        self._control.resume(pools)
        return not key_text or bool(pools)

    def reconnect_all(self) -> None:
        """See `domain.lending.Pools`."""
        self._control.renew()

    def close_idle(self) -> int:
        """See `domain.lending.Pools`."""
        return self._desk.discard_idle(lambda _: True)

    def release_credential(self, name: str) -> bool:
        """See `domain.lending.Pools`."""
        return self._guard.release(name)

    def _pools(self, key_text: str) -> list[Pool]:
        """The pools that a text names: one by its key, or all."""
        return [p for p in self._desk.pools.values() if key_text in {"", str(p.key)}]

    def _take_back(self, entry: Entry, connection: Connection, error: BaseException | None) -> None:
        loan, entry.loan = entry.loan, Loan()
        if loan.reported:
            held = self._clock.monotonic() - loan.since
            _log.info(
                "Leaked session of %s returned by %s after %.0f s", entry.key, loan.holder, held
            )
        error_class = error.error_class if isinstance(error, Failure) else None
        if error is None or error_class in _HARMLESS:
            entry.proved = self._clock.monotonic()
            self._desk.limits.record(entry.key).answered(entry.proved)
            self.breakers.answered(connection)
            self._desk.give_back(entry)
        else:
            lost = error_class in _LOST or not entry.alive
            if lost:
                self._desk.limits.record(entry.key).missed()
                self._desk.doubt(entry.key)
            if isinstance(error, Failure) and error.error_class is ErrorClass.LOST:
                self.breakers.failed(connection, error, begun=loan.since)
            self._desk.discard(entry, lost=lost)


def _unheard(seconds: float) -> None:
    """Nobody asks how long a lease has waited."""
