"""History on the screen, and what its keys do."""

import asyncio

import pytest

import console_world as cw
import history_world as hw
from etltui.console.widgets.heatmap import HeatMap
from etltui.domain.errors import ErrorClass, NoSuchRunError
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import ConnectionStatus, RunStatus

DOWN = ErrorClass.UNREACHABLE
RUNS = [
    hw.run_row(0, completed=6, rows=6000),
    hw.run_row(0, job="stock", run=hw.name_of(0, "BBBB"), completed=3, total=4, rows=300),
    hw.run_row(1, completed=7, rows=7000),
    hw.run_row(2, rows=8000),
]
OUTCOMES = [
    *(hw.outcome(n, 2) for n in range(1, 9)),
    *(hw.outcome(n, 1, bad=DOWN if n == 3 else None) for n in range(1, 9)),
    hw.outcome(1, 0, bad=ErrorClass.LOGIN, job="stock", letters="BBBB"),
    *(hw.outcome(n, 0, bad=DOWN if n in (3, 5) else None) for n in range(1, 9)),
]


def store(**more):
    def runs(*, job="", limit=50, **_):
        return [row for row in RUNS if job in ("", row.job)][:limit]

    answers = {
        "runs": runs,
        "outcomes": OUTCOMES,
        "actions": [hw.asked_by("meena@ho", RUNS[0].run)],
    }
    return cw.FakeHistory(**{**answers, **more})


@pytest.fixture
def engine():
    made = cw.FakeEngine()
    made.answers["retry"] = "there"
    return made


def signs(lines, branch):
    (line,) = (line for line in lines[:-2] if f"branch_{branch:03d} " in line)
    return line.split(f"branch_{branch:03d}")[1].strip()


async def test_runs_stand_beside_each_connection_day_by_day(tmp_path, engine):
    """N-27: the calendar, branch by day."""
    async with cw.console(tmp_path, engine=engine, history=store(), size=cw.LARGE) as world:
        await world.press("8")
        lines = world.lines
        assert "History  4 runs" in lines[0]
        assert "! with errors" in lines[2]
        assert "6/8" in lines[2]
        assert "−25%" in lines[2]
        assert "meena@ho" in lines[2]
        assert signs(lines, 3) == "·························█✗✗   33%"
        assert signs(lines, 8) == "·························███  100%"
        order = [line.split("branch_")[1][:3] for line in lines if "branch_" in line]
        assert order[:3] == ["003", "001", "005"]
        assert "✗ failed  · not asked" in lines[-3]
        assert "f reads 2 connections again" in lines[-2]
        assert hw.name_of(0) in lines[-2]


async def test_on_a_small_terminal_m_goes_from_one_to_the_other(tmp_path, engine):
    async with cw.console(tmp_path, engine=engine, history=store()) as world:
        await world.press("8")
        assert "BEGAN" in world.lines[1]
        assert "CONNECTION" not in world.lines[1]
        assert "8,000" in world.lines[5]
        await world.press("m")
        assert "CONNECTION" in world.lines[1]
        assert "8 connections, 28 days  3 failed at least once" in world.lines[0]
        assert "branch_003 Wed 18 Nov: ✗ failed (unreachable)" in world.lines[-2]
        await world.press("m")
        assert "BEGAN" in world.lines[1]


async def test_nothing_has_run_yet(tmp_path):
    async with cw.console(tmp_path, size=cw.LARGE) as world:
        await world.press("8")
        assert "Nothing has run yet." in world.text
        assert "branch_008" in world.text
        assert "⏎ open" not in world.lines[-1]
        await world.type(":job stock")
        await world.press("enter")
        assert "Stock snapshot has not run yet." in world.text
        assert "Nothing was read in the last 28 days." in world.text


async def test_one_job_only(tmp_path, engine):
    async with cw.console(tmp_path, engine=engine, history=store(), size=cw.LARGE) as world:
        world.app.go("history", "stock")
        await world.settle()
        assert "History ▸ Stock snapshot  1 run" in world.lines[0]
        assert signs(world.lines, 1).endswith("✗    0%")
        assert "branch_003" not in world.text
        await world.type(":job")
        await world.press("enter")
        assert "4 runs" in world.lines[0]
        await world.type(":job sales")
        await world.press("enter")
        assert "there is no job 'sales'" in world.told[-1]


async def test_f_reads_again_what_selected_runs_lack_one_run_of_each_job(tmp_path, engine):
    """N-2: one run of a job at a time."""
    async with cw.console(tmp_path, engine=engine, history=store(), size=cw.LARGE) as world:
        await world.press("8", "asterisk", "f")
        asked = world.asked("retry")
        assert {each["run"] for each in asked} == {hw.name_of(0), hw.name_of(0, "BBBB")}
        assert {each["ask"] for each in asked} == {Ask(mode=Mode.RETRY)}
        assert world.told[-1].startswith("3 connections again; older runs")
        await world.press("end", "f")
        assert "there is nothing here to do that with" in world.told[-1]


async def test_f_on_the_map_reads_a_cell_a_connection_or_a_day_again(tmp_path, engine):
    async with cw.console(tmp_path, engine=engine, history=store(), size=cw.LARGE) as world:
        await world.press("8", "m", "left", "f")
        assert world.asked("retry") == [
            {"run": hw.name_of(1), "ask": Ask(mode=Mode.RETRY, only=("branch_003",))}
        ]
        assert world.told[-1] == "1 connection again"
        engine.calls.clear()
        await world.press(*["left"] * 30)
        assert "branch_003: 33% of 3 answered, 2 failures in a row" in world.lines[-2]
        assert "call Branch 003" in world.lines[-2]
        await world.press("f")
        assert [each["run"] for each in world.asked("retry")] == [hw.name_of(0)]
        assert "older runs of the same job" in world.told[-1]
        engine.calls.clear()
        await world.press(*["right"] * 30, "up")
        assert "Wed 18 Nov: 3 connections failed" in world.lines[-2]
        await world.press("f")
        assert {(each["run"][-4:], each["ask"].only) for each in world.asked("retry")} == {
            ("AAAA", ("branch_003", "branch_005")),
            ("BBBB", ("branch_001",)),
        }
        engine.calls.clear()
        await world.press(*["left"] * 30)
        assert world.app.query_one(HeatMap).place == ("", 0)
        await world.press("down", "end", "f")
        assert world.asked("retry") == []


async def test_a_day_with_several_runs_says_how_many_of_them_failed(tmp_path, engine):
    outcomes = [hw.outcome(1, bad=DOWN, letters="AAAA"), hw.outcome(1, letters="BBBB")]
    history = store(outcomes=outcomes)
    async with cw.console(tmp_path, engine=engine, history=history, size=cw.LARGE) as world:
        await world.press("8", "m")
        said = "branch_001 Wed 18 Nov: █ all rows, 1 of 2 runs failed (unreachable)"
        assert said in world.lines[-2]


async def test_a_retry_that_is_refused_is_told(tmp_path, engine):
    engine.answers["retry"] = NoSuchRunError(
        run="x", why="a later run is there", way_out="Retry it"
    )
    async with cw.console(tmp_path, engine=engine, history=store()) as world:
        await world.press("8", "f")
        assert "a later run is there" in world.told[-1]


async def test_enter_opens_the_run_the_connection_in_it_or_the_connection(tmp_path, engine):
    async with cw.console(tmp_path, engine=engine, history=store(), size=cw.LARGE) as world:
        opened = []
        world.app.desk.go = lambda view, argument="": opened.append((view, argument))
        await world.press("8", "enter", "m", "enter", *["left"] * 28, "enter", "right", "enter")
        assert opened == [
            ("run", hw.name_of(0)),
            ("run", f"{hw.name_of(0)} branch_003"),
            ("connections", "branch_003"),
        ]


async def test_c_shows_a_run_beside_the_one_before_it_or_two_that_are_selected(tmp_path, engine):
    asked = []

    def connections(run):
        asked.append(run)
        bad = DOWN if run == hw.name_of(0) else None
        return [hw.result_row(1), hw.result_row(2), hw.result_row(3, bad=bad)]

    async with cw.console(tmp_path, engine=engine, history=store(connections=connections)) as world:
        await world.press("8", "c")
        assert asked == [hw.name_of(1), hw.name_of(0)]
        assert "1 connection ended otherwise, 0 far off" in world.text
        assert "✓ → ✗ unreachable" in world.text
        await world.press("escape", "space", "end", "space", "c")
        assert asked[2:] == [hw.name_of(2), hw.name_of(0)]
        await world.press("escape", "asterisk", "c")
        assert len(asked) == 4


async def test_n_27_the_map_is_written_as_csv(tmp_path, engine):
    async with cw.console(tmp_path, engine=engine, history=store(), size=cw.LARGE) as world:
        world.app.go("history")
        await world.settle()
        view = world.app.view
        await view.do_export(str(tmp_path / "runs.csv"))
        assert (tmp_path / "runs.csv").read_text().startswith("when,job,status,done")
        assert (tmp_path / "runs.csv").stat().st_mode & 0o777 == 0o600
        await world.press("m")
        await view.do_export(str(tmp_path / "map.csv"))
        head, first, *_ = (tmp_path / "map.csv").read_text().splitlines()
        assert head.startswith("connection,contact,asked,failed,reliability_percent")
        assert first.startswith('branch_003,"Branch 003, +91 80 5550 0003",3,2,33.33,')
        assert first.endswith("not asked,all rows,failed,failed")
        await view.do_export(str(tmp_path / "map.csv"))
        assert "is there already" in world.told[-1]


async def test_the_map_is_filtered_by_a_part_of_a_name(tmp_path, engine):
    async with cw.console(tmp_path, engine=engine, history=store()) as world:
        await world.press("8", "m", "slash")
        await world.type("05")
        assert "branch_005" in world.text
        assert "branch_003" not in world.text
        await world.press("enter")
        assert "/05" in world.lines[0]
        await world.press("slash", "9", "9", "9", "enter")
        assert "No connection is called 05999." in world.text


async def test_the_cursor_of_the_map_stays_on_its_connection_and_reaches_all_500(tmp_path, engine):
    config = await asyncio.to_thread(cw.configured, tmp_path, branches=500)
    answers = {"outcomes": lambda _: outcomes, "runs": []}
    outcomes = [hw.outcome(n, 0) for n in range(1, 501)]
    history = cw.FakeHistory(**answers)
    async with cw.console(tmp_path, engine=engine, history=history, config=config) as world:
        await world.press("8", "m", "end")
        assert "500/500" in world.lines[0]
        assert "branch_500" in world.text
        await world.press("home", "pagedown", "k")
        here = world.app.query_one(HeatMap).place
        outcomes = [hw.outcome(400, 1, bad=DOWN), *outcomes]
        world.app.desk.reads.stale()
        await world.now(engine.now)
        assert world.app.query_one(HeatMap).place == here
        await world.press("home")
        assert "branch_400" in world.lines[-2]


async def test_the_wheel_and_clicks_move_the_cursor_of_the_map(tmp_path, engine):
    async with cw.console(tmp_path, engine=engine, history=store()) as world:
        opened = []
        world.app.desk.go = lambda view, argument="": opened.append((view, argument))
        await world.press("8", "m")
        map_ = world.app.query_one(HeatMap)
        await world.pilot.click(HeatMap, offset=(5, 2))
        await world.settle()
        assert map_.place == ("branch_001", -1)
        await world.pilot.click(HeatMap, offset=(80 - 7, 0))
        assert map_.place == ("", 27)
        await world.pilot.click(HeatMap, offset=(80 - 8, 1), times=2)
        await world.settle()
        assert map_.place == ("branch_003", 26)
        assert opened == [("run", f"{hw.name_of(1)} branch_003")]
        await world.pilot.click(HeatMap, offset=(5, 15))
        assert map_.place == ("branch_003", 26)


async def test_a_run_at_work_is_followed_and_nothing_is_painted_when_nothing_changes(
    tmp_path, engine
):
    at_work = hw.run_row(0, run="20261118T110000Z-CCCC", status=RunStatus.RUNNING, result=None)
    live = cw.run(
        at_work.run, connections=[cw.connection(1, ConnectionStatus.COMPLETED, rows=40)], total=8
    )
    engine.now = cw.snapshot([live])
    history = store(runs=lambda **_: [at_work, *RUNS])
    async with cw.console(tmp_path, engine=engine, history=history, size=cw.LARGE) as world:
        await world.press("8")
        assert "◐ running" in world.lines[2]
        assert "1/8" in world.lines[2]
        painted = []
        for widget in world.app.view.query("Table, HeatMap"):
            widget.refresh = lambda *regions, **_: painted.append(regions)
        # Nor is the map of tens of thousands of outcomes made anew.
        world.app.query_one(HeatMap).show = lambda *made: painted.append(made)
        await world.now(engine.now)
        assert painted == []


async def test_without_unicode_and_without_colour(tmp_path, engine):
    for terminal in (cw.ASCII, cw.PLAIN):
        async with cw.console(
            tmp_path, engine=engine, history=store(), size=cw.LARGE, terminal=terminal
        ) as world:
            await world.press("8", "m")
            if terminal is cw.ASCII:
                assert world.text.isascii()
                assert signs(world.lines, 3) == "#xx   33%"
            else:
                assert signs(world.lines, 3).endswith("█✗✗   33%")
