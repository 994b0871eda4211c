"""When what has served its time is removed."""

import asyncio
from datetime import timedelta

import pytest

from etltui.config.schema import Settings
from etltui.domain.errors import StateError
from etltui.domain.run import RunStatus
from etltui.engine.retention import Limits
from etltui.engine.upkeep import DAY_S, limits
from fakes import Held

OLD = timedelta(days=31).total_seconds()


@pytest.fixture
def litter(world):
    """A run's worth of parts that nobody knows."""

    def made():
        folder = world.parts_folder / "20200101T000000Z-AAAA"
        folder.mkdir(parents=True)
        return folder

    return made


async def stay(world):
    world.resident = True
    world.renew()
    await world.engine.start()


def test_the_settings_say_what_is_kept():
    asked = Settings(keep_runs_days=1, checkpoint_keep_days=2, keep_parts_mb=3, keep_logs_mb=4)
    assert limits(asked) == Limits(
        keep_runs_days=1, checkpoint_keep_days=2, keep_parts_mb=3, keep_logs_mb=4
    )


async def test_an_engine_that_stays_removes_it_at_once_and_every_day(world, litter):
    await stay(world)
    await world.clock.until_asleep()
    folder = litter()
    world.clock.turn(DAY_S - 1)
    assert folder.exists()
    world.clock.turn(1)
    while world.clock.slept.count(DAY_S) < 2:
        await world.clock.until_asleep()
        await world.store.paused()
    assert not folder.exists()


async def test_an_engine_that_does_not_stay_removes_it_at_its_end(world, litter):
    await world.engine.start()
    folder = litter()
    await world.run()
    assert folder.exists()
    await world.engine.aclose()
    assert not folder.exists()


async def test_the_settings_as_they_are_now_count(world):
    await world.engine.start()
    world.refuse("finish_run")
    first = await world.run()
    await world.restart()
    assert await world.stored(first.run) is RunStatus.STOPPED
    world.clock.turn(OLD)
    await world.engine.update_settings({"checkpoint_keep_days": 40})
    await world.engine.aclose()
    assert await world.stored(first.run) is RunStatus.STOPPED
    world.renew()
    await world.engine.start()
    await world.engine.aclose()
    assert await world.stored(first.run) is RunStatus.DISCARDED


async def test_what_cannot_be_removed_now_is_left_for_the_next_time(world, litter, caplog):
    await stay(world)
    await world.clock.until_asleep()
    folder = litter()
    real, world.store.runs = world.store.runs, refused
    world.clock.turn(DAY_S)
    while world.clock.slept.count(DAY_S) < 2:
        await world.store.paused()
    assert "was not all removed: the disk is full" in caplog.text
    assert folder.exists()
    world.store.runs = real
    world.clock.turn(DAY_S)
    while world.clock.slept.count(DAY_S) < 3:
        await world.store.paused()
    assert not folder.exists()


async def refused(**_):
    raise StateError("the disk is full")


async def test_nobody_takes_up_a_run_while_it_is_removed(world):
    await world.engine.start()
    queued, alone = world.store.queued, []

    async def looked():
        alone.append(world.engine._submissions.taking_in.locked())
        return await queued()

    world.store.queued = looked
    await world.engine.aclose()
    assert alone == [True]


async def test_a_removal_that_is_under_way_is_finished(world, litter):
    folder = litter()
    queued, held = world.store.queued, Held()

    async def looked():
        await held.passed()
        return await queued()

    world.resident = True
    world.renew()
    world.engine._upkeep.start(daily=True)
    world.store.queued = looked
    await held.reached.wait()
    closing = asyncio.create_task(world.engine._upkeep.aclose())
    await asyncio.sleep(0)
    held.let_go()
    await closing
    assert not folder.exists()
