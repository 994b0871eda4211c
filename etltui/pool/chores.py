"""Does what is due for sessions that nobody borrows: ends, proofs, refilling, reports of leaks."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from etltui.domain.errors import Failure
from etltui.domain.job import Connection
from etltui.domain.ports import Clock
from etltui.pool.desk import Desk
from etltui.pool.entry import Entry, State
from etltui.pool.housekeeper import look, plan
from etltui.pool.opener import Opener
from etltui.pool.pool import Pool, Warmth
from etltui.pool.prover import Prover
from etltui.pool.tally import Totals

_log = logging.getLogger(__name__)


class Chores:
    """Owns the tasks that prove idle sessions and open those that are wanted ahead of need.

    Args:
        desk: Has the sessions.
        opener: Opens more.
        prover: Proves them.
        clock: Tells what is due.
        totals: Counts the leaks.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        opener: Opener,
        prover: Prover,
        clock: Clock,
        totals: Totals,
    ) -> None:
        self._desk = desk
        self._opener = opener
        self._prover = prover
        self._clock = clock
        self._totals = totals
        self._tasks: set[asyncio.Task[None]] = set()

    def tend(self) -> float:
        """Begin all that is due; in how many seconds to come again."""
        now = self._clock.monotonic()
        entries, settings = self._desk.entries, self._desk.settings
        due = plan([look(entry, settings) for entry in entries], now, settings)
        for position in due.lost:
            self._desk.discard(entries[position], lost=True)
        for position in due.end:
            self._end(entries[position], now)
        for position in due.prove:
            self._desk.take(entries[position], State.CHECKING)
            self._begin(self._prove(entries[position]), "keep alive")
        for position in due.leaked:
            self._report(entries[position], now)
        for pool in tuple(self._desk.pools.values()):
            self._refill(pool, now)
        return due.next_s

    async def warm_up(self, pool: Pool, connection: Connection, count: int) -> int:
        """Want so many sessions open; how many are, when those that could be opened are.

        Those that could not are tried again in the background, until nobody comes for the ones
        that are open, or for the time that a session may live.
        """
        until = self._clock.monotonic() + self._desk.settings.lifetime_s
        pool.warmth = Warmth(connection=connection, count=count, until=until)
        await self._fill(pool, pool.warmth)
        return pool.count(State.IDLE, State.CHECKING, State.LENT)

    async def aclose(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, entry: Entry, now: float) -> None:
        if now >= entry.idle_since + self._desk.settings.idle_s:
            # Nobody came for it: no more are wanted ahead of need.
            self._desk.pools[entry.key].warmth = None
        self._desk.discard(entry)

    async def _prove(self, entry: Entry) -> None:
        if await self._prover.prove(entry):
            self._desk.keep(entry)

    def _report(self, entry: Entry, now: float) -> None:
        """Say once that a session is held for too long."""
        entry.loan.reported = True
        self._desk.pools[entry.key].tally.leaked += 1
        self._totals.leaked += 1
        _log.warning(
            "Session leak: %s has held a session of %s for %.0f s and was expected to return it "
            "%.0f s ago",
            entry.loan.holder,
            entry.key,
            now - entry.loan.since,
            now - entry.loan.expected_at,
        )

    def _refill(self, pool: Pool, now: float) -> None:
        """Open what is wanted ahead of need and missing."""
        if pool.warmth is None:
            return
        if now >= pool.warmth.until:
            pool.warmth = None
            self._desk.end_if_done(pool)
        elif pool.missing > 0 and not pool.count(State.CONNECTING):
            self._begin(self._fill(pool, pool.warmth), "refill")

    async def _fill(self, pool: Pool, warmth: Warmth) -> None:
        if not pool.backoff.claim(self._clock.monotonic()):
            return
        with self._desk.referred(pool.key):
            # The first goes ahead alone: a server that is down, or a wrong login, is tried once.
            if pool.missing > 0 and await self._open_one(pool, warmth.connection):
                async with asyncio.TaskGroup() as group:
                    for _ in range(pool.missing):
                        group.create_task(self._open_one(pool, warmth.connection), name="refill")

    async def _open_one(self, pool: Pool, connection: Connection) -> bool:
        try:
            await self._opener.reach(pool, connection)
            entry = self._desk.reserve(pool)
            if entry is None:
                return False
            await self._opener.open(entry, connection)
        except Failure:
            return False  # the pool keeps it as its last error
        self._desk.give_back(entry)
        return True
