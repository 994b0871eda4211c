"""Watching, cancelling and serving, in this process."""

import asyncio
import io
import json
import os
import signal
from dataclasses import replace

import pytest

from door_kit import House, until
from etltui.cli.cancel import _cancel
from etltui.cli.progress import Painter
from etltui.cli.serve import resident
from etltui.cli.watch import _watch
from etltui.config.load import load
from etltui.domain.errors import NoSuchRunError
from etltui.domain.events import QueueCleared, RunQueued, RunRetrying, RunStarted
from etltui.domain.run import RunStatus
from etltui.door.client import NoDoorError, open_door
from etltui.encode.changes import Changes


@pytest.fixture
async def house(tmp_path):
    made = await House(tmp_path).open()
    yield made
    await made.close()


def watch(house, *names, as_json=True):
    return _watch(house.state, "", names, as_json=as_json)


async def started(house):
    """A run that is at work, and what lets it go on."""
    held = house.hold()
    handle = await house.engine.submit("sales")
    await held.reached.wait()
    return handle, held


async def test_a_run_is_watched_to_its_end(house, capsys):
    async with house.open_house() as door:
        handle, held = await started(house)
        both = [
            asyncio.create_task(watch(house, name)) for name in (handle.run[-4:].lower(), "sales")
        ]
        await until(lambda: sum(bool(visit._telling) for visit in door._visits) == 2)
        held.let_go()
        assert await asyncio.gather(*both) == [0, 0]
        # It has ended: what is recorded tells the same, and nothing of others.
        house.job("other")
        held = house.hold()
        other = await house.engine.submit("other")
        await held.reached.wait()
        assert await watch(house, handle.run, "sales") == 0
        held.let_go()
        await other.wait()
        with pytest.raises(NoSuchRunError, match="no such run or job"):
            await watch(house, "nothing")
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["type"] for event in told].count("run_finished") == 2
    assert {event["job"] for event in told} == {"sales"}
    assert await watch(house, "sales") == 0
    with pytest.raises(NoDoorError):
        await watch(house)


async def test_everything_is_watched_until_somebody_leaves_or_the_engine_ends(house, capsys):
    opened = house.open_house()
    door = await opened.__aenter__()
    watching = asyncio.create_task(watch(house, as_json=False))
    await until(lambda: any(visit._telling for visit in door._visits))
    await (await house.engine.submit("sales")).wait()
    await _seen(capsys, "completed: 3 done")
    os.kill(os.getpid(), signal.SIGINT)
    assert await watching == 0
    await until(lambda: not door._visits)
    again = asyncio.create_task(watch(house))
    await until(lambda: any(visit._telling for visit in door._visits))
    await opened.__aexit__(None, None, None)
    assert await again == 0
    assert "has ended" in capsys.readouterr().err


async def _seen(capsys, words):
    seen = ""
    while words not in seen:
        await asyncio.sleep(0)
        seen += capsys.readouterr().err


async def test_who_stops_watching_a_run_has_not_its_code(house):
    async with house.open_house() as door:
        handle, held = await started(house)
        watching = asyncio.create_task(watch(house, handle.run))
        await until(lambda: any(visit._telling for visit in door._visits))
        os.kill(os.getpid(), signal.SIGTERM)
        assert await watching == 130
        held.let_go()
        await handle.wait()


@pytest.mark.parametrize("resumable", [False, True])
async def test_a_run_is_cancelled_by_whoever_asks(house, resumable):
    async with house.open_house():
        handle, _ = await started(house)
        result = await _cancel(house.state, handle.run[-4:], resumable=resumable)
        assert result == await handle.wait()
        word = "stopped" if resumable else "cancelled"
        assert result.status is RunStatus(word)
        assert result.reason.startswith(f"{word} by ")
        with pytest.raises(NoSuchRunError):
            await _cancel(house.state, handle.run, resumable=resumable)


def test_without_an_engine_the_way_to_one_is_told(desk):
    desk.configure()
    for words in (("cancel", "sales"), ("watch",), ("run", "sales", "--no-wait")):
        told = desk.ask(*words)
        assert told.exit_code == 75
        assert "etltui serve" in told.output
    assert desk.ask("retry", "nothing").exit_code == 2
    assert desk.ask("watch", "sales").exit_code == 2
    assert desk.ask("run", "sales", "--delay", "soon").exit_code == 2


def test_a_run_of_a_job_that_is_not_there_makes_nothing(desk):
    desk.configure()
    told = desk.ask("run", "sales", "sale", "nix", "--no-wait")
    assert told.exit_code == 2
    assert "jobs: there is no job 'sale'. Did you mean \"sales\"?" in told.stderr
    assert "jobs: there is no job 'nix'. Allowed: sales" in told.stderr
    assert not desk.state.exists()
    desk.configure("")
    assert "Add a table [jobs.NAME]" in desk.ask("run", "sales").stderr


@pytest.mark.parametrize("quiet", [False, True])
async def test_a_service_takes_what_is_handed_over_until_it_is_told_to_end(desk, quiet, capsys):
    desk.configure(settings="extractors = 0")
    config = await asyncio.to_thread(load, desk.folder / "etltui.toml", environ={})
    serving = asyncio.create_task(resident(config, desk.state, quiet=quiet, ready=lambda: None))
    await until(lambda: (desk.state / "engine.sock").exists() or serving.done())
    async with open_door(desk.state) as remote:
        assert remote.hello.resident
        # There are no such databases here: all of them fail.
        run = await remote.submit("sales", owner="ravi@till")
        assert (await remote.wait(run)).status is RunStatus.FAILED
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
    told = capsys.readouterr().err
    assert ("queued by ravi@till" in told) == (not quiet)


MOMENT = {"at": 0.0, "run": "20261121T230500Z-7F3K", "job": "sales"}


def test_the_queue_is_told_in_words():
    line = Changes("Asia/Kolkata").line
    queued = RunQueued(**MOMENT, priority=1, owner="ravi@till")
    assert line(queued) == "run 7F3K sales queued by ravi@till"
    later = line(replace(queued, not_before=86400.0))
    assert later == "run 7F3K sales queued by ravi@till, not before 1970-01-02 05:30:00"
    retrying = RunRetrying(**MOMENT, reason="no answer", tries=1, wait_s=5.0)
    assert line(retrying) == "retry run 7F3K sales: no answer; again in 5.0s"
    assert line(QueueCleared(at=0.0, count=3)) == "queue cleared, 3 cancelled"


def test_a_run_that_waits_for_another_turn_stands_above_the_picture_and_not_in_it():
    out = io.StringIO()
    with Painter(out) as painter:
        painter.take(RunStarted(**MOMENT, total=2))
        assert "0/2" in out.getvalue()
        out.truncate(out.seek(0))
        painter.take(RunRetrying(**MOMENT, reason="no answer", tries=1, wait_s=5.0))
    assert "retry run 7F3K sales: no answer; again in 5.0s\n" in out.getvalue()
    assert "0/2" not in out.getvalue()
