"""Lending sessions: limits of a pool and of all, time-outs that tell, closing behind the scenes."""

import asyncio

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.pool.manager import PoolManager, pool_key
from fakes import Held, failure


class Door:
    """Opens sessions and counts them; implements `domain.ports.Sessions`."""

    def __init__(self):
        self.open_now = 0
        self.most = 0
        self.most_each = {}
        self.each = {}
        self.closed = []
        self.fails = None
        self.held = None
        self.closing = None

    async def open(self, connection):
        if self.held:
            await self.held.passed()
        if self.fails:
            raise self.fails
        name = connection.database
        self.open_now += 1
        self.each[name] = self.each.get(name, 0) + 1
        self.most = max(self.most, self.open_now)
        self.most_each[name] = max(self.most_each.get(name, 0), self.each[name])
        return Ajar(self, name)


class Ajar:
    def __init__(self, door, name):
        self.door = door
        self.name = name

    async def close(self):
        if self.door.closing:
            await self.door.closing.passed()
        await asyncio.sleep(0)
        self.door.open_now -= 1
        self.door.each[self.name] -= 1
        self.door.closed.append(self.name)


def connection(database="one", **changes):
    return Connection(
        **{"name": "A", "kind": "mysql", "url": "", "host": "H", "database": database, **changes},
    )


@pytest.fixture
def door():
    return Door()


def pool(door, *, everywhere=50, each=20, seconds=5.0, grace=5.0):
    return PoolManager(
        door,
        max_connections=everywhere,
        pool_size=each,
        acquire_timeout_s=seconds,
        close_grace_s=grace,
    )


async def test_a_session_for_the_time_of_the_block(door):
    manager = pool(door)
    async with manager.lease(connection()) as session:
        assert session.name == "one"
        assert (manager.lent, door.open_now) == (1, 1)
    await manager.aclose()
    assert (manager.lent, door.open_now, door.closed) == (0, 0, ["one"])
    assert manager._pools == {}


async def test_limits_of_each_pool_and_of_all_are_honoured(door):
    manager = pool(door, everywhere=5, each=2)

    async def use(number):
        async with manager.lease(connection(f"db{number % 4}")):
            for _ in range(number % 3 + 1):
                await asyncio.sleep(0)

    await asyncio.gather(*(use(number) for number in range(60)))
    assert door.most == 5
    assert set(door.most_each.values()) == {2}
    await manager.aclose()
    assert len(door.closed) == 60
    assert (manager.lent, manager._pools) == (0, {})


async def test_who_waits_for_a_full_pool_holds_no_place_of_all(door):
    manager = pool(door, everywhere=2, each=1)
    async with manager.lease(connection("one")):
        waiting = asyncio.create_task(_once(manager, connection("one")))
        await asyncio.sleep(0)
        async with manager.lease(connection("two")):
            assert manager.lent == 2
        waiting.cancel()
        await asyncio.wait({waiting})


async def _once(manager, wanted, priority=0):
    async with manager.lease(wanted, priority=priority):
        return wanted


async def test_priority_among_those_who_wait(door):
    manager = pool(door, everywhere=1)
    served = []

    async def use(name, priority):
        async with manager.lease(connection(name), priority=priority):
            served.append(name)

    async with manager.lease(connection("now")):
        tasks = [asyncio.create_task(use("later", 5)), asyncio.create_task(use("first", 1))]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert served == ["first", "later"]


@pytest.mark.parametrize(
    ("everywhere", "each", "words"),
    [
        (9, 1, "no free session of the pool of A within acquire_timeout_s = 0 s: 1 of 1 lent"),
        (1, 9, "no free session of all pools within acquire_timeout_s = 0 s: 1 of 1 lent"),
    ],
)
async def test_a_time_out_tells_the_story(door, everywhere, each, words):
    manager = pool(door, everywhere=everywhere, each=each, seconds=0)
    async with manager.lease(connection()):
        with pytest.raises(Failure, match=words) as timed_out:
            await _once(manager, connection())
    assert timed_out.value.error_class is ErrorClass.TIMEOUT
    assert str(timed_out.value).endswith(", 0 waiting")
    await manager.aclose()
    assert (manager.lent, manager._pools) == (0, {})


async def test_a_session_that_cannot_be_opened_leaves_no_place_taken(door):
    manager = pool(door, everywhere=1, each=1)
    door.fails = failure()
    for _ in range(3):
        with pytest.raises(Failure, match="no route"):
            await _once(manager, connection())
    assert (manager.lent, manager._pools) == (0, {})
    door.fails = None
    await _once(manager, connection())
    await manager.aclose()


async def test_a_borrower_that_is_cancelled_while_opening_leaves_no_place_taken(door):
    manager = pool(door)
    door.held = Held()
    borrowing = asyncio.create_task(_once(manager, connection()))
    await door.held.reached.wait()
    assert manager.lent == 1
    borrowing.cancel()
    await asyncio.wait({borrowing})
    assert (manager.lent, door.open_now, manager._pools) == (0, 0, {})


async def test_a_session_keeps_its_places_until_it_is_closed(door):
    manager = pool(door, everywhere=1, each=1, seconds=0)
    door.closing = Held()
    await _once(manager, connection())
    await door.closing.reached.wait()
    with pytest.raises(Failure, match="1 of 1 lent"):
        await _once(manager, connection())
    door.closing.let_go()
    await manager.aclose()
    await _once(manager, connection())
    await manager.aclose()
    assert (door.most, manager.lent) == (1, 0)


async def test_a_session_that_hangs_while_closing_holds_nobody_for_long(door):
    manager = pool(door, everywhere=1, each=1, grace=0)
    door.closing = Held()
    await _once(manager, connection())
    await _once(manager, connection())
    await door.closing.reached.wait()
    assert door.closed == []
    ending = asyncio.create_task(manager.aclose())
    await asyncio.sleep(0)
    assert not ending.done()
    door.closing.let_go()
    await ending
    assert door.closed == ["one", "one"]
    await manager.aclose()


async def test_a_borrower_that_fails_gives_its_session_back(door):
    manager = pool(door)

    async def use():
        async with manager.lease(connection()):
            raise failure()

    with pytest.raises(Failure):
        await use()
    await manager.aclose()
    assert (manager.lent, door.closed) == (0, ["one"])


async def test_a_pool_lives_as_long_as_somebody_refers_to_it(door):
    manager = pool(door, each=1)
    async with manager.lease(connection()):
        (kept,) = manager._pools.values()
        waiting = asyncio.create_task(_once(manager, connection(name="B", tags=("x",))))
        await asyncio.sleep(0)
        assert kept.refs == 2
    await waiting
    await manager.aclose()
    assert manager._pools == {}


def test_connections_to_the_same_database_share_a_pool():
    key = pool_key(connection())
    assert pool_key(connection(name="B", host="h", tags=("x",), contact="Asha")) == key
    for change in (
        {"kind": "x"},
        {"host": "x"},
        {"port": 1},
        {"database": "x"},
        {"credential": "x"},
    ):
        assert pool_key(connection(**change)) != key
