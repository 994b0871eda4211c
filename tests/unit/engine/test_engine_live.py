"""What others see of an engine: its pulse, its snapshot, and each event of a run in its place."""

import asyncio

import pytest

from engine_world import MB, connection
from etltui.domain.errors import ErrorClass
from etltui.domain.events import Topic
from etltui.domain.job import RetryPolicy
from etltui.domain.run import RunStatus
from etltui.engine import live
from etltui.engine.holdings import Holding
from etltui.engine.strays import StrayWatch
from fakes import Held, Script, failure


@pytest.fixture
def beats(monkeypatch):
    """The pulse goes on when the test says so."""
    naps = asyncio.Queue()
    real = asyncio.sleep

    async def nap(seconds):
        if seconds != live.PULSE_S:
            await real(seconds)
            return
        go = asyncio.Event()
        await naps.put(go)
        await go.wait()

    monkeypatch.setattr(live.asyncio, "sleep", nap)
    return naps


async def beat(beats):
    """Let the pulse beat once; it has beaten when it sleeps again."""
    (await beats.get()).set()
    again = await beats.get()
    await beats.put(again)


@pytest.fixture
async def pulse(world, beats):
    """The world with a started engine whose pulse the test beats."""
    world.lives = 0
    put = world.store.put_live

    async def count(snapshot):
        world.lives += 1
        await put(snapshot)

    world.store.put_live = count
    await world.engine.start()
    await beats.put(await beats.get())
    return world


async def test_the_live_row_is_written_each_second_while_runs_exist(pulse, beats):
    world = pulse
    # Once when nothing runs, and no more: an idle engine leaves the disk alone.
    for _ in range(3):
        await beat(beats)
    assert world.lives == 1
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    for _ in range(3):
        await beat(beats)
    assert world.lives == 4
    seen = await world.store.live()
    assert (seen.runs[0].run, seen.runs[0].status) == (handle.run, RunStatus.RUNNING)
    assert seen.holder == "asha@desk"
    held.let_go()
    await handle.wait()
    for _ in range(3):
        await beat(beats)
    assert world.lives == 5
    assert (await world.store.live()).runs[0].status is RunStatus.COMPLETED
    await world.engine.aclose()
    assert world.lives == 6


async def test_memory_is_weighed_each_second(pulse, beats):
    world = pulse
    for weight in (100, 300, 200):
        world.weight = weight * MB
        await beat(beats)
        assert world.engine.snapshot().memory == weight * MB
    assert world.engine._tools.memory.peak == 300 * MB


async def test_a_beat_that_fails_is_not_the_last(pulse, beats, caplog):
    world = pulse
    weigh = world.engine._tools.memory.weigh

    async def fail():
        raise TypeError("odd")

    world.engine._tools.memory.weigh = fail
    await beat(beats)
    assert "A beat of the pulse failed" in caplog.text
    world.engine._tools.memory.weigh = weigh
    world.weight = 100 * MB
    await beat(beats)
    assert world.engine.snapshot().memory == 100 * MB


async def test_the_pulse_samples_the_engine_and_how_late_it_is_itself(pulse, beats):
    world = pulse
    start = world.clock.now().timestamp()
    late = []
    world.engine._live._sampler.late = late.append
    world.clock.turn(60)
    await beat(beats)
    await beat(beats)
    world.clock.turn(1)
    await world.engine.aclose()
    taken = await world.store.samples(start, start + 100, points=100)
    assert [each.at - start for each in taken] == [0, 60, 61]
    # A nap of the test's is no nap at all: each time it is a second too short.
    assert len(late) == 2
    assert max(late) < 0


async def test_a_live_row_that_cannot_be_written_stops_nothing(world, caplog):
    await world.store.aclose()
    await world.engine._live.write()
    assert "The live row was not written" in caplog.text
    await world.open()


async def test_s0_102_a_snapshot_has_everything_in_it(world):
    world.job("other")
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()
    late = await world.submit("other", delay_s=60)
    seen = world.engine.snapshot()
    assert [view.run for view in seen.runs] == [handle.run, late.run]
    assert [entry.run for entry in seen.pending] == [late.run]
    assert (seen.queue.running, seen.queue.delayed) == (1, 1)
    assert seen.pools == world.engine.get_pool_metrics()
    assert seen.pool_info == world.engine.get_pool_info() == ()
    assert (seen.at, seen.threshold) == (world.clock.now().timestamp(), 512 * MB)
    assert world.engine.get_job_progress(handle.run) == seen.runs[0]
    assert world.engine.get_job_progress("other").run == late.run
    held.let_go()
    await handle.wait()


async def test_s0_54_history_stays_when_memory_forgets(world):
    """S1-75."""
    result = await world.run()
    assert len(world.engine.get_all_progress()) == 1
    world.clock.turn(300)
    assert world.engine.get_all_progress() == ()
    assert world.engine.get_job_progress("sales") is None
    assert (await world.store.run(result.run)).status is RunStatus.COMPLETED


def names(world, topic):
    return [type(event).__name__ for event in world.bus.events if event.topic is topic]


CASES = {
    # S0-33, S0-34, S0-35 and S0-57…63: how often each event comes, by what happens.
    "completed": ([2, 2], ["RunQueued"], {"RunStarted": 1, "ConnectionStarted": 2,
        "ConnectionCompleted": 2, "ConnectionFailed": 0, "RunFinished": 1}),
    # S0-62: one of two fails, for good.
    "one failed": ([2, failure(ErrorClass.LOGIN)], ["RunQueued"], {"RunStarted": 1,
        "ConnectionStarted": 2, "ConnectionCompleted": 1, "ConnectionFailed": 1,
        "RunFinished": 1}),
    # S0-36 once and S0-37 at the end: both are away, two tries and one more each.
    "failed": ([failure(), failure()], ["RunQueued", "RunRetrying"], {"RunStarted": 2,
        "ConnectionStarted": 6, "ConnectionCompleted": 0, "ConnectionFailed": 6,
        "RunFinished": 1}),
    # No second turn where it cannot help.
    "failed at once": ([failure(ErrorClass.TLS)] * 2, ["RunQueued"], {"RunStarted": 1,
        "ConnectionStarted": 2, "ConnectionCompleted": 0, "ConnectionFailed": 2,
        "RunFinished": 1}),
    # A full disk stops the run: no connection of it counts as failed.
    "stopped": ([failure(ErrorClass.DISK)] * 2, ["RunQueued"], {"RunStarted": 1,
        "ConnectionCompleted": 0, "ConnectionFailed": 0, "RunFinished": 1}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_s0_33_to_37_and_s0_57_to_64_when_and_how_often(world, case):
    answers, queue, counts = CASES[case]
    world.connections = tuple(map(connection, "AB"))
    world.job(retry=RetryPolicy(retries=1, delay_s=5), columns=("id",))
    world.renew()
    for name, answer in zip("AB", answers, strict=True):
        world.leases.extracts[name] = Script(answer)
    handle = await world.submit()
    ended = asyncio.ensure_future(handle.wait())
    while not ended.done():
        await asyncio.sleep(0)
        world.clock.turn(1)
    assert names(world, Topic.QUEUE) == queue
    progress = names(world, Topic.PROGRESS)
    assert {name: progress.count(name) for name in counts} == counts
    assert progress[-1] == "RunFinished"
    view = world.engine.get_job_progress(handle.run)
    assert (view.status, view.rows) == (ended.result().status, ended.result().rows)


async def test_events_of_a_run_that_is_cancelled_before_its_turn(world):
    handle = await world.submit(delay_s=60)
    await world.engine.cancel(handle.run)
    assert [type(event).__name__ for event in world.bus.events] == ["RunQueued", "RunFinished"]


async def test_s4_30_what_was_not_given_back_is_in_the_snapshot(world, beats):
    held = []

    async def holdings():
        return held

    world.tools(strays=StrayWatch(holdings, world.clock))
    await world.engine.start()
    await beats.put(await beats.get())
    held.append(Holding(kind="descriptor", key=12, name="12: /data/north.db"))
    await beat(beats)
    world.clock.turn(world.settings.leak_s)
    await beat(beats)
    (stray,) = world.engine.snapshot().strays
    assert str(stray) == "descriptor 12: /data/north.db"
    assert stray.seconds == world.settings.leak_s
