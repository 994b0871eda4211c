"""A request and the engine that holds the folder: handed over, refused, waited for, lost."""

import asyncio
import json
import os
import signal
from dataclasses import replace

import pytest

from door_kit import House, until
from etltui.cli.follow import EXIT, exit_code, worst
from etltui.cli.local import Local
from etltui.cli.request import DOOR_S, Request, _fulfil, _here, recorded
from etltui.cli.run import starting
from etltui.cli.watch import under_way
from etltui.domain.errors import ConfigError, ErrorClass, NoSuchRunError, StateHeldError
from etltui.domain.events import LineDown, RunQueued
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from etltui.door.client import GoneError, NoDoorError, open_door
from fakes import Script, TurnedClock, failure


@pytest.fixture
async def house(tmp_path):
    made = await House(tmp_path).open()
    yield made
    await made.close()


def asked(**more):
    return Request(start=starting(["sales"], {}), jobs=("sales",), **more)


def fulfil(house, request=None, clock=None):
    return _fulfil(house.engine.config, house.state, request or asked(), clock or TurnedClock())


async def test_a_request_is_handed_over_and_ends_as_the_run(house, capsys):
    async with house.open_house():
        assert await fulfil(house) == 0
        house.leases.extracts["B"] = Script(failure(ErrorClass.SYNTAX))
        assert await fulfil(house) == 3
        assert await fulfil(house, asked(as_json=True)) == 3
    told = capsys.readouterr()
    assert f"joined the engine of asha@desk, process {os.getpid()}, since " in told.err
    assert "sales: completed, 3/3 connections, 6 rows" in told.out
    assert "done A 2 rows" in told.err
    assert told.out.splitlines()[-1].startswith('{"type": "run_finished"')


async def test_without_streaming_only_the_end_is_told(house, capsys):
    config = house.engine.config
    silent = replace(config, settings=replace(config.settings, streaming=False))
    async with house.open_house():
        assert await _fulfil(silent, house.state, asked(), TurnedClock()) == 0
    told = capsys.readouterr()
    assert [line.partition(" ")[0] for line in told.err.splitlines()] == ["etltui:"]
    assert "sales: completed, 3/3 connections" in told.out


async def test_who_joins_in_the_middle_sees_where_it_is(house, capsys):
    held = house.hold()
    async with house.open_house():
        first = asyncio.create_task(fulfil(house, asked(as_json=True)))
        await held.reached.wait()
        await until(lambda: house.engine.get_job_progress("sales").completed == 2)
        second = asyncio.create_task(fulfil(house))
        seen = ""
        while "started" not in seen:
            await asyncio.sleep(0)
            seen += capsys.readouterr().err
        held.let_go()
        assert (await first, await second) == (0, 0)
    # Two were done when it came; its own count begins there.
    assert "done B 2 rows" in (seen + capsys.readouterr().err)


async def test_who_will_not_join_is_told_who_holds(house):
    async with house.open_house():
        with pytest.raises(StateHeldError):
            await fulfil(house, asked(join=False))


async def test_a_holder_without_a_door_is_waited_for_within_a_limit(house):
    clock = TurnedClock()
    waits = asyncio.create_task(fulfil(house, clock=clock))
    await clock.until_asleep()
    async with house.open_house():
        clock.turn(9)
        assert await waits == 0
    waits = asyncio.create_task(fulfil(house, clock=clock))
    await clock.until_asleep()
    clock.turn(DOOR_S + 1)
    with pytest.raises(StateHeldError):
        await waits


async def test_a_holder_that_is_about_to_end_is_asked_again(house):
    house.resident = True
    house.renew()
    clock = TurnedClock()
    async with house.open_house() as door:
        door.close()
        waits = asyncio.create_task(fulfil(house, clock=clock))
        await clock.until_asleep()
        clock.turn(DOOR_S + 1)
        with pytest.raises((StateHeldError, GoneError)):
            await waits
        with pytest.raises(GoneError):
            await fulfil(house, asked(wait=False))


async def test_runs_are_left_only_with_an_engine_that_stays(house, capsys):
    async with house.open_house():
        with pytest.raises(NoDoorError, match="ends with its own runs"):
            await fulfil(house, asked(wait=False))
    house.resident = True
    house.renew()
    async with house.open_house():
        assert await fulfil(house, asked(wait=False)) == 0
        run = capsys.readouterr().out.strip()
        assert (await house.engine.queue.handle(run).wait()).status is RunStatus.COMPLETED


async def test_who_leaves_a_run_is_told_whether_it_was_there_before(house, capsys):
    house.resident = True
    house.renew()
    held = house.hold()
    async with house.open_house():
        assert await fulfil(house, asked(wait=False, as_json=True)) == 0
        first = json.loads(capsys.readouterr().out)
        assert first == {"run": first["run"], "job": "sales", "joined": False}
        await held.reached.wait()
        assert await fulfil(house, asked(wait=False, as_json=True)) == 0
        assert json.loads(capsys.readouterr().out) == {**first, "joined": True}
        assert await fulfil(house, asked(wait=False)) == 0
        said = capsys.readouterr()
        assert said.out == f"{first['run']}\n"
        assert said.err == f"etltui: sales has a run already: joined {first['run']}\n"
        held.let_go()
        await house.engine.queue.handle(first["run"]).wait()


async def test_another_configuration_is_refused(house):
    config = replace(house.engine.config, path=house.folder / "other.toml")
    async with house.open_house():
        with pytest.raises(ConfigError, match=r"works with .*etltui\.toml"):
            await _fulfil(config, house.state, asked(), TurnedClock())


async def test_who_leaves_is_told_how_to_end_it(house, capsys):
    held = house.hold()
    async with house.open_house():
        leaves = asyncio.create_task(fulfil(house))
        await held.reached.wait()
        seen = ""
        while "started" not in seen:
            await asyncio.sleep(0)
            seen += capsys.readouterr().err
        os.kill(os.getpid(), signal.SIGINT)
        assert await leaves == 130
        (run,) = [entry.run for entry in house.engine.get_running_jobs()]
        assert f"end it: etltui cancel {run}" in capsys.readouterr().err
        ends = house.engine.queue.handle(run)
        held.let_go()
        assert (await ends.wait()).status is RunStatus.COMPLETED


async def test_an_engine_that_goes_leaves_what_is_recorded(house, capsys):
    held = house.hold()
    async with house.open_house() as door:
        lost = asyncio.create_task(fulfil(house))
        await held.reached.wait()
        await until(lambda: any(visit._telling for visit in door._visits))
        for visit in list(door._visits):
            visit._writer.transport.abort()
        assert await lost == 4
        said = capsys.readouterr().err
        assert "has ended" in said
        assert "/3 done: its engine died; go on with --resume" in said
        (run,) = [entry.run for entry in house.engine.get_running_jobs()]
        ends = house.engine.queue.handle(run)
        held.let_go()
        await ends.wait()
    assert await recorded(house.state, [run]) == 0
    assert await recorded(house.state, [run, "nothing"]) == 1


async def test_an_engine_that_is_stopped_takes_nothing_more(house, capsys):
    held = house.hold()
    async with house.visited() as (door, remote):
        here = asyncio.create_task(_here(house.engine.config, house.engine, door, asked()))
        await held.reached.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: door._closed or here.done())
        assert not here.done()
        assert await here == 4
        with pytest.raises(GoneError, match="about to end"):
            await remote.submit("sales")
    assert "stopped by SIGTERM" in capsys.readouterr().out


async def test_an_engine_here_ends_after_the_runs_of_others(house, capsys):
    house.job("other")
    held = house.hold()
    async with house.visited() as (door, remote):
        run = await remote.submit("other")
        await held.reached.wait()
        house.leases.extracts.clear()
        here = asyncio.create_task(_here(house.engine.config, house.engine, door, asked()))
        seen = ""
        while "waiting for 1 run that joined this engine" not in seen:
            await asyncio.sleep(0)
            seen += capsys.readouterr().err
        assert not here.done()
        held.let_go()
        assert await here == 0
        assert (await remote.wait(run)).status is RunStatus.COMPLETED


async def test_a_start_that_is_refused_here_leaves_the_runs_of_others(house):
    held = house.hold()
    async with house.visited() as (door, remote):
        run = await remote.submit("sales")
        await held.reached.wait()
        wrong = Request(start=starting(["salse"], {}))
        here = asyncio.create_task(_here(house.engine.config, house.engine, door, wrong))
        await remote.snapshot()
        assert not here.done()
        held.let_go()
        with pytest.raises(ConfigError):
            await here
        assert (await remote.wait(run)).status is RunStatus.COMPLETED


async def test_an_engine_here_is_asked_in_the_same_way(house):
    house.leases.extracts["B"] = Script(failure(ErrorClass.SYNTAX), 2)
    with Local(house.engine) as here:
        assert [event async for event in here.events()] == []
        await here.enough()
        before = await here.collect()
        assert before == await here.snapshot()
        await here.check("sales")
        run = await here.submit("sales")
        assert (await here.wait(run)).status is RunStatus.COMPLETED_WITH_ERRORS
        assert await here.retry(run, Ask()) == run
        assert (await here.wait(run)).status is RunStatus.COMPLETED
        await here.enough()
        events = [event async for event in here.events([run])]
    assert {event.run for event in events} == {run}


async def test_n_3_who_follows_a_run_here_hears_of_lines_that_are_down(house):
    down = LineDown(at=0.0, line="gateway north", connections=("b",), error="no answer")
    with Local(house.engine) as here:
        await here.collect()
        house.bus.publish(RunQueued(at=0.0, run="r1", job="sales", priority=1))
        house.bus.publish(down)
        await here.enough()
        assert [event async for event in here.events(["r7"])] == [down]


async def test_a_name_means_a_run_that_has_not_ended(house):
    held = house.hold()
    async with house.open_house(), open_door(house.state) as remote:
        run = await remote.submit("sales")
        await held.reached.wait()
        snapshot = await remote.snapshot()
        assert {under_way(snapshot, name) for name in (run, run[-4:].lower(), "sales")} == {run}
        assert under_way(snapshot, "sal") == ""
        held.let_go()
        await remote.wait(run)
        assert under_way(await remote.snapshot(), run) == ""
        with pytest.raises(NoSuchRunError):
            await remote.cancel(run)


def test_of_several_codes_the_worst_counts():
    assert worst(set()) == 0
    assert worst({0, 3}) == 3
    assert worst({3, 4, 130}) == 130
    assert worst({130, 1}) == 1
    assert set(EXIT.values()) <= {0, 1, 3, 4, 130}
    assert exit_code([]) == 0
