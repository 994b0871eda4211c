"""How pools become the values that screens, alerts and tests read."""

from collections import Counter

from etltui.domain.pools import Leak, PoolHistory, PoolMetrics, PoolStats
from etltui.pool.desk import Desk
from etltui.pool.entry import State
from etltui.pool.guard import LoginGuard
from etltui.pool.pool import Mode, Pool
from etltui.pool.tally import Totals, percentile_ms

_UNUSED = (State.IDLE, State.CHECKING)
_OPEN = (*_UNUSED, State.LENT)


def stats_of(pool: Pool, *, paused: bool, now: float) -> PoolStats:
    """One pool as it is now."""
    tally = pool.tally
    return PoolStats(
        pool=str(pool.key),
        server=pool.key.server,
        size=pool.limits[0].most,
        open=pool.count(*_OPEN),
        lent=pool.count(State.LENT),
        idle=pool.count(*_UNUSED),
        connecting=pool.count(State.CONNECTING),
        waiting=len(pool.waiters),
        refs=pool.refs,
        paused=paused or pool.mode is Mode.PAUSED,
        draining=pool.mode is Mode.DRAINING,
        acquires=tally.acquires,
        served_by_open=tally.served_by_open,
        opened=tally.opened,
        lost=tally.lost,
        closed=tally.closed,
        wait_p50_ms=percentile_ms(tally.waits, 50),
        wait_p95_ms=percentile_ms(tally.waits, 95),
        connect_p50_ms=percentile_ms(tally.connects, 50),
        connect_p95_ms=percentile_ms(tally.connects, 95),
        last_error=pool.record.last_error or pool.backoff.last_error,
        leaks=leaks_of(pool, now),
        leaked=tally.leaked,
    )


def histories_of(desk: Desk, *, now: float) -> tuple[PoolHistory, ...]:
    """All pools there have been."""
    return tuple(record.history(key, now=now) for key, record in desk.limits.records.items())


def leaks_of(pool: Pool, now: float) -> tuple[Leak, ...]:
    """Sessions of a pool that are held for too long, the longest first."""
    loans = [entry.loan for entry in pool.entries if entry.loan.reported]
    return tuple(
        Leak(holder=loan.holder, pool=str(pool.key), seconds=now - loan.since)
        for loan in sorted(loans, key=lambda loan: loan.since)
    )


def metrics_of(desk: Desk, guard: LoginGuard, totals: Totals, *, now: float) -> PoolMetrics:
    """All pools as they are now."""
    pools = desk.pools.values()
    opened = [pool.count(*_OPEN) for pool in pools]
    limits = desk.limits
    return PoolMetrics(
        total_pools=len(pools),
        active_pools=sum(count > 0 for count in opened),
        total_connections=sum(opened),
        pools_by_server=dict(Counter(pool.key.server for pool in pools if pool.key.server)),
        places=limits.all.taken,
        max_connections=limits.all.most,
        places_by_server={name: limit.taken for name, limit in limits.servers.items()},
        max_per_host=desk.settings.max_per_host,
        waiting=sum(len(pool.waiters) for pool in pools),
        paused=desk.paused,
        acquires=totals.acquires,
        served_by_open=totals.served_by_open,
        leaked=totals.leaked,
        leaks=tuple(leak for pool in pools for leak in leaks_of(pool, now)),
        locked_credentials=guard.locked,
    )
