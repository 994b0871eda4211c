"""Connections that may be read at certain hours only; N-31. It is 04:35 in Kolkata."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from engine_world import connection
from etltui.cli.report import report
from etltui.domain.errors import ErrorClass
from etltui.domain.events import ConnectionSkipped, ConnectionStarted
from etltui.domain.job import RetryPolicy
from etltui.domain.queue import Ask
from etltui.domain.run import ConnectionStatus, RunStatus
from fakes import Held, Script, failure

DUBAI = ZoneInfo("Asia/Dubai")
"""Read from the disk here: on the loop nothing may be."""


def fleet(world, hours="22:00-04:00", **changes):
    """The second of three connections is outside its hours."""
    b = connection("B", hours=hours, **changes)
    world.connections = (connection("A"), b, connection("C"))
    world.renew()


async def test_n_31_outside_its_hours_it_is_not_read_and_the_run_says_so(world):
    fleet(world)
    result = await world.run()
    assert sorted(world.leases.read()) == ["A", "C"]
    assert (result.status, result.held) == (RunStatus.COMPLETED_WITH_ERRORS, 1)
    assert result.connections[1].status is ConnectionStatus.SKIPPED
    trouble = result.connections[1].trouble
    assert trouble.error_class is ErrorClass.HOURS
    assert trouble.message == "it may be read 22:00-04:00 Asia/Kolkata"
    (event,) = world.happened(ConnectionSkipped)
    assert (event.connection, event.trouble) == ("B", trouble)
    assert "(1 outside hours)" in report(result, world.engine.config)


@pytest.mark.parametrize(
    "changes",
    [
        {"hours": "22:00-05:00"},
        {"hours": "22:00-04:00", "timezone": DUBAI.key},  # 03:05 there
        {"hours": ""},
    ],
)
async def test_within_them_by_its_own_clock_it_is_read(world, changes):
    fleet(world, **changes)
    assert (await world.run()).status is RunStatus.COMPLETED


async def test_it_is_not_asked_for_the_columns_either(world):
    world.connections = tuple(connection(name, hours="22:00-04:00") for name in "ABC")
    world.renew()
    result = await world.run()
    assert (result.status, result.held) == (RunStatus.FAILED, 3)
    assert world.leases.tasks == []


async def test_the_run_sheet_counts_it(world):
    fleet(world)
    await world.run()
    assert dict(world.parts.tasks[-1].facts)["Outside hours"] == "1"


async def test_a_retry_within_its_hours_reads_it(world):
    fleet(world)
    first = await world.run()
    world.clock.turn(18 * 3600)
    result = await (await world.engine.retry(first.run, Ask())).wait()
    assert (result.run, result.status) == (first.run, RunStatus.COMPLETED)
    assert world.leases.read()[-1] == "B"


async def test_a_job_may_wait_for_its_hours(world):
    world.job(outside_hours="wait", columns=("id",))
    fleet(world, hours="22:00-04:00, 05:00-06:00")
    handle = await world.submit()
    await world.clock.until_asleep()
    assert world.clock.slept == [pytest.approx(25 * 60, abs=60)]
    await world.clock.turn_to_next()
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert [each.connection for each in world.happened(ConnectionStarted)][-1] == "B"


async def test_what_waits_holds_no_place_of_others(world):
    world.job(outside_hours="wait", columns=("id",), max_parallel=1)
    fleet(world, hours="05:00-06:00")
    handle = await world.submit()
    await world.clock.turn_to_next()
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert [each.connection for each in world.happened(ConnectionStarted)] == ["A", "C", "B"]


async def test_it_does_not_wait_for_hours_that_begin_after_the_deadline(world):
    world.settings = replace(world.settings, timezone="Asia/Kolkata")
    world.job(outside_hours="wait", deadline="04:50", columns=("id",))
    fleet(world, hours="05:00-06:00")
    result = await world.run()
    assert result.connections[1].trouble.error_class is ErrorClass.HOURS


async def test_cancelling_ends_the_wait(world):
    world.job(outside_hours="wait", columns=("id",))
    fleet(world, hours="05:00-06:00")
    handle = await world.submit()
    await world.clock.until_asleep()
    await world.engine.cancel(handle.run)
    assert (await handle.wait()).status is RunStatus.CANCELLED


async def test_what_is_being_read_when_they_end_is_finished(world):
    fleet(world, hours="22:00-04:36")
    reading = Held(5)
    world.leases.extracts["B"] = Script(reading)
    handle = await world.submit()
    await reading.reached.wait()
    world.clock.turn(600)
    reading.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED


async def test_no_try_begins_after_they_have_ended(world):
    world.job(retry=RetryPolicy(retries=3, delay_s=600), columns=("id",))
    fleet(world, hours="22:00-04:36")
    world.leases.extracts["B"] = Script(failure())
    handle = await world.submit()
    await world.clock.turn_to_next()
    end = (await handle.wait()).connections[1]
    assert (end.status, end.tries) == (ConnectionStatus.SKIPPED, 1)
    assert end.trouble.error_class is ErrorClass.HOURS


async def test_a_dry_run_keeps_to_them_too(world):
    fleet(world)
    answer = await world.engine.inquiries.dry_run("sales", "B")
    assert answer.trouble.error_class is ErrorClass.HOURS
    assert world.leases.tasks == []
    world.connections = (replace(world.connections[1], hours=""),)
    world.renew()
    assert (await world.engine.inquiries.dry_run("sales", "B")).trouble is None
