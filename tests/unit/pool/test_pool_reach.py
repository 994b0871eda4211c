"""A server is reached before a place is taken; one with an open session need not be."""

import asyncio

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.server import Reached
from fakes import Held, Script, failure
from unit.pool.pool_kit import Room, connection, steps

NEAR = Reached(resolve_s=0.001, connect_s=0.002)


@pytest.fixture
async def room():
    made = Room(max_connections=1)
    yield made
    await made.close()


async def test_a_server_that_is_down_takes_no_place_from_one_that_is_up(room):
    silent = Held(failure(ErrorClass.UNREACHABLE))
    room.door.reaches["one"] = Script(silent)
    waiting = room.task(connection("one"))
    await silent.reached.wait()

    assert room.metrics.places == 0
    assert await room.once(connection("two")) == 1

    silent.let_go()
    with pytest.raises(Failure, match="no route"):
        await waiting
    assert room.door.tried == ["two"]


async def test_the_failure_is_remembered_as_one_of_connecting(room):
    room.door.reaches["one"] = Script(failure(ErrorClass.UNREACHABLE))
    with pytest.raises(Failure):
        await room.once()
    (history,) = room.manager.get_history()
    assert history.proofs_failed == 1
    assert history.last_error == "ONE: unreachable: no route to the branch"


async def test_while_a_session_is_open_nothing_is_reached(room):
    await room.once()
    await room.turn(60)
    await room.once()
    assert room.door.reached == ["one"]


async def test_what_was_reached_just_now_is_not_reached_again(room):
    room.door.reaches["one"] = Script(NEAR)
    assert await room.manager.reach(connection()) == NEAR
    assert await room.manager.reach(connection()) is None
    await room.once()
    assert room.door.reached == ["one"]
    room.manager.close_idle()
    await room.turn(6)
    await room.once()
    assert room.door.reached == ["one", "one"]


async def test_a_login_that_is_not_tried_any_more_is_not_reached_for(room):
    room.door.opens["one"] = Script(failure(ErrorClass.LOGIN, "wrong password"))
    with pytest.raises(Failure):
        await room.once(connection(credential="etl"))
    with pytest.raises(Failure, match="not tried again"):
        await room.once(connection("two", host="other", credential="etl"))
    assert room.door.reached == ["one"]


async def test_what_is_opened_ahead_of_need_is_reached_first():
    made = Room()
    made.door.reaches["one"] = Script(failure(ErrorClass.UNREACHABLE))
    assert await made.manager.warm_up(connection(), 1) == 0
    assert (made.door.reached, made.door.tried) == (["one"], [])
    ending = asyncio.create_task(made.manager.aclose())
    await steps(20)
    assert ending.done()


async def test_who_gives_up_while_it_is_reached_leaves_nothing_behind(room):
    silent = Held()
    room.door.reaches["one"] = Script(silent)
    waiting = room.task()
    await silent.reached.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await steps()
    assert room.manager.get_info() == ()
