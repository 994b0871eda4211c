"""The stream of progress: what the documents call methods is said by the engine as it happens."""

import pytest

from etltui.domain.errors import ErrorClass
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionStarted,
    RunFinished,
    RunProgress,
    RunStarted,
)
from etltui.domain.job import RetryPolicy
from etltui.domain.run import ConnectionStatus, RunStatus, Step
from etltui.encode import documents
from fakes import Held, Script, failure


async def test_each_method_of_the_documents_is_an_event_and_a_change_of_the_view(world):
    """S0-52, S0-65…75: in this order, while the run goes on."""
    world.job(max_parallel=1, columns=("id",))
    world.renew()
    gates = [Held(700), Held(failure(ErrorClass.SYNTAX, "no such table")), Held(5)]
    for name, gate in zip("ABC", gates, strict=True):
        world.leases.extracts[name] = Script(gate)
    with world.engine.events() as stream:  # setMainWindow: whoever subscribes is shown
        handle = await world.submit()
        seen = aiter(stream)

        async def next_of(kind, connection=""):
            async for event in seen:
                if isinstance(event, kind) and getattr(event, "connection", "") == connection:
                    return event
            raise AssertionError(f"the stream ended without a {kind.__name__}")

        def view():
            return world.engine.get_job_progress(handle.run)

        # startJob, updateJobStep
        assert (await next_of(RunStarted)).total == view().total == 3
        step = await next_of(RunProgress)
        assert (step.step, step.percent) == (Step.CONNECTING, 0)
        # startConnection, updateConnectionProgress
        await next_of(ConnectionStarted, "A")
        await gates[0].reached.wait()
        assert view().connections["A"].status is ConnectionStatus.RUNNING
        moving = await next_of(ConnectionProgress, "A")
        assert view().connections["A"].step == moving.step == Step.QUERYING
        gates[0].let_go()
        moving = await next_of(ConnectionProgress, "A")
        assert (moving.step, moving.rows) == (Step.PROCESSING, 700)
        # completeConnection, with its rows
        assert (await next_of(ConnectionCompleted, "A")).result.rows == 700
        assert view().connections["A"].rows == view().rows == 700
        assert (view().percent, view().completed) == (33, 1)
        # failConnection
        gates[1].let_go()
        failed = await next_of(ConnectionFailed, "B")
        assert (failed.will_retry, failed.trouble.message) == (False, "no such table")
        assert view().errors == ("B: no such table",)
        # completeJob; getJobProgress and getAllProgress know how it ended
        gates[2].let_go()
        assert (await next_of(RunFinished)).result == await handle.wait()
        assert view().status is RunStatus.COMPLETED_WITH_ERRORS
        assert world.engine.get_all_progress() == (view(),)


async def test_a_job_that_fails_is_told_with_why(world):
    """S0-73."""
    for name in "ABC":
        world.leases.extracts[name] = Script(failure())
    result = await world.run()
    (finished,) = world.happened(RunFinished)
    assert finished.result.status is RunStatus.FAILED
    assert world.engine.get_job_progress("sales").reason == result.reason != ""


async def test_a_job_and_each_connection_has_its_percent(world):
    """S0-55: of a job by its connections that ended, of a connection by its steps."""
    world.job(max_parallel=1, columns=("id",))
    world.renew()
    held = Held(2)
    world.leases.extracts["B"] = Script(held)
    handle = await world.submit()
    await held.reached.wait()

    def percents():
        told = documents.job_progress(world.engine.get_job_progress(handle.run))
        connections = told["connectionProgress"]
        return told["percentage"], {name: each["percentage"] for name, each in connections.items()}

    job, connections = percents()
    assert (job, connections["A"]) == (33, 100)
    assert 0 < connections["B"] < 100
    assert connections["C"] == 0
    held.let_go()
    await handle.wait()
    assert percents() == (100, dict.fromkeys("ABC", 100))


async def test_who_submits_does_not_wait_and_hears_of_it(world):
    """S1-1, S1-62."""
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    with world.engine.events() as stream:
        handle = await world.submit()
        assert world.leases.read() == []
        assert world.engine.get_job_progress(handle.run).status is RunStatus.QUEUED
        await held.reached.wait()
        held.let_go()
        await handle.wait()
        world.engine.end_events()
        told = [type(event) for event in [event async for event in stream]]
    assert told[1] is RunStarted
    assert told[-1] is RunFinished


async def test_a_run_that_somebody_else_left_is_picked_up_tracked_and_shown(world):
    """S0-129: by an engine that stays, without anybody who asks for it there."""
    world.resident = True
    world.job(resume=True, retry=RetryPolicy(retries=2), columns=("id",))
    world.renew()
    held = Held(2)
    world.leases.extracts["A"] = Script(held)
    left = await world.submit(owner="ravi@till")
    await held.reached.wait()
    again = Held(2)
    world.leases.extracts["A"] = Script(again)
    await world.restart()
    await again.reached.wait()
    (running,) = world.engine.get_running_jobs()
    assert (running.run, running.owner) == (left.run, "ravi@till")
    (shown,) = world.engine.snapshot().runs
    assert (shown.run, shown.status) == (left.run, RunStatus.RUNNING)
    assert shown.connections["A"].status is ConnectionStatus.RUNNING
    ending = world.engine.queue.handle(left.run)
    again.let_go()
    assert (await ending.wait()).status is RunStatus.COMPLETED
    assert world.engine.get_job_progress("sales").percent == 100


_TOLD = {
    RunStarted: lambda event: ("started", event.total),
    ConnectionStarted: lambda event: (event.connection, "started"),
    ConnectionProgress: lambda event: (event.connection, event.step),
    ConnectionCompleted: lambda event: (event.connection, event.result.rows),
    ConnectionFailed: lambda event: (event.connection, event.trouble.message),
    RunProgress: lambda event: ("run", event.step) if event.step is Step.SENDING else None,
    RunFinished: lambda event: ("finished", event.result.completed, event.result.failed),
}


def _told(event):
    """What an event adds to the flow; None for those beside it."""
    told = _TOLD.get(type(event))
    return told and told(event)


@pytest.mark.parametrize("names", ["A", "ABC"])
@pytest.mark.parametrize("fails", [True, False])
async def test_s0_84_the_flow_of_one_connection_and_of_many(world, names, fails):
    """S0-83: step by step; where one fails it is the last."""
    world.connections = world.connections[: len(names)]
    world.job(max_parallel=1, columns=("id",))
    world.renew()
    if fails:
        world.leases.extracts[names[-1]] = Script(failure(ErrorClass.SYNTAX, "no such table"))
    await world.run()

    good, bad = (names[:-1], names[-1]) if fails else (names, "")
    ways = [
        [(name, "started"), (name, Step.CONNECTING), (name, Step.QUERYING)]
        + ([(name, Step.PROCESSING), (name, 2)] if name != bad else [(name, "no such table")])
        for name in names
    ]
    sending = [("run", Step.SENDING)] if good else []
    assert [words for event in world.bus.events if (words := _told(event))] == [
        ("started", len(names)),
        *(words for way in ways for words in way),
        *sending,
        ("finished", len(good), len(bad)),
    ]
