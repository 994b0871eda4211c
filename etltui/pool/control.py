"""What an operator may do to pools while they are in use: resize, renew, drain, resume, shut."""

from collections.abc import Iterable

from etltui.domain.pools import PoolSettings
from etltui.domain.ports import Clock
from etltui.pool.desk import Desk
from etltui.pool.pool import Mode, Pool


class Control:
    """Changes all pools of a desk at once, for those who wait and what is idle, too.

    Nothing that is lent is taken away: it is closed as it comes back.
    """

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def resize(self, settings: PoolSettings) -> None:
        """Let other limits and times hold."""
        desk = self._desk
        desk.limits.resize(settings)
        for pool in desk.pools.values():
            pool.limits[0].most = settings.pool_size
            for waiter in pool.waiters:
                waiter.arm(self._clock, settings.acquire_timeout_s)
        desk.discard_idle(lambda entry: any(x.surplus for x in desk.pools[entry.key].limits))
        desk.pump()

    def renew(self) -> None:
        """Let no session that is open now be lent again."""
        self._desk.generation += 1
        self._desk.discard_idle(lambda _: True)

    def drain(self, pool: Pool) -> None:
        """Let a pool lend no more."""
        pool.mode = Mode.DRAINING
        pool.warmth = None
        pool.fail_waiters(self._desk.refusal(pool))
        self._desk.discard_idle(lambda entry: entry.key == pool.key)

    def resume(self, pools: Iterable[Pool]) -> None:
        """Let pools lend again, and serve who waits."""
        for pool in pools:
            pool.mode = Mode.OPEN
            self._desk.end_if_done(pool)
        self._desk.pump()

    def shut(self) -> None:
        """Lend nothing any more."""
        desk = self._desk
        desk.closing = True
        desk.discard_idle(lambda _: True)
        for pool in tuple(desk.pools.values()):
            pool.warmth = None
            pool.fail_waiters(self._desk.refusal(pool))
            desk.end_if_done(pool)
        if not desk.limits.all.taken:
            desk.emptied.set()
