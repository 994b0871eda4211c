"""What the console can do whatever view is in sight: `:`, help, palette, themes, files."""

import asyncio
from functools import partial
from types import SimpleNamespace

import pytest
from textual import events

import console_world as cw
from etltui.console import offers
from etltui.console.remembered import FILE, remember, remembered
from etltui.domain.run import RunStatus


async def test_the_command_line_starts_jobs_shows_views_and_names_what_it_does_not_know(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("colon")
        await world.type("run stock")
        await world.press("enter")
        assert world.asked("submit")[0]["job"] == "stock"
        await world.press("colon")
        await world.type("hepl")
        await world.press("enter")
        await world.worked()
        assert "did you mean help?" in world.told[-1]
        await world.press("colon")
        await world.type("hodl branch_042")
        await world.press("enter")
        await world.worked()
        assert "did you mean hold?" in world.told[-1]
        await world.press("colon")
        await world.type("hold branch_042")
        await world.press("enter")
        await world.worked()
        assert world.told[-1] == "hold is a command of the view connections: 3 shows it"


async def test_keys_that_edit_are_not_overtaken_by_the_letters_behind_them(tmp_path):
    """What comes in one piece, of a quick hand or on a slow link, is taken in its order."""
    async with cw.console(tmp_path) as world:
        await world.press("colon", "x", "y")
        for key in ("ctrl+u", *"start", "space", *"stock", "enter"):
            character = " " if key == "space" else key if len(key) == 1 else None
            world.app.post_message(events.Key(key, character))
        await world.settle()
        await world.worked()
        assert world.asked("submit")[0]["job"] == "stock"


def typed_at_once(world, keys):
    """What a terminal hands over in one piece."""
    names = {":": "colon", " ": "space", "\r": "enter", "/": "slash"}
    for key in keys:
        character = None if key == "\r" else key
        world.app.post_message(events.Key(names.get(key, key), character))


@pytest.mark.parametrize("first", [True, False])
async def test_what_is_typed_behind_the_colon_in_one_piece_is_written_and_not_done(tmp_path, first):
    """Of `nord` the d would detach, of `quit` the q would quit."""
    async with cw.console(tmp_path) as world:
        if not first:
            await world.press("colon", "escape")
        typed_at_once(world, ":nord 2 quit\r")
        await world.settle()
        await world.worked()
        assert "there is no command 'nord'" in world.told[-1]
        assert world.app.view.NAME == "monitor"


async def test_keys_behind_the_one_of_a_view_are_that_views(tmp_path):
    async with cw.console(tmp_path) as world:
        typed_at_once(world, "3/branch_007\r")
        await world.settle()
        await world.worked()
        assert world.app.view.NAME == "connections"
        assert world.app.view.filter == "branch_007"
        typed_at_once(world, "12")
        typed_at_once(world, "/stock\r")
        await world.settle()
        await world.worked()
        assert world.app.view.NAME == "jobs"
        assert world.app.view.filter == "stock"


async def test_tab_writes_what_may_stand_next(tmp_path):
    """Words first, then what the word takes: jobs behind `start`, themes behind `theme`."""
    async with cw.console(tmp_path) as world:
        await world.press("colon")
        await world.type("sta")
        await world.press("tab")
        assert ": start" in world.text
        await world.press("space")
        await world.type("gs")
        await world.press("tab", "enter")
        assert world.asked("submit")[0]["job"] == "gst_sales"


async def test_the_line_is_remembered_for_the_next_session_by_its_owner_alone(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("colon")
        await world.type("undo")
        await world.press("enter")
        await world.worked()
    assert await asyncio.to_thread(remembered, tmp_path) == ["undo"]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    async with cw.console(tmp_path) as world:
        await world.press("colon", "up")
        assert ": undo" in world.text


def test_a_line_is_kept_once_and_no_more_than_a_hundred_of_them(tmp_path):
    for n in range(120):
        remember(tmp_path, f"line {n}")
    (tmp_path / FILE).chmod(0o644)
    remember(tmp_path, "line 50")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert len(remembered(tmp_path)) == 100
    assert remembered(tmp_path)[-1] == "line 50"
    assert remembered(tmp_path).count("line 50") == 1
    remember(tmp_path / "not there" / "at all", "x")
    assert remembered(tmp_path / "not there") == []


async def test_help_shows_the_keys_as_they_are_chosen_and_is_searched(tmp_path):
    more = '\n[console.keys]\n"monitor.cancel" = "f8"\n'
    config = await asyncio.to_thread(partial(cw.configured, tmp_path, more=more))
    async with cw.console(tmp_path, config=config) as world:
        await world.press("question_mark")
        assert "Help Monitor" in world.text
        assert " f8            cancel          End the run" in world.text
        await world.press("slash")
        await world.type("screenshot")
        await world.press("enter")
        assert " ctrl+s        screenshot" in world.text
        await world.press("escape")
        assert "Nothing runs" in world.text


async def test_from_a_page_a_view_is_one_key_away(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("question_mark")
        assert "Help" in world.lines[0]
        await world.press("3")
        await world.settle()
        assert world.app.view.NAME == "connections"
        assert "Connections" in world.lines[0]
        await world.press("question_mark", "slash", "3", "enter")
        assert "Help" in world.lines[0]


async def test_the_palette_finds_by_letters_and_does_it(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("ctrl+p")
        assert "run gst_sales" in world.text or "cancel" in world.text
        await world.type("rgs")
        assert world.lines[3].strip().startswith("run gst_sales")
        await world.press("enter")
        assert world.asked("submit")[0]["job"] == "gst_sales"
        await world.press("ctrl+p", "z", "z", "z")
        assert "Nothing has these letters" in world.text
        await world.press("enter", "escape")
        assert "Nothing runs" in world.text


async def test_a_theme_is_shown_while_it_is_chosen_and_taken_back(tmp_path):
    async with cw.console(tmp_path) as world:
        before = world.app.look.theme.name
        await world.press("colon")
        await world.type("theme")
        await world.press("enter", "tab")
        assert world.app.look.theme.name != before
        await world.press("escape")
        assert world.app.look.theme.name == before
        await world.press("colon")
        await world.type("theme nosuch")
        await world.press("enter")
        assert "there is no theme 'nosuch'" in world.told[-1]


async def test_the_screen_is_written_as_text_and_as_a_picture_never_over_a_file(tmp_path):
    async with cw.console(tmp_path) as world:
        text, picture = tmp_path / "shot.txt", tmp_path / "shot.svg"
        world.app.perform("app.screenshot", world.app.general, str(text))
        world.app.perform("app.screenshot", world.app.general, str(picture))
        await world.worked()
        assert "Nothing runs" in text.read_text("utf-8")
        assert text.stat().st_mode & 0o777 == 0o600
        drawn = picture.read_text("utf-8")
        assert drawn.startswith("<svg")
        assert "cdnjs" not in drawn
        world.app.perform("app.screenshot", world.app.general, str(text))
        await world.worked()
        assert "is there already; choose another name" in world.told[-1]


async def test_read_only_refuses_orders_until_it_is_off(tmp_path):
    async with cw.console(tmp_path) as world:
        world.app.perform("app.read_only", world.app.general)
        await world.settle()
        world.app.perform("app.start", world.app.general, "stock")
        await world.settle()
        assert world.engine.calls == []
        world.app.perform("app.read_only", world.app.general, "off")
        await world.settle()
        world.app.perform("app.start", world.app.general, "stock")
        await world.settle()
        assert len(world.asked("submit")) == 1


async def test_a_console_opened_to_show_only_stays_so(tmp_path):
    async with cw.console(tmp_path, read_only=True) as world:
        world.app.perform("app.read_only", world.app.general, "off")
        await world.settle()
        assert world.app.options.read_only


async def test_the_rows_of_any_view_are_written(tmp_path):
    ended = cw.run(connections=[cw.connection(1, cw.ConnectionStatus.RUNNING, rows=5)])
    engine = cw.FakeEngine(cw.snapshot([ended]))
    async with cw.console(tmp_path, engine=engine) as world:
        path = tmp_path / "rows.csv"
        world.app.perform("app.export", world.app.general, str(path))
        await world.worked()
        head, *lines = path.read_text("utf-8").splitlines()
        assert head == "name,status,rows,pace,time,progress"
        assert any(line.startswith("branch_001") for line in lines)


async def test_recorded_runs_are_offered_too(tmp_path):
    row = SimpleNamespace(run="20261118T080000Z-OLD1", job="stock", status=RunStatus.FAILED)
    history = cw.FakeHistory(runs=[row])
    at_work = cw.run("20261118T090000Z-NEW1")
    engine = cw.FakeEngine(cw.snapshot([at_work]))
    async with cw.console(tmp_path, history=history, engine=engine) as world:
        offers.runs_of(world.app.desk)
        await world.settle()
        assert list(offers.runs_of(world.app.desk)) == [at_work.run, row.run]
        await world.press("ctrl+p")
        await world.type("old1")
        assert "show stock OLD1" in world.text
        await world.press("escape", "colon")
        await world.type("run ")
        await world.press("tab")
        assert at_work.run in world.lines[-2]


async def test_the_palette_is_moved_in_and_clicked(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("ctrl+p", "down", "down")
        chooser = world.app.screen
        third = chooser.table.key
        await world.press("up", "pagedown", "pageup")
        assert chooser.table.key != third
        await world.type("monit")
        await world.pilot.click(chooser.table, offset=(5, 1), times=2)
        await world.settle()
        assert world.app.screen is not chooser
        assert world.app.view.NAME == "monitor"
