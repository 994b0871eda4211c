"""What a run is likely to take: from the past of its job, and what stands against it."""

from dataclasses import fields, replace

import pytest

from engine_world import MB, connection, csv
from etltui.domain.errors import ConfigError, ErrorClass
from etltui.domain.inquiry import Room
from etltui.domain.job import Destination, ExcelOptions
from etltui.domain.logbook import Hold
from etltui.domain.pools import PoolKey, PoolStats
from etltui.domain.progress import Eta
from fakes import Script, failure

PAST = {"A": 100, "B": 300, "C": 200}


def excel(layout="sheets"):
    return Destination(type="excel", path="out/a.xlsx", options=ExcelOptions(layout=layout))


@pytest.fixture
async def past(world):
    """A job of which one run has completed."""
    world.job(max_parallel=2)
    world.renew()
    await known(world, PAST)
    return world


async def known(world, rows):
    """Let a run complete with so many rows."""
    for name, count in rows.items():
        world.leases.extracts[name] = Script(count)
    result = await world.run()
    world.renew()
    return result


async def asked(world, job="sales", **more):
    return await world.engine.inquiries.estimate(job, **more)


async def test_n_25_rows_sizes_and_time_are_those_of_the_past(past):
    [output] = (await past.store.runs())[0].result.outputs
    told = await asked(past)
    assert (told.job, told.connections, told.known, told.rows) == ("sales", 3, 3, 600)
    [target] = told.targets
    assert (target.type, target.path) == ("csv", past.target)
    assert target.bytes == output.bytes > 0
    # Three times half a second on two lanes; the target took no time on a clock that stands.
    assert told.eta == Eta(left_s=1.0, band_s=0.375)
    assert told.warnings == ()


async def test_nothing_is_touched_by_an_estimate(past):
    past.leases.read()
    past.bus.events.clear()
    before = await past.store.runs()
    await asked(past)
    assert await past.store.runs() == before
    assert past.bus.events == []
    assert past.leases.read() == []


async def test_only_what_is_to_be_read_counts(past):
    [output] = (await past.store.runs())[0].result.outputs
    told = await asked(past, only=["B"])
    assert (told.connections, told.known, told.rows) == (1, 1, 300)
    assert told.targets[0].bytes == round(output.bytes / 2)
    assert told.eta.left_s == 0.5


async def test_one_that_is_not_known_counts_as_the_others_do(past):
    [output] = (await past.store.runs())[0].result.outputs
    past.connections = (*past.connections, connection("D"), connection("E"), connection("F"))
    past.renew()
    told = await asked(past)
    assert (told.connections, told.known, told.rows) == (6, 3, 600)
    assert told.targets[0].bytes == 2 * output.bytes
    assert told.eta.left_s == 1.5
    assert told.warnings == ("Of 3 connections nothing is known: each counts as the others do.",)


async def test_of_a_job_that_never_ran_nothing_is_known(world):
    told = await asked(world)
    assert (told.connections, told.known, told.rows, told.eta) == (3, 0, 0, None)
    assert told.targets[0].bytes is None
    assert told.warnings == (
        "None of them has been read before: rows, sizes and time are not known.",
    )


async def test_a_target_that_no_run_has_made_has_no_size(past):
    past.job(destinations=(excel(), csv("out/b.csv")))
    past.renew()
    assert [target.bytes for target in (await asked(past)).targets] == [None, None]


async def test_a_target_without_rows_is_as_large_as_it_was(world):
    await known(world, dict.fromkeys("ABC", 0))
    [output] = (await world.store.runs())[0].result.outputs
    told = await asked(world)
    assert told.targets[0].bytes == output.bytes > 0


async def test_sizes_are_those_of_the_newest_run_that_published(past):
    size = (await asked(past)).targets[0].bytes
    for name in "ABC":
        past.leases.extracts[name] = Script(failure())
    await past.run()
    assert (await asked(past)).targets[0].bytes == size


async def test_a_disk_needs_room_for_the_parts_and_for_the_target(past):
    past.free = 700 * MB
    target = (await asked(past)).targets[0].bytes
    [room] = (await asked(past)).disks
    # One file system: both are written to it.
    assert (room.need, room.free, room.enough) == (2 * target, 700 * MB, True)
    past.free = 1
    past.renew()
    told = await asked(past)
    [room] = told.disks
    assert not room.enough
    assert told.warnings == (
        f"The disk of {room.folder} has 0 MB free; 0 MB to come and disk_reserve_mb = 0 need 0 MB.",
    )


async def test_a_disk_that_does_not_answer_is_told_and_stops_no_estimate(past):
    def away():
        raise OSError(5, "Input/output error")

    past.free = away
    past.renew()
    told = await asked(past)
    assert told.disks == ()
    assert told.rows == 600
    [warning] = told.warnings
    assert warning.startswith("The free space of ")
    assert warning.endswith(" cannot be told: Input/output error.")


def test_what_a_disk_leaves_free_counts():
    room = Room(folder="/srv", free=10, need=6, reserve=4)
    assert room.enough
    assert not replace(room, reserve=5).enough


async def test_memory_is_what_the_engine_came_to_weigh_or_what_its_extractors_may(world):
    told = await asked(world)
    assert (told.memory, told.memory_is) == (
        0,
        "what the extractors together may come to weigh",
    )
    world.weight = 513 * MB
    await world.engine._tools.memory.weigh()
    world.weight = 1
    await world.run()
    told = await asked(world)
    assert told.memory == 513 * MB
    assert told.memory_is == "the most that this engine weighed since it started"
    over = "537.9 MB, over memory_threshold_mb (536.9 MB)"
    assert told.warnings == (f"It may come to weigh {over}: the run would stop, resumably.",)


LONG = {
    "sheets": "B usually has more rows than an Excel sheet holds (1,048,575): they go on in a "
    "further sheet.",
    "single": "1,048,877 rows are more than the one Excel sheet of all holds (1,048,575): they go "
    "on in a further sheet.",
}


@pytest.mark.parametrize("layout", LONG)
async def test_rows_beyond_a_sheet_of_excel_are_told(world, layout):
    world.job(destinations=(excel(layout),))
    world.renew()
    await known(world, PAST | {"B": 1_048_575})
    assert (await asked(world, only=["B"])).warnings == ()
    await known(world, PAST | {"B": 1_048_577})
    await known(world, PAST | {"B": 1_048_577})
    assert list((await asked(world)).warnings) == [LONG[layout]]
    world.job(destinations=(excel("both"),))
    world.renew()
    assert len((await asked(world)).warnings) == 2


async def test_several_that_are_too_long_are_named(world):
    world.job(destinations=(excel(),))
    world.connections = tuple(connection(f"B{number:02d}") for number in range(13))
    world.renew()
    await known(world, {each.name: 1_048_576 for each in world.connections})
    [warning] = (await asked(world)).warnings
    assert warning.startswith("B00, B01, ")
    assert " B07 and 5 more usually have more rows" in warning


async def test_n_31_who_is_outside_its_hours_is_not_counted_and_named(past):
    shut = replace(past.connections[1], hours="22:00-04:00")
    past.engine._starts.config = replace(
        past.engine.config, connections=(past.connections[0], shut, past.connections[2])
    )
    told = await asked(past)
    assert (told.connections, told.rows) == (2, 300)
    assert told.warnings == (
        "B is outside its hours and will not be read: it may be read 22:00-04:00 Asia/Kolkata",
    )
    past.jobs["sales"] = replace(past.jobs["sales"], outside_hours="wait")
    told = await asked(past)
    assert (told.connections, told.warnings) == (3, ())


async def test_who_is_held_is_not_counted_and_named(past):
    hold = Hold(connection="B", reason="moving house", who="asha@desk", since=0.0)
    past.engine._tools.holds.put([hold])
    told = await asked(past)
    assert (told.connections, told.rows) == (2, 300)
    assert told.warnings == ("B is held and will not be read: moving house (asha@desk)",)
    past.engine._tools.holds.put([replace(hold, connection=name) for name in "AC"])
    told = await asked(past)
    assert (told.connections, told.rows, told.eta) == (0, 0, None)
    assert len(told.warnings) == 3


async def test_logins_that_were_refused_or_are_not_tried_are_named(past):
    past.leases.extracts["A"] = Script(failure(ErrorClass.LOGIN, "wrong password"))
    past.leases.extracts["B"] = Script(failure(ErrorClass.LOST))
    await past.run()
    assert (await asked(past)).warnings == ("The last run was refused the login of A.",)
    key = str(PoolKey.of(past.connections[0]))
    real = past.pools.get_metrics
    past.pools.get_metrics = lambda: replace(real(), locked_credentials=(key,))
    assert (await asked(past)).warnings == (
        "The login of A was refused and is not tried until it is released (etltui pools release).",
    )
    assert (await asked(past, only=["B"])).warnings == ()


async def test_a_locked_credential_names_all_that_use_it(past):
    shared = [replace(each, credential="reader") for each in past.connections[:2]]
    past.connections = (*shared, past.connections[2])
    past.renew()
    real = past.pools.get_metrics
    past.pools.get_metrics = lambda: replace(real(), locked_credentials=("reader",))
    [warning] = (await asked(past)).warnings
    assert warning.startswith("The login of A, B was refused")


async def test_pools_that_lend_nothing_are_named(past, pool_stats):
    real = past.pools.get_metrics
    stats = [pool_stats(str(PoolKey.of(each))) for each in past.connections]
    stats[0] = replace(stats[0], paused=True)
    stats[2] = replace(stats[2], draining=True)
    past.pools.get_info = lambda: tuple(stats)
    assert (await asked(past)).warnings == (
        "The pools of A, C lend nothing until they go on (etltui pools resume).",
    )
    past.pools.get_metrics = lambda: replace(real(), paused=True)
    assert (await asked(past)).warnings == (
        "All pools are paused: nothing is read until they go on (etltui pools resume).",
    )


@pytest.fixture
def pool_stats():
    """Makes the statistics of a pool."""
    said = {"pool", "server", "paused", "draining", "last_error", "leaks"}
    counts = {each.name: 0 for each in fields(PoolStats) if each.name not in said}

    def made(pool):
        return PoolStats(
            pool=pool, server="", paused=False, draining=False, last_error="", leaks=(), **counts
        )

    return made


async def test_what_is_not_there_cannot_be_estimated(past):
    with pytest.raises(ConfigError, match="there is no job 'sale'"):
        await asked(past, "sale")
    with pytest.raises(ConfigError, match="matches no connection of the job"):
        await asked(past, only=["Z"])
