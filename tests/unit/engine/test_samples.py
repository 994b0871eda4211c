"""Samples of how an engine stands, by a clock that the test turns."""

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from etltui.domain.errors import StateError
from etltui.domain.progress import ConnectionView, RunView
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.engine import samples
from etltui.engine.samples import Look, Sampler, idle, rows_read, sample_of, tree_times
from fakes import Held, Script


@pytest.fixture
def sampled(world):
    """The world with a sampler of its own, and what the processes seem to have used."""
    world.cpu = {1: 0.0}

    def seen():
        # Of whichever engine the test has made by then.
        return world.engine.snapshot()

    world.sampler = Sampler(world.engine._tools, seen, lambda: dict(world.cpu))
    world.sampler._cores = 2
    world.start = world.clock.now().timestamp()
    return world


async def passing(world, seconds, step=1):
    """Let time pass, with a look at each second, as at the pulse."""
    for _ in range(0, seconds, step):
        world.clock.turn(step)
        await world.sampler.look()


async def taken(world):
    return await world.store.samples(world.start, world.start + 10_000, points=100_000)


async def times(world):
    found = await taken(world)
    return [each.at - world.start for each in found]


@pytest.fixture
async def busy(sampled):
    """The world while it reads a connection."""
    world = sampled
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    world.job(max_parallel=1)
    world.renew()
    handle = await world.submit()
    await held.reached.wait()
    yield world
    held.let_go()
    await handle.wait()


async def test_an_engine_at_work_is_sampled_every_five_seconds(busy):
    await busy.sampler.look()
    await passing(busy, 60)
    assert await times(busy) == [*range(0, 56, 5)]


async def test_samples_are_written_together(busy):
    before = busy.store.commits
    await busy.sampler.look()
    await passing(busy, 59)
    assert busy.store.commits - before == 2


async def test_an_idle_engine_is_sampled_every_minute(sampled):
    await sampled.sampler.look()
    await passing(sampled, 180)
    assert await times(sampled) == [0, 60, 120, 180]


async def test_what_waits_is_written_when_the_engine_comes_to_rest(sampled):
    await sampled.sampler.look()
    assert await times(sampled) == []
    await passing(sampled, 5)
    assert await times(sampled) == [0]


async def test_work_that_begins_is_seen_within_five_seconds(sampled):
    world = sampled
    await world.sampler.look()
    await passing(world, 12)
    await world.engine.queue.pause("", paused=True)
    world.resident = True
    world.engine._submissions._resident = True
    await world.submit()
    await passing(world, 3)
    await world.sampler.aclose()
    assert await times(world) == [0, 15]


async def test_the_last_sample_is_taken_at_the_end(busy):
    await busy.sampler.look()
    await passing(busy, 7)
    await busy.sampler.aclose()
    assert await times(busy) == [0, 5, 7]


async def test_what_cannot_be_written_is_tried_again_and_bounded(busy, caplog, monkeypatch):
    world = busy
    monkeypatch.setattr(samples, "MOST_WAITING", 3)
    monkeypatch.setattr(samples, "WRITE_S", 0.0)

    async def refuse(rows):
        raise StateError(f"the disk is full for {len(rows)}")

    put, world.store.put_samples = world.store.put_samples, refuse
    await world.sampler.look()
    await passing(world, 20)
    assert "How the engine stood was not written down: the disk is full for 3" in caplog.text
    world.store.put_samples = put
    await passing(world, 5)
    assert await times(world) == [15, 20, 25]


async def test_a_sample_says_how_the_engine_stands(busy):
    world = busy
    world.weight = 100
    await world.engine._tools.memory.weigh()
    await world.sampler.look()
    world.cpu = {1: 4.0, 2: 1.0}
    world.sampler.late(0.25)
    world.sampler.late(0.125)
    await passing(world, 6)
    await world.sampler.aclose()
    first, second, last = await taken(world)
    assert (first.cpu_percent, first.rows_per_s, first.lag_ms) == (0, 0, 0)
    assert (first.running, first.pending, first.connections_active) == (1, 0, 1)
    assert (first.memory, first.threshold) == (100, 512 * 1024 * 1024)
    assert (second.cpu_percent, second.lag_ms) == (50, 250)
    assert (last.cpu_percent, last.lag_ms) == (0, 0)


async def test_runs_that_ended_are_counted_between_two_samples(sampled):
    world = sampled
    world.job("bad", connections=("A",))
    world.renew()
    await world.sampler.look()
    await world.run()
    world.leases.extracts["A"] = Script(StateError("gone"))
    await world.run("bad")
    await world.run("bad")
    world.clock.turn(5)
    await world.sampler._take()
    await world.sampler.aclose()
    first, second = await taken(world)
    assert (first.completed, first.failed) == (0, 0)
    assert second.completed == 1


def view(rows, status=RunStatus.RUNNING, tries=1, run="R"):
    connections = {
        "A": ConnectionView(
            connection="A", status=ConnectionStatus.RUNNING, rows=rows, tries=tries
        ),
        "B": ConnectionView(connection="B", status=ConnectionStatus.COMPLETED, rows=1_000),
    }
    return RunView(run=run, job="sales", status=status, connections=connections)


def look(world, at, *views, rows=None, cpu=None, **queue):
    snapshot = world.engine.snapshot()
    seen = replace(snapshot, runs=views, queue=replace(snapshot.queue, **queue))
    return Look(monotonic=at, snapshot=seen, rows=rows or {}, cpu=cpu or {})


async def test_rows_a_second_are_what_the_attempt_brought_in(world):
    """What an earlier attempt left does not come in again."""
    assert rows_read(view(70)) == 70
    assert rows_read(view(70, tries=0)) == 0
    before = look(world, 10.0, rows={"R": 100, "gone": 9, "anew": 50})
    now = look(world, 20.0, rows={"R": 300, "new": 40, "anew": 10})
    assert sample_of(before, now, cores=4, lag_s=0).rows_per_s == 24


async def test_a_process_that_ended_takes_nothing_away(world):
    before = look(world, 10.0, cpu={1: 5.0, 2: 90.0})
    now = look(world, 20.0, cpu={1: 7.0, 3: 2.0})
    assert sample_of(before, now, cores=4, lag_s=0).cpu_percent == 10


@pytest.mark.parametrize("seconds", [0.0, 0.49])
async def test_two_looks_at_one_moment_make_no_rate(world, seconds):
    before = look(world, 10.0, completed=1)
    found = sample_of(
        before,
        look(world, 10.0 + seconds, rows={"R": 9}, cpu={1: 9.0}, completed=3, failed=2),
        cores=1,
        lag_s=0,
    )
    assert (found.rows_per_s, found.cpu_percent) == (0, 0)
    assert (found.completed, found.failed) == (2, 2)


async def test_no_more_than_all_cores_are_used(world):
    found = sample_of(look(world, 10.0), look(world, 10.5, cpu={1: 9.0}), cores=4, lag_s=0)
    assert found.cpu_percent == 100


async def test_only_runs_at_work_have_active_connections(world):
    views = (view(1), view(1, status=RunStatus.STOPPED, run="S"))
    assert sample_of(None, look(world, 0.0, *views), cores=1, lag_s=0).connections_active == 1


async def test_what_is_lent_and_idle_is_summed_over_the_pools(world):
    pools = tuple(SimpleNamespace(lent=lent, idle=1) for lent in (2, 0))
    found = look(world, 0.0)
    found = replace(found, snapshot=replace(found.snapshot, pool_info=pools))
    sample = sample_of(None, found, cores=1, lag_s=0)
    assert (sample.lent, sample.idle, sample.max_connections) == (2, 2, 50)
    assert not idle(found.snapshot)
    assert idle(replace(found.snapshot, pool_info=pools[1:]))


def test_the_times_of_this_process_are_among_those_of_the_tree():
    assert tree_times()[os.getpid()] > 0


async def test_a_started_engine_samples_itself(world):
    await world.engine.start()
    await world.run()
    await world.engine.aclose()
    start = world.clock.now().timestamp()
    assert await world.store.samples(start, start + 1)
