"""A run reads one business day, whenever it is taken up: N-9, N-10."""

from dataclasses import replace
from datetime import date

import pytest

from engine_world import connection, csv
from etltui.domain.errors import ConfigError, ErrorClass
from etltui.domain.job import Query
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import RunStatus
from fakes import Held, Script, failure

DAILY = Query(name="main", sql="select * from s where t >= :day_start and t < :day_end")
OLD = date(2026, 11, 3)


@pytest.fixture
def daily(world):
    """The desk is in Kolkata, where the clock of the world shows 04:35 of 2026-11-22."""
    world.connections = (
        connection("A"),
        replace(connection("B"), timezone="America/New_York"),
    )
    world.job(queries=(DAILY,), destinations=(csv("out/{job}_{day}.csv"),))
    world.renew()
    return world


def bounds(world):
    return {task.connection: tuple(task.queries[0].params.values()) for task in world.leases.tasks}


async def test_n_10_each_branch_is_asked_for_its_own_day(daily):
    result = await daily.run()
    assert bounds(daily)["A"] == ("2026-11-21 00:00:00", "2026-11-22 00:00:00")
    assert bounds(daily)["B"] == ("2026-11-21 00:00:00", "2026-11-22 00:00:00")
    assert (await daily.store.plan(result.run)).day == date(2026, 11, 21)
    assert result.outputs[0].path.endswith("sales_2026-11-21.csv")


async def test_bounds_in_utc_are_each_branch_s_own(daily):
    daily.job(queries=(replace(DAILY, sql="select :day_start_utc"),))
    daily.renew()
    await daily.run()
    assert bounds(daily) == {"A": ("2026-11-20 18:30:00",), "B": ("2026-11-21 05:00:00",)}


async def test_a_day_that_is_asked_for_is_read_instead(daily):
    result = await daily.run(day=OLD)
    assert bounds(daily)["A"] == ("2026-11-03 00:00:00", "2026-11-04 00:00:00")
    assert result.outputs[0].path.endswith("sales_2026-11-03.csv")


async def test_a_resumed_run_reads_the_day_that_it_began_with(daily):
    daily.leases.extracts["B"] = Script(failure(ErrorClass.DISK), 2)
    first = await daily.run(day=OLD)
    assert first.status is RunStatus.STOPPED
    daily.leases.tasks.clear()
    await daily.restart()
    daily.clock.turn(3 * 86400)
    result = await daily.run(resume=True)
    assert (result.run, result.skipped) == (first.run, first.completed)
    assert bounds(daily)["B"] == ("2026-11-03 00:00:00", "2026-11-04 00:00:00")


async def test_an_unfinished_run_of_another_day_is_not_taken_up(daily):
    daily.leases.extracts["B"] = Script(failure(ErrorClass.DISK), 2)
    first = await daily.run()
    daily.clock.turn(1)
    other = await daily.run(resume=True, day=OLD)
    assert other.run != first.run
    assert bounds(daily)["A"] == ("2026-11-03 00:00:00", "2026-11-04 00:00:00")


async def test_a_patched_run_reads_its_own_day(daily):
    daily.leases.extracts["B"] = Script(failure(), 2)
    first = await daily.run(day=OLD)
    assert first.status is RunStatus.COMPLETED_WITH_ERRORS
    daily.leases.tasks.clear()
    daily.clock.turn(86400)
    result = await (await daily.engine.retry(first.run, Ask(mode=Mode.RETRY))).wait()
    assert result.status is RunStatus.COMPLETED
    assert bounds(daily) == {"B": ("2026-11-03 00:00:00", "2026-11-04 00:00:00")}


async def test_a_run_of_another_day_is_not_joined_but_waited_for(daily):
    held = Held(2)
    daily.leases.extracts["A"] = Script(held)
    first = await daily.submit()
    await held.reached.wait()
    same = await daily.submit()
    daily.clock.turn(1)
    other = await daily.submit(day=OLD)
    assert same.run == first.run != other.run
    held.let_go()
    await first.wait()
    assert (await other.wait()).outputs[0].path.endswith("sales_2026-11-03.csv")


async def test_a_day_that_has_not_begun_is_refused(daily):
    with pytest.raises(ConfigError, match="2026-11-23 has not begun"):
        await daily.submit(day=date(2026, 11, 23))


async def test_a_dry_run_and_a_plan_are_asked_for_the_day_too(daily):
    await daily.engine.inquiries.dry_run("sales", "A")
    await daily.engine.inquiries.explain("sales", "A")
    assert bounds(daily)["A"][0] == "2026-11-21 00:00:00"
    assert daily.leases.explained[0].params["day_start"] == "2026-11-21 00:00:00"
