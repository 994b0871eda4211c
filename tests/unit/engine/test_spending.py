"""Where the time of a try goes: the parts add up to it, however it ends."""

import asyncio

import pytest

from etltui.domain.events import ConnectionFailed
from etltui.engine.spending import Spending
from fakes import Held, Script, TurnedClock, failure


@pytest.fixture
def clock():
    clock = TurnedClock()
    clock.turn(100)
    return clock


def test_a_try_that_gets_no_session_has_waited_and_tried_to_connect(clock):
    spending = Spending(clock)
    clock.turn(5)
    spending.waited(1.5)
    spending.waited(0.5)
    assert spending.broken_off() == {"wait": 2, "connect": 3}


def test_a_try_without_rows_was_in_the_query(clock):
    spending = Spending(clock)
    clock.turn(1)
    spending.connected()
    clock.turn(2)
    spending.moved(0)
    clock.turn(3)
    assert spending.broken_off() == {"wait": 0, "connect": 1, "query": 5}


def test_a_try_that_broke_off_among_rows_was_fetching(clock):
    spending = Spending(clock)
    spending.waited(0.25)
    clock.turn(1)
    spending.connected()
    clock.turn(2)
    spending.moved(1)
    clock.turn(4)
    spending.moved(2)
    assert spending.broken_off() == {"wait": 0.25, "connect": 0.75, "query": 2, "fetch": 4}


def test_what_the_database_was_asked_besides_belongs_to_the_query(clock):
    spending = Spending(clock)
    spending.waited(2)
    clock.turn(3)
    spending.connected()
    clock.turn(10)
    seconds = spending.completed({"query": 1, "fetch": 4, "write": 2})
    assert seconds == {"wait": 2, "connect": 1, "query": 4, "fetch": 4, "write": 2}
    assert sum(seconds.values()) == 13


def test_what_an_extractor_measured_is_never_shortened(clock):
    assert Spending(clock).completed({"query": 0.5}) == {"wait": 0, "connect": 0, "query": 0.5}


async def test_a_run_tells_waiting_for_a_turn_from_connecting(world):
    """The seconds of each try are its own: the first one's do not show in the second's."""
    world.connections = world.connections[:1]
    world.job(columns=("id",))
    world.renew()
    world.leases.waits["A"] = 2.0
    opening, reading = Held(), Held(failure())
    world.leases.opens["A"] = Script(opening)
    world.leases.extracts["A"] = Script(reading)
    handle = await world.submit()
    await opening.reached.wait()
    world.clock.turn(5)
    opening.let_go()
    await reading.reached.wait()
    world.clock.turn(7)
    reading.let_go()
    [result] = (await handle.wait()).connections
    assert result.seconds == {"wait": 2, "connect": 3, "query": 7}
    assert world.happened(ConnectionFailed)[0].seconds == result.seconds
    world.leases.opens["A"] = Script(failure())
    [result] = (await world.run(resume=True)).connections
    assert result.seconds == {"wait": 2, "connect": 0}


async def test_a_dry_run_tells_them_apart_too(world):
    world.leases.waits["B"] = 2.0
    world.leases.opens["B"] = Script(opening := Held())
    asked = world.engine.inquiries.dry_run("sales", "B")
    told = asyncio.create_task(asked)
    await opening.reached.wait()
    world.clock.turn(5)
    opening.let_go()
    assert (await told).seconds == {"wait": 2, "connect": 3, "query": 0.5}
