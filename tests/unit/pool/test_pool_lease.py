"""Leases: sessions are kept and lent again, under the limits, to whoever's turn it is."""

import asyncio

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.pools import PoolSettings
from fakes import Held, Script, failure
from unit.pool.pool_kit import connection, steps


async def test_s0_14_a_session_is_kept_and_lent_again(rooms):
    room = rooms()
    assert [await room.once() for _ in range(3)] == [1, 1, 1]
    stats = room.stats()
    assert (stats.open, stats.lent, stats.idle, stats.refs) == (1, 0, 1, 0)
    assert (stats.acquires, stats.served_by_open, stats.opened, stats.closed) == (3, 2, 1, 0)


async def test_s4_43_an_open_session_is_lent_without_waiting_for_anything(rooms):
    """S4-43: neither a server nor another task is waited for; `bench_pool` measures how long."""
    room = rooms()
    await room.once()
    lease = room.manager.lease(connection())
    with pytest.raises(StopIteration) as lent:
        lease.__aenter__().send(None)
    assert lent.value.value.number == 1
    await lease.__aexit__(None, None, None)
    assert (room.door.count, room.door.pinged) == (1, [])


async def test_s0_1_connections_to_the_same_database_share_a_pool(rooms):
    room = rooms()
    same = connection(name="B", host="h", tags=("x",), contact="Asha")
    assert [await room.once(), await room.once(same)] == [1, 1]
    others = [
        connection(kind="mssql"),
        connection(host="other"),
        connection(port=1),
        connection("two"),
        connection(credential="admin"),
    ]
    assert [await room.once(other) for other in others] == [2, 3, 4, 5, 6]
    assert room.metrics.total_pools == 6


async def test_s0_2_a_pool_stays_while_somebody_refers_to_it_and_goes_with_its_last_session(rooms):
    """S0-15, S0-24."""
    room = rooms()
    async with room.manager.lease(connection()):
        assert await room.task() == 2
        assert room.stats().refs == 1
    assert room.manager.close_idle() == 2
    assert room.metrics.total_pools == 1
    await steps()
    assert room.metrics.total_pools == 0
    assert sorted(room.door.closed) == [1, 2]


async def test_s0_22_the_limits_of_a_pool_a_server_and_of_all_are_honoured(rooms):
    room = rooms(max_connections=7, max_per_host=4, pool_size=2)

    async def use(number):
        wanted = connection(f"db{number % 5}", host=f"h{number % 2}")
        async with room.manager.lease(wanted):
            here = [each for each in room.door.open_now if each.name[-1] in "024"]
            assert room.metrics.places <= 7
            assert max(room.metrics.places_by_server.values()) <= 4
            assert len(here) <= 7
            for _ in range(number % 3 + 1):
                await asyncio.sleep(0)

    await asyncio.gather(*(use(number) for number in range(60)))
    assert room.door.most <= 7
    assert max(room.door.most_each.values()) <= 4


async def test_files_are_on_no_server(rooms):
    room = rooms(max_per_host=1)
    file = [connection(f"/{n}.db", kind="sqlite", host="", port=0) for n in range(3)]
    async with room.manager.lease(file[0]), room.manager.lease(file[1]):
        assert await room.once(file[2]) == 3
    assert (room.metrics.pools_by_server, room.metrics.places_by_server) == ({}, {})
    assert room.stats(file[0]).pool == "sqlite /0.db"


async def test_s0_26_the_lowest_priority_number_first_and_within_one_the_first_to_come(rooms):
    room = rooms(max_connections=1)
    served = []

    async def use(name, priority):
        async with room.manager.lease(connection(name), priority=priority):
            served.append(name)

    async with room.manager.lease(connection("now")):
        wanted = (("c", 5), ("a", 1), ("d", 5), ("b", 1))
        tasks = [asyncio.create_task(use(*each)) for each in wanted]
        await steps()
    await asyncio.gather(*tasks)
    assert served == ["a", "b", "c", "d"]


async def test_what_came_back_last_makes_room_for_another_pool(rooms):
    room = rooms(max_connections=2)
    await room.once(connection("one"))
    await room.turn(1)
    await room.once(connection("two"))
    assert await room.once(connection("three")) == 3
    assert room.door.closed == [2]
    assert room.metrics.places == 2


async def test_s4_46_with_fewer_places_than_databases_only_what_is_not_open_is_opened(rooms):
    """Each run asks for all of them at once; nobody can do better."""
    room = rooms(max_connections=5)
    wanted = [connection(f"db{number}") for number in range(7)]

    async def read(each):
        async with room.manager.lease(each):
            await steps(1)

    for _ in range(6):
        await asyncio.gather(*map(read, wanted))
    assert (room.metrics.acquires, room.metrics.served_by_open) == (5 * 7, 5 * 5)


async def test_who_asks_in_the_same_moment_takes_what_is_open_before_room_is_made(rooms):
    room = rooms(max_connections=2)
    for name in ("one", "two"):
        await room.once(connection(name))
    tasks = [room.task(connection(name)) for name in ("three", "two", "one")]
    assert await asyncio.gather(*tasks) == [3, 2, 1]
    assert room.door.closed in ([2], [1])


@pytest.mark.parametrize("first", [0, 3])
async def test_but_not_before_one_of_a_better_priority(rooms, first):
    room = rooms(max_connections=1)
    await room.once(connection("one"))
    urgent = connection("three")
    # Whoever asks first, what is open makes room for the best of those who need it.
    asked = [room.task(connection("two"), priority=3 - first), room.task(urgent, priority=first)]
    late = room.task(connection("one"), priority=2)
    await asyncio.gather(*asked, late)
    expected = ["three", "one", "two"] if first == 0 else ["two", "one", "three"]
    assert room.door.tried[1:] == expected


async def test_no_more_make_room_than_need_be(rooms):
    room = rooms(max_connections=3)
    for name in ("one", "two", "three"):
        await room.once(connection(name))
    room.door.closes = Script(held := Held(), None)
    first = room.task(connection("four"))
    await held.reached.wait()
    # Somebody comes meanwhile and goes again: the place that comes free is promised already.
    assert await room.once(connection("one")) == 1
    assert len(room.door.open_now) == 3
    held.let_go()
    assert await first == 4
    assert room.door.closed == [3]


async def test_each_who_waits_has_room_made_for_it(rooms):
    room = rooms(max_connections=2)
    for name in ("one", "two"):
        await room.once(connection(name))
    room.door.closes = Script(held := Held())
    tasks = [room.task(connection("three")) for _ in range(2)]
    await held.reached.wait()
    await steps()
    assert (room.stats(connection("three")).waiting, room.metrics.total_connections) == (2, 0)
    held.let_go()
    assert sorted(await asyncio.gather(*tasks)) == [3, 4]


async def test_a_full_server_makes_room_on_that_server(rooms):
    room = rooms(max_per_host=1)
    await room.once(connection("one", host="a"))
    await room.once(connection("two", host="b"))
    assert await room.once(connection("three", host="b")) == 3
    assert room.door.closed == [2]


async def test_who_waits_for_a_full_pool_holds_no_place_of_all(rooms):
    room = rooms(max_connections=2, pool_size=1)
    async with room.manager.lease(connection()):
        waiting = room.task()
        await steps()
        assert await room.once(connection("two")) == 2
        assert not waiting.done()
    assert await waiting == 1


async def test_a_lease_says_how_long_it_waited_for_its_turn_and_not_how_long_for_a_login(rooms):
    room, waited = rooms(max_connections=1), []
    opening = Held()
    room.door.opens["two"] = Script(opening)
    async with room.manager.lease(connection("one")):
        task = room.task(connection("two"), waited=waited.append)
        await steps()
        await room.turn(3)
        assert waited == []
    await opening.reached.wait()
    assert waited == [3]
    await room.turn(2)
    opening.let_go()
    await task
    assert await room.once(connection("two"), waited=waited.append)
    assert waited == [3, 0]


async def test_it_says_each_time_that_it_waited_where_a_session_was_dead(rooms):
    room, waited = rooms(pool_size=1, validate_after_s=10), []
    await room.once()
    await room.turn(20)
    room.door.pings = Script(ping := Held(failure(ErrorClass.LOST)))
    room.door.closes = Script(closing := Held())
    task = room.task(waited=waited.append)
    await ping.reached.wait()
    await room.turn(1)
    ping.let_go()
    await closing.reached.wait()
    await room.turn(2)
    closing.let_go()
    assert await task == 2
    assert waited == [0, 2]


async def test_it_says_how_long_it_waited_for_nothing(rooms):
    room, waited = rooms(pool_size=1, acquire_timeout_s=5), []
    async with room.manager.lease(connection()):
        task = room.task(waited=waited.append)
        await steps()
        await room.turn(5)
        with pytest.raises(Failure):
            await task
    assert waited == [5]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pool_size": 1}, "places taken: this pool 1 of 1, server h:3306 1 of 20, all pools 1 of"),
        ({"max_connections": 1}, "server h:3306 1 of 20, all pools 1 of 1$"),
        ({"max_per_host": 1}, "server h:3306 1 of 1,"),
    ],
)
async def test_a_time_out_tells_the_story(rooms, settings, words):
    """S4-8."""
    room = rooms(acquire_timeout_s=5, **settings)
    async with room.manager.lease(connection()):
        waiting, other = room.task(), room.task()
        await steps()
        await room.turn(4.9)
        assert not waiting.done()
        await room.turn(0.1)
        with pytest.raises(Failure, match=words) as late:
            await waiting
        with pytest.raises(Failure):
            await other
    assert late.value.error_class is ErrorClass.TIMEOUT
    assert str(late.value).startswith(
        "no free session for ONE in the pool mysql h:3306/one within acquire_timeout_s = 5 s: "
        "1 open (1 lent, 0 idle), 0 connecting, 1 others waiting; ",
    )
    assert late.value.facts["waiting"] == "1"


async def test_a_time_out_names_the_last_connect_error(rooms):
    room = rooms(acquire_timeout_s=5, pool_size=1)
    room.door.opens["one"] = Script(failure(ErrorClass.BUSY, "too many clients"), Held())
    with pytest.raises(Failure, match="too many clients"):
        await room.once()
    connecting = room.task()
    await steps()
    waiting = room.task()
    await steps()
    await room.turn(5)
    with pytest.raises(Failure, match=r"last connect error: ONE: busy: too many clients$"):
        await waiting
    connecting.cancel()
    await asyncio.wait({connecting})


async def test_a_session_that_cannot_be_opened_leaves_no_place_taken(rooms):
    room = rooms(max_connections=1)
    room.door.opens["one"] = Script(failure(), failure(), None)
    for _ in range(2):
        with pytest.raises(Failure, match="no route"):
            await room.once()
    assert (room.metrics.places, room.metrics.total_pools) == (0, 0)
    assert await room.once() == 1
    assert room.stats().last_error == ""


async def test_a_borrower_cancelled_while_opening_leaves_no_place_taken(rooms):
    room = rooms()
    room.door.opens["one"] = Script(held := Held())
    borrowing = room.task()
    await held.reached.wait()
    assert (room.stats().connecting, room.metrics.places) == (1, 1)
    borrowing.cancel()
    await asyncio.wait({borrowing})
    assert (room.metrics.places, room.metrics.total_pools) == (0, 0)


async def test_a_session_handed_over_in_the_moment_of_a_cancel_goes_to_the_next(rooms):
    room = rooms(max_connections=1)
    async with room.manager.lease(connection()):
        first, second = room.task(), room.task()
        await steps()
    # The session is the first one's, who has not run yet.
    first.cancel()
    assert await second == 1
    assert first.cancelled()
    assert room.stats().idle == 1


async def test_a_place_handed_over_in_the_moment_of_a_cancel_goes_to_the_next(rooms):
    room = rooms(pool_size=1)
    async with room.manager.lease(connection()):
        first, second = room.task(), room.task()
        await steps()
        room.manager.update(PoolSettings(pool_size=2))
        first.cancel()
        assert await second == 2
    assert first.cancelled()


async def test_who_was_cancelled_while_waiting_is_passed_over(rooms):
    room = rooms(pool_size=1)
    async with room.manager.lease(connection()):
        first, second = room.task(), room.task()
        await steps()
        first.cancel()
    assert await second == 1


async def test_who_was_failed_in_the_moment_of_a_cancel_takes_nothing(rooms):
    room = rooms(pool_size=1)
    async with room.manager.lease(connection()):
        waiting = room.task()
        await steps()
        room.manager.drain(room.stats().pool)
        waiting.cancel()
        await asyncio.wait({waiting})
    assert waiting.cancelled()
    room.manager.resume()


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (failure(ErrorClass.SYNTAX), True),
        (failure(ErrorClass.PERMISSION), True),
        (failure(ErrorClass.DRIFT), True),
        (failure(ErrorClass.VALUE), False),
        (failure(ErrorClass.TIMEOUT), False),
        (failure(ErrorClass.STALLED), False),
        (failure(ErrorClass.CANCELLED), False),
        (failure(ErrorClass.LOST), False),
        (ValueError("a mistake of ours"), False),
        (asyncio.CancelledError(), False),
    ],
    ids=str,
)
async def test_s0_23_a_session_is_kept_only_where_the_failure_proves_it_usable(rooms, error, kept):
    room = rooms()

    async def use():
        async with room.manager.lease(connection()):
            raise error

    with pytest.raises(type(error)):
        await use()
    await steps()
    assert room.door.closed == ([] if kept else [1])
    assert room.metrics.places == kept


async def test_a_session_whose_extractor_died_is_counted_lost_and_not_lent_again(rooms):
    room = rooms()
    async with room.manager.lease(connection()) as session:
        session.alive = False
    await room.once()
    async with room.manager.lease(connection()) as session:
        pass
    session.alive = False
    assert await room.once() == 3
    assert room.stats().lost == 2
    with pytest.raises(Failure):
        async with room.manager.lease(connection()):
            raise failure(ErrorClass.DRIVER_CRASH)
    stats = room.stats()
    assert (stats.lost, stats.open) == (3, 0)
    await steps()
    assert room.door.closed == [1, 2, 3]


async def test_a_session_keeps_its_place_until_it_is_closed(rooms):
    room = rooms(max_connections=1)
    room.door.closes = Script(held := Held(), None)
    await room.once()
    room.manager.close_idle()
    waiting = room.task()
    await held.reached.wait()
    await steps()
    assert not waiting.done()
    held.let_go()
    assert await waiting == 2
    assert room.door.most == 1


async def test_a_session_that_hangs_while_closing_holds_its_place_for_the_grace_only(rooms):
    room = rooms(max_connections=1, close_grace_s=2)
    room.door.closes = Script(held := Held(), None)
    await room.once()
    room.manager.close_idle()
    waiting = room.task()
    await steps()
    await room.turn(2)
    assert await waiting == 2
    held.let_go()
    await steps()
    assert room.door.closed == [1]


async def test_a_session_that_cannot_be_closed_is_logged_and_gone(rooms, caplog):
    room = rooms()
    room.door.closes = Script(RuntimeError("broken"), None)
    await room.once()
    room.manager.close_idle()
    await steps()
    assert room.metrics.places == 0
    assert "could not be closed" in caplog.text
