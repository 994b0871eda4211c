"""The mouse does what keys do; chosen keys are checked; themes follow their files."""

import asyncio
import shutil
from functools import partial

import console_world as cw
from etltui.config.themes import shipped
from etltui.console.commands import Command
from etltui.console.frame import key_at, shown_keys
from etltui.console.theme_watch import ThemeWatch
from etltui.domain.run import RunStatus


def command(name, keys="x"):
    return Command(id=f"v.{name}", keys=keys, title=f"do {name}", help=".")


def test_a_key_is_where_it_is_drawn():
    shown = shown_keys([command("a"), command("b", "enter")], keys={}, unicode=True, width=80)
    line = "x do a  ⏎ do b  "
    for x, character in enumerate(line):
        found = key_at(shown, x)
        if character != " ":
            assert found is not None
            assert found.title[-1] == ("a" if x < 8 else "b")
    assert key_at(shown, 7) is None
    assert key_at(shown, 40) is None


def test_help_stands_there_whatever_the_view_can_do():
    own = [command(name, name) for name in "abcdefghij"]
    general = [
        Command(id="app.line", keys="colon", title="command", help="."),
        Command(id="app.help", keys="question_mark", title="help", help="."),
    ]
    wide = shown_keys([*own, *general], keys={}, unicode=True, width=200)
    assert [name for name, _ in wide] == ["a", "b", "c", "d", "e", ":", "?"]
    narrow = shown_keys([*own, *general], keys={}, unicode=True, width=34)
    assert [name for name, _ in narrow] == ["a", ":", "?"]
    assert shown_keys([*own, *general], keys={}, unicode=True, width=5) == []


async def test_a_click_on_a_key_does_what_the_key_does(tmp_path):
    ended = cw.run(
        status=RunStatus.FAILED, connections=[cw.connection(1, cw.ConnectionStatus.FAILED)]
    )
    async with cw.console(tmp_path, engine=cw.FakeEngine(cw.snapshot([ended]))) as world:
        x = world.lines[-1].index("open")
        await world.pilot.click("#footer", offset=(x, 0))
        await world.worked()
        assert world.app.view.NAME == "run"
        await world.press("1")
        x = world.lines[-1].index("help")
        await world.pilot.click("#footer", offset=(x, 0))
        await world.settle()
        assert "Help Monitor" in world.text


async def test_a_click_on_a_head_sorts_and_a_second_one_turns_it_round(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("2")
        view = world.app.view
        x = world.lines[1].index("JOB")
        await world.pilot.click(view.table, offset=(x, 0))
        await world.settle()
        first = (view.sort, view.descending)
        await world.pilot.click(view.table, offset=(x, 0))
        await world.settle()
        assert first[0]
        assert (view.sort, view.descending) == (first[0], not first[1])


async def test_wrong_keys_are_named_at_the_start(tmp_path):
    more = '\n[console.keys]\n"monitor.cancle" = "f8"\n"monitor.run" = "q"\n'
    config = await asyncio.to_thread(partial(cw.configured, tmp_path, more=more))
    async with cw.console(tmp_path, config=config) as world:
        for worker in [each for each in world.app.workers if each.name == "keys"]:
            await worker.wait()
        assert [each for each in world.told if "did you mean monitor.cancel?" in each]
        assert [each for each in world.told if "q means monitor.run and app.quit" in each]


async def test_a_theme_is_drawn_anew_when_its_file_is_saved(tmp_path):
    """N-143 in part: a theme is a file; what is saved is seen."""
    folder = tmp_path / "themes"
    folder.mkdir()
    mine = folder / "mine.toml"
    await asyncio.to_thread(lambda: shutil.copy(shipped() / "etltui-dark.toml", mine))
    text = mine.read_text("utf-8").replace("etltui-dark", "mine")
    mine.write_text(text, "utf-8")
    more = '\n[console]\ntheme = "mine"\n'
    config = await asyncio.to_thread(partial(cw.configured, tmp_path, more=more))
    async with cw.console(tmp_path, config=config) as world:
        assert world.app.look.theme.name == "mine"
        accent = world.app.look.theme.accent
        mine.write_text(text.replace(accent, "#123456"), "utf-8")
        await world.app._rereading.themes()
        assert world.app.look.theme.accent == "#123456"
        mine.write_text("accent = 5", "utf-8")
        await world.app._rereading.themes()
        assert [each for each in world.told if "mine.toml" in each]


async def test_theme_files_are_looked_at_for_a_minute_after_a_key(tmp_path):
    asked, changes = [], []

    async def wait(seconds):
        asked.append(seconds)
        if len(asked) == 3:
            await asyncio.to_thread((tmp_path / "one.toml").write_text, "x")

    async def changed():
        changes.append(len(asked))

    watching = ThemeWatch((tmp_path, tmp_path / "none"), changed, wait)
    watch = asyncio.create_task(watching.watch())
    await asyncio.to_thread(lambda: None)
    assert asked == []
    for times in (30, 60):
        watching.stir()
        while watching.awake:  # noqa: ASYNC110 - it sleeps by an event of its own
            await asyncio.sleep(0)
        assert asked == [2.0] * times
    assert changes == [3]
    watch.cancel()
