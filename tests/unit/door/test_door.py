"""The door: what a client gets of an engine in another process."""

import asyncio
import json
import os
import pwd
from dataclasses import replace

import pytest

from door_kit import until
from etltui.domain.errors import ConfigError, ErrorClass, Mistake, NoSuchRunError, RefusedError
from etltui.domain.events import ConnectionFailed, Overflow, RunFinished, RunQueued, RunStarted
from etltui.domain.job import RetryPolicy
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from etltui.door.client import GoneError, NoDoorError, open_door
from etltui.door.protocol import Answer
from fakes import Script, failure


async def test_a_client_submits_follows_and_has_the_engines_own_result(house):
    async with house.visited() as (_, remote):
        snapshot = await remote.collect()
        assert snapshot == house.engine.snapshot()
        run = await remote.submit("sales")
        events = remote.events([run])
        result = await remote.wait(run)
        await remote.enough()
        seen = [event async for event in events]
    assert result.status is RunStatus.COMPLETED
    ours = [event for event in house.bus.events if event.run == run]
    kinds = [type(event) for event in seen]
    assert kinds[:2] == [RunQueued, RunStarted]
    assert seen[-1] == ours[-1] == RunFinished(at=seen[-1].at, run=run, job="sales", result=result)
    assert statuses(seen) == statuses(ours)


def statuses(events):
    return [event for event in events if "Progress" not in type(event).__name__]


async def test_only_the_runs_that_are_named_are_followed(house):
    house.job("other")
    async with house.visited() as (_, remote), open_door(house.state) as second:
        await remote.collect()
        await second.collect()
        runs = [await remote.submit(job) for job in ("sales", "other")]
        for run in runs:
            await remote.wait(run)
        await remote.enough()
        await second.enough()
        one = [event.run async for event in remote.events(runs[:1])]
        both = [event.run async for event in second.events()]
    assert set(one) == set(runs[:1])
    assert set(both) == set(runs)


async def test_every_question_has_the_engines_answer(house):
    house.resident = True
    house.renew()
    held = house.hold()
    async with house.visited() as (_, remote):
        run = await remote.submit("sales", priority=7, owner="ravi@till")
        await held.reached.wait()
        waiting = await remote.submit("sales", overlap="queue", delay_s=60)
        engine = house.engine
        assert await remote.snapshot() == engine.snapshot()
        assert await remote.get_pool_metrics() == engine.get_pool_metrics()
        assert await remote.get_pool_info() == engine.get_pool_info()
        assert await remote.get_queue_metrics() == engine.get_queue_metrics()
        assert await remote.get_running_jobs() == engine.get_running_jobs()
        assert [each.priority for each in await remote.get_running_jobs()] == [7]
        assert [each.owner for each in await remote.get_running_jobs()] == ["ravi@till"]
        assert await remote.get_pending_jobs() == engine.get_pending_jobs()
        assert await remote.get_job_progress("sales") == engine.get_job_progress("sales")
        assert await remote.get_all_progress() == engine.get_all_progress()
        assert await remote.call("queue.reprioritise", run=waiting, priority=3) is True
        await remote.call("queue.pause", job="sales", paused=True)
        assert (await remote.get_queue_metrics()).paused_jobs == ("sales",)
        await remote.check("sales")
        await remote.cancel(waiting)
        assert (await remote.wait(waiting)).status is RunStatus.CANCELLED
        held.let_go()
        assert (await remote.wait(run)).status is RunStatus.COMPLETED


async def test_errors_are_the_engines_own(house):
    held = house.hold()
    async with house.visited() as (_, remote):
        with pytest.raises(NoSuchRunError) as told:
            await remote.cancel("nothing")
        with pytest.raises(NoSuchRunError) as ours:
            await house.engine.cancel("nothing")
        assert (str(told.value), vars(told.value)) == (str(ours.value), vars(ours.value))
        with pytest.raises(ConfigError) as config:
            await remote.submit("salse")
        assert config.value.mistakes[0].way_out == "There are: sales"
        with pytest.raises(NoSuchRunError, match="no such run waits"):
            await remote.wait("nothing")
        with pytest.raises(NoSuchRunError, match="there is no such run"):
            await remote.retry("nothing", Ask())
        await remote.submit("sales")
        await held.reached.wait()
        with pytest.raises(RefusedError, match="its run"):
            await remote.submit("sales", overlap="refuse")
        held.let_go()
        await remote.wait(house.engine.get_running_jobs()[0].run)


async def test_a_retry_is_followed_like_a_start(house):
    house.leases.extracts["B"] = Script(failure(ErrorClass.SYNTAX), 2)
    async with house.visited() as (_, remote):
        run = await remote.submit("sales")
        assert (await remote.wait(run)).status is RunStatus.COMPLETED_WITH_ERRORS
        again = await remote.retry(run[-4:], Ask(), owner="ravi@till")
        assert again == run
        assert (await remote.wait(run)).status is RunStatus.COMPLETED


async def test_n_23_a_job_that_runs_is_joined_and_ends_alike_for_both(house):
    house.job(retry=RetryPolicy(retries=0))
    held = house.hold()
    async with house.visited() as (_, remote), open_door(house.state) as second:
        run = await remote.submit("sales")
        await held.reached.wait()
        assert await second.submit("sales") == run
        held.let_go()
        assert await remote.wait(run) == await second.wait(run)


async def test_nobody_serves(house):
    for state in (house.state, house.folder / "nowhere"):
        with pytest.raises(NoDoorError, match="etltui serve"):
            async with open_door(state):
                pass


async def test_a_door_that_closes_lets_its_clients_have_the_end_they_wait_for(house):
    held = house.hold()
    opened = house.open_house()
    await opened.__aenter__()
    async with open_door(house.state) as remote:
        await remote.collect()
        run = await remote.submit("sales")
        waits = asyncio.create_task(remote.wait(run))
        follows = asyncio.create_task(_all(remote.events([run])))
        await held.reached.wait()
        await house.engine.stop("enough for today")
        await opened.__aexit__(None, None, None)
        assert (await waits).reason == "enough for today"
        assert (await follows)[-1].result == await waits
        with pytest.raises(GoneError, match="has ended"):
            await remote.until_gone()
        with pytest.raises(GoneError):
            await remote.snapshot()
        await remote.enough()
        assert await _all(remote.events()) == []
    assert not (house.state / "engine.sock").exists()


async def _all(events):
    return [event async for event in events]


async def test_a_call_under_way_ends_when_the_engine_is_gone(house):
    held = house.hold()
    async with house.open_house() as door, open_door(house.state) as remote:
        run = await remote.submit("sales")
        waits = asyncio.create_task(remote.wait(run))
        await held.reached.wait()
        for visit in list(door._visits):
            visit._writer.transport.abort()
        with pytest.raises(GoneError, match=r"asha@desk, process \d+, has ended"):
            await waits
        held.let_go()
        await house.engine.queue.handle(run).wait()


async def test_a_call_that_is_given_up_harms_none_that_follows(house):
    held = house.hold()
    async with house.visited() as (_, remote):
        run = await remote.submit("sales")
        waits = asyncio.create_task(remote.wait(run))
        await held.reached.wait()
        waits.cancel()
        # Its answer is on the way, or comes when nobody knows of the call any more.
        (number,) = remote._line._waiting
        remote._line._take(Answer(id=number))
        await asyncio.wait({waits})
        assert waits.cancelled()
        remote._line._take(Answer(id=number))
        held.let_go()
        assert (await remote.wait(run)).status is RunStatus.COMPLETED


async def test_an_engine_ends_when_the_runs_of_others_have(house):
    held = house.hold()
    async with house.visited() as (door, remote):
        run = await remote.submit("sales")
        await held.reached.wait()
        assert door.handed == 1
        finish = asyncio.create_task(door.finish())
        await remote.snapshot()
        assert not finish.done()
        held.let_go()
        await remote.wait(run)
        await finish
        assert door.handed == 0
        with pytest.raises(GoneError, match="about to end"):
            await remote.submit("sales")
        await remote.check("sales")


async def test_a_run_that_is_being_started_is_waited_for_too(house):
    held = house.hold()
    async with house.visited() as (door, remote):
        async with door._reading:
            submits = asyncio.create_task(remote.submit("sales"))
            await until(lambda: door._starting)
            finish = asyncio.create_task(door.finish())
            await remote.snapshot()
            assert not finish.done()
        await held.reached.wait()
        held.let_go()
        await remote.wait(await submits)
        await finish


async def test_the_configuration_is_read_again_before_a_start(house):
    async with house.visited() as (_, remote):
        before = house.engine.config
        await remote.check("sales")
        assert house.engine.config is before
        later = replace(before.jobs["sales"], name="later")
        house.files = replace(before, jobs={**before.jobs, "later": later})
        await remote.check("later")
        assert house.engine.config is house.files
        mistake = Mistake(where="etltui.toml", key="jobs.sales.query", problem="is empty")
        house.files = ConfigError([mistake])
        with pytest.raises(ConfigError) as told:
            await remote.submit("sales")
        assert told.value.mistakes == (mistake,)
        assert list(house.engine.config.jobs) == ["sales", "later"]


async def test_memory_that_is_measured_anew_is_no_change_of_the_operators(house):
    async with house.visited() as (_, remote):
        before = house.engine.config
        measured = replace(before.settings, memory_threshold_mb=99)
        origins = {"memory_threshold_mb": "half of the available memory"}
        house.files = replace(before, settings=measured, origins=origins)
        await remote.check("sales")
        assert house.engine.config.settings == before.settings
        house.files = replace(house.files, origins={"memory_threshold_mb": "file"})
        await remote.check("sales")
        assert house.engine.config.settings.memory_threshold_mb == 99


async def test_failures_carry_what_to_do(house):
    house.leases.extracts["B"] = Script(failure(ErrorClass.LOGIN, "no entry"))
    async with house.visited() as (_, remote):
        await remote.collect()
        run = await remote.submit("sales")
        await remote.wait(run)
        await remote.enough()
        (failed,) = [e async for e in remote.events() if isinstance(e, ConnectionFailed)]
    assert failed.trouble.raised().advice.try_.startswith("Check the credential")
    assert not any(isinstance(event, Overflow) for event in house.bus.events)


async def test_who_calls_is_whom_the_kernel_knows_whatever_they_say(house, monkeypatch):
    """And where they sit is as they say, cut."""
    monkeypatch.setenv("SSH_CONNECTION", f"10.0.0.9{'9' * 99} 51000 10.0.0.1 22")
    async with house.open_house(), open_door(house.state, who="root@moon") as remote:
        await remote.call("queue.pause", job="sales", paused=True)
        await remote.call("queue.pause", job="sales", paused=False)
    first, second = [json.loads(each.record) for each in await house.store.audit()]
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert (first["user"], first["pid"], first["said"]) == (me, os.getpid(), "root@moon")
    assert (len(first["address"]), second["address"]) == (64, first["address"])
