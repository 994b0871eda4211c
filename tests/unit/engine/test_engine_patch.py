"""Retry of a run: what it lacks is read again, its targets are patched, the rest stays."""

import re
from dataclasses import replace

import pytest

from engine_world import connection, csv
from etltui.domain.errors import ErrorClass, NoSuchRunError
from etltui.domain.job import Query, RetryPolicy
from etltui.domain.queue import Ask
from etltui.domain.run import ConnectionStatus, RunStatus
from fakes import Crash, Held, Script, failure

LOGIN = failure(ErrorClass.LOGIN, "password expired")
SYNTAX = failure(ErrorClass.SYNTAX, "no such table")


@pytest.fixture
async def errors(world):
    """A run of A, B, C and D in which B and C failed, each by a class of its own."""
    world.connections = tuple(map(connection, "ABCD"))
    world.job(max_parallel=1)
    world.renew()
    world.leases.extracts["B"] = Script(LOGIN)
    world.leases.extracts["C"] = Script(SYNTAX)
    result = await world.run()
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    assert world.leases.read() == ["A", "B", "C", "D"]
    for name in "BC":
        world.leases.extracts[name] = Script(5)
    world.clock.turn(60)
    return result


async def retry(world, run, **ask):
    handle = await world.engine.retry(run, Ask(**ask))
    return await handle.wait()


def entries(world):
    return [(e.connection, e.status, e.rows) for e in world.parts.tasks[-1].entries]


async def test_what_failed_is_read_and_patched_into_the_target(world, errors):
    result = await retry(world, errors.run)
    assert (result.run, result.status) == (errors.run, RunStatus.COMPLETED)
    assert (result.skipped, result.completed, result.rows) == (2, 4, 14)
    assert world.leases.read() == ["B", "C"]
    assert entries(world) == [
        ("A", "completed", 2),
        ("B", "completed", 5),
        ("C", "completed", 5),
        ("D", "completed", 2),
    ]
    assert world.parts.files[world.target].rows == 14
    assert (await world.store.run(errors.run)).attempt == 2


@pytest.mark.parametrize(
    ("ask", "read"),
    [
        ({"classes": (ErrorClass.LOGIN,)}, "B"),
        ({"only": ("C",)}, "C"),
        ({"only_failed": True}, "BC"),
        ({"only": ("C", "D"), "only_failed": True}, "C"),
    ],
)
async def test_only_some_are_read_and_the_others_stay_as_they_ended(world, errors, ask, read):
    result = await retry(world, errors.run, **ask)
    assert world.leases.read() == list(read)
    whole = len(read) == 2
    assert result.status is (RunStatus.COMPLETED if whole else RunStatus.COMPLETED_WITH_ERRORS)
    failed = {c.connection: c for c in result.connections if c.status is ConnectionStatus.FAILED}
    assert set(failed) == set("BC") - set(read)
    assert all(each.trouble for each in failed.values())
    assert await world.stored(errors.run) is result.status


async def test_what_stays_failed_can_be_retried_again(world, errors):
    await retry(world, errors.run, only=("C",))
    assert world.leases.read() == ["C"]
    assert (await retry(world, errors.run)).status is RunStatus.COMPLETED
    assert world.leases.read() == ["B"]


async def test_a_stopped_run_only_failed_leaves_what_was_not_read(world):
    world.job(max_parallel=1)
    world.renew()
    world.leases.extracts["A"] = Script(LOGIN, 2)
    world.leases.extracts["B"] = Script(failure(ErrorClass.DISK, "full"), 2)
    stopped = await world.run()
    assert (stopped.status, world.leases.read()) == (RunStatus.STOPPED, ["A", "B"])
    result = await retry(world, stopped.run, only_failed=True)
    assert (result.status, world.leases.read()) == (RunStatus.STOPPED, ["A"])
    assert "2 of 3 connections, left out by --only" in result.reason
    result = await retry(world, stopped.run)
    assert (result.status, world.leases.read()) == (RunStatus.COMPLETED, ["B", "C"])


@pytest.mark.parametrize(
    "ask",
    [
        {"classes": (ErrorClass.TLS,)},
        {"only": ("A",)},
        {"only": ("B",), "classes": (ErrorClass.SYNTAX,)},
    ],
)
async def test_nothing_of_it_is_as_asked(world, errors, ask):
    with pytest.raises(NoSuchRunError, match="none of its connections is as asked"):
        await retry(world, errors.run, **ask)
    assert await world.stored(errors.run) is RunStatus.COMPLETED_WITH_ERRORS


async def test_a_job_stands_for_its_newest_run_that_has_begun(world, errors):
    world.job(overlap="queue")
    await world.submit(delay_s=3600)
    result = await retry(world, errors.job)
    assert (result.run, result.status) == (errors.run, RunStatus.COMPLETED)


async def test_nothing_is_missing(world):
    result = await world.run()
    with pytest.raises(NoSuchRunError, match="it is completed, so there is nothing to read again"):
        await retry(world, result.run)
    with pytest.raises(NoSuchRunError, match="there is no such run"):
        await retry(world, "20200101T000000Z-AAAA")


async def test_a_run_that_never_had_a_plan_has_nothing_to_retry(world):
    handle = await world.submit(delay_s=60)
    await world.engine.cancel(handle.run)
    with pytest.raises(NoSuchRunError, match="it is cancelled, so there is nothing"):
        await retry(world, handle.run)


async def test_a_target_that_a_later_run_has_made_is_not_patched(world, errors):
    later = await world.run()
    assert later.run != errors.run
    with pytest.raises(NoSuchRunError, match=re.escape(f"holds the later run {later.run} by now")):
        await retry(world, errors.run)


async def test_an_earlier_run_that_was_patched_later_hinders_nobody(world, errors):
    """What counts is when a run began, not when its targets were made last."""
    world.job(destinations=(csv("out/{run}.csv"),))
    later = await world.run()
    assert (await retry(world, errors.run)).status is RunStatus.COMPLETED
    assert later.status is RunStatus.COMPLETED


async def test_a_later_run_that_has_its_turn_first_is_not_overwritten(world, errors):
    world.job(overlap="queue")
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    later = await world.submit()
    await held.reached.wait()
    patch = await world.engine.retry(errors.run, Ask())
    held.let_go()
    assert (await later.wait()).status is RunStatus.COMPLETED
    result = await patch.wait()
    assert result.status is RunStatus.FAILED
    assert f"holds the later run {later.run} by now" in result.reason
    assert world.parts.files[world.target].rows == 2 + 5 + 5 + 2
    # It is left as it was: it can be retried no more, but it is not made worse.
    assert await world.stored(errors.run) is RunStatus.COMPLETED_WITH_ERRORS


async def test_the_job_as_it_was_is_run_where_it_has_changed_since(world, errors):
    before = world.jobs["sales"].queries
    world.job(queries=(Query(name="main", sql="select 2"),), title="New title")
    assert (await retry(world, errors.run)).status is RunStatus.COMPLETED
    assert {q.sql for task in world.leases.tasks for q in task.queries} == {before[0].sql}
    assert world.parts.tasks[-1].title == "Sales"


async def test_the_job_as_it_is_now_where_the_parts_fit_it(world, errors):
    world.job(title="New title")
    assert (await retry(world, errors.run)).status is RunStatus.COMPLETED
    assert world.parts.tasks[-1].title == "New title"


async def test_a_job_that_is_there_no_more_can_be_patched(world, errors):
    world.jobs.clear()
    assert (await retry(world, errors.run)).status is RunStatus.COMPLETED


async def test_connections_are_reached_where_they_are_today(world, errors):
    seen = {}
    lease = world.leases.lease

    def told(connection, **asked):
        seen[connection.name] = connection.host
        return lease(connection, **asked)

    world.leases.lease = told
    world.connections = tuple(
        replace(each, host="10.0.0.9") if each.name == "B" else each
        for each in world.connections
        if each.name != "C"
    )
    world.renew()
    assert (await retry(world, errors.run)).status is RunStatus.COMPLETED
    # B has moved; C is configured no more and is where it was.
    assert seen == {"B": "10.0.0.9", "C": ""}


async def test_what_was_done_and_is_lost_is_read_again_too(world, errors):
    world.parts.bad = {"D"}
    result = await retry(world, errors.run, only=("B",))
    assert sorted(world.leases.read()) == ["B", "D"]
    assert (result.status, result.completed) == (RunStatus.COMPLETED_WITH_ERRORS, 3)
    assert world.parts.files[world.target].rows == 2 + 5 + 2


async def test_parts_that_were_cleared_away_come_back_out_of_the_target(world, errors):
    result = await retry(world, errors.run)
    assert ("restore", "sales.csv") in world.record
    assert result.skipped == 2


async def test_parts_that_are_nowhere_any_more_are_read_again(world, errors, caplog):
    """The parts were cleared away, and somebody has changed the target since."""
    world.parts.files.clear()
    world.parts.bad = {"A", "D"}
    result = await retry(world, errors.run, only=("B",))
    assert "does not hold all parts any more; they are read again" in caplog.text
    assert (result.completed, sorted(world.leases.read())) == (3, ["A", "B", "D"])


async def test_a_target_that_holds_rows_which_nobody_can_read_again_is_left_alone(world, errors):
    """Its parts are lost and its branch is down: a patch must not take its rows away."""
    before = world.parts.files[world.target]
    world.parts.bad.add("A")
    world.leases.extracts["A"] = Script(LOGIN)
    result = await retry(world, errors.run)
    assert result.status is RunStatus.STOPPED
    assert "they hold rows of A, which could not be read again" in result.reason
    assert world.parts.files[world.target] == before
    again = await world.run(resume=True)
    assert (again.run, again.status) == (errors.run, RunStatus.STOPPED)
    assert world.parts.files[world.target] == before
    world.parts.bad.clear()
    world.leases.extracts["A"] = Script(2)
    result = await world.run(resume=True)
    assert (result.run, result.status, result.rows) == (errors.run, RunStatus.COMPLETED, 14)


async def test_a_crash_in_a_retry_is_gone_on_with_as_it_was_asked(world, errors):
    """Everything asked for is done, and the power goes before the target is patched."""
    world.resident = True
    world.job(resume=True, retry=RetryPolicy(retries=1))
    world.renew()
    assemble = world.parts.assemble

    async def crash(task):
        if ".partial" in task.temporary:
            return await assemble(task)
        raise Crash

    world.parts.assemble = crash
    handle = await world.engine.retry(errors.run, Ask(only=("B",)))
    await world.crash(handle)
    world.parts.assemble = assemble
    world.leases.read()
    await world.restart()
    result = await world.ended(errors.run)
    assert (result.status, world.leases.read()) == (RunStatus.COMPLETED_WITH_ERRORS, [])
    assert world.parts.files[world.target].rows == 2 + 5 + 2


async def test_a_run_that_is_deleted_while_it_waits(world, errors):
    world.engine._submissions._resident = True
    await world.engine.queue.pause("", paused=True)
    handle = await world.engine.retry(errors.run, Ask())
    await world.store.delete_runs([errors.run])
    await world.engine.queue.pause("", paused=False)
    assert "it is not recorded any more" in (await handle.wait()).reason


async def test_by_the_end_of_its_id(world, errors):
    assert (await retry(world, errors.run[-4:].lower())).run == errors.run
