"""What a console's screen and its engine know of each other before both are there."""

import asyncio
import dataclasses
import io
import os
from dataclasses import replace
from pathlib import Path

import pytest

from etltui.cli.console_engine import unfinished
from etltui.cli.console_lines import is_typed
from etltui.cli.console_screen import no_screen, opening_of
from etltui.cli.link import Later, Link
from etltui.config.load import unwritten
from etltui.console.terminal import Terminal
from etltui.domain.events import QueueCleared, RunQueued
from etltui.domain.queue import QueueEntry
from etltui.door.errors import GoneError

ONE = RunQueued(at=1.0, run="R1", job="a", priority=1, owner="me", not_before=0.0, title="")
TWO = dataclasses.replace(ONE, run="R2", job="b")
ALL = QueueCleared(at=2.0, count=1)


class Engine:
    def __init__(self):
        self.calls = []

    async def call(self, name, /, **arguments):
        self.calls.append((name, arguments))
        return name.upper()

    async def events(self):
        for event in (ONE, TWO, ALL):
            yield event


async def test_calls_wait_until_there_is_an_engine():
    link, engine = Link(), Engine()
    early = asyncio.create_task(link.call("get_job_progress", name="a"))
    given_up = asyncio.create_task(link.collect())
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait({given_up})
    link.opened(engine)
    link.opened(Engine())
    assert await early == "GET_JOB_PROGRESS"
    assert await link.collect() == "COLLECT"
    assert engine.calls == [("get_job_progress", {"name": "a"}), ("collect", {})]


async def test_who_waits_for_an_engine_that_never_comes_is_let_go():
    link = Link()
    waiting = asyncio.create_task(link.collect())
    await asyncio.sleep(0)
    assert not link.given_up
    link.give_up()
    link.give_up()
    link.opened(Engine())
    assert link.given_up
    with pytest.raises(GoneError, match="before there was an engine"):
        await waiting


async def test_an_engine_that_is_there_is_not_given_up():
    link = Link()
    link.opened(Engine())
    link.give_up()
    assert not link.given_up
    assert await link.collect() == "COLLECT"


@pytest.mark.parametrize(
    ("runs", "seen"), [((), [ONE, TWO, ALL]), (("R2",), [TWO, ALL])], ids=["all", "one"]
)
async def test_events_are_those_of_the_runs_asked_for(runs, seen):
    link = Link()
    link.opened(Engine())
    assert [event async for event in link.events(runs)] == seen


class Records:
    closed = False

    async def runs(self, *, limit):
        return limit

    async def aclose(self):
        self.closed = True


async def test_what_is_made_later_is_made_once_and_again_after_a_failure():
    made, problems = [], [OSError("no such folder")]

    async def make():
        if problems:
            raise problems.pop()
        made.append(Records())
        return made[-1]

    later = Later(make)
    await later.close()
    with pytest.raises(OSError, match="no such folder"):
        await later.runs(limit=1)
    await later.close()
    assert await asyncio.gather(later.runs(limit=2), later.runs(limit=3)) == [2, 3]
    await later.close()
    assert [each.closed for each in made] == [True]


def entry(job):
    return QueueEntry(run=f"R-{job}", job=job, type="batch", priority=1, submitted=0.0)


@pytest.mark.parametrize(
    ("working", "pending", "paused", "count"),
    [
        ((), (), set(), 0),
        (("a",), (), {""}, 1),
        ((), ("a", "b"), set(), 2),
        ((), ("a", "b"), {"a"}, 1),
        ((), ("a", "b"), {""}, 0),
    ],
)
def test_an_engine_is_done_when_nothing_gets_a_turn_by_itself(working, pending, paused, count):
    found = unfinished(tuple(map(entry, working)), tuple(map(entry, pending)), paused)
    assert found == count


def test_where_there_is_no_terminal_there_is_a_way_out():
    screen = Terminal(kind="screen", colour="16", unicode=True)
    lines = Terminal(kind="linear", colour="none", unicode=True, why="TERM is 'dumb'")
    assert no_screen(screen) == no_screen(lines) == ""
    nothing = Terminal(kind="none", colour="none", unicode=True, why="there is no terminal")
    assert "there is no terminal. Run an engine without a screen" in no_screen(nothing)


def test_lines_that_were_asked_for_need_no_terminal(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    config = unwritten(tmp_path / "config.toml", environ={})
    assert opening_of(config, tmp_path).terminal.kind == "none"
    said = replace(config, console=replace(config.console, linear=True))
    opening = opening_of(said, tmp_path)
    assert (opening.terminal.kind, opening.terminal.why) == ("linear", "")


def test_nobody_types_where_nothing_can_come_from(tmp_path):
    with Path(os.devnull).open("rb") as nothing, (tmp_path / "commands").open("wb") as file:
        assert not is_typed(nothing.fileno())
        assert is_typed(file.fileno())
        gone = file.fileno()
    assert not is_typed(gone)
