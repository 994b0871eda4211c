"""N-3: a run whose gateway is down lets one connection try it while the others wait."""

import asyncio
from dataclasses import replace

from engine_world import connection
from etltui.domain.errors import ErrorClass
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionStarted,
    LineDown,
    LineUp,
)
from etltui.domain.job import RetryPolicy
from etltui.domain.run import RunStatus
from fakes import Script, failure

ONCE = RetryPolicy(retries=1, delay_s=5)
"""With tries of 30 s at most its patience is 65 s."""


def behind_a_gateway(world, count=40, **job):
    world.connections = tuple(
        connection(f"N{number:02}", gateway="VPN-North") for number in range(count)
    )
    world.job(retry=ONCE, columns=("id",), **job)
    world.renew()


def down(world):
    for each in world.connections:
        world.leases.opens[each.name] = Script(failure())


def under_way(world):
    """Connections whose try has begun and not ended."""
    moves = world.happened(ConnectionStarted, ConnectionFailed, ConnectionCompleted)
    last = {event.connection: event for event in moves}
    return sum(isinstance(event, ConnectionStarted) for event in last.values())


def waiting(world):
    """How many wait for the gateway."""
    return sum(len(stats.waiting) for stats in world.leases.breakers.stats())


async def seen(condition):
    """Let everybody go on until something is so; time stands still."""
    while not condition():  # noqa: ASYNC110 - what is waited for is of many kinds
        await asyncio.sleep(0)


async def next_probe(world):
    """Turn to the moment at which one may try, and let it fail."""
    before = len(world.happened(ConnectionFailed))
    await seen(lambda: world.clock.asleep >= len(world.connections))
    world.clock.turn(world.leases.breakers.stats()[0].probe_in_s)
    await seen(lambda: len(world.happened(ConnectionFailed)) > before)
    await seen(lambda: waiting(world) == len(world.connections))


async def ended(world, handle):
    """Let time pass whenever no try is under way, until the run has ended."""
    result = asyncio.create_task(handle.wait())
    while not result.done():
        for _ in range(20):
            await asyncio.sleep(0)
        probing = any(stats.probing for stats in world.leases.breakers.stats())
        if not probing and not under_way(world):
            world.clock.turn(1)
    return await result


async def test_n_3_forty_branches_wait_for_their_gateway_and_none_fails(world):
    behind_a_gateway(world)
    world.job(retry=RetryPolicy(retries=3, delay_s=5))
    world.renew()
    down(world)
    handle = await world.submit()
    # Those that failed before it was known to be down sleep as after any failure.
    await seen(lambda: waiting(world) + world.clock.asleep >= 40 and not under_way(world))
    world.clock.turn(6)
    await seen(lambda: waiting(world) == 40)
    tried = len(world.happened(ConnectionStarted))
    assert tried <= 9, "the first eight, and one since"
    for probes in range(1, 5):
        await next_probe(world)
        assert len(world.happened(ConnectionStarted)) == tried + probes
    assert len(world.happened(LineDown)) == 1
    assert all(event.will_retry for event in world.happened(ConnectionFailed))
    world.leases.opens.clear()
    await seen(lambda: world.clock.asleep >= 40)
    world.clock.turn(world.leases.breakers.stats()[0].probe_in_s)
    result = await handle.wait()
    assert (result.status, result.completed) == (RunStatus.COMPLETED, 40)
    (up,) = world.happened(LineUp)
    assert (up.line, len(up.connections)) == ("gateway VPN-North", 39)


async def test_n_3_a_try_at_a_line_that_is_down_costs_none(world):
    behind_a_gateway(world, count=3)
    world.job(retry=RetryPolicy(retries=2, delay_s=5))
    world.renew()
    down(world)
    handle = await world.submit()
    await seen(lambda: waiting(world) and not under_way(world) and world.clock.asleep >= 3)
    world.clock.turn(6)
    await seen(lambda: waiting(world) == 3)
    for _ in range(3):
        await next_probe(world)
    assert len(world.happened(ConnectionStarted)) > 6, "more than two tries of each"
    await seen(lambda: world.clock.asleep >= 3)
    (stats,) = world.leases.breakers.stats()
    first, _, last = stats.waiting
    world.leases.opens = {last: Script(failure(), None)}
    world.clock.turn(stats.probe_in_s)
    # It fails once more, by itself this time: that is not the last of its tries.
    result = await ended(world, handle)
    assert (result.status, first in world.leases.read()) == (RunStatus.COMPLETED, True)


async def test_n_3_what_waits_for_a_gateway_leaves_its_place_to_others(world):
    behind_a_gateway(world, count=5, max_parallel=1)
    world.connections += (connection("South"),)
    world.renew()
    down(world)
    world.leases.opens.pop("South", None)
    handle = await world.submit()
    await seen(lambda: world.leases.tasks)
    assert world.leases.read() == ["South"]
    result = await ended(world, handle)
    assert (result.completed, result.failed) == (1, 5)


async def test_n_3_patience_ends_and_each_says_what_is_down(world):
    behind_a_gateway(world, count=10)
    world.connections += (connection("South"),)
    world.renew()
    down(world)
    world.leases.opens.pop("South", None)
    result = await ended(world, await world.submit())
    assert (result.status, result.failed) == (RunStatus.COMPLETED_WITH_ERRORS, 10)
    for each in result.connections[:10]:
        assert each.trouble.error_class is ErrorClass.UNREACHABLE
        # In the second minute: 65 s are its patience.
        assert "the gateway VPN-North has been down for 1:" in each.trouble.message


async def test_n_3_a_run_that_is_cancelled_does_not_wait_for_a_gateway(world):
    behind_a_gateway(world)
    down(world)
    handle = await world.submit()
    await seen(lambda: waiting(world) > 30)
    await world.engine.cancel(handle.run)
    result = await handle.wait()
    assert result.status is RunStatus.CANCELLED
    assert waiting(world) == 0


async def test_n_3_branches_without_a_gateway_fail_each_by_itself(world):
    behind_a_gateway(world)
    alone = tuple(replace(each, gateway="") for each in world.connections)
    world.connections = (*alone, connection("South"))
    world.renew()
    down(world)
    world.leases.opens.pop("South", None)
    result = await ended(world, await world.submit())
    assert (result.failed, len(world.happened(ConnectionStarted))) == (40, 81)


async def test_n_3_columns_are_not_asked_behind_a_gateway_that_is_down(world):
    behind_a_gateway(world)
    world.job(columns=())
    world.renew()
    down(world)
    handle = await world.submit()
    await seen(lambda: waiting(world) == 40)
    assert world.leases.asked == 8, "the first few are asked together"
    await world.engine.cancel(handle.run)
    await handle.wait()
