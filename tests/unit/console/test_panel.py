"""The floating panel and the toasts over a view, with real keys."""

import asyncio

import pytest

import console_world as cw
from etltui.domain.run import ConnectionStatus, RunStatus

S = ConnectionStatus
STOCK = "20261118T090000Z-BBBB"


def shown(*more, at=cw.AT, **facts):
    run = cw.run(connections=[cw.connection(n, S.WAITING) for n in range(1, 31)], title="GST sales")
    stock = cw.run(
        STOCK,
        job="stock",
        title="Stock snapshot",
        step="Processing results",
        connections=[cw.connection(1, S.RUNNING, rows=50, usual_rows=100)],
        total=4,
        **facts,
    )
    return cw.snapshot([run, stock, *more], at=at)


async def opened(world):
    world.app.go("run", "AAAA")
    await world.settle()


def covered(world):
    return [n for n, line in enumerate(world.lines) if line[46:47] == "│"]


async def test_it_floats_at_the_bottom_right_of_every_view_but_the_monitor(tmp_path):
    """S0-103, S0-117."""
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        assert covered(world) == []
        await opened(world)
        assert covered(world) == [19, 20, 21]
        assert "1 running" in world.lines[19]
        assert "▸ Stock snapshot" in world.lines[20]
        assert "12%" in world.lines[20]
        assert "0/4" in world.lines[21]
        await world.press("1")
        assert covered(world) == []


async def test_it_shows_how_far_runs_are_as_it_happens(tmp_path):
    """S0-104."""
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        await world.now(shown(completed=2))
        assert "2/4" in world.lines[21]


async def test_it_makes_way_for_the_cursor(tmp_path):
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        await world.press("end")
        assert "branch_030" in world.lines[21]
        assert max(covered(world)) < 8
        await world.press("home")
        assert covered(world) == [19, 20, 21]


async def test_p_makes_it_small_closes_it_and_shows_it_again(tmp_path):
    """S0-106, S0-107."""
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        await world.press("p")
        assert covered(world) == []
        assert world.lines[21].endswith("▸ 1 running")
        await world.press("p")
        assert "1 running" not in world.text
        await world.press("p")
        assert covered(world) == [19, 20, 21]
        world.app.perform("app.panel", world.app.general, "badge")
        await world.settle()
        assert world.lines[21].endswith("▸ 1 running")
        world.app.perform("app.panel", world.app.general, "large")
        await world.settle()
        assert world.lines[21].endswith("▸ 1 running")


async def test_with_the_keyboard_in_it_a_run_is_opened(tmp_path):
    """S0-105, S0-113."""
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        await world.press("tab", "enter")
        assert "▾ Stock snapshot" in world.text
        assert "branch_001" in world.lines[19]
        assert "50%" in world.lines[20]
        await world.press("enter")
        assert "▸ Stock snapshot" in world.text
        await world.press("escape")
        assert world.app.focused is world.app.view.table


async def test_the_cursor_in_it_goes_from_run_to_run(tmp_path):
    more = [cw.run(f"20261118T09000{n}Z-MORE", job=f"more{n}", title=f"More {n}") for n in (1, 2)]
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown(*more))) as world:
        await opened(world)
        assert len(covered(world)) == 6
        assert "1 more" in world.lines[16]
        await world.press("tab", "down", "down", "down")
        assert "More 2" in "\n".join(world.lines[16:22])
        await world.press("up", "up")
        assert "Stock snapshot" in world.lines[17]


async def test_a_completed_run_leaves_after_five_seconds_and_gives_the_keyboard_back(tmp_path):
    """S0-108."""
    done = {"status": RunStatus.COMPLETED, "completed": 4, "changed": cw.AT}
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        await world.press("tab")
        await world.now(shown(**done, at=cw.AT + 4))
        assert "✓ completed" in "\n".join(world.lines[16:22])
        await world.now(shown(**done, at=cw.AT + 5))
        assert covered(world) == []
        assert world.app.focused is world.app.view.table


async def test_the_mouse_opens_a_run_and_makes_the_panel_small(tmp_path):
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        await world.pilot.click("#panel", offset=(5, 1))
        await world.settle()
        assert "▾ Stock snapshot" in world.text
        await world.pilot.click("#panel", offset=(5, 0))
        await world.settle()
        assert world.lines[21].endswith("▸ 1 running")
        await world.pilot.click("#panel", offset=(2, 0))
        await world.settle()
        assert "▾ Stock snapshot" in world.text


async def test_nothing_of_it_is_painted_while_nothing_changes(tmp_path):
    async with cw.console(tmp_path, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        painted = []
        world.app.panel.refresh = lambda *regions, **_: painted.append(regions)
        await world.now(shown())
        assert painted == []


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_it_fits_every_screen_in_ascii(tmp_path, size):
    engine = cw.FakeEngine(shown())
    async with cw.console(tmp_path, engine=engine, size=size, terminal=cw.ASCII) as world:
        await opened(world)
        await world.press("tab", "enter")
        assert "v Stock snapshot" in world.text
        assert world.text.isascii()
        assert world.app.panel.region.right == size[0]


async def test_it_names_the_key_that_the_operator_chose(tmp_path):
    more = '\n[console.keys]\n"app.panel" = "f6"\n'
    config = await asyncio.to_thread(cw.configured, tmp_path, more=more)
    async with cw.console(tmp_path, config=config, engine=cw.FakeEngine(shown())) as world:
        await opened(world)
        assert world.lines[19].endswith("f6")
        told = heard(world)
        await world.press("f6", "f6")
        assert told == ["the panel is closed; f6 shows it again"]


async def test_it_stays_closed_where_the_configuration_says_so(tmp_path):
    config = await asyncio.to_thread(cw.configured, tmp_path, more="\n[console]\npanel = false\n")
    engine = cw.FakeEngine(shown())
    async with cw.console(tmp_path, config=config, engine=engine) as world:
        await opened(world)
        assert covered(world) == []
        await world.press("p")
        assert covered(world) == [19, 20, 21]


def heard(world):
    """What is told from now on; a console under test shows no toasts."""
    told = []
    world.app.notify = lambda message, **_: told.append(message)
    return told


async def test_runs_are_told_of_in_passing(tmp_path):
    """S0-128, S1-24."""
    async with cw.console(tmp_path) as world:
        told = heard(world)
        await world.now(shown())
        assert told == [
            "GST sales started, 30 connections",
            "Stock snapshot started, 4 connections",
        ]
        await world.press("down")
        assert len(told) == 2
        await world.now(shown(status=RunStatus.FAILED, reason="the disk is full"))
        assert told[2].startswith("Stock snapshot failed: the disk is full")


async def test_without_toasts_only_errors_are_told(tmp_path):
    config = await asyncio.to_thread(cw.configured, tmp_path, more="\n[console]\ntoasts = false\n")
    async with cw.console(tmp_path, config=config) as world:
        told = heard(world)
        await world.now(shown())
        assert told == []
        await world.now(shown(status=RunStatus.FAILED, reason="[red]no[/]\x1b[2J"))
        assert len(told) == 1
        assert "\x1b" not in told[0]
