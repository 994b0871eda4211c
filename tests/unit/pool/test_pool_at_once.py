"""Leases for whoever does not wait: a place that is free now and that nobody else waits for."""

import asyncio

import pytest

from etltui.domain.errors import ErrorClass, Failure
from fakes import Held, Script, failure
from unit.pool.pool_kit import connection, steps


async def refused(room, wanted=None):
    with pytest.raises(Failure) as met:
        await room.once(wanted, at_once=True)
    return met.value


async def test_an_idle_session_is_lent_else_one_is_opened_within_the_limits(rooms):
    room = rooms(pool_size=2)
    async with room.manager.lease(connection()):
        assert await room.once(at_once=True) == 2
        assert await room.once(at_once=True) == 2
        async with room.manager.lease(connection(), at_once=True):
            found = await refused(room)
    assert found.error_class is ErrorClass.TIMEOUT
    assert found.message.endswith("is free for ONE at once")
    assert (room.stats().lent, room.stats().waiting) == (0, 0)


async def test_nobody_makes_room_for_it(rooms):
    room = rooms(max_connections=2)
    await room.once(connection("two"))
    async with room.manager.lease(connection()):
        await refused(room)
    assert room.door.closed == []


async def test_who_waits_comes_before(rooms):
    room = rooms(pool_size=1)
    async with room.manager.lease(connection()):
        task = room.task()
        await steps()
        await refused(room)
    assert await task == 1


async def test_who_is_just_about_to_be_served_comes_before(rooms):
    room = rooms()
    async with room.manager.lease(connection()):
        (pool,) = room.manager._desk.pools.values()
        pool.waiters.append(object())
        await refused(room)
        pool.waiters.clear()
        assert await room.once(at_once=True) == 2


@pytest.mark.parametrize("stop", ["pause", "drain", "paused"])
async def test_a_pool_that_lends_nothing_lends_nothing_at_once_either(rooms, stop):
    room = rooms()
    async with room.manager.lease(connection()):
        key = room.stats().pool
        {
            "pause": lambda: room.manager.pause(key),
            "drain": lambda: room.manager.drain(key),
            "paused": room.manager.pause,
        }[stop]()
        await refused(room)
        room.manager.resume()
        room.manager.resume(key)


async def test_one_more_knocks_at_a_server_that_is_down(rooms):
    room = rooms()
    async with room.manager.lease(connection()):
        knocking = Held(failure(ErrorClass.UNREACHABLE))
        room.door.opens["one"] = Script(failure(ErrorClass.UNREACHABLE), knocking)
        assert (await refused(room)).error_class is ErrorClass.UNREACHABLE
        other = asyncio.create_task(refused(room))
        await knocking.reached.wait()
        assert (await refused(room)).error_class is ErrorClass.TIMEOUT
        knocking.let_go()
        assert (await other).error_class is ErrorClass.UNREACHABLE


async def test_an_idle_session_that_has_died_is_replaced(rooms):
    room = rooms()
    async with room.manager.lease(connection()):
        await room.once(at_once=True)
        room.clock.turn(60)
        room.door.pings = Script(failure(ErrorClass.LOST))
        assert await room.once(at_once=True) == 3
