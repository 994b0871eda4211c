"""Connections that an operator holds: no run reads them, and everybody is told why."""

import pytest

from etltui.domain.errors import ConfigError, ErrorClass, StateError
from etltui.domain.events import ConnectionFailed, ConnectionSkipped, ConnectionStarted
from etltui.domain.job import RetryPolicy
from etltui.domain.queue import Ask
from etltui.domain.run import ConnectionStatus, RunStatus
from fakes import Held, Script, failure


async def held(world, *names, **asked):
    await world.engine.records.hold(names, asked.pop("reason", "line is cut"), **asked)


def ends(result):
    return {each.connection: each.status for each in result.connections}


async def test_a_run_does_not_read_what_is_held_and_is_not_complete(world):
    await held(world, "B", who="ravi@desk")
    result = await world.run()
    assert sorted(world.leases.read()) == ["A", "C"]
    assert (result.status, result.total) == (RunStatus.COMPLETED_WITH_ERRORS, 3)
    assert (result.completed, result.failed, result.skipped, result.held) == (2, 0, 0, 1)
    trouble = result.connections[1].trouble
    assert trouble.error_class is ErrorClass.HELD
    assert trouble.message == "line is cut (ravi@desk, since 2026-11-22 04:35)"
    assert world.percents[-1] == 100
    (event,) = world.happened(ConnectionSkipped)
    assert (event.connection, event.trouble, event.tries) == ("B", trouble, 0)
    view = world.engine.get_job_progress("sales").connections["B"]
    assert (view.status, view.trouble) == (ConnectionStatus.SKIPPED, trouble)


async def test_the_index_and_the_records_say_that_it_was_held(world):
    await held(world, "B")
    result = await world.run()
    task = world.parts.tasks[-1]
    entry = next(each for each in task.entries if each.connection == "B")
    assert (entry.status, entry.trouble) == (
        ConnectionStatus.SKIPPED,
        result.connections[1].trouble,
    )
    assert ("Held", "1") in task.facts
    (outcome,) = await world.store.connection_history("B")
    assert (outcome.status, outcome.error_class) == (ConnectionStatus.SKIPPED, ErrorClass.HELD)
    assert (await world.store.run(result.run)).result.held == 1


async def test_nothing_is_said_of_holds_where_there_is_none(world):
    await world.run()
    assert "Held" not in dict(world.parts.tasks[-1].facts)


@pytest.mark.parametrize(
    "ask", [Ask(), Ask(only_failed=True), Ask(classes=(ErrorClass.HELD,)), Ask(only=("B",))]
)
async def test_a_retry_after_the_release_reads_it(world, ask):
    await held(world, "B")
    first = await world.run()
    assert sorted(world.leases.read()) == ["A", "C"]
    assert await world.engine.records.release(["B"]) == ("B",)
    result = await (await world.engine.retry(first.run, ask)).wait()
    assert (result.run, result.status, result.held) == (first.run, RunStatus.COMPLETED, 0)
    assert world.leases.read() == ["B"]


async def test_a_retry_before_the_release_skips_it_again(world):
    await held(world, "B")
    first = await world.run()
    result = await (await world.engine.retry(first.run, Ask())).wait()
    assert (result.status, result.held) == (RunStatus.COMPLETED_WITH_ERRORS, 1)
    assert sorted(world.leases.read()) == ["A", "C"]


async def test_a_retry_of_something_else_leaves_it_held_as_it_was(world):
    await held(world, "B")
    world.leases.extracts["A"] = Script(failure(), 2)
    first = await world.run()
    assert ends(first)["A"] is ConnectionStatus.FAILED
    result = await (await world.engine.retry(first.run, Ask(only=("A",)))).wait()
    assert ends(result) == {
        "A": ConnectionStatus.COMPLETED,
        "B": ConnectionStatus.SKIPPED,
        "C": ConnectionStatus.COMPLETED,
    }


async def test_a_run_of_which_all_is_held_leaves_its_target_alone(world):
    await held(world, "A", "B", "C")
    result = await world.run()
    assert (result.status, result.held) == (RunStatus.FAILED, 3)
    assert world.parts.files == {}
    assert world.leases.tasks == []


async def test_what_is_held_while_it_waits_for_its_next_try_is_not_tried_again(world):
    world.job(retry=RetryPolicy(retries=3, delay_s=5), columns=("id",))
    world.renew()
    world.leases.extracts["B"] = Script(failure())
    handle = await world.submit()
    await world.clock.until_asleep()
    await held(world, "B")
    await world.clock.turn_to_next()
    result = await handle.wait()
    assert [e.connection for e in world.happened(ConnectionStarted)].count("B") == 1
    assert (result.connections[1].status, result.connections[1].tries) == ("skipped", 1)
    assert world.happened(ConnectionFailed)[0].will_retry
    assert world.happened(ConnectionSkipped)[0].tries == 1


async def test_what_is_being_read_is_finished(world):
    reading = Held(5)
    world.leases.extracts["B"] = Script(reading)
    handle = await world.submit()
    await reading.reached.wait()
    await held(world, "B")
    reading.let_go()
    result = await handle.wait()
    assert (result.status, result.rows) == (RunStatus.COMPLETED, 9)


async def test_what_is_durable_already_is_kept_although_it_is_held(world):
    world.leases.extracts["B"] = Script(failure(ErrorClass.DISK, "full"), 2)
    world.job(max_parallel=1)
    world.renew()
    first = await world.run()
    assert first.completed == 1
    await held(world, "A", "C")
    result = await world.run(resume=True)
    assert (result.status, result.completed, result.held) == (
        RunStatus.COMPLETED_WITH_ERRORS,
        2,
        1,
    )


async def test_a_held_connection_is_not_asked_for_its_columns(world):
    await held(world, "A")
    await world.run()
    assert {name for _, name in world.record.of("describe")} == {"B", "C"}


async def test_a_hold_ends_by_itself_at_its_time(world):
    until = world.clock.now().timestamp() + 60
    await held(world, "B", until=until)
    assert (await world.run()).held == 1
    world.clock.turn(59)
    assert (await world.run()).held == 1
    world.clock.turn(1)
    assert (await world.run()).status is RunStatus.COMPLETED


async def test_a_hold_outlives_the_engine(world):
    await held(world, "B", who="ravi@desk")
    await world.restart()
    assert (await world.run()).held == 1
    (hold,) = await world.store.holds()
    assert (hold.connection, hold.reason, hold.who) == ("B", "line is cut", "ravi@desk")
    assert hold.since == world.clock.now().timestamp()


async def test_a_hold_of_whoever_does_not_say_is_the_operators(world):
    await held(world, "B", "B")
    (hold,) = await world.store.holds()
    assert hold.who == "asha@desk"


@pytest.mark.parametrize(
    ("names", "reason", "until", "words"),
    [
        (["B", "D"], "why", 0.0, "no connection 'D'"),
        (["B"], " ", 0.0, "no reason is given"),
        (["B"], "why", 1.0, "the time has passed"),
    ],
)
async def test_a_hold_that_makes_no_sense_is_refused_as_a_whole(world, names, reason, until, words):
    with pytest.raises(ConfigError, match=words):
        await world.engine.records.hold(names, reason, until)
    assert await world.store.holds() == []
    assert (await world.run()).held == 0


async def test_release_says_what_was_held(world):
    await held(world, "A", "B")
    assert await world.engine.records.release(["B", "C", "B", "gone"]) == ("B",)
    assert [hold.connection for hold in await world.store.holds()] == ["A"]
    assert await world.engine.records.release(["B"]) == ()


async def test_what_cannot_be_recorded_is_not_held(world):
    async def refuse(holds):
        raise StateError(f"the disk is full for {len(holds)}")

    world.store.put_holds = refuse
    with pytest.raises(StateError):
        await held(world, "B")
    assert (await world.run()).held == 0


async def test_a_skip_that_cannot_be_recorded_stops_the_run(world):
    await held(world, "B")
    world.refuse("checkpoint")
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert "cannot record" in result.reason
