"""Decides who gets which session, and never waits.

Each call takes all pools from one state to the next; what takes time (opening, proving, closing) is
done by others, before or after.

Who waits is served in order of turn, over all pools. Where no place is left an idle session, of
whatever pool, makes room.
"""

import asyncio
import heapq
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.pools import PoolKey, PoolSettings
from etltui.domain.ports import Clock
from etltui.pool.closer import Closer
from etltui.pool.entry import Entry, State
from etltui.pool.limits import Limit, Limits
from etltui.pool.pool import Mode, Pool
from etltui.pool.waiter import Waiter

_turn = attrgetter("turn")


class Desk:
    """All pools, and the decisions about them.

    Args:
        settings: Limits and times.
        clock: Tells when.
        closer: Closes what is of no use any more.
        chance: Numbers from 0 to 1.

    Attributes:
        paused: Whether all pools wait.
        closing: Whether nothing is lent any more, ever.
        generation: Sessions of an older one are not lent again.
        emptied: Set when it is closing and no session takes a place any more.
    """

    def __init__(
        self,
        settings: PoolSettings,
        *,
        clock: Clock,
        closer: Closer,
        chance: Callable[[], float],
    ) -> None:
        self.limits = Limits(settings)
        self.pools: dict[PoolKey, Pool] = {}
        self.paused = False
        self.closing = False
        self.emptied = asyncio.Event()
        self._clock = clock
        self._closer = closer
        self._chance = chance
        # Of all pools, in the order in which they came back.
        self._idle: dict[Entry, None] = {}
        # The best priority of those who have asked in this moment and need room.
        self._due: int | None = None
        self.generation = 0

    @property
    def settings(self) -> PoolSettings:
        """The limits and times that hold now."""
        return self.limits.settings

    @property
    def entries(self) -> list[Entry]:
        """The places of all pools."""
        return [entry for pool in self.pools.values() for entry in pool.entries]

    @contextmanager
    def referred(self, key: PoolKey) -> Iterator[Pool]:
        """The pool of a key, made if need be; it does not end before the block does."""
        pool = self.pools.get(key)
        if pool is None:
            pool = Pool(
                key, self.limits.chain(key), self.limits.backoff(key), self.limits.record(key)
            )
            self.pools[key] = pool
        pool.refs += 1
        try:
            yield pool
        finally:
            pool.refs = max(0, pool.refs - 1)
            self.end_if_done(pool)

    def end_if_done(self, pool: Pool) -> None:
        """Forget a pool that nobody refers to and that holds nothing."""
        if pool.done:
            self.pools.pop(pool.key, None)

    def refusal(self, pool: Pool) -> Failure | None:
        """Why the pool lends nothing, however long one waits."""
        if self.closing:
            return Failure(ErrorClass.CANCELLED, "the engine is closing and lends no session")
        if pool.mode is Mode.DRAINING:
            return Failure(
                ErrorClass.CANCELLED,
                f"the pool {pool.key} is being drained and lends no session; resume it first",
            )
        return None

    def ask(self, waiter: Waiter) -> None:
        """Let somebody wait, and serve whom that lets be served."""
        pool = self.pools[waiter.key]
        insort(pool.waiters, waiter, key=_turn)
        priority, _ = waiter.turn
        urgent = self._due is None or priority <= self._due
        if len(pool.waiters) == 1 and urgent and self._serve(waiter, None):
            return
        # With others before it in its pool it fares as they do, unless somebody can make room.
        if len(pool.waiters) == 1 or self._idle:
            # Not at once: the first to ask would close sessions for which the next ones come.
            if self._due is None:
                asyncio.get_running_loop().call_soon(self.pump)
            self._due = priority if urgent else self._due

    def leave(self, waiter: Waiter) -> None:
        """Somebody waits no longer."""
        pool = self.pools[waiter.key]
        if waiter in pool.waiters:
            pool.waiters.remove(waiter)

    def reserve(self, pool: Pool) -> Entry | None:
        """A place to connect in, for nobody in particular; None where there is none to spare."""
        spare = not any(limit.full for limit in pool.limits)
        open_ = pool.mode is Mode.OPEN and not self.paused and not self.closing
        return self._new_entry(pool) if spare and open_ else None

    def spare(self, pool: Pool) -> Entry | None:
        """A place for somebody who does not wait: an idle session, or room for one; or None.

        Who waits comes before, and nobody makes room.
        """
        open_ = pool.mode is Mode.OPEN and not self.paused and not self.closing
        if not open_ or pool.waiters:
            return None
        return self._open_one(pool) or (self.reserve(pool) if pool.may_connect else None)

    def give_back(self, entry: Entry) -> None:
        """A session has been used: it is idle from now on."""
        entry.idle_since = self._clock.monotonic()
        self.keep(entry)

    def keep(self, entry: Entry) -> None:
        """Let a session be lent again, unless it is of no use any more."""
        pool = self.pools[entry.key]
        if not entry.alive:
            self.discard(entry, lost=True)
        elif self._outdated(entry, pool):
            self.discard(entry)
        else:
            entry.state = State.IDLE
            pool.idle.append(entry)
            self._idle[entry] = None
            self.pump()

    def take(self, entry: Entry, state: State) -> None:
        """Take an idle session for something else."""
        self.pools[entry.key].idle.remove(entry)
        del self._idle[entry]
        entry.state = state

    def discard(self, entry: Entry, *, lost: bool = False) -> None:
        """Have a session closed; it keeps its place until it is."""
        if entry.state is State.IDLE:
            self.take(entry, State.CLOSING)
        entry.state = State.CLOSING
        pool = self.pools[entry.key]
        pool.tally.lost += lost
        for limit in pool.limits:
            limit.leave()
        self._closer.close(entry, grace_s=self.settings.close_grace_s, freed=self.freed)

    def doubt(self, key: PoolKey) -> None:
        """Have a pool's idle sessions proved before they are lent: one has just been lost.

        What ended it, a server that started anew for instance, has often ended them all, and each
        dead one that is lent costs its borrower a try.
        """
        stale = self._clock.monotonic() - self.settings.validate_after_s
        for entry in self.pools[key].idle:
            entry.proved = min(entry.proved, stale)

    def discard_idle(self, which: Callable[[Entry], bool], *, lost: bool = False) -> int:
        """Have idle sessions closed; how many."""
        gone = 0
        # Asked one by one: what has just gone may have made the next one no longer too much.
        for entry in tuple(self._idle):
            if which(entry):
                self.discard(entry, lost=lost)
                gone += 1
        return gone

    def freed(self, entry: Entry) -> None:
        """A place is free: its session is closed, or was never opened."""
        pool = self.pools[entry.key]
        pool.entries.discard(entry)
        was_open = entry.state is State.CLOSING
        pool.tally.closed += was_open
        for limit in pool.limits:
            limit.give(leaving=was_open)
        self.pump()
        self.end_if_done(pool)
        if self.closing and not self.limits.all.taken:
            self.emptied.set()

    def pump(self) -> None:
        """Serve all who can be served, in order, and make room for those who cannot."""
        self._due = None
        everything = self.limits.all
        promised: Counter[Limit] = Counter()
        blocked: set[Pool] = set()
        queues = [pool.in_turn(blocked) for pool in self.pools.values() if pool.waiters]
        for waiter in heapq.merge(*queues, key=_turn):
            if everything.full and not self._idle and everything.leaving <= promised[everything]:
                return
            if not waiter.gone and not self._serve(waiter, promised):
                blocked.add(self.pools[waiter.key])

    def _serve(self, waiter: Waiter, promised: Counter[Limit] | None) -> bool:
        """Give a waiter a place, or see to it that one comes; False: its pool has none to give.

        Where `promised` is None nobody makes room.
        """
        pool = self.pools[waiter.key]
        if self.paused or pool.mode is not Mode.OPEN:
            return False
        entry = self._open_one(pool)
        if entry is None:
            if not pool.may_connect:
                return False
            if short := [limit for limit in pool.limits if limit.full]:
                return promised is not None and self._make_room(short, promised)
            entry = self._new_entry(pool)
        waiter.give(entry)
        pool.waiters.remove(waiter)
        return True

    def _open_one(self, pool: Pool) -> Entry | None:
        """The idle session that was used last; what has died meanwhile is cleared away."""
        while pool.idle:
            entry = pool.idle[-1]
            if entry.alive:
                self.take(entry, State.LENT)
                return entry
            self.discard(entry, lost=True)
        return None

    def _make_room(self, short: list[Limit], promised: Counter[Limit]) -> bool:
        """See to it that a place comes free under each limit; whether one will.

        What leaves anyway is promised to one waiter each, so that no more make room than need be.
        What came back last goes first: runs read their connections in the same order, so it is
        wanted again last; closing the oldest would close each just before its turn. What nobody
        wants at all ends with its idle time.
        """
        for limit in short:
            if limit.leaving > promised[limit]:
                continue
            idle = reversed(self._idle)
            last = next((each for each in idle if limit in self.pools[each.key].limits), None)
            if last is None:
                return False
            self.discard(last)
        promised.update(short)
        return True

    def _new_entry(self, pool: Pool) -> Entry:
        entry = Entry(key=pool.key, generation=self.generation, jitter=self._chance())
        pool.entries.add(entry)
        for limit in pool.limits:
            limit.take()
        return entry

    def _outdated(self, entry: Entry, pool: Pool) -> bool:
        """Whether a session that comes back is not to be lent again."""
        return (
            self.closing
            or entry.generation != self.generation
            or pool.mode is Mode.DRAINING
            or any(limit.surplus for limit in pool.limits)
        )
