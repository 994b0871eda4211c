"""Runs in the queue: whose turn it is, who joins whom, pauses, cancels, and the numbers of it."""

import asyncio
from datetime import timedelta

import pytest

from engine_world import connection
from etltui.config.schema import Settings
from etltui.domain.errors import ErrorClass, NoSuchRunError, RefusedError, StateError
from etltui.domain.events import QueueCleared, RunFinished, RunQueued, RunStarted
from etltui.domain.job import RunType
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from fakes import Held, Script, failure


async def busy(world, *others, limit=1, **settings):
    """An engine on which `sales` is at work; `others` are jobs of connection B."""
    world.settings = Settings(max_jobs=limit, **settings)
    world.connections = tuple(map(connection, "AB"))
    world.job(connections=("A",))
    for name in others:
        world.job(name, connections=("B",))
    world.renew()
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    return held, handle


async def submit(world, name="sales", **asked):
    """Let a run wait, a second after whatever was before it."""
    world.clock.turn(1)
    return await world.submit(name, **asked)


def started(world):
    return [event.job for event in world.happened(RunStarted)]


async def test_s0_26_a_lower_number_is_served_first(world):
    """S0-45, S0-47."""
    held, first = await busy(world, "low", "middle", "high")
    handles = [
        await submit(world, "low", priority=300),
        await submit(world, "middle"),
        await submit(world, "high", priority=1),
    ]
    assert [each.job for each in world.engine.get_pending_jobs()] == ["high", "middle", "low"]
    assert [each.job for each in world.engine.get_running_jobs()] == ["sales"]
    held.let_go()
    for handle in (first, *handles):
        assert (await handle.wait()).status is RunStatus.COMPLETED
    assert started(world) == ["sales", "high", "middle", "low"]


async def test_s0_26_waiting_is_worth_priority(world):
    held, _ = await busy(world, "old", "new", ageing_s=60)
    old = await submit(world, "old")
    world.clock.turn(61)
    new = await submit(world, "new", priority=99)
    held.let_go()
    await old.wait()
    await new.wait()
    assert started(world) == ["sales", "old", "new"]


async def test_s0_27_limit_over_all_jobs(world):
    """S1-10, S1-11: runs are at work together, so many at once."""
    names = [f"job{n}" for n in range(6)]
    world.settings = Settings(max_jobs=2)
    for name in names:
        world.job(name, connections=("A",))
    world.renew()
    handles = [await submit(world, name) for name in names]
    most = 0
    with world.engine.events() as events:
        ends = asyncio.gather(*(handle.wait() for handle in handles))
        ends.add_done_callback(lambda _: world.engine.end_events())
        async for _ in events:
            most = max(most, world.engine.get_queue_metrics().running)
        await ends
    assert most == 2
    # Two that have their turns together are made ready side by side: either may begin first.
    assert sorted(started(world)) == names


async def test_s1_2_types_with_limits_and_priorities(world):
    """S0-48."""
    world.types = {
        "extract": RunType(name="extract", priority=100, limit=5),
        "urgent": RunType(name="urgent", priority=10, limit=1),
    }
    held, _ = await busy(world, "plain", "u1", "u2", limit=2)
    world.job("u1", type="urgent")
    world.job("u2", type="urgent", priority=5)
    gate = Held(2)
    world.leases.extracts["B"] = Script(gate, 2)
    u1 = await submit(world, "u1")
    await gate.reached.wait()
    u2 = await submit(world, "u2")
    plain = await submit(world, "plain")
    pending = world.engine.get_pending_jobs()
    assert [(each.job, each.priority) for each in pending] == [("u2", 5), ("plain", 100)]
    # A place is free, but not for another run of this type.
    held.let_go()
    assert (await plain.wait()).status is RunStatus.COMPLETED
    gate.let_go()
    await u1.wait()
    await u2.wait()
    assert started(world) == ["sales", "u1", "plain", "u2"]


async def test_s1_70_a_delayed_run_begins_when_its_time_has_come(world):
    handle = await submit(world, delay_s=3600)
    assert world.engine.get_queue_metrics().delayed == 1
    (queued,) = world.happened(RunQueued)
    assert queued.not_before == queued.at + 3600
    await world.clock.until_asleep()
    world.clock.turn(3599)
    # A wall clock that jumped wakes nobody too early.
    assert started(world) == []
    world.clock.turn(1)
    assert (await handle.wait()).status is RunStatus.COMPLETED
    assert world.engine.get_queue_metrics().delayed == 0


async def test_s1_70_one_that_is_due_earlier_moves_the_timer(world):
    world.job("soon")
    world.renew()
    late = await world.submit(delay_s=100)
    soon = await world.submit("soon", delay_s=10)
    await world.clock.turn_to_next()
    await soon.wait()
    assert world.engine.get_queue_metrics().pending == 1
    for turned in (70, 100):  # it looks at the clock each minute
        await world.clock.turn_to_next()
        assert world.clock.monotonic() == turned
    await late.wait()


async def test_s1_70_a_clock_that_is_set_forward_is_noticed_within_a_minute(world):
    late = await world.submit(delay_s=3600)
    await world.clock.until_asleep()
    world.clock._start += timedelta(hours=2)
    await world.clock.turn_to_next()
    assert (await late.wait()).status is RunStatus.COMPLETED
    assert world.clock.monotonic() == 60


@pytest.mark.parametrize("waits", [False, True])
async def test_n_23_a_second_start_joins(world, waits):
    held, first = await busy(world, "other")
    name = "other" if waits else "sales"
    if waits:
        first = await submit(world, "other", owner="asha@desk")
    second = await submit(world, name, owner="ravi@till")
    assert second.run == first.run
    held.let_go()
    assert await second.wait() == await first.wait()


@pytest.mark.parametrize("waits", [False, True])
async def test_n_23_a_second_start_is_refused_with_who_has_it(world, waits):
    held, first = await busy(world, "other", overlap="refuse")
    if waits:
        first = await submit(world, "other", owner="asha@desk")
    state = "waits in the queue" if waits else "is running"
    with pytest.raises(RefusedError, match=f"{first.run}, asked for by asha@desk, {state}"):
        await submit(world, "other" if waits else "sales")
    held.let_go()
    await first.wait()


@pytest.mark.parametrize("waits", [False, True])
async def test_n_24_a_second_start_waits_for_the_end_of_the_first(world, waits):
    held, first = await busy(world, "other")
    world.job(overlap="queue")
    name = "other" if waits else "sales"
    if waits:
        first = await submit(world, "other")
    second = await submit(world, name, overlap="queue")
    assert second.run != first.run
    held.let_go()
    await first.wait()
    assert (await second.wait()).status is RunStatus.COMPLETED
    assert started(world).count(name) == 2


async def test_n_24_a_run_that_waits_to_go_on_is_not_queued_twice(world):
    world.leases.extracts["A"] = Script(failure(ErrorClass.DISK), 2)
    stopped = await world.run()
    assert stopped.status is RunStatus.STOPPED
    world.engine._submissions._resident = True
    await world.engine.queue.pause("", paused=True)
    handles = [await submit(world, resume=True, overlap="queue") for _ in range(2)]
    assert {handle.run for handle in handles} == {stopped.run}
    await world.engine.queue.pause("", paused=False)
    assert (await handles[1].wait()).status is RunStatus.COMPLETED


async def failed_run(world, **job):
    """A run of which B failed."""
    world.job(**job)
    world.renew()
    world.leases.extracts["B"] = Script(failure(ErrorClass.LOGIN))
    result = await world.run()
    assert result.status is RunStatus.COMPLETED_WITH_ERRORS
    return result


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("overlap", ["join", "queue", "refuse"])
async def test_n_23_a_retry_of_a_run_that_is_retried_already(world, overlap, waits):
    world.settings = Settings(max_jobs=1)
    result = await failed_run(world, overlap=overlap)
    held = Held(2)
    world.leases.extracts["B"] = Script(held)
    if waits:
        world.job("other", connections=("B",), overlap="join")
        await submit(world, "other")
    first = await world.engine.retry(result.run, Ask())
    await held.reached.wait()
    if overlap == "refuse":
        with pytest.raises(RefusedError, match=result.run):
            await world.engine.retry(result.run, Ask())
    else:
        second = await world.engine.retry(result.run[-4:], Ask(), owner="ravi@till")
        assert (first.run, second.run, first.job) == (result.run, result.run, "sales")
    held.let_go()
    assert (await first.wait()).status is RunStatus.COMPLETED


async def test_n_23_a_retry_while_the_job_has_another_run(world):
    world.job(destinations=(), overlap="join")
    result = await failed_run(world)
    world.clock.turn(1)
    held = Held(2)
    world.leases.extracts["B"] = Script(held)
    running = await submit(world)
    await held.reached.wait()
    joined = await world.engine.retry(result.run, Ask())
    assert joined.run == running.run
    world.job(overlap="refuse")
    with pytest.raises(RefusedError, match="is running"):
        await world.engine.retry(result.run, Ask())
    held.let_go()
    await running.wait()


async def test_a_pause_of_the_queue_holds_what_waits_and_not_what_runs(world):
    held, first = await busy(world, "other", limit=5)
    await world.engine.queue.pause("", paused=True)
    world.engine._submissions._resident = True
    other = await submit(world, "other")
    held.let_go()
    assert (await first.wait()).status is RunStatus.COMPLETED
    metrics = world.engine.get_queue_metrics()
    assert (metrics.paused, metrics.pending, metrics.running) == (True, 1, 0)
    await world.engine.queue.pause("", paused=False)
    assert (await other.wait()).status is RunStatus.COMPLETED


async def test_a_pause_of_a_job_is_kept_over_a_restart(world):
    world.resident = True
    await world.restart()
    await world.engine.queue.pause("sales", paused=True)
    world.job("other")
    handle = await submit(world)
    assert (await world.run("other")).status is RunStatus.COMPLETED
    assert world.engine.get_queue_metrics().paused_jobs == ("sales",)
    await world.restart()
    assert world.engine.get_queue_metrics().paused_jobs == ("sales",)
    assert [each.run for each in world.engine.get_pending_jobs()] == [handle.run]
    await world.engine.queue.pause("sales", paused=False)
    assert (await world.ended(handle.run)).status is RunStatus.COMPLETED
    await world.restart()
    assert world.engine.get_queue_metrics().paused_jobs == ()


@pytest.mark.parametrize(("job", "what"), [("", "the queue"), ("sales", "the job")])
async def test_a_paused_start_that_nobody_would_resume_is_refused(world, job, what):
    await world.engine.queue.pause(job, paused=True)
    with pytest.raises(RefusedError, match=rf"{what} is paused\. Let it go on with"):
        await submit(world)
    assert not await world.store.runs()


@pytest.mark.parametrize("resumable", [False, True])
async def test_s1_74_cancel_a_run_that_waits(world, resumable):
    held, _ = await busy(world, "other")
    handle = await submit(world, "other")
    await world.engine.cancel("other", resumable=resumable)
    result = await handle.wait()
    wanted = RunStatus.STOPPED if resumable else RunStatus.CANCELLED
    assert (result.status, result.reason) == (wanted, f"{wanted} by hand")
    assert await world.stored(handle.run) is wanted
    assert world.happened(RunFinished)[-1].result == result
    assert world.engine.queue.handle(handle.run) is None
    assert [each.job for each in await world.store.queued()] == ["sales"]
    held.let_go()


async def test_s1_74_cancel_a_run_at_work_by_the_end_of_its_id(world):
    _, handle = await busy(world)
    await world.engine.cancel(handle.run[-4:].lower(), reason="not today")
    result = await handle.wait()
    assert (result.status, result.reason) == (RunStatus.CANCELLED, "not today")
    assert await world.store.queued() == []


async def test_cancel_takes_no_run_that_is_not_clearly_meant(world):
    held, first = await busy(world, "other")
    await submit(world, "other")
    for text in ("", "Z-", "nobody", first.run[:8]):
        with pytest.raises(NoSuchRunError, match="no such run waits or is at work"):
            await world.engine.cancel(text)
    assert not await world.engine.queue.cancel("nobody", RunStatus.CANCELLED, "")
    held.let_go()


async def test_a_turn_that_is_cancelled_twice_still_records_its_end(world):
    """The second cancel comes while the first one's end is being recorded."""
    held = Held()
    create, dequeue = world.store.create_run, world.store.dequeue
    first, second = Held(), Held()

    async def slow_create(plan, status):
        await first.passed()
        await create(plan, status)

    async def slow_dequeue(names, status, reason=""):
        await second.passed()
        await dequeue(names, status, reason)

    world.store.create_run, world.store.dequeue = slow_create, slow_dequeue
    handle = await submit(world)
    await first.reached.wait()
    await world.engine.cancel(handle.run)
    await second.reached.wait()
    await world.engine.cancel(handle.run, reason="again")
    await asyncio.sleep(0)
    second.let_go()
    assert (await handle.wait()).status is RunStatus.CANCELLED
    assert await world.stored(handle.run) is RunStatus.CANCELLED
    assert world.engine.get_queue_metrics().running == 0
    held.let_go()


async def test_s0_38_and_s0_49_clear_cancels_what_waits(world):
    held, first = await busy(world, "one", "two")
    waiting = [await submit(world, name) for name in ("one", "two")]
    assert await world.engine.queue.clear() == 2
    for handle in waiting:
        result = await handle.wait()
        assert (result.status, result.reason) == (RunStatus.CANCELLED, "the queue was cleared")
        assert await world.stored(handle.run) is RunStatus.CANCELLED
    assert [event.count for event in world.happened(QueueCleared)] == [2]
    assert world.engine.get_queue_metrics().pending == 0
    held.let_go()
    assert (await first.wait()).status is RunStatus.COMPLETED


async def test_what_cannot_be_recorded_of_a_cancel_is_said(world):
    held, _ = await busy(world, "other")
    handle = await submit(world, "other")

    async def full(*_):
        raise StateError("the disk is full")

    world.store.dequeue = full
    await world.engine.cancel(handle.run)
    assert "could not be recorded: the disk is full" in (await handle.wait()).reason
    held.let_go()


async def test_another_priority_for_a_run_that_waits(world):
    held, _ = await busy(world, "one", "two")
    one, two = [await submit(world, name) for name in ("one", "two")]
    assert await world.engine.queue.reprioritise(two.run, 1)
    assert [each.job for each in world.engine.get_pending_jobs()] == ["two", "one"]
    stored = {each.run: each.priority for each in await world.store.queued()}
    assert stored[two.run] == 1
    assert not await world.engine.queue.reprioritise("nobody", 1)
    held.let_go()
    await one.wait()
    await two.wait()
    assert started(world) == ["sales", "two", "one"]


async def test_another_priority_comes_too_late_for_one_that_has_its_turn(world):
    held, _ = await busy(world, "one")
    one = await submit(world, "one")
    requeue, reached = world.store.requeue, Held()

    async def slow(entry):
        await reached.passed()
        await requeue(entry)

    world.store.requeue = slow
    changing = asyncio.create_task(world.engine.queue.reprioritise(one.run, 1))
    await reached.reached.wait()
    held.let_go()
    assert (await one.wait()).status is RunStatus.COMPLETED
    reached.let_go()
    assert await changing
    assert await world.store.queued() == []


async def test_s0_30_and_s0_51_shutdown_waits_for_what_runs(world):
    held, first = await busy(world, "other")
    other = await submit(world, "other")
    ending = asyncio.create_task(world.engine.shutdown(30, "the machine goes down"))
    await world.clock.until_asleep()
    world.clock.turn(29)
    held.let_go()
    await ending
    assert (await first.wait()).status is RunStatus.COMPLETED
    result = await other.wait()
    assert (result.status, result.reason) == (RunStatus.STOPPED, "the machine goes down")
    assert world.clock.asleep == 0


async def test_s0_51_shutdown_stops_resumably_what_takes_too_long(world):
    _, first = await busy(world)
    ending = asyncio.create_task(world.engine.shutdown(30, "the machine goes down"))
    await world.clock.until_asleep()
    world.clock.turn(30)
    await ending
    result = await first.wait()
    assert (result.status, result.reason) == (RunStatus.STOPPED, "the machine goes down")
    assert await world.stored(first.run) is RunStatus.STOPPED


async def test_s0_51_shutdown_of_an_idle_engine_waits_for_nothing(world):
    await world.engine.shutdown(30, "bye")
    assert world.clock.slept == []


async def test_after_a_shutdown_nobody_gets_a_turn(world):
    world.resident = True
    world.renew()
    await world.engine.shutdown(1, "bye")
    handle = await submit(world)
    assert [each.run for each in world.engine.get_pending_jobs()] == [handle.run]
    await world.engine.aclose()
    result = await handle.wait()
    assert (result.status, result.reason) == (
        RunStatus.QUEUED,
        "the engine was closed; it keeps its place",
    )
    assert [each.run for each in await world.store.queued()] == [handle.run]


async def test_s0_39_to_44_and_s0_121_numbers_of_the_queue(world):
    """S0-46."""
    held, first = await busy(world, "good", "bad", "later")
    good, bad = await submit(world, "good"), await submit(world, "bad")
    await submit(world, "later", delay_s=60)
    metrics = world.engine.get_queue_metrics()
    assert (metrics.pending, metrics.delayed, metrics.running) == (3, 1, 1)
    assert (metrics.total_processed, metrics.average_ms) == (0, 0.0)
    world.leases.extracts["B"] = Script(2, failure(ErrorClass.LOGIN))
    world.clock.turn(6)
    held.let_go()
    await first.wait()
    await good.wait()
    assert (await bad.wait()).status is RunStatus.FAILED
    metrics = world.engine.get_queue_metrics()
    assert (metrics.pending, metrics.delayed, metrics.running) == (1, 1, 0)
    assert (metrics.completed, metrics.failed, metrics.retried) == (2, 1, 0)
    # Three runs, of which one was at work for nine seconds.
    assert (metrics.total_processed, metrics.average_ms) == (3, 3000.0)


async def test_a_run_that_cannot_be_made_ready_fails_with_why(world, caplog):
    held, _ = await busy(world, "other")
    handle = await submit(world, "other")
    del world.jobs["other"]
    held.let_go()
    result = await handle.wait()
    assert result.status is RunStatus.FAILED
    assert "there is no job 'other'" in result.reason
    assert await world.stored(handle.run) is RunStatus.FAILED
    assert "did not begin" in caplog.text
    assert await world.store.queued() == []


async def test_a_mistake_in_making_ready_fails_that_run_alone(world):
    held, _ = await busy(world, "one", "two")
    one, two = await submit(world, "one"), await submit(world, "two")
    new = world.engine._starts._preparer.new

    async def mistaken(run, job, *args, **asked):
        if job.name == "one":
            raise ZeroDivisionError("our mistake")
        return await new(run, job, *args, **asked)

    world.engine._starts._preparer.new = mistaken
    world.refuse("dequeue")
    held.let_go()
    assert (await one.wait()).reason.startswith("ZeroDivisionError: our mistake")
    assert (await two.wait()).status is RunStatus.COMPLETED


async def test_two_runs_never_get_the_same_id(world, monkeypatch):
    letters = iter([b"aaaaa", b"aaaaa", b"bbbbb"])
    monkeypatch.setattr("etltui.engine.starts.os.urandom", lambda _: next(letters))
    one = await world.submit()
    two = await world.submit(overlap="queue")
    assert one.run != two.run
    await one.wait()
    await two.wait()
