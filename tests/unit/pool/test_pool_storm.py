"""Whatever happens in whatever order, nothing is lost: many tasks, cancels, failures, changes."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass, Failure
from fakes import failure
from unit.pool.pool_kit import Room, connection, steps


class Chaos:
    """Answers at random: sometimes a failure, sometimes only after a while."""

    def __init__(self, chance, trouble):
        self._chance = chance
        self._trouble = trouble

    async def next(self):
        for _ in range(self._chance.randrange(3)):
            await asyncio.sleep(0)
        if self._chance.random() < self._trouble:
            raise failure(self._chance.choice([ErrorClass.LOST, ErrorClass.BUSY]))


async def borrow(room, chance):
    """One lease that ends well, fails, or loses its extractor."""
    wanted = connection(f"db{chance.randrange(4)}", host=f"h{chance.randrange(2)}")
    try:
        async with room.manager.lease(wanted, priority=chance.randrange(3)) as session:
            assert session.alive
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.05:
                session.alive = False
            if chance.random() < 0.05:
                raise failure(chance.choice([ErrorClass.SYNTAX, ErrorClass.TIMEOUT]))
    except Failure:
        return


def stormy_room(chance, trouble):
    """A room with small limits, in which everything may fail."""
    room = Room(
        chance=chance.random,
        max_connections=chance.randrange(1, 9),
        max_per_host=chance.randrange(1, 6),
        pool_size=chance.randrange(1, 5),
        idle_s=20,
        validate_after_s=chance.choice([0, 5]),
    )
    for number in range(4):
        room.door.opens[f"db{number}"] = Chaos(chance, trouble)
    room.door.pings = Chaos(chance, trouble)
    room.manager.start()
    return room


def disturb(room, chance, running):
    """Cancel somebody, let time pass, have an operator do something: each now and then."""
    if running and chance.random() < 0.5:
        chance.choice(tuple(running)).cancel()
    if chance.random() < 0.02:
        room.clock.turn(chance.choice([1, 10, 30]))
    if chance.random() < 0.01:
        chance.choice([room.manager.reconnect_all, room.manager.close_idle])()


def check_limits(room):
    metrics = room.metrics
    assert len(room.door.open_now) <= metrics.places <= metrics.max_connections
    assert all(each <= metrics.max_per_host for each in metrics.places_by_server.values())


async def storm(chance, *, leases, trouble, at_once):
    """Many leases, a part of them cancelled at whatever they wait for."""
    room = stormy_room(chance, trouble)
    running = set()
    for started in range(leases + 1):
        while len(running) > (at_once if started < leases else 0):
            await steps(1)
            room.clock.turn(chance.choice([0, 0, 0, 0.1]))
        if started < leases:
            task = asyncio.create_task(borrow(room, chance))
            running.add(task)
            task.add_done_callback(running.discard)
        disturb(room, chance, running)
        check_limits(room)
    await steps()
    for stats in room.manager.get_info():
        assert (stats.lent, stats.connecting, stats.waiting, stats.refs) == (0, 0, 0, 0)
        assert stats.open == stats.opened - stats.closed
    assert room.metrics.places == room.metrics.total_connections == len(room.door.open_now)
    await room.close()
    await steps()
    assert room.door.open_now == []
    assert len(set(room.door.closed)) == len(room.door.closed) == room.door.count


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 0.1, 0.7]))
def test_promise_7_whatever_is_cancelled_whenever_nothing_is_lost(seed, trouble):
    asyncio.run(storm(random.Random(seed), leases=60, trouble=trouble, at_once=20))


@pytest.mark.timeout(120)
async def test_s0_21_fifty_thousand_leases_with_cancels_leave_nothing_lent():
    """S4-47."""
    await storm(random.Random(4), leases=50_000, trouble=0.02, at_once=40)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_promise_4_a_million_leases_with_cancels_leave_nothing_lent():
    for seed in range(20):
        await storm(random.Random(seed), leases=50_000, trouble=0.02, at_once=40)


async def test_promise_5_a_burst_of_five_hundred_opens_no_more_than_may_be():
    room = Room(max_connections=50, max_per_host=30)
    most = 0

    async def use():
        nonlocal most
        async with room.manager.lease(connection()):
            most = max(most, room.metrics.places)
            await asyncio.sleep(0)

    await asyncio.gather(*(use() for _ in range(500)))
    assert most == room.door.most == room.door.count == 20
    await room.close()


async def test_promise_6_five_hundred_who_wait_are_served_in_the_order_in_which_they_came():
    room = Room(max_connections=50, pool_size=50, max_per_host=50)
    served = []

    async def use(number):
        async with room.manager.lease(connection()):
            served.append(number)
            await asyncio.sleep(0)

    holders = [asyncio.create_task(use(-1)) for _ in range(50)]
    await steps(3)
    await asyncio.gather(*holders, *(use(number) for number in range(500)))
    assert [number for number in served if number >= 0] == list(range(500))
    await room.close()


async def test_s0_25_eighty_connections_at_once_on_eight_servers():
    room = Room(max_connections=80)
    wanted = [connection(f"db{number}", host=f"h{number % 8}") for number in range(80)]
    room.door.opens["db7"] = Chaos(random.Random(1), 1)
    done = await asyncio.gather(*map(room.once, wanted), return_exceptions=True)
    assert [isinstance(result, Failure) for result in done].count(True) == 1
    assert room.metrics.total_connections == 79
    await room.close()
