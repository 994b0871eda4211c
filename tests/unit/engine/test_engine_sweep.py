"""Which part folders a start removes, and which it keeps."""

import pytest

from etltui.domain.errors import ErrorClass
from etltui.domain.run import RunStatus
from etltui.engine.tidy import sweep
from fakes import Script, failure

DAY = 86400


def folders(world):
    return sorted(path.name for path in world.parts_folder.iterdir())


async def partly(world, error_class=ErrorClass.LOGIN):
    """A run of which B did not complete."""
    world.job(max_parallel=1)
    world.renew()
    world.leases.extracts["B"] = Script(failure(error_class))
    return await world.run()


async def test_a_start_without_parts(world):
    await world.engine.start()
    assert not world.parts_folder.exists()


async def test_folders_of_no_known_run_go_and_other_files_stay(world):
    (world.parts_folder / "20200101T000000Z-AAAA" / "0").mkdir(parents=True)
    (world.parts_folder / "note.txt").write_text("not a folder")
    await world.engine.start()
    assert folders(world) == ["note.txt"]


async def test_folders_of_completed_runs_go(world):
    result = await world.run()
    left = world.parts_folder / result.run / "0"
    left.mkdir(parents=True)
    await world.restart()
    assert folders(world) == []


async def test_recorded_parts_of_an_unfinished_run_stay_and_orphans_go(world):
    stopped = await partly(world, ErrorClass.DISK)
    assert stopped.status is RunStatus.STOPPED
    folder = world.parts_folder / stopped.run / "0"
    (folder / "0002-0-0.1001.part").write_bytes(b"half")
    world.clock.turn(1000 * DAY)
    await world.restart()
    assert [path.name for path in folder.iterdir()] == ["0001-0-0.1001.part"]


async def test_only_the_newest_run_of_a_job_keeps_its_parts(world):
    first = await partly(world)
    world.clock.turn(1)
    world.job("second")
    world.renew()
    other = await world.run("second")
    assert other.status is RunStatus.COMPLETED_WITH_ERRORS
    second = await world.run()
    (world.parts_folder / first.run).mkdir()
    await world.restart()
    assert folders(world) == sorted([other.run, second.run])


@pytest.mark.parametrize(("days", "stays"), [(2.9, True), (3.1, False)])
async def test_parts_of_a_run_with_errors_stay_for_keep_parts_days(world, days, stays):
    world.job(keep_parts_days=3)
    result = await partly(world)
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    world.clock.turn(days * DAY)
    await world.restart()
    assert folders(world) == ([result.run] if stays else [])


async def test_records_that_cannot_be_read_keep_nobody_from_starting(world, caplog):
    stopped = await partly(world, ErrorClass.DISK)
    world.refuse("receipts", "the state database is damaged")
    await sweep(world.store, world.parts_folder, world.clock.now())
    assert folders(world) == [stopped.run]
    assert "were left as they are: the state database is damaged" in caplog.text
