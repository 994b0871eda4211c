"""Every view against a golden picture of it: `GOLDEN=write` draws them anew.

What stands in the files is the screen as text, without blanks at the right.
"""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

import console_gallery as gallery
import console_world as cw
from etltui.console.log_reader import LogReader
from etltui.console.palette import palette

FOLDER = Path(__file__).parent / "console"
ALBUMS = [
    (f"{stand}-{size[0]}x{size[1]}", stand, size, cw.TRUECOLOR)
    for stand in gallery.STANDS
    for size in (cw.SMALL, cw.LARGE)
] + [
    ("failing-60x20", "failing", (60, 20), cw.TRUECOLOR),
    ("failing-80x24-ascii", "failing", cw.SMALL, cw.ASCII),
]


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    """No thread reads a log: the test hands its lines over."""
    monkeypatch.setattr(LogReader, "start", lambda _: None)


async def album(folder, stand, **options):
    """From each view to its lines and to the styles it is drawn with."""
    made = await asyncio.to_thread(gallery.STANDS[stand], folder)
    found, styles = {}, {}
    async with gallery.hung(folder, made, **options) as world:
        for view in gallery.VIEWS:
            await gallery.visit(world, view, made)
            found[view] = world.lines
            strips = world.app.screen._compositor.render_strips()
            styles[view] = {part.style for strip in strips for part in strip if part.style}
        assert world.told == []
    return found, styles


def kept(name, view, lines):
    """The golden picture of a view."""
    path = FOLDER / name / f"{view}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").split("\n")[:-1]


@pytest.mark.parametrize(
    ("name", "stand", "size", "terminal"), ALBUMS, ids=[each[0] for each in ALBUMS]
)
@pytest.mark.timeout(60)
async def test_every_view_is_its_golden_picture(tmp_path, name, stand, size, terminal):
    found, _ = await album(tmp_path, stand, size=size, terminal=terminal)
    golden = {
        view: await asyncio.to_thread(kept, name, view, lines) for view, lines in found.items()
    }
    assert found == golden
    if not terminal.unicode:
        assert not [view for view, lines in found.items() if not "".join(lines).isascii()]


@pytest.mark.timeout(60)
async def test_without_colours_no_view_has_one_and_says_the_same(tmp_path):
    """NO_COLOR: weight and reverse video alone, the text as on any other terminal."""
    found, styles = await album(tmp_path, "failing", size=cw.SMALL, terminal=cw.PLAIN)
    for view, drawn in styles.items():
        golden = await asyncio.to_thread(kept, "failing-80x24", view, found[view])
        assert found[view] == golden
        assert {(each.color, each.bgcolor) for each in drawn} == {(None, None)}, view


@pytest.mark.timeout(60)
async def test_a_light_theme_draws_every_view_in_its_own_colours(tmp_path):
    made = await asyncio.to_thread(gallery.failing, tmp_path)
    light = replace(made.config.console, theme="etltui-light")
    made = replace(made, config=replace(made.config, console=light))
    async with gallery.hung(tmp_path, made) as world:
        theme = world.app.look.theme
        assert not theme.dark
        colours = palette(theme)
        roles = {**colours.plain, **colours.bar, **colours.chosen}.values()
        known = {each.color for each in roles} | {colours.head.color}
        grounds = {each.bgcolor for part in (colours.plain, colours.bar, colours.chosen)
                   for each in part.values()}  # fmt: skip
        for view in gallery.VIEWS:
            await gallery.visit(world, view, made)
            strips = world.app.screen._compositor.render_strips()
            drawn = [part for strip in strips for part in strip if part.style]
            assert {each.style.bgcolor for each in drawn} <= grounds, view
            assert {each.style.color for each in drawn if each.text.strip()} <= known, view


@pytest.mark.timeout(60)
async def test_every_view_fills_a_terminal_that_has_grown(tmp_path):
    """It is what it would have been from the start; nothing else paints meanwhile."""
    made = await asyncio.to_thread(gallery.failing, tmp_path)
    found, golden = {}, {}
    async with gallery.hung(tmp_path, made) as world:
        for view in gallery.VIEWS:
            await gallery.visit(world, view, made)
            await world.pilot.resize_terminal(*cw.LARGE)
            await world.settle()
            found[view] = world.lines
            golden[view] = await asyncio.to_thread(kept, "failing-120x40", view, world.lines)
            await world.pilot.resize_terminal(*cw.SMALL)
    assert found == golden
