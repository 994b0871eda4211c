"""Who calls the engine and gives up amid the call: what is recorded and what is known stay one."""

import asyncio

import pytest

from etltui.config.schema import Settings
from etltui.domain.run import RunStatus
from fakes import Held, Script


@pytest.fixture
async def slow(world):
    """A world with a run at work and one that waits; its store writes when it is let."""
    world.settings = Settings(max_jobs=1)
    world.resident = True
    for name in ("second", "third"):
        world.job(name, connections=("B",))
    world.job(connections=("A",))
    world.renew()
    world.held = Held(2)
    world.leases.extracts["A"] = Script(world.held)
    world.first = await world.submit()
    await world.held.reached.wait()
    world.second = await world.submit("second")
    return world


async def given_up(world, monkeypatch, name, call):
    """Make a call that writes by this method of the store, and cancel it while it does."""
    writing, write = Held(), getattr(world.store, name)

    async def held(*args, **kwargs):
        await writing.passed()
        # As the real one does: what has begun to be written goes on to its end.
        return await asyncio.shield(asyncio.ensure_future(write(*args, **kwargs)))

    monkeypatch.setattr(world.store, name, held)
    task = asyncio.create_task(call)
    await writing.reached.wait()
    writing.let_go()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_start_that_is_recorded_has_its_turn(slow, monkeypatch):
    await given_up(slow, monkeypatch, "enqueue", slow.submit("third"))
    assert {entry.job for entry in slow.engine.get_pending_jobs()} == {"second", "third"}
    third = await slow.submit("third")
    slow.held.let_go()
    assert (await third.wait()).status is RunStatus.COMPLETED
    assert len(await slow.store.runs(job="third")) == 1


async def test_a_run_that_is_cancelled_ends(slow, monkeypatch):
    await given_up(slow, monkeypatch, "dequeue", slow.engine.cancel(slow.second.run))
    assert (await slow.second.wait()).status is RunStatus.CANCELLED
    slow.held.let_go()


async def test_a_queue_that_is_cleared_ends_its_runs(slow, monkeypatch):
    await given_up(slow, monkeypatch, "dequeue", slow.engine.queue.clear())
    assert (await slow.second.wait()).status is RunStatus.CANCELLED
    slow.held.let_go()


async def test_a_pause_that_is_recorded_holds(slow, monkeypatch):
    await given_up(slow, monkeypatch, "pause", slow.engine.queue.pause("second", paused=True))
    assert slow.engine.get_queue_metrics().paused_jobs == tuple(await slow.store.paused())
    slow.held.let_go()


async def test_a_priority_that_is_recorded_holds(slow, monkeypatch):
    await given_up(slow, monkeypatch, "requeue", slow.engine.queue.reprioritise(slow.second.run, 7))
    recorded = {entry.run: entry.priority for entry in await slow.store.queued()}
    assert [entry.priority for entry in slow.engine.get_pending_jobs()] == [7]
    assert recorded[slow.second.run] == 7
    slow.held.let_go()


async def test_a_run_that_is_cancelled_while_it_cannot_begin_ends(slow, monkeypatch):
    writing = Held()
    dequeue = slow.store.dequeue

    async def held(*args):
        await writing.passed()
        await dequeue(*args)

    monkeypatch.setattr(slow.store, "dequeue", held)
    slow.jobs.pop("second")
    slow.held.let_go()
    await writing.reached.wait()
    cancelled = asyncio.create_task(slow.engine.cancel(slow.second.run, resumable=True))
    await asyncio.wait({cancelled})
    writing.let_go()
    result = await slow.second.wait()
    assert (result.status, await slow.stored(slow.second.run)) == (RunStatus.FAILED,) * 2
    assert slow.engine.get_running_jobs() == ()


async def test_settings_that_two_change_at_once_all_hold(slow):
    await asyncio.gather(
        slow.engine.update_settings({"max_per_host": 7}),
        slow.engine.update_settings({"ageing_s": 5}),
    )
    settings = slow.engine.config.settings
    assert (settings.max_per_host, settings.ageing_s) == (7, 5)
    assert slow.pools.updated[-1].max_per_host == 7
    slow.held.let_go()
