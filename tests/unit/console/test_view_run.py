"""The run view: a run at work or past, connection by connection, and what its keys do."""

import asyncio
import re

import pytest

import console_world as cw
from etltui.domain.errors import ErrorClass, StateError, Trouble
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.progress import Eta
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import ConnectionResult, ConnectionStatus, Output, RunResult, RunStatus
from etltui.domain.stored import ConnectionRow, RunRow

S = ConnectionStatus
ID = "20261118T090000Z-AAAA"
OLD = "20261117T090000Z-OLDD"
AWAY = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route to host 10.4.17.2")
LOGIN = Trouble(error_class=ErrorClass.LOGIN, message="password refused")


def at_work(status=RunStatus.RUNNING, **facts):
    return cw.run(
        ID,
        status=status,
        title="GST sales",
        connections=[
            cw.connection(
                1, S.COMPLETED, rows=1004, usual_rows=1000, seconds={"wait": 1.3, "query": 2.8}
            ),
            cw.connection(2, S.WAITING),
            cw.connection(3, S.RETRYING, tries=2, again_at=cw.AT + 8, trouble=AWAY),
            cw.connection(4, S.FAILED, trouble=LOGIN, usual_rows=12_004),
            cw.connection(
                5, S.RUNNING, rows=42, usual_rows=100, since=cw.AT - 7.2, step="Processing results"
            ),
        ],
        **facts,
    )


def stored(run=ID, names=5, **results):
    return [
        ConnectionRow(
            run=run,
            number=n,
            connection=f"branch_{n:03d}",
            hash="",
            result=results.get(f"branch_{n:03d}"),
        )
        for n in range(1, names + 1)
    ]


def old_row(**facts):
    facts.setdefault("status", RunStatus.COMPLETED_WITH_ERRORS)
    return RunRow(
        run=OLD,
        job="gst_sales",
        title="GST sales",
        plan_hash="abc",
        attempt=1,
        total=3,
        started=cw.AT - 90_000,
        **facts,
    )


def old_result():
    return RunResult(
        run=OLD,
        job="gst_sales",
        status=RunStatus.COMPLETED_WITH_ERRORS,
        total=3,
        completed=2,
        failed=1,
        skipped=0,
        rows=50,
        seconds=61.0,
        outputs=(Output(type="csv", path="/out/gst.csv", rows=50, bytes=2000, final=True),),
    )


def old_history(config):
    results = {
        "branch_001": ConnectionResult(connection="branch_001", status=S.COMPLETED, rows=20),
        "branch_002": ConnectionResult(connection="branch_002", status=S.FAILED, trouble=AWAY),
        "branch_003": ConnectionResult(connection="branch_003", status=S.COMPLETED, rows=30),
    }
    row = old_row(result=old_result())
    by_name = {each.name: each for each in config.connections}
    job = config.jobs["gst_sales"]
    plan = Plan(
        run=OLD,
        job=job,
        started=None,
        connections=tuple(
            PlanConnection(number=n, connection=by_name[name], queries=job.queries, hash="")
            for n, name in enumerate(results, start=1)
        ),
        targets=("/out/gst.csv",),
    )
    return cw.FakeHistory(
        run=lambda name: row if name in {OLD, "OLDD"} else None,
        runs=lambda **_: [row],
        connections=lambda _: stored(OLD, 3, **results),
        usual={},
        plan=plan,
    )


def order_of(world):
    names = [word for line in world.lines for word in line.split() if word.startswith("branch_")]
    return [int(name[-3:]) for name in names]


@pytest.fixture
def config(tmp_path):
    return cw.configured(tmp_path)


async def test_shows_every_connection_what_is_wrong_first(tmp_path):
    """S0-109…S0-113 for one run; what a row says fits 80 columns."""
    run = at_work(total=8, eta=Eta(left_s=72.0, band_s=9.0))
    engine = cw.FakeEngine(cw.snapshot([run]))
    history = cw.FakeHistory(connections=stored())
    async with cw.console(tmp_path, engine=engine, history=history) as world:
        await world.press("4")
        lines = world.lines
        assert lines[0].startswith(" GST sales ▸ run AAAA")
        assert "◐ running  1/8 done · 2 failing · eta 1:12 ±9.0s" in lines[1]
        assert order_of(world)[:5] == [4, 3, 5, 1, 2]
        assert "✗ login" in lines[3]
        assert "password refused" in lines[3]
        assert "again in 8s 2/4" in lines[4]
        assert "7.2s" in lines[5]
        assert "42%" in lines[5]
        assert "call Branch 004" in lines[-2]
        await world.press("t")
        assert order_of(world)[:5] == [1, 2, 3, 4, 5]
        await world.press("s", "s", "s", "s", "S")
        assert order_of(world)[0] == 1  # by rows, downwards


async def test_all_about_a_connection_stands_on_a_page_that_follows_the_run(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    history = cw.FakeHistory(connections=stored(), plan=None)
    async with cw.console(tmp_path, engine=engine, history=history) as world:
        await world.press("4", "down", "enter")
        assert world.lines[0].startswith(" GST sales ▸ run AAAA ▸ branch_003")
        assert "unreachable: no route to host 10.4.17.2" in world.text
        assert "Ping it, check the VPN" in world.text
        await world.now(cw.snapshot([at_work(status=RunStatus.RUNNING)], at=cw.AT + 5))
        assert "again in 3.0s" in world.text
        await world.press("escape")
        assert "CONNECTION" in world.text


async def test_on_a_tall_screen_the_details_stand_below_the_list(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    history = cw.FakeHistory(connections=stored(), plan=None)
    async with cw.console(tmp_path, engine=engine, history=history, size=cw.LARGE) as world:
        await world.press("4")
        assert "─ branch_004 ───" in world.text
        assert "login: password refused" in world.text
        [line] = [line for line in world.lines if "✓ completed" in line]
        assert re.search(r"\+0.4% +1.3s +– +2.8s +– +– +4.1s", line)
        assert re.search(r"WAIT +CONN +QUERY +FETCH +WRITE +TOTAL", world.text)
        assert "+0.4%" in world.text
        await world.press("down")
        assert "─ branch_003 ───" in world.text
        await world.press("o")
        assert "─ branch_003 ───" not in world.text


async def test_a_past_run_comes_from_the_store(tmp_path, config):
    history = old_history(config)
    async with cw.console(
        tmp_path, config=config, history=history, start="run", argument="OLDD branch_003"
    ) as world:
        await world.settle()
        assert "! with errors  2/3 done · 1 failed · 50 rows" in world.text
        assert order_of(world)[:3] == [2, 1, 3]
        assert world.app.view.table.key == "branch_003"
        await world.press("enter")
        assert "SELECT * FROM sales" in world.text
        assert "sqlite" in world.text
        await world.press("escape", "w")
        assert "/out/gst.csv" in world.text
        assert "csv, 50 rows, 2.0 kB" in world.text


async def test_without_a_run_at_work_the_last_one_is_shown(tmp_path, config):
    async with cw.console(tmp_path, config=config, history=old_history(config)) as world:
        await world.press("4")
        await world.settle()
        assert "run OLDD" in world.lines[0]


async def test_another_run_that_begins_does_not_take_the_place_of_the_one_in_sight(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("4")
        newer = cw.run("20261118T090500Z-BBBB", job="stock")
        await world.now(cw.snapshot([at_work(), newer]))
        assert "run AAAA" in world.lines[0]
        await world.press("4")
        assert "run BBBB" in world.lines[0]


async def test_a_job_stands_for_its_newest_run(tmp_path, config):
    async with cw.console(
        tmp_path, config=config, history=old_history(config), start="run", argument="gst_sales"
    ) as world:
        await world.settle()
        assert "run OLDD" in world.lines[0]


async def test_nothing_to_show_says_what_would_be(tmp_path):
    history = cw.FakeHistory(run=None, runs=[])
    async with cw.console(tmp_path, history=history) as world:
        await world.press("4")
        assert "Nothing has run yet." in world.text
        world.app.go("run", "ZZZZ")
        await world.settle()
        assert "There is no run ZZZZ." in world.text
        await world.press("enter", "f", "x")
        assert world.engine.calls == []


async def test_a_run_that_waits_says_so(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([cw.run(status=RunStatus.QUEUED, total=0)]))
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("4")
        assert "It waits for its turn" in world.text


async def test_a_plan_that_cannot_be_read_is_told_and_the_rest_stands(tmp_path):
    def broken(_):
        raise StateError("the record of the plan is damaged")

    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    history = cw.FakeHistory(connections=stored(), plan=broken)
    async with cw.console(tmp_path, engine=engine, history=history) as world:
        await world.press("4", "enter")
        assert "password refused" in world.text


async def test_what_a_run_lacks_is_read_again_all_selected_or_of_one_class(tmp_path):
    ended = at_work(RunStatus.COMPLETED_WITH_ERRORS, total=8)
    engine = cw.FakeEngine(cw.snapshot([ended]))
    engine.answers["retry"] = ID
    history = cw.FakeHistory(connections=stored())
    async with cw.console(tmp_path, engine=engine, history=history) as world:
        await world.press("4", "f")
        assert world.asked("retry")[-1] == {"run": ID, "ask": Ask(mode=Mode.RETRY)}
        await world.press("space", "space", "f")
        assert world.asked("retry")[-1]["ask"].only == ("branch_004", "branch_003")
        await world.press("e", "enter")
        ask = world.asked("retry")[-1]["ask"]
        assert (ask.only_failed, ask.classes) == (True, (ErrorClass.LOGIN,))
        world.app.perform("run.retry_class", world.app.view, "tls")
        await world.settle()
        assert len(world.asked("retry")) == 3


async def test_cancel_asks_first(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("4", "f", "x", "y", "enter")
        assert world.asked("retry") == []  # it is at work still
        assert world.asked("cancel")[0]["run"] == ID


async def test_a_console_that_only_shows_changes_nothing(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine, read_only=True) as world:
        await world.press("4")
        assert "x cancel" not in world.lines[-1]
        await world.press("x")
        assert world.engine.calls == []


async def test_a_filter_ends_with_the_run_that_it_was_for(tmp_path):
    """Else the branch that was opened from the monitor would not be among those shown."""
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        world.app.go("run", ID)
        await world.settle()
        world.app.perform("list.filter", world.app.view, "branch_004")
        await world.worked()
        assert "branch_003" not in world.text
        world.app.go("run", ID)
        await world.settle()
        assert world.app.view.filter == "branch_004"
        world.app.go("run", f"{ID} branch_003")
        await world.settle()
        assert world.app.view.table.key == "branch_003"


async def test_a_filter_that_matches_nothing_says_so(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with cw.console(tmp_path, engine=engine) as world:
        await world.press("4")
        world.app.perform("list.filter", world.app.view, "nowhere")
        await world.settle()
        assert "None of 5 matches nowhere." in world.text
        world.app.perform("list.filter", world.app.view, "elsewhere")
        await world.settle()
        assert "None of 5 matches elsewhere." in world.text
        assert "esc takes it away" in world.text
        await world.press("escape")
        assert world.app.view.NAME == "run"
        assert "branch_005" in world.text
        await world.press("escape")
        await world.settle()
        assert world.app.view.NAME == "monitor"
        await world.press("4")
        for text, found in (
            ("status=failed", [4]),
            ("status=unreachable", [3]),
            ("rows>40", [5, 1]),
        ):
            world.app.perform("list.filter", world.app.view, text)
            await world.settle()
            assert order_of(world) == found


@pytest.mark.parametrize("terminal", [cw.ASCII, cw.PLAIN])
async def test_it_can_be_read_without_colours_and_without_unicode(tmp_path, terminal):
    engine = cw.FakeEngine(cw.snapshot([at_work(eta=Eta(left_s=72.0, band_s=9.0))]))
    async with cw.console(tmp_path, engine=engine, size=cw.LARGE, terminal=terminal) as world:
        await world.press("4")
        assert "login" in world.text
        if terminal is cw.ASCII:
            assert world.text.isascii()


async def test_500_connections_are_painted_only_where_they_changed(tmp_path):
    config = await asyncio.to_thread(cw.configured, tmp_path, branches=500)
    views = [cw.connection(n, S.COMPLETED, rows=n) for n in range(1, 501)]
    run = cw.run(ID, connections=views)
    engine = cw.FakeEngine(cw.snapshot([run]))
    history = cw.FakeHistory(connections=stored(names=500))
    async with cw.console(tmp_path, config=config, engine=engine, history=history) as world:
        await world.press("4")
        assert "1/500" in world.lines[0]
        before = world.app.view.table.rows
        await world.now(cw.snapshot([run], at=cw.AT + 1))
        assert all(new is old for new, old in zip(world.app.view.table.rows, before, strict=True))
