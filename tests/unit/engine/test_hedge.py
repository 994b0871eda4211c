"""A database that brings no row is asked once more, over a second session: N-2."""

import asyncio
from dataclasses import replace

import pytest

from engine_world import connection
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.events import ConnectionStarted
from etltui.domain.policy import ReadPolicy
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.engine.hedge import hedge_after_s
from fakes import Held, Script, failure


@pytest.fixture
async def slow(world):
    """One connection whose first answer waits for the test, and that is asked again after 5 s."""
    world.connections = (connection("A"),)
    world.job(hedge_after_s=5, columns=("id",))
    world.renew()
    await world.engine.start()
    return world


async def until(so):
    """Let others go on until it is so; the test's own time limit is the net."""
    while not so():  # noqa: ASYNC110 - nobody says it: what fakes count is looked at
        await asyncio.sleep(0)


async def begun(world, *answers):
    """A run that waits for its first answer, and the moment at which a second one is asked for."""
    world.leases.extracts["A"] = Script(*answers)
    run = asyncio.create_task(world.run())
    await answers[0].reached.wait()
    await until(lambda: 5 in world.clock.slept)
    return run


def only(result):
    (found,) = result.connections
    return found


async def test_n_2_the_second_answer_is_kept_where_it_comes_first(slow):
    first = Held(7)
    run = await begun(slow, first, 3)
    slow.clock.turn(5)
    result = await run
    assert (result.status, only(result).rows) == (RunStatus.COMPLETED, 3)
    assert (only(result).hedged, only(result).tries) == ("second", 1)
    assert ("cancelled", "A") in slow.record
    one, two = slow.leases.tasks
    assert one.attempt != two.attempt
    assert replace(one, attempt=0) == replace(two, attempt=0)
    (row,) = await slow.store.connections(result.run)
    assert row.result.hedged == "second"
    assert {r.attempt for r in await slow.store.receipts(result.run)} == {two.attempt}
    assert len([e for e in slow.bus.events if isinstance(e, ConnectionStarted)]) == 1


async def test_n_2_the_first_answer_is_kept_where_it_comes_first_after_all(slow):
    first, second = Held(7), Held(3)
    run = await begun(slow, first, second)
    slow.clock.turn(5)
    await second.reached.wait()
    first.let_go()
    result = await run
    assert (only(result).rows, only(result).hedged, only(result).tries) == (7, "first", 1)
    assert {r.attempt for r in await slow.store.receipts(result.run)} == {1001}


async def test_n_2_nobody_is_asked_twice_who_answers_in_time(slow):
    first = Held(7)
    run = await begun(slow, first, 3)
    slow.clock.turn(4.9)
    first.let_go()
    result = await run
    assert (only(result).rows, only(result).hedged) == (7, "")
    assert slow.leases.asked == 1


async def test_n_2_nobody_is_asked_twice_unless_it_is_wanted(slow):
    slow.connections = (connection("A", policy=ReadPolicy(hedge_after_s=0)),)
    slow.renew()
    result = await slow.run()
    assert only(result).hedged == ""
    assert 5 not in slow.clock.slept


async def test_n_2_where_both_fail_the_trouble_of_the_first_is_told(slow):
    first, second = Held(failure(ErrorClass.LOST, "first")), Held(failure(message="second"))
    run = await begun(slow, first, second)
    slow.clock.turn(5)
    await second.reached.wait()
    second.let_go()
    await asyncio.sleep(0)
    first.let_go()
    found = only(await run)
    assert (found.status, found.trouble.message) == (ConnectionStatus.FAILED, "first")
    assert (found.hedged, found.tries) == ("first", 1)


async def test_n_2_one_that_fails_leaves_it_to_the_other(slow):
    first, second = Held(failure(ErrorClass.DRIVER_CRASH, "the reading process died")), Held(3)
    run = await begun(slow, first, second)
    slow.clock.turn(5)
    await second.reached.wait()
    first.let_go()
    await until(lambda: slow.leases.working == 1)
    second.let_go()
    assert (only(await run).rows, only(await run).hedged) == (3, "second")


async def test_n_2_the_loser_may_die_with_its_extractor(slow):
    first = Held(7)
    run = await begun(slow, first, failure(ErrorClass.DRIVER_CRASH, "the reading process died"))
    slow.clock.turn(5)
    await until(lambda: len(slow.leases.tasks) == 2 and slow.leases.working == 1)
    first.let_go()
    assert (only(await run).rows, only(await run).hedged) == (7, "first")


async def test_n_2_without_a_free_session_nobody_is_asked_twice(slow, caplog):
    caplog.set_level("INFO")
    slow.leases.room = False
    first = Held(7)
    run = await begun(slow, first, 3)
    slow.clock.turn(5)
    await until(lambda: slow.leases.asked == 2)
    first.let_go()
    result = await run
    assert (only(result).rows, only(result).hedged) == (7, "")
    assert "The second answer of A was not to be had: no session is free at once" in caplog.text


async def test_n_2_a_cancel_ends_both(slow):
    first, second = Held(7), Held(3)
    slow.leases.extracts["A"] = Script(first, second)
    handle = await slow.submit()
    await first.reached.wait()
    await until(lambda: 5 in slow.clock.slept)
    slow.clock.turn(5)
    await second.reached.wait()
    await slow.engine.cancel(handle.run)
    result = await handle.wait()
    assert result.status is RunStatus.CANCELLED
    assert slow.record.of("cancelled") == [("cancelled", "A")] * 2
    assert slow.leases.working == 0
    assert await slow.store.receipts(result.run) == []


async def test_n_2_what_the_loser_had_finished_is_removed(slow):
    """It ended in the moment in which it was called off."""
    first, second = Held(7), Held(3)
    run = await begun(slow, first, second)
    slow.clock.turn(5)
    await second.reached.wait()
    first.let_go()
    second.let_go()
    result = await run
    (receipt,) = await slow.store.receipts(result.run)
    assert receipt.rows == only(result).rows == {"first": 7, "second": 3}[only(result).hedged]


async def test_what_is_no_failure_of_the_database_ends_both(slow, monkeypatch):
    run = await begun(slow, Held(7), 3)
    monkeypatch.setattr("etltui.engine.reading.extract_task", lambda *_, **__: 1 / 0)
    slow.clock.turn(5)
    result = await run
    assert result.status is not RunStatus.COMPLETED
    assert slow.record.of("cancelled") == [("cancelled", "A")]
    assert slow.leases.working == 0


def test_a_connections_own_word_holds_before_its_jobs(world):
    job = replace(world.jobs["sales"], hedge_after_s=9)
    assert hedge_after_s(job, connection("A")) == 9
    for own in (0, 3):
        assert hedge_after_s(job, connection("A", policy=ReadPolicy(hedge_after_s=own))) == own


async def test_n_2_each_is_asked_who_it_is(slow):
    slow.job(identity_query="SELECT code")
    slow.renew()
    await slow.engine.start()
    slow.settings = replace(slow.settings, on_identity="refuse")
    first = Held(7)
    slow.leases.asks["A"] = Script("017", Failure(ErrorClass.IDENTITY, "NULL"))
    run = await begun(slow, first, 3)
    slow.clock.turn(5)
    await until(lambda: len(slow.record.of("ask")) == 2)
    first.let_go()
    assert (only(await run).rows, len(slow.leases.tasks)) == (7, 1)
