"""What a further attempt keeps, reads again, adds and drops."""

from dataclasses import replace

import pytest

from engine_world import connection, csv
from etltui.domain.errors import ErrorClass, PlanChangedError
from etltui.domain.events import RunStarted
from etltui.domain.job import Destination, ExcelOptions, Query
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.engine.prepare import whole
from fakes import Held, Script, failure

DISK = ErrorClass.DISK


@pytest.fixture
async def stopped(world):
    """A run of A, B and C that stopped with A and B done."""
    world.job(max_parallel=1)
    world.renew()
    world.leases.extracts["C"] = Script(failure(DISK), 2)
    first = await world.run()
    assert first.status is RunStatus.STOPPED
    assert world.leases.read() == ["A", "B", "C"]
    world.leases.extracts["C"] = Script(2)
    await world.restart()
    return first


async def test_kept_connections_are_not_read_again(world, stopped, caplog):
    caplog.set_level("INFO", "etltui")
    result = await world.run(resume=True)
    assert result.run == stopped.run
    assert world.leases.read() == ["C"]
    assert (result.status, result.completed, result.skipped, result.rows) == (
        RunStatus.COMPLETED,
        3,
        2,
        6,
    )
    (started,) = world.happened(RunStarted)
    assert (started.attempt, started.skipped, started.total) == (2, 2, 3)
    assert world.percents == [66, 100, 100]
    assert "Resuming job: Skipping 2 already-completed connections" in caplog.messages
    assert "Skipping already-completed connection: A" in caplog.messages
    # The columns stay as they were fixed.
    assert not world.record.of("describe")
    assert [e.connection for e in world.parts.tasks[-1].entries] == ["A", "B", "C"]
    assert all(entry.receipts for entry in world.parts.tasks[-1].entries)


async def test_without_resume_a_new_run_clears_the_older_parts(world, stopped):
    assert (world.parts_folder / stopped.run).is_dir()
    world.clock.turn(1)
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit(resume=False)
    await held.reached.wait()
    assert handle.run != stopped.run
    assert not (world.parts_folder / stopped.run).exists()
    assert (world.parts_folder / handle.run).is_dir()
    held.let_go()
    result = await handle.wait()
    assert (result.skipped, world.leases.read()) == (0, ["A", "B", "C"])


@pytest.mark.parametrize(
    ("flag", "setting", "job", "resumes"),
    [
        (None, None, False, False),
        (None, None, True, True),
        (None, False, True, False),
        (None, True, False, True),
        (False, True, True, False),
        (True, False, False, True),
    ],
)
async def test_flag_before_setting_before_job(world, stopped, flag, setting, job, resumes):
    world.settings = replace(world.settings, resume_jobs=setting)
    world.job(resume=job)
    world.renew()
    world.clock.turn(1)
    assert ((await world.run(resume=flag)).run == stopped.run) is resumes


async def test_a_changed_plan_is_refused_and_the_difference_named(world, stopped):
    world.job(queries=(Query(name="main", sql="select 2"),), title="Other", max_parallel=9)
    world.renew()
    for asked in (world.engine.submit, world.engine.check):
        with pytest.raises(PlanChangedError, match="--no-resume") as refused:
            await asked("sales", resume=True)
        assert refused.value.differences == ("query main",)
        assert stopped.run in str(refused.value)
    # Refused means untouched.
    assert (await world.store.run(stopped.run)).attempt == 1
    await world.engine.check("sales", resume=False)


async def test_another_database_under_the_same_name_is_read_again(world, stopped):
    del stopped
    world.connections = (connection("A", host="elsewhere"), *world.connections[1:])
    world.renew()
    result = await world.run(resume=True)
    assert sorted(world.leases.read()) == ["A", "C"]
    assert result.status is RunStatus.COMPLETED


async def test_added_ones_run_and_removed_ones_are_dropped(world, stopped):
    world.connections = (connection("D"), *world.connections[1:])
    world.renew()
    result = await world.run(resume=True)
    assert result.run == stopped.run
    assert sorted(world.leases.read()) == ["C", "D"]
    assert [c.connection for c in result.connections] == ["D", "B", "C"]
    assert [e.connection for e in world.parts.tasks[-1].entries] == ["D", "B", "C"]
    plan = await world.store.plan(stopped.run)
    # A number names part files: none is ever given to another connection.
    assert {c.name: c.number for c in plan.connections} == {"D": 4, "B": 2, "C": 3}


async def test_a_damaged_part_is_read_again(world, stopped):
    world.parts.bad = {"B"}
    held = Held(2)
    world.leases.extracts["B"] = Script(held)
    handle = await world.submit(resume=True)
    await held.reached.wait()
    assert {r.connection for r in await world.store.receipts(stopped.run)} == {"A"}
    held.let_go()
    assert (await handle.wait()).skipped == 1
    assert sorted(world.leases.read()) == ["B", "C"]


async def test_parts_nobody_recorded_are_removed(world, stopped):
    orphan = world.parts_folder / stopped.run / "0" / "0003-0-0.1001.part"
    orphan.write_bytes(b"half a part")
    await world.prepare()
    assert sorted(p.name for p in orphan.parent.iterdir()) == [
        "0001-0-0.1001.part",
        "0002-0-0.1001.part",
    ]


async def test_nothing_unfinished_means_a_new_run(world):
    first = await world.run()
    world.clock.turn(1)
    second = await world.run(resume=True)
    assert (second.run != first.run, second.skipped) == (True, 0)


async def test_a_failed_run_is_resumed_too(world):
    for name in "ABC":
        world.leases.extracts[name] = Script(failure())
    first = await world.run()
    for name in "ABC":
        world.leases.extracts[name] = Script(2)
    second = await world.run(resume=True)
    assert (second.run, second.status) == (first.run, RunStatus.COMPLETED)


async def test_every_destination_variant_and_query_must_be_whole(world):
    world.job(
        max_parallel=1,
        queries=(Query(name="one", sql="1"), Query(name="two", sql="2")),
        destinations=(
            Destination(type="excel", path="a.xlsx", options=ExcelOptions(layout="both")),
            csv("b.csv"),
        ),
    )
    world.renew()
    world.leases.extracts["C"] = Script(failure(DISK))
    await world.run()
    prepared = await world.prepare()
    assert set(prepared.kept) == {"A", "B"}
    assert len(prepared.receipts["A"]) == 6
    wholes = []
    verify = world.parts.verify

    async def one_bad(folder, receipts):
        answers = await verify(folder, receipts)
        bad = next(r for r in receipts if (r.connection, r.variant, r.query) == ("A", "single", 1))
        wholes.append(bad)
        return tuple(
            good and receipt is not bad for good, receipt in zip(answers, receipts, strict=True)
        )

    world.parts.verify = one_bad
    assert set((await world.prepare()).kept) == {"B"}
    assert wholes


async def test_a_destination_of_one_query_must_hold_that_query_alone(world):
    world.job(
        max_parallel=1,
        queries=(Query(name="one", sql="1"), Query(name="two", sql="2")),
        destinations=(csv("a.csv"), replace(csv("b.csv"), query="one")),
    )
    world.renew()
    world.leases.extracts["C"] = Script(failure(DISK))
    await world.run()
    prepared = await world.prepare()
    assert set(prepared.kept) == {"A", "B"}
    receipts, result = prepared.receipts["A"], prepared.kept["A"]
    assert whole(prepared.plan, receipts, result)
    # Two destinations that tell different rows of one query cannot both be right.
    other = [replace(each, rows=each.rows + (each.destination == 1)) for each in receipts]
    assert not whole(prepared.plan, other, result)
    assert not whole(prepared.plan, receipts, replace(result, rows=result.rows + 1))


async def test_a_run_that_died_is_taken_up(world, stopped):
    """What a kill leaves: running in the store, nobody at work."""
    prepared = await world.prepare()
    await world.store.move_run(prepared.plan.run, RunStatus.RUNNING)
    await world.restart()
    row = await world.store.run(stopped.run)
    assert (row.status, "crash" in row.reason) == (RunStatus.STOPPED, True)
    result = await world.run(resume=True)
    assert (result.status, result.skipped) == (RunStatus.COMPLETED, 2)
    assert {c.status for c in result.connections} == {ConnectionStatus.COMPLETED}
