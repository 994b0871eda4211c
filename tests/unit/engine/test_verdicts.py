"""N-8, N-2: rows are judged by the past of their day, and limits are learned from past runs."""

from dataclasses import replace
from datetime import date

import pytest

from etltui.domain.calendar import Calendar
from etltui.domain.errors import ErrorClass
from etltui.domain.job import RetryPolicy
from etltui.domain.queue import Ask
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.verdict import Verdict
from etltui.encode import events as encode
from fakes import Script, failure


async def nights(world, count, rows=100):
    """So many runs, a day apart, in which each connection has so many rows."""
    for name in "ABC":
        world.leases.extracts[name] = Script(rows)
    for _ in range(count):
        await world.run()
        world.clock.turn(86400)


def judged(result):
    return {each.connection: each.judged and each.judged.verdict for each in result.connections}


async def test_n_8_each_connection_is_judged_and_what_is_far_is_named(world):
    await nights(world, 3)
    world.leases.extracts.update(A=Script(0), B=Script(49), C=Script(100))
    result = await world.run()
    assert judged(result) == {"A": Verdict.EMPTY, "B": Verdict.BELOW, "C": Verdict.OK}
    assert result.status is RunStatus.COMPLETED
    assert result.unusual == {
        "A": "empty, usually 100",
        "B": "less than half the usual 100",
    }
    said = encode.connection(result.connections[0])
    assert (said["verdict"], said["why"]) == ("suspicious_empty", "empty, usually 100")
    stored = await world.store.connections(result.run)
    assert stored[0].result.judged == result.connections[0].judged


async def test_n_8_nothing_is_said_of_a_first_run(world):
    world.leases.extracts["A"] = Script(0)
    result = await world.run()
    assert set(judged(result).values()) == {Verdict.NO_PAST}
    assert result.unusual == {}


async def test_n_8_a_day_off_explains_an_empty_branch(world):
    await nights(world, 3)
    off = Calendar(name="tamil", holidays=(date(2026, 11, 24),))
    world.connections = tuple(replace(each, days=off) for each in world.connections)
    world.renew()
    world.leases.extracts.update(A=Script(0), B=Script(3), C=Script(100))
    # It begins on the 25th where its operator is, and reads the day before.
    result = await world.run()
    assert judged(result) == {"A": Verdict.DAY_OFF, "B": Verdict.DAY_OFF, "C": Verdict.OK}
    assert result.connections[0].judged.why == "a holiday in the calendar tamil"
    assert result.unusual == {}
    entries = world.parts.tasks[-1].entries
    assert [each.remark for each in entries] == ["a holiday in the calendar tamil"] * 2 + [""]


async def test_n_8_an_empty_branch_fails_where_the_job_says_so(world):
    world.job(on_suspicious="fail")
    world.renew()
    await nights(world, 3)
    world.leases.extracts.update(A=Script(0), B=Script(49))
    result = await world.run()
    assert (result.status, result.failed) == (RunStatus.COMPLETED_WITH_ERRORS, 1)
    first = result.connections[0]
    assert first.status is ConnectionStatus.FAILED
    assert first.trouble.error_class is ErrorClass.EMPTY
    assert first.trouble.message == "no rows: empty, usually 100"
    assert first.tries == 1, "asking again at once would find the same"


async def test_n_8_an_empty_branch_that_failed_is_read_again_by_a_retry(world):
    world.job(on_suspicious="fail")
    world.renew()
    await nights(world, 3)
    world.leases.extracts["A"] = Script(0)
    first = await world.run()
    world.leases.extracts["A"] = Script(90)
    world.leases.read()
    handle = await world.engine.retry(first.run, Ask())
    result = await handle.wait()
    assert (result.run, result.status) == (first.run, RunStatus.COMPLETED)
    assert world.leases.read() == ["A"]


@pytest.fixture
async def slow(world):
    """Five runs of which the longest took 28 s; limits are learned."""
    world.tools(query_timeout_learned=True)
    for seconds in (20.0, 28.0, 1.0, 1.0, 1.0):
        world.leases.took = seconds
        await nights(world, 1)
    world.leases.read()
    return world


def limits(world):
    return {task.query_timeout_s for task in world.leases.tasks}


async def test_n_2_queries_get_three_times_the_longest_of_five_runs(slow):
    result = await slow.run()
    assert limits(slow) == {84.0}
    assert result.connections[0].limit == "3 x the longest of its last 5 runs, 28 s"
    assert encode.connection(result.connections[0])["limit"] == result.connections[0].limit


async def test_n_2_by_default_nothing_is_learned(slow):
    slow.tools(query_timeout_learned=False)
    result = await slow.run()
    assert (limits(slow), result.connections[0].limit) == ({300}, "")


async def test_n_2_a_timeout_tells_where_its_limit_came_from(slow):
    slow.job(retry=RetryPolicy(retries=1, delay_s=5), connections=("A",), columns=("id",))
    slow.renew()
    late = failure(ErrorClass.TIMEOUT, "the query took longer than query_timeout_s = 84 s")
    slow.leases.extracts["A"] = Script(late, 5)
    handle = await slow.submit()
    await slow.clock.turn_to_next()
    result = await handle.wait()
    assert [task.query_timeout_s for task in slow.leases.tasks] == [84.0, 300]
    assert result.status is RunStatus.COMPLETED, "the last try gets all there is"
    (failed,) = (e for e in slow.bus.events if getattr(e, "will_retry", False))
    assert failed.trouble.message == (
        "the query took longer than query_timeout_s = 84 s (learned: 3 x the longest of its last "
        "5 runs, 28 s; query_timeout_learned = false lets it take query_timeout_s = 300 s)"
    )


async def test_n_2_no_session_in_time_is_no_matter_of_the_limit(slow):
    slow.job(connections=("A",))
    slow.renew()
    slow.leases.opens["A"] = Script(failure(ErrorClass.TIMEOUT, "no session in time"))
    result = await slow.run()
    assert result.connections[0].trouble.message == "no session in time"
