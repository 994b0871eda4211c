"""What an operator may do to the pools, and what they say of themselves."""

import asyncio

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.pools import PoolKey, PoolMetrics, PoolSettings
from fakes import Held, Script, failure
from unit.pool.pool_kit import connection, steps

KEY = "mysql h:3306/one"
WRONG = failure(ErrorClass.LOGIN, "password authentication failed")


async def test_a_drained_pool_gives_no_leases_and_closes_what_comes_back(rooms):
    room = rooms(pool_size=2)
    async with room.manager.lease(connection()):
        await room.once()
        async with room.manager.lease(connection()):
            waiting = room.task()
            await steps()
            assert room.manager.drain(KEY)
            with pytest.raises(Failure, match="is being drained") as refused:
                await waiting
        with pytest.raises(Failure, match=r"the pool mysql h:3306/one is being drained"):
            await room.once()
        assert await room.once(connection("two")) == 3
    await steps()
    assert refused.value.error_class is ErrorClass.CANCELLED
    assert room.door.closed == [2, 1]
    # It stays drained, although nothing is left of it, until it is resumed.
    assert room.stats().draining
    with pytest.raises(Failure):
        await room.manager.warm_up(connection(), 1)
    assert room.manager.resume(KEY)
    assert await room.once() == 4


async def test_draining_closes_what_is_idle_and_forgets_what_was_wanted(rooms):
    room = rooms()
    await room.manager.warm_up(connection(), 2)
    assert room.manager.drain(KEY)
    await steps()
    assert sorted(room.door.closed) == [1, 2]
    room.manager.resume()
    assert room.metrics.total_pools == 0


async def test_a_session_that_opens_while_its_pool_is_being_drained_is_not_lent(rooms):
    room = rooms()
    room.door.opens["one"] = Script(held := Held())
    borrowing = room.task()
    await held.reached.wait()
    room.manager.drain(KEY)
    held.let_go()
    with pytest.raises(Failure, match="drained"):
        await borrowing
    await steps()
    assert room.door.closed == [1]
    room.manager.resume(KEY)


@pytest.mark.parametrize("key", ["", KEY])
async def test_who_asks_at_a_paused_pool_waits_until_it_is_resumed(rooms, key):
    room = rooms(acquire_timeout_s=5)
    await room.once()
    assert room.manager.pause(key)
    waiting = room.task()
    await steps()
    assert (room.stats().paused, room.stats().waiting, room.metrics.paused) == (True, 1, not key)
    assert await room.manager.warm_up(connection(), 5) == 1
    late = room.task(connection() if key else connection("two"))
    await steps()
    assert room.manager.resume(key)
    assert await waiting == 1
    await late
    room.manager.pause(key)
    waiting = room.task()
    await steps()
    await room.turn(5)
    with pytest.raises(Failure, match="; paused: resume it"):
        await waiting
    room.manager.resume()
    assert not room.stats().paused


async def test_what_takes_a_pool_says_whether_there_is_one(rooms):
    manager = rooms().manager
    assert [manager.drain("x"), manager.drain(""), manager.pause("x"), manager.resume("x")] == [
        False,
        False,
        False,
        False,
    ]
    assert manager.resume()


async def test_s4_33_limits_change_at_once_for_those_who_wait_and_what_is_idle(rooms):
    """S0-4, S0-18."""
    room = rooms(pool_size=1, max_per_host=1, max_connections=1)
    async with room.manager.lease(connection()):
        first, second = room.task(), room.task(connection("two"))
        await steps()
        room.manager.update(PoolSettings(pool_size=2, max_per_host=3, max_connections=3))
        assert {await first, await second} == {2, 3}
        assert room.metrics.total_connections == 3
        room.manager.update(PoolSettings(max_connections=1))
        await steps()
        assert room.metrics.total_connections == 1
        # What is lent is not taken away …
        room.manager.update(PoolSettings(max_connections=2))
        async with room.manager.lease(connection()):
            room.manager.update(PoolSettings(max_connections=1, pool_size=1, max_per_host=1))
            assert room.metrics.total_connections == 2
        # … but closed as it comes back.
        await steps()
        assert (room.metrics.total_connections, room.stats().lent) == (1, 1)
    assert (room.stats().idle, room.stats().size, room.metrics.max_per_host) == (1, 1, 1)


async def test_s4_33_a_shorter_wait_counts_for_those_who_wait_already(rooms):
    room = rooms(pool_size=1, acquire_timeout_s=100)
    async with room.manager.lease(connection()):
        waiting, early = room.task(), room.task()
        await steps()
        await room.turn(10)
        room.manager.update(PoolSettings(pool_size=1, acquire_timeout_s=10))
        early.cancel()
        await steps()
        await room.turn(0)
        with pytest.raises(Failure, match="acquire_timeout_s = 10 s"):
            await waiting


async def test_s4_33_a_shorter_idle_time_counts_for_what_is_idle_already(rooms):
    room = rooms(idle_s=1000)
    room.manager.start()
    await room.once()
    await room.turn(100)
    room.manager.update(PoolSettings(idle_s=50))
    await steps()
    assert room.door.closed == [1]


async def test_reconnecting_replaces_every_session(rooms):
    room = rooms()
    async with room.manager.lease(connection()):
        await room.once()
        room.manager.reconnect_all()
        await steps()
        assert room.door.closed == [2]
        assert await room.once() == 3
    await steps()
    assert room.door.closed == [2, 1]
    assert await room.once() == 3


async def test_s0_14_a_credential_that_was_refused_is_tried_by_nobody(rooms):
    room = rooms(pool_size=1)
    here = connection("one", credential="branches", host="a")
    there = connection("two", credential="branches", host="b")
    async with room.manager.lease(there):
        waiting = room.task(there)
        room.door.opens["one"] = Script(WRONG)
        with pytest.raises(Failure, match=r"^password authentication failed$"):
            await room.once(here)
        with pytest.raises(Failure) as refused:
            await waiting
    assert refused.value.error_class is ErrorClass.LOGIN
    assert str(refused.value) == (
        "the credential branches was refused at ONE (password authentication failed) and is not "
        "tried again anywhere, so that the account is not locked: mend the password, then release "
        "the login with `etltui pools release branches`, or let its password refer to something "
        "else"
    )
    tried = list(room.door.tried)
    for wanted in (here, there, connection("three", credential="branches")):
        with pytest.raises(Failure, match="branches was refused at ONE"):
            await room.once(wanted)
        with pytest.raises(Failure, match="branches was refused at ONE"):
            await room.manager.warm_up(wanted, 1)
    assert room.door.tried == tried
    assert room.metrics.locked_credentials == ("branches",)
    # Others are not concerned.
    await room.once(connection("three", credential="other"))
    assert room.manager.release_credential("branches")
    assert not room.manager.release_credential("branches")
    assert await room.once(there) == 1


async def test_a_credential_with_another_password_is_tried_again(rooms):
    room = rooms()
    wanted = connection(credential="branches")
    room.references["branches"] = "env:OLD"
    room.door.opens["one"] = Script(WRONG, WRONG, None)
    with pytest.raises(Failure):
        await room.once(wanted)
    room.references["branches"] = "env:NEW"
    with pytest.raises(Failure, match=r"^password"):
        await room.once(wanted)
    room.references["branches"] = "env:NEWER"
    assert await room.once(wanted) == 1
    assert room.metrics.locked_credentials == ()


async def test_without_a_credential_only_the_pool_is_guarded(rooms):
    room = rooms()
    room.door.opens["one"] = Script(WRONG, None)
    with pytest.raises(Failure):
        await room.once()
    with pytest.raises(Failure, match=r"the login of mysql h:3306/one was refused at ONE"):
        await room.once(connection(name="B"))
    assert await room.once(connection("two")) == 1
    assert room.manager.release_credential(KEY)
    assert await room.once() == 2


async def test_a_place_that_was_given_before_the_refusal_is_not_used_for_a_login(rooms):
    room = rooms(pool_size=1)
    wanted = connection(credential="c")
    async with room.manager.lease(wanted):
        waiting = room.task(wanted)
        await steps()
        room.manager.update(PoolSettings(pool_size=2))
        # It has its place, and has not begun to connect when somebody else is refused.
        guard, key = room.manager._guard, PoolKey.of(wanted)
        guard.lock(key, guard.login(key), connection="B", message="wrong")
        with pytest.raises(Failure, match="c was refused at B"):
            await waiting
        assert (room.door.tried, room.metrics.places) == (["one"], 1)


async def test_an_old_password_that_fails_late_does_not_hide_that_the_new_one_failed(rooms):
    room = rooms()
    wanted = connection(credential="c")
    old, new = Held(WRONG), Held(failure(ErrorClass.LOGIN, "newer"))
    room.door.opens["one"] = Script(old, new, None)
    room.references["c"] = "env:OLD"
    first = room.task(wanted)
    await old.reached.wait()
    room.references["c"] = "env:NEW"
    second = room.task(wanted)
    await new.reached.wait()
    for held, task in ((old, first), (new, second)):
        held.let_go()
        await asyncio.wait({task})
    with pytest.raises(Failure, match=r"c was refused at ONE \(newer\)"):
        await room.once(wanted)


async def test_a_login_that_nobody_has_proved_is_tried_by_two_at_a_time(rooms):
    """N-20: a wrong password over 50 branches costs two tries of the account, not fifty."""
    room = rooms()
    names = [f"d{number}" for number in range(50)]
    held = Held(WRONG)
    room.door.opens = {name: Script(held) for name in names}
    tasks = [room.task(connection(name, credential="c", host=name)) for name in names]
    await held.reached.wait()
    await steps()
    assert len(room.door.tried) == 2
    held.let_go()
    await asyncio.wait(tasks)
    assert len(room.door.tried) == 2
    assert all("password" in str(task.exception()) for task in tasks)
    assert room.metrics.places == 0


async def test_once_it_is_proved_nobody_waits(rooms):
    room = rooms()
    names = [f"d{number}" for number in range(10)]
    first, rest = Held(), Held()
    room.door.opens = {name: Script(rest if n else first) for n, name in enumerate(names)}
    tasks = [room.task(connection(name, credential="c", host=name)) for name in names]
    await first.reached.wait()
    await steps()
    assert len(room.door.tried) == 2
    first.let_go()
    await steps()
    assert len(room.door.tried) == 10
    rest.let_go()
    await asyncio.gather(*tasks)


async def test_who_waits_to_try_and_is_cancelled_leaves_its_place(rooms):
    room = rooms()
    names = [f"d{number}" for number in range(3)]
    held = Held()
    room.door.opens = {name: Script(held) for name in names}
    tasks = [room.task(connection(name, credential="c", host=name)) for name in names]
    await steps()
    assert len(room.door.tried) == 2
    tasks[2].cancel()
    await asyncio.wait({tasks[2]})
    assert room.metrics.places == 2
    held.let_go()
    await asyncio.gather(*tasks[:2])


async def test_s0_5_metrics_and_the_detail_of_a_pool(rooms):
    """S0-10, S0-12, S0-13, S0-16, S0-17, S0-120."""
    room = rooms(max_per_host=5)
    async with room.manager.lease(connection("one")):
        await room.once(connection("two", credential="branches"))
        await room.once(connection("three", host="other", port=0))
        await room.once(connection("/x.db", kind="sqlite", host="", port=0))
        metrics = room.metrics
    assert (metrics.total_pools, metrics.active_pools, metrics.total_connections) == (4, 4, 4)
    assert metrics.pools_by_server == {"h:3306": 2, "other": 1}
    assert metrics.places_by_server == {"h:3306": 2, "other": 1}
    assert (metrics.places, metrics.max_connections, metrics.max_per_host) == (4, 50, 5)
    assert {stats.pool for stats in room.manager.get_info()} == {
        "mysql h:3306/one",
        "mysql branches@h:3306/two",
        "mysql other/three",
        "sqlite /x.db",
    }
    assert [stats.lent for stats in room.manager.get_info()] == [0, 0, 0, 0]


async def test_s0_11_a_pool_without_an_open_session_is_not_active(rooms):
    room = rooms()
    room.door.opens["one"] = Script(held := Held())
    opening = room.task()
    await held.reached.wait()
    assert (room.metrics.total_pools, room.metrics.active_pools) == (1, 0)
    held.let_go()
    await opening


async def test_s4_16_times_of_waiting_and_connecting(rooms):
    """S4-38: how long an acquisition took is recorded."""
    room = rooms(pool_size=1)
    room.door.opens["one"] = Script(held := Held(), None)
    first, second = room.task(), room.task()
    await held.reached.wait()
    room.clock.turn(0.25)
    held.let_go()
    await asyncio.gather(first, second)
    stats = room.stats()
    assert (stats.wait_p50_ms, stats.wait_p95_ms) == (0, 250)
    assert (stats.connect_p50_ms, stats.connect_p95_ms) == (250, 250)


async def test_s4_46_efficiency_counts_after_each_pools_first_acquisition(rooms):
    """S0-142: sessions are used again."""
    room = rooms()
    assert room.metrics.efficiency == 1
    names = [f"db{number}" for number in range(56)]
    wanted = [connection(name, host=f"h{i % 8}") for i, name in enumerate(names)]
    room.manager.update(PoolSettings(max_connections=100))
    for _ in range(5):
        await asyncio.gather(*map(room.once, wanted))
    assert (room.metrics.acquires, room.metrics.efficiency) == (4 * 56, 1)
    room.manager.close_idle()
    await steps()
    assert room.metrics.total_pools == 0
    # A pool that comes again has had its warm-up.
    await asyncio.gather(*map(room.once, wanted))
    assert room.metrics.efficiency == 0.8


async def test_s0_19_the_end_refuses_who_waits_and_waits_for_what_closes(rooms):
    room = rooms(pool_size=1)
    room.door.closes = Script(held := Held())
    await room.once(connection("two"))
    async with room.manager.lease(connection()):
        waiting = room.task()
        await steps()
        ending = asyncio.create_task(room.manager.aclose())
        with pytest.raises(Failure, match="the engine is closing") as refused:
            await waiting
        with pytest.raises(Failure, match="the engine is closing"):
            await room.once(connection("three"))
        assert not ending.done()
    await held.reached.wait()
    assert not ending.done()
    held.let_go()
    await ending
    assert refused.value.error_class is ErrorClass.CANCELLED
    assert (room.metrics.places, room.door.open_now) == (0, [])


async def test_s4_31_the_end_does_not_wait_for_ever(rooms, caplog):
    room = rooms(close_grace_s=2)
    room.door.closes = Script(Held())
    await room.once()
    lease = room.manager.lease(connection("two"))
    session = await lease.__aenter__()
    ending = asyncio.create_task(room.manager.aclose())
    await steps()
    await room.turn(2)
    await room.turn(1.9)
    assert not ending.done()
    await room.turn(0.1)
    await ending
    assert "A session of mysql h:3306/two is still open: LENT" in caplog.text
    # What comes back later is closed all the same.
    room.door.closes = Script()
    await lease.__aexit__(None, None, None)
    await steps()
    assert room.door.closed == [session.number]


async def test_s4_31_what_still_closes_at_the_end_of_the_bound_is_given_up(rooms):
    room = rooms(close_grace_s=2)
    room.door.closes = Script(Held())
    await room.once()
    await room.turn(1)
    room.manager.close_idle()
    await steps()
    ending = asyncio.create_task(room.manager.aclose())
    await steps()
    await room.turn(4)
    await ending
    assert (room.metrics.places, room.door.closed) == (0, [])


async def test_s4_31_what_comes_back_just_before_the_end_of_the_bound_is_given_up(rooms):
    room = rooms(close_grace_s=2)
    room.door.closes = Script(Held())
    async with room.manager.lease(connection()):
        ending = asyncio.create_task(room.manager.aclose())
        await steps()
        await room.turn(3)
    await steps()
    await room.turn(1)
    await ending
    assert (room.metrics.places, room.door.closed) == (0, [])


async def test_a_session_that_opens_at_the_end_is_not_lent(rooms):
    room = rooms()
    room.door.opens["one"] = Script(held := Held())
    borrowing = room.task()
    await held.reached.wait()
    ending = asyncio.create_task(room.manager.aclose())
    await steps()
    held.let_go()
    with pytest.raises(Failure, match="the engine is closing"):
        await borrowing
    await ending
    assert room.door.closed == [1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"max_connections": 0}, "max_connections is 0; it is at least 1"),
        ({"pool_size": -1}, "pool_size is -1; it is at least 1"),
        ({"leak_s": -0.5}, r"leak_s is -0\.5; it is at least 0 s"),
        ({"idle_s": float("nan")}, "idle_s is nan; it is at least 0 s"),
    ],
)
def test_settings_out_of_their_range_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        PoolSettings(**values)


def test_a_place_without_a_session_says_so():
    from etltui.pool.entry import Entry

    with pytest.raises(Failure, match="holds no session"):
        _ = Entry(key=PoolKey.of(connection()), generation=0, jitter=0).open_session


def test_metrics_are_values():
    metrics = PoolMetrics(
        total_pools=1,
        active_pools=1,
        total_connections=1,
        places=1,
        max_connections=1,
        max_per_host=1,
        waiting=0,
        paused=False,
        acquires=4,
        served_by_open=3,
        leaked=0,
    )
    assert metrics.efficiency == 0.75
