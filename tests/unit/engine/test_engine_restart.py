"""What of the queue outlives an engine that is killed, and how it goes on (S1-61)."""

import asyncio

import pytest

from engine_world import connection, csv
from etltui.config.schema import Settings
from etltui.domain.errors import ErrorClass
from etltui.domain.events import ConnectionCompleted, RunFinished, RunRetrying, RunStarted
from etltui.domain.job import RetryPolicy
from etltui.domain.run import RunStatus
from fakes import Held, Script, failure

TWICE = RetryPolicy(retries=2, delay_s=5)


@pytest.fixture
async def resident(world):
    """A resident engine with one place, jobs that resume, and connection A held."""
    world.resident = True
    world.settings = Settings(max_jobs=1)
    world.connections = tuple(map(connection, "AB"))
    world.job(connections=("A",), resume=True, retry=TWICE, columns=("id",))
    for name in ("one", "two", "three"):
        world.job(name, connections=("B",))
    await world.restart()
    world.leases.extracts["A"] = Script(Held())
    return world


async def submit(world, name="sales", **asked):
    world.clock.turn(1)
    return await world.submit(name, **asked)


async def reading(world, **asked):
    """Have a run read A, and wait until it does."""
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await submit(world, **asked)
    await held.reached.wait()
    return held, handle


async def others_asleep(world):
    """Wait until somebody sleeps besides the engine's daily upkeep."""
    await world.clock.until_asleep(2)


def jobs(entries):
    return [entry.job for entry in entries]


async def test_s1_61_what_waits_keeps_its_place_its_owner_and_its_time(resident):
    world = resident
    await reading(world, priority=1)
    await submit(world, "one", priority=200, owner="ravi@till")
    await submit(world, "two", priority=5, only=["B"])
    await submit(world, "three", delay_s=3600)
    before = world.engine.get_pending_jobs()
    assert jobs(before) == ["two", "one", "three"]
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    await world.restart()
    await held.reached.wait()
    assert jobs(world.engine.get_running_jobs()) == ["sales"]
    assert world.engine.get_pending_jobs() == before
    assert before[1].owner == "ravi@till"
    held.let_go()
    await world.ended(before[1].run)
    assert [event.job for event in world.happened(RunStarted)] == ["sales", "two", "one"]


async def test_s1_61_the_best_has_the_first_turn_however_it_lies_in_the_store(resident):
    world = resident
    await reading(world)
    await submit(world, "one", priority=900)
    last = await submit(world, "two", priority=1)
    await world.restart()
    await world.ended(last.run)
    assert world.happened(RunStarted)[0].job == "two"


async def test_s1_61_what_was_at_work_goes_on_with_what_is_durable(resident):
    world = resident
    world.job(connections=("A", "B"))
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    with world.engine.events() as events:
        handle = await submit(world)
        async for event in events:
            if isinstance(event, ConnectionCompleted):
                break
    world.leases.read()
    world.leases.extracts["A"] = Script(2)
    await world.restart()
    result = await world.ended(handle.run)
    assert (result.status, result.skipped) == (RunStatus.COMPLETED, 1)
    assert world.leases.read() == ["A"]
    assert await world.store.queued() == []
    held.let_go()


async def test_s1_61_a_run_that_its_engine_stopped_goes_on_in_the_next_one(resident):
    world = resident
    _, handle = await reading(world)
    await world.engine.aclose()
    assert (await handle.wait()).status is RunStatus.STOPPED
    assert [event.result.status for event in world.happened(RunFinished)] == [RunStatus.STOPPED]
    world.leases.extracts["A"] = Script(2)
    await world.restart()
    result = await world.ended(handle.run)
    assert result.status is RunStatus.COMPLETED
    assert await world.store.queued() == []


async def test_a_run_that_fails_while_its_engine_ends_keeps_its_next_turn(resident):
    world = resident
    held = Held(failure())
    world.job(retry=RetryPolicy(retries=1, delay_s=0))
    world.leases.extracts["A"] = Script(held)
    handle = await submit(world)
    await held.reached.wait()
    ending = asyncio.create_task(world.engine.shutdown(60, "the service was stopped"))
    held.let_go()
    while not ending.done():
        await asyncio.sleep(0)
        world.clock.turn(0)
    world.leases.extracts["A"] = Script(2)
    await world.restart()
    result = await world.ended(handle.run)
    assert result.status is RunStatus.COMPLETED


async def test_s1_61_a_job_that_does_not_resume_stays_stopped(resident):
    world = resident
    world.job(resume=False)
    _, handle = await reading(world)
    await world.restart()
    assert world.engine.get_running_jobs() == world.engine.get_pending_jobs() == ()
    assert await world.stored(handle.run) is RunStatus.STOPPED
    assert await world.store.queued() == []


async def test_s1_61_a_job_that_is_there_no_more_stays_stopped(resident):
    world = resident
    _, handle = await reading(world)
    del world.jobs["sales"]
    await world.restart()
    assert await world.stored(handle.run) is RunStatus.STOPPED


async def test_s1_61_what_ends_every_engine_is_given_up_after_its_retries(resident):
    """A run that kills its engine must not kill one engine after the other for ever."""
    world = resident
    _, handle = await reading(world)
    tries = []
    for _ in range(TWICE.retries):
        held = Held(2)
        world.leases.extracts["A"] = Script(held)
        await world.restart()
        await held.reached.wait()
        tries += [entry.tries for entry in world.engine.get_running_jobs()]
    await world.restart()
    assert tries == [2, 3]
    assert world.engine.get_running_jobs() == ()
    assert await world.stored(handle.run) is RunStatus.STOPPED


async def test_s1_61_a_run_that_waits_for_its_next_turn_still_waits(resident):
    world = resident
    world.job(connections=("B",), retry=RetryPolicy(retries=1, delay_s=5))
    world.leases.extracts["B"] = Script(failure())
    handle = await submit(world)
    await others_asleep(world)
    world.clock.turn(6)
    await others_asleep(world)
    assert world.happened(RunRetrying)
    world.leases.extracts["B"] = Script(2)
    await world.restart()
    assert [each.tries for each in world.engine.get_pending_jobs()] == [2]
    assert await world.stored(handle.run) is RunStatus.FAILED
    await others_asleep(world)
    world.clock.turn(6)
    assert (await world.ended(handle.run)).status is RunStatus.COMPLETED


async def test_s1_61_an_engine_for_one_run_leaves_nothing_in_the_queue(world):
    world.settings = Settings(max_jobs=1)
    world.job("other")
    world.renew()
    held, working = await reading(world)
    waiting = await world.submit("other")
    await world.restart()
    assert await world.store.queued() == []
    for handle in (working, waiting):
        row = await world.store.run(handle.run)
        assert (row.status, "crash" in row.reason) == (RunStatus.STOPPED, True)
    held.let_go()


async def test_s1_61_an_engine_for_one_run_leaves_the_queue_of_a_resident_one_alone(resident):
    world = resident
    await reading(world)
    waiting = await submit(world, "one")
    world.resident = False
    await world.restart()
    assert world.engine.get_pending_jobs() == ()
    assert waiting.run in {each.run for each in await world.store.queued()}
    world.resident = True
    world.leases.extracts["A"] = Script(2)
    await world.restart()
    assert (await world.ended(waiting.run)).status is RunStatus.COMPLETED


async def test_stopping_a_resident_engine_keeps_what_waits(resident):
    world = resident
    _, working = await reading(world)
    waiting = await submit(world, "one")
    await world.engine.stop("the machine goes down")
    assert (await working.wait()).status is RunStatus.STOPPED
    result = await waiting.wait()
    assert (result.status, "keeps its place" in result.reason) == (RunStatus.QUEUED, True)
    assert world.engine.queue.handle(waiting.run) is None
    await world.restart()
    assert (await world.ended(waiting.run)).status is RunStatus.COMPLETED


async def test_a_run_that_ended_well_is_not_begun_again(resident):
    world = resident
    world.leases.extracts["A"] = Script(failure(ErrorClass.LOGIN))
    result = await (await submit(world)).wait()
    assert result.status is RunStatus.FAILED
    await world.restart()
    assert world.engine.get_running_jobs() == world.engine.get_pending_jobs() == ()


@pytest.mark.parametrize("path", ["out/{run}.csv", "out/sales.csv"])
async def test_s1_61_another_run_of_the_job_costs_nothing_that_is_durable(resident, path):
    """The one that waits is newer, and then has its turn first; the older one keeps its parts."""
    world = resident
    world.job(connections=("A", "B"), overlap="queue", destinations=(csv(path),))
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    with world.engine.events() as events:
        older = await submit(world)
        async for event in events:
            if isinstance(event, ConnectionCompleted):
                break
    newer = await submit(world, priority=1)
    world.leases.read()
    world.leases.extracts["A"] = Script(2, held)
    await world.restart()
    second = world.engine.queue.handle(older.run)
    assert (await world.ended(newer.run)).status is RunStatus.COMPLETED
    parts = world.parts_folder / older.run
    assert [path.name for path in parts.glob("*/*.part")] == ["0002-0-0.1001.part"]
    held.let_go()
    result = await second.wait()
    if "{run}" in path:
        assert (result.status, result.skipped) == (RunStatus.COMPLETED, 1)
        assert sorted(world.leases.read()) == ["A", "A", "B"]
    else:
        # It would put older rows into a target that is newer.
        assert result.status is RunStatus.FAILED
        assert f"holds the later run {newer.run} by now" in result.reason
        assert await world.stored(older.run) is RunStatus.STOPPED
