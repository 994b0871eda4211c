"""The log on the screen: sifted, searched, followed, read while it grows."""

import json

import pytest
from textual import events

import console_world as cw
from etltui.console import log_reader
from etltui.console.log_reader import LogReader
from etltui.domain.words import moment

RUN = "20261122T194054Z-32W7"


def raw(message="fetched", *, level="info", second=0, **more):
    line = {"time": f"2026-11-22T19:40:{second:02d}.811+00:00", "level": level}
    return json.dumps({**line, **more, "message": message}, ensure_ascii=False).encode()


def some(count, begin=0):
    return [
        raw(
            f"line {n}",
            level="error" if n % 10 == 5 else "info",
            run=RUN if n % 2 else "",
            connection=f"branch_{n % 3:03d}",
        )
        for n in range(begin, begin + count)
    ]


@pytest.fixture
def silent(monkeypatch):
    """No thread reads: the test hands the lines over."""
    monkeypatch.setattr(LogReader, "start", lambda _: None)


async def sifted(world):
    at_work = [each for each in world.app.workers if each.group == "sift"]
    if at_work:
        await world.app.workers.wait_for_complete(at_work)
    await world.settle()


async def at_logs(world, lines):
    await world.press("0")
    world.app.view.take(lines)
    await world.settle()
    return world.app.view


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("size", [cw.SMALL, cw.LARGE])
async def test_follows_and_pauses_where_it_is_scrolled_up(tmp_path, size):
    """S0-136: the newest line in sight; scrolled up nothing moves, and what is new is counted."""
    async with cw.console(tmp_path, size=size) as world:
        view = await at_logs(world, some(100))
        assert "line 99" in world.lines[size[1] - 3]
        assert "following" in world.lines[0]
        view.take(some(1, begin=100))
        await world.settle()
        assert "line 100" in world.lines[size[1] - 3]
        await world.press("up")
        before = world.lines[1:-1]
        view.take(some(132, begin=101))
        await world.settle()
        assert world.lines[1:-1] == before
        assert "paused, 132 new" in world.lines[0]
        await world.press("F")
        assert "line 232" in world.lines[size[1] - 3]
        await world.press("F")
        assert "paused" in world.lines[0]
        await world.press("down", "G")
        assert "following" in world.lines[0]


@pytest.mark.usefixtures("silent")
async def test_sifts_by_level_words_run_connection_with_lines_around(tmp_path):
    """S0-136: log viewer with filters."""
    async with cw.console(tmp_path) as world:
        await at_logs(world, some(100))
        await world.press("l", "l")
        await sifted(world)
        assert "10/100  warning and up" in world.lines[0]
        await world.press("c")
        await sifted(world)
        assert "line 97" in world.lines[21]
        assert "10/100  warning and up  ±2" in world.lines[0]
        await world.press("A", "slash")
        await world.type("line 1")
        await world.press("enter")
        await sifted(world)
        assert "19/100  /line 1" in world.lines[0]
        await world.press("r")
        await sifted(world)
        assert "run 32W7" in world.lines[0]
        await world.press("b")
        await sifted(world)
        assert "branch_00" in world.lines[0]
        await world.press("A", "slash")
        await world.type("nosuchthing")
        await world.press("enter")
        await sifted(world)
        assert "No line is like that." in world.text


@pytest.mark.usefixtures("silent")
async def test_a_run_and_a_connection_are_asked_for_by_the_command_line(tmp_path):
    async with cw.console(tmp_path) as world:
        view = await at_logs(world, some(60))
        world.app.go("logs", f"{RUN} branch_001")
        await sifted(world)
        assert (view.sieve.run, view.sieve.connection) == (RUN, "branch_001")
        assert "10/60  run 32W7  branch_001" in world.lines[0]


@pytest.mark.usefixtures("silent")
async def test_finds_the_next_line_round_at_the_end_and_the_next_warning(tmp_path):
    async with cw.console(tmp_path) as world:
        view = await at_logs(world, some(100))
        await world.press("n")
        await world.worked()
        assert view.ring.line(view.view.number).message == "line 5"
        await world.press("N")
        await world.worked()
        assert view.ring.line(view.view.number).message == "line 95"
        await world.press("f")
        await world.type("line 42")
        await world.press("enter")
        await world.worked()
        assert "line 42" in world.text
        assert view.ring.line(view.view.number).message == "line 42"
        await world.press("f", *["backspace"] * 7)
        await world.type("zz")
        await world.press("enter")
        await world.worked()
        assert world.told[-1] == "no line says zz"


@pytest.mark.usefixtures("silent")
async def test_a_line_is_read_in_full_with_its_traceback(tmp_path):
    async with cw.console(tmp_path) as world:
        long = raw(
            "it broke", level="error", run=RUN, traceback="Traceback:\n  File x\nKeyError: y"
        )
        await at_logs(world, [long])
        await world.press("enter")
        await world.worked()
        assert "KeyError: y" in world.text
        assert f"run         {RUN}" in world.text
        assert moment(1795376400.811, "UTC") in world.text


@pytest.mark.usefixtures("silent")
async def test_what_is_shown_is_written_as_it_is_in_the_log(tmp_path):
    """S0-136: export to file."""
    async with cw.console(tmp_path) as world:
        view = await at_logs(world, some(20))
        await world.press("l", "l")
        await sifted(world)
        path = tmp_path / "out.jsonl"
        world.app.perform("logs.export", view, str(path))
        await world.worked()
        assert path.read_bytes().splitlines() == [some(20)[5], some(20)[15]]
        world.app.perform("logs.export", view, str(path))
        await world.worked()
        assert "is there already" in world.told[-1]


@pytest.mark.usefixtures("silent")
async def test_what_is_wrong_is_said_and_changes_nothing(tmp_path):
    async with cw.console(tmp_path) as world:
        view = await at_logs(world, some(5))
        for command, text, said in (
            ("logs.filter", "/(/", "is no pattern"),
            ("logs.level", "loud", "there are debug, info, warning, error"),
            ("logs.find", "/(/", "is no pattern"),
        ):
            world.app.perform(command, view, text)
            await world.worked()
            assert said in world.told[-1]
        assert view.sieve.open


@pytest.mark.usefixtures("silent")
async def test_an_empty_log_says_what_fills_it_and_nothing_foreign_reaches_the_terminal(tmp_path):
    async with cw.console(tmp_path, terminal=cw.ASCII) as world:
        view = await at_logs(world, [])
        assert "Nothing has been logged yet" in world.text
        await world.press("enter", "y", "n", "up", "G", "F")
        view.take([raw("\x1b]0;owned\x07 mail"), b"torn {"])
        await world.settle()
        assert "\x1b" not in world.text
        assert "torn {" in world.text


async def test_what_is_written_while_it_is_looked_at_appears(tmp_path, monkeypatch):
    """The reader's thread hands over what is there, then what comes."""
    monkeypatch.setattr(log_reader, "PACE_S", 0.01)
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "etltui.jsonl"
    log.write_bytes(b"".join(line + b"\n" for line in some(3)))
    async with cw.console(tmp_path) as world:
        await world.press("0")
        view = world.app.view
        while view.ring.total < 3:
            await world.settle()
        with log.open("ab") as file:
            file.write(raw("and more") + b"\n")
        while view.ring.total < 4:
            await world.settle()
        await world.settle()
        assert "and more" in world.text
        await world.press("1", "0")
        assert "and more" in world.text


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("terminal", [cw.ASCII, cw.PLAIN, cw.SIXTEEN])
async def test_sixty_columns_twenty_lines_and_few_signs_are_enough(tmp_path, terminal):
    async with cw.console(tmp_path, size=(60, 20), terminal=terminal) as world:
        await at_logs(world, some(40))
        assert len([each for each in world.lines if "line " in each]) == 16
        assert all(len(each) <= 60 for each in world.lines)
        if not terminal.unicode:
            assert world.text.isascii()
        await world.press("question_mark")
        assert "Help Logs" in world.text
        await world.press("escape", "ctrl+p")
        await world.type("warn")
        assert "next" in world.text


@pytest.mark.usefixtures("silent")
async def test_the_wheel_scrolls_a_click_moves_and_a_second_one_opens(tmp_path):
    async with cw.console(tmp_path) as world:
        view = await at_logs(world, some(100))
        ring = view.view
        ring.post_message(events.MouseScrollUp(ring, 1, 5, 0, -1, 0, False, False, False))  # noqa: FBT003
        await world.settle()
        assert view.ring.line(ring.number).message == "line 96"
        assert "paused" in world.lines[0]
        ring.post_message(events.MouseScrollDown(ring, 1, 5, 0, 1, 0, False, False, False))  # noqa: FBT003
        await world.settle()
        assert "following" in world.lines[0]
        row = next(y for y, line in enumerate(world.lines) if "line 90" in line)
        await world.pilot.click(ring, offset=(5, row - 1))
        await world.settle()
        assert view.ring.line(ring.number).message == "line 90"
        await world.press("y")
        await world.worked()
        assert world.told[-1] == "copied"
        await world.pilot.click(ring, offset=(5, row - 1), times=2)
        await world.worked()
        assert "branch_000" in world.text
        assert "Line of the log" in world.text


@pytest.mark.usefixtures("silent")
async def test_lines_that_go_while_it_is_paused_leave_the_cursor_on_the_oldest(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("0")
        view = world.app.view
        view.ring._lines = type(view.ring._lines)(maxlen=50)
        view.take(some(50))
        await world.settle()
        await world.press("g")
        assert "line 0" in world.lines[2]
        view.take(some(30, begin=50))
        await world.settle()
        assert "line 30" in world.lines[2]
        assert "paused" in world.lines[0]
        await world.press("pagedown", "pageup", "end")
        assert "following" in world.lines[0]
