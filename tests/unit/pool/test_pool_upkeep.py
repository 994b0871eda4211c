"""What happens to sessions between leases: proofs, ends, keeping alive, refilling, leaks."""

import asyncio
import random
from itertools import pairwise

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.pools import PoolSettings
from fakes import Held, Script, failure
from unit.pool.pool_kit import connection, steps

DOWN = ErrorClass.UNREACHABLE


async def started(room):
    room.manager.start()
    await steps()
    return room


async def test_s4_13_a_session_is_proved_only_after_it_was_idle_for_long(rooms):
    room = rooms(idle_s=1000)
    await room.once()
    await room.turn(29)
    assert (await room.once(), room.door.pinged) == (1, [])
    await room.turn(30)
    assert (await room.once(), room.door.pinged) == (1, [1])
    await room.turn(29)
    assert (await room.once(), room.door.pinged) == (1, [1])


@pytest.mark.parametrize("answer", [failure(ErrorClass.LOST), asyncio.CancelledError()], ids=str)
async def test_s4_13_an_unhealthy_session_is_replaced_and_the_borrower_does_not_notice(
    rooms, answer
):
    """S4-38."""
    room = rooms(idle_s=1000, pool_size=1)
    await room.once()
    await room.turn(30)
    room.door.pings = Script(answer)
    assert await room.once() == 2
    stats = room.stats()
    assert (stats.lost, stats.closed, stats.opened, stats.open) == (1, 1, 2, 1)


async def test_promise_12_a_ping_that_is_not_answered_costs_its_time_limit_and_no_more(rooms):
    room = rooms(idle_s=1000)
    async with room.manager.lease(connection()), room.manager.lease(connection()):
        pass
    await room.turn(20)
    async with room.manager.lease(connection()), room.manager.lease(connection()):
        pass
    fresh = room.stats().idle
    await room.turn(30)
    room.door.pings = Script(Held())
    borrowing = room.task()
    await steps()
    assert (room.stats().idle, room.stats().lent) == (fresh, 0)
    await room.turn(1.9)
    assert not borrowing.done()
    await room.turn(0.1)
    # The other idle one hangs on the same line: it went unasked.
    assert await borrowing == 3
    assert sorted(room.door.closed) == [1, 2]
    assert room.stats().lost == 2


async def test_what_was_proved_of_late_survives_a_neighbour_that_does_not_answer(rooms):
    room = await started(rooms(idle_s=1000, keepalive_s=50))
    async with room.manager.lease(connection()):
        await room.turn(20)
        assert await room.once() == 2
        await room.turn(25)
    room.door.pings = Script(failure(ErrorClass.LOST))
    await room.turn(25)
    assert (room.door.pinged, room.door.closed) == ([2], [2])
    assert await room.once() == 1


async def test_a_server_that_started_anew_costs_one_borrower_one_try(rooms):
    room = rooms()
    lease = room.manager.lease
    async with lease(connection()), lease(connection()), lease(connection()):
        pass
    room.door.pings = Script(failure(ErrorClass.LOST))
    with pytest.raises(Failure):
        async with room.manager.lease(connection()):
            raise failure(ErrorClass.LOST)
    # The others were used just now, and are asked all the same; one answers for both.
    assert await room.once() == 4
    assert len(room.door.pinged) == 1
    await steps()
    assert sorted(room.door.closed) == [1, 2, 3]
    assert room.stats().lost == 3


async def test_neighbours_of_a_lost_session_that_answer_are_kept(rooms):
    room = rooms()
    async with room.manager.lease(connection()):
        await room.once()
    with pytest.raises(Failure):
        async with room.manager.lease(connection()):
            raise failure(ErrorClass.LOST)
    kept = await room.once()
    assert (room.door.pinged, await room.once()) == ([kept], kept)
    assert room.door.pinged == [kept]


async def test_a_borrower_cancelled_during_the_proof_leaves_nothing_behind(rooms):
    room = rooms(idle_s=1000)
    await room.once()
    await room.turn(30)
    room.door.pings = Script(held := Held())
    borrowing = room.task()
    await held.reached.wait()
    borrowing.cancel()
    await asyncio.wait({borrowing})
    await steps()
    assert (room.door.closed, room.metrics.places, room.metrics.total_pools) == ([1], 0, 0)


async def test_s0_3_an_unused_session_is_closed_after_its_idle_time(rooms):
    """S4-8, S4-14."""
    room = await started(rooms(idle_s=30))
    await room.once()
    await room.turn(29.8)
    assert room.metrics.total_pools == 1
    await room.turn(0.2)
    assert (room.door.closed, room.metrics.total_pools) == ([1], 0)


async def test_s4_28_idle_time_counts_from_the_last_return(rooms):
    room = await started(rooms(idle_s=30))
    await room.once()
    await room.turn(20)
    await room.once()
    await room.turn(29)
    assert room.door.closed == []
    await room.turn(1)
    assert room.door.closed == [1]


async def test_promise_10_a_session_ends_after_its_life_time_but_never_while_it_is_lent(rooms):
    room = await started(rooms(idle_s=40, lifetime_s=100, validate_after_s=1000))
    async with room.manager.lease(connection()):
        await room.turn(101)
        assert room.door.closed == []
    assert room.stats().idle == 1
    await room.turn(20)
    assert room.door.closed == [1]


@pytest.mark.parametrize(("idle_s", "lifetime_s"), [(30, 10_000), (10_000, 1800)])
async def test_promise_10_a_thousand_sessions_do_not_end_together(rooms, idle_s, lifetime_s):
    chance = random.Random(1).random
    room = rooms(
        chance=chance,
        max_connections=1000,
        max_per_host=1000,
        idle_s=idle_s,
        lifetime_s=lifetime_s,
        keepalive_s=0,
    )
    await started(room)
    await room.manager.warm_up(connection(), 1000)
    assert room.metrics.total_connections == 20
    room.manager.update(
        PoolSettings(
            max_connections=1000,
            max_per_host=1000,
            pool_size=1000,
            idle_s=idle_s,
            lifetime_s=lifetime_s,
            keepalive_s=0,
        ),
    )
    await room.manager.warm_up(connection(), 1000)
    assert room.metrics.total_connections == 1000
    room.manager._desk.pools[next(iter(room.manager._desk.pools))].warmth = None
    ends, begun = {}, room.clock.monotonic()
    while room.door.open_now:
        before = len(room.door.open_now)
        await room.clock.turn_to_next()
        await steps()
        second = int(room.clock.monotonic() - begun)
        ends[second] = ends.get(second, 0) + before - len(room.door.open_now)
    moments = [second for second, count in ends.items() if count]
    if idle_s == 30:
        assert min(moments) >= 30
        assert max(moments) <= 33
        assert len(moments) >= 3
    else:
        assert min(moments) >= 1620
        assert max(moments) <= 1800
        assert max(ends.values()) <= 50


async def test_an_idle_session_is_kept_alive_by_pings(rooms):
    room = await started(rooms(idle_s=1000, keepalive_s=50, validate_after_s=60))
    await room.once()
    await room.turn(50)
    assert room.door.pinged == [1]
    # It has proved itself: no borrower has to wait for another proof.
    await room.turn(40)
    await room.once()
    assert room.door.pinged == [1]


async def test_a_session_that_is_being_kept_alive_is_lent_when_that_is_done(rooms):
    room = await started(rooms(idle_s=1000, keepalive_s=50, pool_size=1))
    await room.once()
    room.door.pings = Script(held := Held(), None)
    await room.turn(50)
    assert (room.stats().idle, room.stats().open) == (1, 1)
    borrowing = room.task()
    await steps()
    assert not borrowing.done()
    held.let_go()
    assert await borrowing == 1


async def test_an_idle_session_that_does_not_answer_is_cleared_away(rooms):
    room = await started(rooms(idle_s=1000, keepalive_s=50))
    await room.once()
    room.door.pings = Script(failure(ErrorClass.LOST))
    await room.turn(50)
    assert (room.door.closed, room.metrics.total_pools) == ([1], 0)


async def test_an_idle_session_whose_extractor_died_is_cleared_away(rooms):
    room = await started(rooms(idle_s=30))
    await room.once()
    await room.once(connection("two"))
    room.door.open_now[0].alive = False
    await room.turn(15)
    assert (room.door.closed, room.metrics.total_pools) == ([1], 1)


async def test_s4_17_sessions_are_opened_ahead_of_need(rooms):
    room = rooms(pool_size=5)
    assert await room.manager.warm_up(connection(), 3) == 3
    assert (await room.manager.warm_up(connection(), 3), room.door.count) == (3, 3)
    assert await room.manager.warm_up(connection(), 9) == 5
    assert await room.once() <= 5
    assert room.stats().served_by_open == 1


async def test_s4_17_a_warm_up_takes_no_place_that_somebody_waits_for(rooms):
    room = rooms(max_connections=2)
    async with room.manager.lease(connection("two")):
        assert await room.manager.warm_up(connection(), 3) == 1
        async with room.manager.lease(connection()):
            assert await room.manager.warm_up(connection("three"), 3) == 0


async def test_s4_17_a_wrong_login_is_tried_once_by_a_warm_up(rooms):
    room = rooms()
    room.door.opens["one"] = Script(failure(ErrorClass.LOGIN, "wrong password"))
    assert await room.manager.warm_up(connection(), 9) == 0
    assert room.door.tried == ["one"]
    with pytest.raises(Failure, match="wrong password"):
        await room.manager.warm_up(connection(), 9)


async def test_promise_9_a_server_that_is_down_is_knocked_at_ever_more_seldom(rooms):
    room = await started(rooms(idle_s=30, lifetime_s=100_000))
    room.door.opens["one"] = room.door.opens["two"] = Script(failure(DOWN))
    await room.manager.warm_up(connection(), 2)
    await room.manager.warm_up(connection("two"), 2)
    begun, knocks = room.clock.monotonic(), []
    while room.clock.monotonic() - begun < 700:
        tried = len(room.door.tried)
        await room.clock.turn_to_next()
        await steps()
        knocks += [room.clock.monotonic()] * (len(room.door.tried) - tried)
    late = [knock for knock in knocks if knock - begun > 100]
    assert len(late) >= 15
    assert all(b - a >= 30 for a, b in pairwise(late))


async def test_s4_15_what_was_wanted_ahead_of_need_is_opened_when_the_server_is_back(rooms):
    """S4-53."""
    room = await started(rooms(idle_s=30))
    room.door.opens["one"] = Script(failure(DOWN), failure(DOWN), None)
    assert await room.manager.warm_up(connection(), 2) == 0
    await room.turn(15)
    assert room.metrics.total_connections == 0
    await room.turn(15)
    assert room.stats().open == 2
    # Nobody comes for them: they go, and no others come.
    await room.turn(30)
    await room.turn(30)
    assert (room.door.count, room.metrics.total_pools) == (2, 0)


async def test_s4_15_a_warm_up_is_given_up_after_a_life_time(rooms):
    room = await started(rooms(idle_s=30, lifetime_s=60))
    room.door.opens["one"] = Script(failure(DOWN))
    await room.manager.warm_up(connection(), 2)
    for _ in range(4):
        await room.turn(15)
    assert room.metrics.total_pools == 0


async def test_a_refill_waits_while_a_session_is_being_opened(rooms):
    room = await started(rooms(idle_s=30))
    await room.manager.warm_up(connection(), 1)
    room.door.opens["one"] = Script(held := Held(), None)
    async with room.manager.lease(connection()) as session:
        opening = room.task()
        await held.reached.wait()
        session.alive = False
    await room.turn(15)
    assert len(room.door.tried) == 2
    held.let_go()
    await opening


async def test_the_end_of_the_manager_ends_what_it_opens_and_proves(rooms):
    room = await started(rooms(idle_s=1000, keepalive_s=50))
    await room.once(connection("two"))
    room.door.opens["one"] = Script(failure(DOWN), held := Held())
    await room.manager.warm_up(connection(), 1)
    room.door.pings = Script(ping := Held())
    await room.turn(50)
    await held.reached.wait()
    await ping.reached.wait()


async def test_promise_1_of_those_who_wait_at_a_server_that_is_down_one_tries_for_all(rooms):
    room = rooms(pool_size=3)
    room.door.opens["one"] = Script(failure(DOWN))
    first = [room.task() for _ in range(9)]
    await asyncio.wait(first)
    assert len(room.door.tried) == 3
    assert {str(task.exception()) for task in first} == {"no route to the branch"}
    room.door.tried.clear()
    room.door.opens["one"] = Script(held := Held(failure(DOWN)))
    second = [room.task() for _ in range(9)]
    await held.reached.wait()
    assert (room.stats().connecting, room.stats().waiting) == (1, 8)
    assert room.stats().last_error == "ONE: unreachable: no route to the branch"
    held.let_go()
    await asyncio.wait(second)
    assert len(room.door.tried) == 1
    errors = [task.exception() for task in second]
    assert all(error.error_class is DOWN for error in errors)
    assert len({id(error) for error in errors}) == 9


async def test_s4_15_whoever_asks_gets_a_real_try_and_its_success_lets_all_connect(rooms):
    room = rooms(pool_size=3)
    room.door.opens["one"] = Script(failure(DOWN), held := Held(), None)
    with pytest.raises(Failure):
        await room.once()
    tasks = [room.task() for _ in range(3)]
    await held.reached.wait()
    assert room.stats().connecting == 1
    held.let_go()
    await asyncio.gather(*tasks)
    assert room.door.most == 3


async def test_who_may_hope_for_a_session_that_comes_back_waits_on(rooms):
    room = rooms(pool_size=2)
    async with room.manager.lease(connection()):
        room.door.opens["one"] = Script(held := Held(failure(DOWN)), again := Held())
        first, second = room.task(), room.task()
        await held.reached.wait()
        held.let_go()
        await asyncio.wait({first})
        assert first.exception().error_class is DOWN
        # It gets a try of its own.
        await again.reached.wait()
        again.let_go()
        assert await second == 2


async def test_s4_30_a_session_held_for_too_long_is_reported_once_with_its_holder(rooms, caplog):
    room = await started(rooms(leak_s=60))
    async with room.manager.lease(connection(), holder="run X, Branch_001", expected_s=100):
        await room.turn(159)
        assert room.metrics.leaks == ()
        await room.turn(1)
        (leak,) = room.metrics.leaks
        assert (leak.holder, leak.pool, leak.seconds) == (
            "run X, Branch_001",
            "mysql h:3306/one",
            160,
        )
        await room.turn(100)
        assert room.stats().leaks[0].seconds == 260
        (report,) = [record.message for record in caplog.records if "leak" in record.message]
        assert report == (
            "Session leak: run X, Branch_001 has held a session of mysql h:3306/one for 160 s and "
            "was expected to return it 60 s ago"
        )
    assert (room.stats().leaks, room.stats().leaked, room.metrics.leaked) == ((), 1, 1)


async def test_promise_3_a_leak_that_begins_between_two_looks_is_found_in_time(rooms):
    room = await started(rooms(leak_s=5, idle_s=1000))
    await room.turn(1)
    async with room.manager.lease(connection(), expected_s=0):
        await room.turn(4)
        assert room.metrics.leaks == ()
        await room.turn(1)
        assert [leak.seconds for leak in room.metrics.leaks] == [5]


async def test_promise_3_one_leak_in_a_thousand_is_found_and_no_other(rooms):
    room = await started(rooms(leak_s=60, max_connections=500, acquire_timeout_s=10_000))

    async def use(number):
        held = 400 if number == 617 else number % 100
        wanted = connection(f"db{number % 40}", host=f"h{number % 8}")
        async with room.manager.lease(wanted, holder=f"run {number}", expected_s=50):
            await room.clock.sleep(held)

    tasks = [asyncio.create_task(use(number)) for number in range(1000)]
    found = {}
    while not all(task.done() for task in tasks):
        await room.clock.turn_to_next()
        await steps()
        for leak in room.metrics.leaks:
            found.setdefault(leak.holder, leak.seconds)
    assert list(found) == ["run 617"]
    assert 110 <= found["run 617"] <= 111
    assert room.metrics.leaked == 1


async def test_who_does_not_say_when_a_session_is_back_is_not_reported(rooms):
    room = await started(rooms(leak_s=0))
    async with room.manager.lease(connection()):
        await room.turn(100_000)
        assert room.metrics.leaks == ()


async def test_a_mistake_in_the_upkeep_does_not_end_it(rooms, caplog):
    room = rooms(idle_s=30)
    await room.once()
    tend = room.manager._chores.tend
    broken = iter([True])

    def once_broken():
        if next(broken, False):
            raise ValueError("a mistake of ours")
        return tend()

    room.manager._housekeeper._tend = once_broken
    await started(room)
    assert "Looking after the pools failed" in caplog.text
    await room.turn(30)
    assert room.door.closed == [1]
