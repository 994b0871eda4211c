"""Runs that are given up through a running engine, and what the logbook forgets."""

import asyncio

import pytest

from etltui.domain.errors import ErrorClass, NoSuchRunError
from etltui.domain.logbook import Action, Hold, Sample, spent
from etltui.domain.run import RunStatus
from fakes import Held, Script, failure

DAY = 86_400


async def stopped(world):
    """A run that a full disk has stopped, with what it had gathered."""
    world.leases.extracts["B"] = Script(failure(ErrorClass.DISK, "full"), 2)
    world.job(max_parallel=1)
    world.renew()
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    return result.run


async def test_a_checkpoint_is_deleted_while_the_engine_runs(world):
    run = await stopped(world)
    assert (world.parts_folder / run).exists()
    assert await world.engine.records.discard(run[-4:], who="ravi@desk") == run
    row = await world.store.run(run)
    assert (row.status, row.reason) == (
        RunStatus.DISCARDED,
        "its checkpoint was deleted by ravi@desk",
    )
    assert not (world.parts_folder / run).exists()
    assert world.mirror.written == {}
    assert (await world.run(resume=True)).run != run


async def test_the_newest_run_of_a_job_is_meant_by_its_name(world):
    run = await stopped(world)
    assert await world.engine.records.discard("sales") == run
    assert (await world.store.run(run)).reason == "its checkpoint was deleted by asha@desk"


@pytest.mark.parametrize("delay_s", [0.0, 60.0])
async def test_a_run_that_waits_or_is_at_work_is_not_given_up(world, delay_s):
    run = await stopped(world)
    held = Held(2)
    world.leases.extracts["B"] = Script(held)
    handle = await world.submit(resume=True, delay_s=delay_s)
    if not delay_s:
        await held.reached.wait()
    with pytest.raises(NoSuchRunError, match="it waits or is at work"):
        await world.engine.records.discard(run)
    assert (world.parts_folder / run).exists()
    held.let_go()
    if delay_s:
        world.clock.turn(delay_s)
    assert (await handle.wait()).status is RunStatus.COMPLETED


async def test_a_run_that_holds_nothing_is_not_given_up(world):
    done = await world.run()
    with pytest.raises(NoSuchRunError, match="it is completed: there is no checkpoint"):
        await world.engine.records.discard(done.run)
    with pytest.raises(NoSuchRunError, match="there is no such run or job"):
        await world.engine.records.discard("nobody")


async def test_nobody_takes_a_run_up_while_it_is_given_up(world):
    run = await stopped(world)
    giving_up = asyncio.create_task(world.engine.records.discard(run))
    while not world.engine._submissions.taking_in.locked():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    handle = await world.submit(resume=True)
    assert await giving_up == run
    assert handle.run != run
    assert (await handle.wait()).status is RunStatus.COMPLETED


async def test_giving_up_is_written_down(world):
    run = await stopped(world)
    await world.engine.records.discard(run, who="ravi@desk")
    await world.engine.records.journal.flush()
    (action, _) = await world.store.actions()
    assert (action.what, action.target, action.who, action.outcome) == (
        "records.discard",
        run,
        "ravi@desk",
        run,
    )


def test_what_has_served_its_time():
    found = spent(100.0 * DAY, keep_runs_days=30)
    assert (found.fine, found.coarse, found.actions, found.holds) == (
        99 * DAY,
        92 * DAY,
        70 * DAY,
        100 * DAY,
    )
    assert spent(100.0 * DAY, keep_runs_days=0).actions == 0


async def test_upkeep_forgets_what_has_served_its_time(world):
    store, now = world.store, world.clock.now().timestamp()
    old = now - 400 * DAY
    await store.put_samples([Sample(at=old), Sample(at=now)])
    await store.put_actions([Action(at=at, who="a@b", what="submit") for at in (old, now)])
    await store.put_holds(
        [
            Hold(connection="A", reason="r", who="a@b", since=old, until=now - 1),
            Hold(connection="B", reason="r", who="a@b", since=old, until=0.0),
        ]
    )
    await world.engine.start()
    await world.engine.aclose()
    assert old not in [each.at for each in await store.samples(old, now + 1)]
    assert now in [each.at for each in await store.samples(now, now + 1)]
    assert [each.at for each in await store.actions()] == [now]
    assert [each.connection for each in await store.holds()] == ["B"]
