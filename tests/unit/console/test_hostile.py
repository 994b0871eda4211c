"""Foreign text in every view: nothing of it steers the terminal, nothing of it ends the console."""

import asyncio
from dataclasses import replace

import pytest

import console_gallery as gallery
import console_world as cw
import history_world as hw
from console_foreign import Foreign, assert_harmless
from etltui.console.log_reader import LogReader
from etltui.console.widgets.table import Table
from etltui.domain import inquiry
from etltui.domain.columns import Column
from etltui.domain.errors import StateError

NARROW = (60, 20)
STANDS = ((cw.SMALL, gallery.many), (cw.LARGE, gallery.failing), (NARROW, gallery.failing))


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    """No thread reads a log: the test hands its lines over."""
    monkeypatch.setattr(LogReader, "start", lambda _: None)


def disguised(make, folder, seed):
    well = Foreign(seed)
    return well, gallery.Disguise(well).stand(make(folder))


def check(world):
    """Whatever is shown, and every row that could be scrolled to."""
    assert_harmless(world.app.screen._compositor.render_strips(), world.app.size.width)
    for table in (each for each in world.app.screen.query(Table) if each.size.width):
        rows = range(len(table.rows))
        assert_harmless([table.render_line(n - table._top + 1) for n in rows], table.size.width)


@pytest.mark.parametrize(("size", "make"), STANDS, ids=["many", "large", "narrow"])
@pytest.mark.timeout(120)
async def test_every_view_of_hostile_names_is_harmless(tmp_path, size, make):
    well, stand = await asyncio.to_thread(disguised, make, tmp_path, size[0])
    async with gallery.hung(tmp_path, stand, size=size, toasts=True) as world:
        for view in gallery.VIEWS:
            await gallery.visit(world, view, stand)
            check(world)
            await world.press("G", "k", "space")
            check(world)
            await world.press("enter")
            await gallery.quiet(world)
            check(world)
            await world.press("escape", "escape")
    assert well.given > 400


def answers(well):
    trouble = gallery.AWAY
    known = inquiry.Estimate(
        job=well(),
        connections=8,
        known=8,
        rows=9,
        eta=None,
        memory=1,
        memory_is=well(),
        targets=(inquiry.TargetSize(type=well(), path=well(), bytes=5),),
        disks=(inquiry.Room(folder=well(), free=1, need=2),),
        warnings=tuple(well.many(9)),
    )
    tested = inquiry.Tested(connection=well(), trouble=trouble, contact=well())
    query = inquiry.DryQuery(
        name=well(),
        columns=tuple(Column(name=well.own(), type="text") for _ in range(4)),
        rows=2,
        first=(tuple(well.many(4)), tuple(well.many(4))),
    )
    dry = inquiry.DryRun(
        job=well(), connection=well(), queries=(query,), columns_of=well(), notes={well(): 3}
    )
    return {
        "inquiries.estimate": known,
        "inquiries.test": lambda **_: (tested,),
        "inquiries.dry_run": dry,
        "submit": StateError(well()),
        "retry": StateError("[red]" + well()),
        "cancel": StateError(well()),
    }


@pytest.mark.timeout(120)
async def test_what_lies_over_the_views_is_harmless(tmp_path):
    """Toasts, questions, pages, the palette, help, lines that are typed into, the panel."""
    well, stand = await asyncio.to_thread(disguised, gallery.failing, tmp_path, 77)
    async with gallery.hung(tmp_path, stand, size=NARROW, toasts=True) as world:
        world.engine.answers.update(answers(well))
        for keys in (
            ("1", "r"), ("1", "x"), ("1", "G", "f"), ("2", "r"), ("2", "n"), ("2", "t"),
            ("3", "T"), ("3", "H"), ("3", "number_sign"), ("3", "r"), ("4", "w"), ("4", "e"),
            ("5", "W"), ("5", "s"), ("8", "c"), ("8", "m"), ("ctrl+p",), ("question_mark",),
            ("colon",), ("3", "slash", "a"), ("3", "y"), ("tab", "enter"),
        ):  # fmt: skip
            await world.press(*keys)
            check(world)
            await world.press("escape", "escape", "escape")
        for text in well.many(12):
            world.app.desk.tell(text)
            await world.settle()
            check(world)
            world.app.clear_notifications()
        for text in well.many(12):
            asking = asyncio.create_task(world.app.desk.ask(well(), text=text))
            await world.settle()
            check(world)
            await world.press("escape")
            await asking


async def test_what_is_pasted_is_harmless(tmp_path):
    async with cw.console(tmp_path) as world:
        await world.press("colon")
        world.app.prompt._typing.insert_text_at_cursor("a\x1b]52;c;eA==\x07\u202e\x9bb")
        await world.settle()
        check(world)
        assert "a␛]52;c;eA==␇��b" in world.text


async def test_the_question_after_a_crash_is_harmless(tmp_path):
    well, stand = await asyncio.to_thread(disguised, gallery.failing, tmp_path, 5)
    stopped = [
        replace(hw.run_row(n), title=well(), job=well(), reason=well(), result=None)
        for n in range(12)
    ]
    stand = replace(stand, answers={**stand.answers, "crashed": stopped})
    async with gallery.hung(tmp_path, stand, toasts=True) as world:
        await gallery.quiet(world)
        assert "12 runs were stopped by a crash" in world.lines[0]
        check(world)
        await world.press("asterisk", "x")
        check(world)
