"""Further turns of a run of which nothing completed, by a clock that the test turns."""

import asyncio

import pytest

from engine_world import connection
from etltui.domain.errors import ErrorClass
from etltui.domain.events import ConnectionFailed, RunFinished, RunRetrying, RunStarted
from etltui.domain.job import RetryPolicy
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from fakes import Held, Script, failure

THREE = RetryPolicy(retries=3, delay_s=5, multiplier=2)
ONE = RetryPolicy(retries=1, delay_s=5)
DOWN = failure()


def down(world, names="A", *, policy=THREE, answer=DOWN, **job):
    """A job whose connections fail as said."""
    world.connections = tuple(map(connection, names))
    world.job(retry=policy, columns=("id",), **job)
    for name in names:
        world.leases.extracts[name] = Script(answer)
    world.renew()


async def through(world, handle):
    """Turn the clock to each moment at which somebody wakes, until the run has ended."""
    ended = asyncio.ensure_future(handle.wait())
    while not ended.done():
        sleeping = asyncio.ensure_future(world.clock.until_asleep())
        await asyncio.wait({ended, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        if sleeping.done() and not ended.done():
            await world.clock.turn_to_next()
        sleeping.cancel()
    return ended.result()


async def test_s0_28_a_turn_more_gives_each_connection_one_try_more(world):
    """Tries of connections and turns of runs add up and never multiply: 4 and 3, not 16."""
    down(world, "AB")
    result = await through(world, await world.submit())
    assert result.status is RunStatus.FAILED
    assert world.leases.read().count("A") == 4 + 3
    turns = world.happened(RunStarted)
    assert [event.attempt for event in turns] == [1, 2, 3, 4]
    retrying = world.happened(RunRetrying)
    assert [event.tries for event in retrying] == [1, 2, 3]
    assert all(event.will_retry for event in retrying)
    assert len(world.happened(RunFinished)) == 1
    metrics = world.engine.get_queue_metrics()
    assert (metrics.retried, metrics.failed, metrics.total_processed) == (3, 1, 1)
    assert await world.store.queued() == []


async def test_s0_31_and_s0_32_back_off_with_jitter_and_a_cap(world):
    """S1-3."""
    policy = RetryPolicy(retries=4, delay_s=5, multiplier=2, max_delay_s=15)
    down(world, policy=policy)
    await through(world, await world.submit())
    waits = [event.wait_s for event in world.happened(RunRetrying)]
    for waited, wanted in zip(waits, (5, 10, 15, 15), strict=True):
        assert wanted <= waited <= wanted * 1.1


async def test_a_later_turn_reads_only_what_is_not_done_and_completes(world):
    """S1-13, S3-30."""
    down(world, "AB", policy=ONE)
    handle = await world.submit()
    await world.clock.until_asleep(2)
    world.clock.turn(6)
    await world.clock.until_asleep(1)
    (entry,) = await world.store.queued()
    assert (entry.tries, entry.taken, entry.run) == (2, False, handle.run)
    view = world.engine.get_job_progress("sales")
    assert (view.status, len(view.errors)) == (RunStatus.QUEUED, 2)
    world.leases.read()
    world.leases.extracts["A"] = Script(2)
    world.leases.extracts["B"] = Script(failure(ErrorClass.LOGIN))
    result = await through(world, handle)
    assert (result.status, result.run) == (RunStatus.COMPLETED_WITH_ERRORS, handle.run)
    assert sorted(world.leases.read()) == ["A", "B"]
    # Part of it is done: that is no failed run any more, and nothing is read a third time.
    assert [type(event) for event in world.happened(RunRetrying, RunFinished)] == [
        RunRetrying,
        RunFinished,
    ]


async def test_a_run_that_cannot_get_better_gets_no_other_turn(world):
    down(world, answer=failure(ErrorClass.LOGIN))
    result = await world.run()
    assert result.status is RunStatus.FAILED
    assert not world.happened(RunRetrying)
    assert world.clock.slept == []


async def test_a_stopped_run_gets_no_other_turn(world):
    down(world, answer=failure(ErrorClass.DISK))
    assert (await world.run()).status is RunStatus.STOPPED
    assert not world.happened(RunRetrying)


async def test_others_have_their_turn_while_one_waits_for_its_next(world):
    down(world, policy=ONE)
    world.job("other", connections=("B",), columns=("id",))
    world.connections += (connection("B"),)
    world.job(connections=("A",))
    world.renew()
    handle = await world.submit()
    await world.clock.turn_to_next()
    await world.clock.until_asleep()
    assert (await world.run("other")).status is RunStatus.COMPLETED
    assert (await through(world, handle)).status is RunStatus.FAILED


async def waiting_again(world, **changes):
    """A run that failed and waits for its second turn."""
    down(world, policy=ONE, **changes)
    handle = await world.submit()
    await world.clock.turn_to_next()
    await world.clock.until_asleep()
    assert world.happened(RunRetrying)
    return handle


async def test_a_run_that_waits_for_its_next_turn_can_be_cancelled(world):
    handle = await waiting_again(world)
    await world.engine.cancel(handle.run)
    assert (await handle.wait()).status is RunStatus.CANCELLED
    # What it came to in its first turn stays on record.
    assert await world.stored(handle.run) is RunStatus.FAILED
    assert await world.store.queued() == []


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("resumable", [False, True])
async def test_a_stop_that_comes_when_the_next_turn_is_recorded(world, resident, resumable):
    world.resident = resident
    held = Held()
    finish = world.store.finish_run

    async def slow(result, again=None):
        await finish(result, again)
        await held.passed()

    down(world, policy=ONE)
    world.store.finish_run = slow
    handle = await world.submit()
    await world.clock.turn_to_next()
    await held.reached.wait()
    await world.engine.cancel(handle.run, resumable=resumable, reason="enough")
    await asyncio.sleep(0)
    held.let_go()
    result = await handle.wait()
    kept = resident and resumable
    wanted = RunStatus.STOPPED if resumable else RunStatus.CANCELLED
    assert result.status is (RunStatus.FAILED if kept else wanted)
    assert len(await world.store.queued()) == kept
    assert world.engine.get_running_jobs() == world.engine.get_pending_jobs() == ()
    await world.engine.stop("nothing hangs")


async def test_no_turn_is_given_while_the_engine_closes(world):
    held = Held(failure())
    down(world, policy=RetryPolicy(retries=1, delay_s=0))
    world.leases.extracts["A"] = Script(failure(), held)
    handle = await world.submit()
    await world.clock.turn_to_next()
    await held.reached.wait()
    ending = asyncio.create_task(world.engine.shutdown(60, "bye"))
    await world.clock.until_asleep()
    held.let_go()
    await ending
    assert (await handle.wait()).status is RunStatus.FAILED
    assert not world.happened(RunRetrying)


async def test_a_further_turn_of_a_retry_asks_for_what_the_retry_asked(world):
    """A password that was refused is not tried again because another branch was away."""
    down(world, "AB", policy=ONE)
    world.leases.extracts["B"] = Script(failure(ErrorClass.LOGIN))
    first = await through(world, await world.submit())
    assert first.status is RunStatus.FAILED
    world.leases.read()
    ask = Ask(classes=(ErrorClass.UNREACHABLE,))
    result = await through(world, await world.engine.retry(first.run, ask))
    assert result.status is RunStatus.FAILED
    assert world.leases.read() == ["A"] * 3
    assert {e.connection for e in world.happened(ConnectionFailed)[-3:]} == {"A"}
