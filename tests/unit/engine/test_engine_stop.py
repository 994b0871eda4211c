"""Stopping, queueing and everything that makes a run stop by itself."""

import asyncio

import pytest

from engine_world import MB
from etltui.config.schema import Settings
from etltui.domain.errors import ConfigError, ErrorClass, StatusError
from etltui.domain.events import ConnectionCompleted, RunFinished, RunStarted
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.stored import PublicationState
from etltui.engine.tools import to_the_end
from fakes import Held, Script, failure


async def test_stop_in_mid_run_keeps_what_is_finished_and_resume_completes(world):
    """S3-27: no finished connection is lost."""
    held = Held(2)
    world.leases.extracts["C"] = Script(held)
    world.job(max_parallel=1)
    world.renew()
    handle = await world.submit()
    await held.reached.wait()
    await world.engine.stop("stopped by SIGINT")
    result = await handle.wait()
    assert (result.status, result.reason) == (RunStatus.STOPPED, "stopped by SIGINT")
    assert [c.status for c in result.connections] == [
        ConnectionStatus.COMPLETED,
        ConnectionStatus.COMPLETED,
        ConnectionStatus.WAITING,
    ]
    assert ("cancelled", "C") in world.record
    assert not world.record.of("publication")
    assert world.happened(RunFinished)[-1].result == result
    world.leases.extracts["C"] = Script(2)
    world.leases.read()
    await world.restart()
    again = await world.run(resume=True)
    assert (again.run, again.status) == (result.run, RunStatus.COMPLETED)
    assert world.leases.read() == ["C"]


async def test_what_is_being_recorded_is_finished_before_a_stop(world):
    """The mark is shielded: a stop between data and news loses neither."""
    world.connections = world.connections[:1]
    world.renew()
    held = Held()
    checkpoint = world.store.checkpoint

    async def slow(run, result, receipts=()):
        await held.passed()
        await checkpoint(run, result, receipts)

    world.store.checkpoint = slow
    handle = await world.submit()
    await held.reached.wait()
    await world.engine.cancel(handle.run, resumable=True, reason="once")
    await asyncio.sleep(0)
    await world.engine.cancel(handle.run, reason="twice")
    await asyncio.sleep(0)
    assert not world.happened(RunFinished)
    held.let_go()
    result = await handle.wait()
    assert (result.status, result.completed) == (RunStatus.CANCELLED, 1)
    assert len(world.happened(ConnectionCompleted)) == 1
    assert await world.stored(result.run) is RunStatus.CANCELLED
    assert (await world.store.connections(result.run))[0].done


def hold_publication(world, at):
    """Hold the store where it is to record this state."""
    held = Held()
    move = world.store.move_publication

    async def slow(row, state, published=None):
        if state is at:
            await held.passed()
        return await move(row, state, published)

    world.store.move_publication = slow
    return held


@pytest.mark.parametrize("state", [PublicationState.ASSEMBLED, PublicationState.DELIVERED])
async def test_a_target_and_what_is_recorded_of_it_change_together(world, state):
    held = hold_publication(world, state)
    handle = await world.submit()
    await held.reached.wait()
    await world.engine.cancel(handle.run, resumable=True, reason="stopped")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not world.happened(RunFinished)
    held.let_go()
    result = await handle.wait()
    assert result.status is RunStatus.STOPPED
    assert (await world.store.publication(result.run, 0)).state is state
    assert (world.target in world.parts.files) is (state is PublicationState.DELIVERED)
    await world.restart()
    assert (await world.run(resume=True)).status is RunStatus.COMPLETED
    assert not world.record.of("assemble")


async def test_assembling_is_given_up_at_a_stop(world):
    world.job(columns=("id",))
    world.renew()
    held = hold_publication(world, PublicationState.ASSEMBLING)
    handle = await world.submit()
    await held.reached.wait()
    await world.engine.cancel(handle.run, resumable=True, reason="stopped")
    result = await handle.wait()
    assert result.status is RunStatus.STOPPED
    assert world.target not in world.parts.files
    held.let_go()
    assert (await world.run(resume=True)).status is RunStatus.COMPLETED


async def test_a_stop_that_comes_when_the_run_has_ended_changes_nothing(world):
    held = Held()
    finish = world.store.finish_run

    async def slow(result, again=None):
        await held.passed()
        await finish(result, again)

    world.store.finish_run = slow
    handle = await world.submit()
    await held.reached.wait()
    await world.engine.cancel(handle.run, reason="too late")
    await asyncio.sleep(0)
    held.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert await world.stored(handle.run) is RunStatus.COMPLETED


async def test_a_stop_before_the_first_step_still_ends_the_run(world):
    handle = await world.submit()
    await world.engine.stop("at once")
    result = await handle.wait()
    assert (result.status, result.reason) == (RunStatus.STOPPED, "at once")
    assert await world.stored(handle.run) is RunStatus.STOPPED
    # The engine has forgotten it: the job can run again.
    assert (await world.run(resume=True)).status is RunStatus.COMPLETED


async def test_stop_while_queued_behind_max_jobs(world):
    world.settings = Settings(max_jobs=1)
    world.job("second")
    world.renew()
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    first = await world.submit()
    second = await world.submit("second")
    await held.reached.wait()
    assert await world.stored(second.run) is RunStatus.QUEUED
    assert {event.job for event in world.happened(RunStarted)} == {"sales"}
    await world.engine.cancel(second.run, reason="not wanted")
    assert (await second.wait()).status is RunStatus.CANCELLED
    assert await world.stored(second.run) is RunStatus.CANCELLED
    held.let_go()
    assert (await first.wait()).status is RunStatus.COMPLETED


async def test_max_jobs_is_honoured_and_the_next_one_follows(world):
    world.settings = Settings(max_jobs=1)
    world.job("second")
    world.renew()
    first, second = await world.submit(), await world.submit("second")
    assert (await second.wait()).status is RunStatus.COMPLETED
    assert (await first.wait()).status is RunStatus.COMPLETED
    order = [(type(e), e.job) for e in world.happened(RunStarted, RunFinished)]
    assert order == [
        (RunStarted, "sales"),
        (RunFinished, "sales"),
        (RunStarted, "second"),
        (RunFinished, "second"),
    ]


async def test_a_jobs_second_run_joins_its_first(world):
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    first = await world.submit()
    await held.reached.wait()
    second = await world.submit(resume=False)
    assert second.run == first.run
    assert (world.parts_folder / first.run).is_dir()
    held.let_go()
    assert await second.wait() == await first.wait()
    assert len(await world.store.runs()) == 1


async def test_who_gives_up_waiting_leaves_the_run_alone(world):
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit()
    waiting = asyncio.create_task(handle.wait())
    await held.reached.wait()
    waiting.cancel()
    await asyncio.wait({waiting})
    held.let_go()
    assert (await handle.wait()).status is RunStatus.COMPLETED


async def test_closing_the_engine_stops_its_runs_and_ends_its_events(world):
    await world.engine.start()
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    with world.engine.events() as events:
        handle = await world.submit()
        await held.reached.wait()
        await world.engine.aclose()
        seen = [event async for event in events]
    assert isinstance(seen[-1], RunFinished)
    assert (await handle.wait()).reason == "the engine was closed"


async def test_subscribers_can_be_let_go_before_the_engine_closes(world):
    with world.engine.events() as events:
        await world.run()
        world.engine.end_events()
        assert [event async for event in events][-1] == world.bus.events[-1]


async def test_memory_over_the_threshold_stops_resumably_and_says_why(world, caplog):
    """N-30, S3-33."""
    world.job(max_parallel=1)
    world.renew()
    held = Held(2)
    world.leases.extracts["B"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    world.weight = 600 * MB
    await world.engine._tools.memory.weigh()
    held.let_go()
    result = await handle.wait()
    assert result.status is RunStatus.STOPPED
    assert "memory usage 600MB / 512MB (117.2%) is over the threshold" in result.reason
    assert "Raise memory_threshold_mb" in caplog.text
    assert world.leases.read() == ["A", "B"]
    world.weight = 0
    await world.restart()
    result = await world.run(resume=True)
    assert (result.status, world.leases.read()) == (RunStatus.COMPLETED, ["C"])


async def test_a_disk_without_room_stops_resumably_and_says_why(world):
    """N-29."""
    world.job(max_parallel=1)
    world.renew()
    world.free = -1
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert "the disk of" in result.reason
    assert world.leases.read() == []
    # Who waited for a place looks at no disk any more: it may be a share that hangs.
    assert len(world.looked) == 1
    world.free = 1024 * MB
    assert (await world.run(resume=True)).status is RunStatus.COMPLETED


async def test_a_disk_that_fills_while_parts_are_written_stops_before_the_target(world):
    """N-29."""
    world.job(columns=("id",), max_parallel=1)
    world.renew()
    # Three small parts of three bytes each, and nowhere to put them together.
    held = Held(2)
    world.leases.extracts["C"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    world.free = 8
    held.let_go()
    result = await handle.wait()
    assert (result.status, result.completed) == (RunStatus.STOPPED, 3)
    assert result.reason.startswith("not published: the disk of")


@pytest.mark.parametrize("status", ["completed", "failed"])
async def test_a_store_that_cannot_record_stops_resumably(world, status):
    world.job(columns=("id",))
    world.renew()
    for name in "ABC":
        refused = failure(ErrorClass.LOGIN, "no")
        world.leases.extracts[name] = Script(2 if status == "completed" else refused)
    world.refuse("checkpoint", "disk I/O error")
    result = await world.run()
    assert (result.status, result.completed, result.failed) == (RunStatus.STOPPED, 0, 0)
    assert result.reason == "cannot record: disk I/O error"
    assert not world.happened(ConnectionCompleted)
    assert not world.record.of("mark", "mirror", "publication")
    assert await world.stored(result.run) is RunStatus.STOPPED


@pytest.mark.parametrize("call", ["move_run", "replan", "move_publication"])
async def test_a_store_that_fails_elsewhere_stops_resumably_too(world, call):
    world.refuse(call, "disk I/O error")
    result = await world.run()
    assert (result.status, result.reason) == (RunStatus.STOPPED, "cannot record: disk I/O error")
    world.failing.clear()
    assert (await world.run(resume=True)).status is RunStatus.COMPLETED


async def test_a_mistake_in_ending_a_run_still_tells_its_end(world):
    world.failing["finish_run"] = StatusError(thing="the run", current="x", wanted="y")
    result = await world.run()
    assert result.status is RunStatus.STOPPED
    assert world.happened(RunFinished)[0].result == result


async def test_a_mirror_that_fails_only_warns(world, caplog):
    world.mirror.failing = True
    result = await world.run()
    assert result.status is RunStatus.COMPLETED
    assert await world.stored(result.run) is RunStatus.COMPLETED
    assert len(world.happened(ConnectionCompleted)) == 3
    assert "The checkpoint's mirror was not written: the mirror's disk is full" in caplog.messages
    assert "What the run does not need any more was left" in caplog.text


async def test_there_is_no_such_job(world):
    with pytest.raises(ConfigError, match=r"there is no job 'slaes'\. There are: sales"):
        await world.submit("slaes")
    world.jobs.clear()
    with pytest.raises(ConfigError, match="Add a table"):
        await world.submit()


async def test_only_some_connections(world):
    result = await world.run(only=["B"])
    assert (result.total, world.leases.read()) == (1, ["B"])


async def test_work_that_fails_is_told_although_a_cancel_came_first():
    held = Held(ValueError("told"))
    script = Script(held)
    waiting = asyncio.create_task(to_the_end(script.next()))
    await held.reached.wait()
    waiting.cancel()
    await asyncio.sleep(0)
    held.let_go()
    with pytest.raises(ValueError, match="told"):
        await waiting
