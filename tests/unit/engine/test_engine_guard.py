"""A query that does more than read stops a start before any database is asked; N-32."""

from dataclasses import replace

import pytest

from engine_world import connection
from etltui.domain.errors import ConfigError, ErrorClass, Failure
from etltui.domain.job import Query
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus

WRITES = "delete from t"


def refusing(world, sql=WRITES):
    world.guard.refused[sql] = "it begins with DELETE"


async def test_n_32_a_start_is_refused_and_nothing_is_opened_or_recorded(world):
    world.job(queries=(Query(name="main", sql=WRITES),))
    refusing(world)
    with pytest.raises(ConfigError) as caught:
        await world.submit()
    (mistake,) = caught.value.mistakes
    assert mistake.key == "jobs.sales.query"
    assert mistake.problem == "the query is not sent to A, B, C: it begins with DELETE"
    assert world.leases.tasks == []
    assert await world.store.runs(job="sales") == []


async def test_n_32_one_of_many_overrides_is_enough(world):
    world.job(overrides={"B": {"main": WRITES}})
    refusing(world)
    with pytest.raises(ConfigError) as caught:
        await world.engine.check("sales")
    assert [each.key for each in caught.value.mistakes] == ["jobs.sales.overrides.B"]


async def test_n_32_what_is_left_out_is_not_asked_of(world):
    world.job(overrides={"B": {"main": WRITES}})
    refusing(world)
    result = await world.run(only=("A",))
    assert result.status is RunStatus.COMPLETED
    assert {task.sql for task in world.guard.asked} == {"select 1"}


async def test_n_32_each_dialect_is_asked_of_each_text_once(world):
    pg = replace(connection("P"), kind="postgresql")
    world.connections = (*world.connections, pg)
    world.renew()
    await world.engine.check("sales")
    assert [(task.dialect, task.sql) for task in world.guard.asked] == [
        ("sqlite", "select 1"),
        ("postgresql", "select 1"),
    ]


async def test_n_32_what_was_changed_while_a_run_waited_is_looked_at_again(world):
    first = await world.submit(delay_s=60)
    world.job(queries=(Query(name="main", sql=WRITES),))
    world.engine._starts.config = replace(world.engine.config, jobs=world.jobs)
    refusing(world)
    world.clock.turn(60)
    result = await first.wait()
    assert result.status is RunStatus.FAILED
    assert "it begins with DELETE" in result.reason
    assert world.leases.tasks == []


async def test_n_32_a_retry_is_looked_at_too(world):
    world.leases.extracts["B"] = _failing()
    first = await world.run()
    refusing(world, "select 1")
    result = await (await world.engine.retry(first.run, Ask())).wait()
    assert "it begins with DELETE" in result.reason


def _failing():
    from fakes import Script, failure

    return Script(failure())


@pytest.mark.parametrize("ask", ["dry_run", "explain"])
async def test_n_32_a_dry_run_and_a_plan_are_refused_as_a_run_is(world, ask):
    refusing(world, "select 1")
    with pytest.raises(ConfigError):
        await getattr(world.engine.inquiries, ask)("sales", "B")
    assert world.leases.tasks == []


async def test_where_no_extractor_can_tell_the_run_meets_that_itself(world, caplog):
    world.guard.failing = Failure(ErrorClass.DRIVER_CRASH, "the reading process died")
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    assert "the reading process died" in caplog.text
