"""The list of jobs on the screen, and what its keys do."""

import asyncio
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

import console_world as cw
from console_past import crashed, entry, row
from etltui.domain import inquiry
from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, RefusedError, Trouble
from etltui.domain.progress import Eta
from etltui.domain.queue import QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus

S = ConnectionStatus


def estimate(**facts):
    made = {
        "job": "gst_sales",
        "connections": 8,
        "known": 8,
        "rows": 16_000,
        "targets": (inquiry.TargetSize(type="csv", path="/out/gst.csv", bytes=5_000_000),),
        "eta": Eta(left_s=250.0, band_s=30.0),
        "memory": 300_000_000,
        "memory_is": "the most that it weighed",
        "disks": (inquiry.Room(folder="/out", free=9_000_000_000, need=10_000_000),),
    }
    return inquiry.Estimate(**{**made, **facts})


def at_work():
    return cw.run(
        connections=[
            cw.connection(1, S.COMPLETED, rows=2000),
            cw.connection(2, S.RUNNING, rows=500, usual_rows=1000, since=cw.AT),
        ],
        total=4,
    )


def jobs(tmp_path, engine=None, **options):
    return cw.console(tmp_path, engine=engine or cw.FakeEngine(), start="jobs", **options)


@pytest.mark.parametrize("size", [cw.SMALL, cw.LARGE])
async def test_a_job_shows_how_far_it_is_and_what_it_did_last(tmp_path, size):
    """S0-135. A bar and its percentage stand in the row, beside results of the past."""
    history = cw.FakeHistory(
        last_by_job={"stock": row(status=RunStatus.FAILED, rows=0)}, runs=[], actions=[]
    )
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with jobs(tmp_path, engine, history=history, size=size) as world:
        gst = next(line for line in world.lines if line.startswith(" GST sales"))
        stock = next(line for line in world.lines if line.startswith(" Stock"))
        assert "◐ running" in gst
        assert gst.rstrip().endswith("38%") or " 38% " in gst
        assert "1/4" in gst
        assert "✗ failed" in stock
        assert "2 jobs · 1 running · 1 ended badly" in world.lines[0]


async def test_without_colour_or_unicode_a_job_says_the_same(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with jobs(tmp_path, engine, terminal=cw.ASCII) as world:
        gst = next(line for line in world.lines if line.startswith(" GST sales"))
        assert gst.isascii()
        assert "* running" in gst
        assert "38%" in gst


async def test_a_run_is_started_behind_what_it_would_take(tmp_path):
    """N-25: rows, minutes and sizes before the start."""
    engine = cw.FakeEngine()
    engine.answers["inquiries.estimate"] = estimate(warnings=("branch_003 is held.",))
    async with jobs(tmp_path, engine) as world:
        await world.press("r")
        assert "Run GST sales?" in world.text
        assert world.lines[2] == " ! branch_003 is held."
        assert "about 16,000" in world.text
        assert "about 4:10, 30.0s more or less" in world.text
        assert "/out/gst.csv (csv, about 5.0 MB)" in world.text
        await world.press("escape")
        assert world.asked("submit") == []
        await world.press("r", "enter")
        assert world.asked("submit") == [{"job": "gst_sales", "only": ()}]
        assert "Run GST sales?" not in world.text


async def test_an_estimate_that_is_refused_starts_nothing(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["inquiries.estimate"] = RefusedError(job="x", why="no", way_out="wait")
    async with jobs(tmp_path, engine) as world:
        await world.press("r")
        assert world.told == ["x was not started: no. wait"]
        assert world.asked("submit") == []


async def test_a_job_that_runs_already_says_so_before_the_start(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    engine.answers["inquiries.estimate"] = estimate()
    async with jobs(tmp_path, engine) as world:
        await world.press("r")
        assert "Its run AAAA is running already" in world.text


async def test_some_connections_are_chosen_with_completion(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["inquiries.estimate"] = estimate(connections=1)
    async with jobs(tmp_path, engine) as world:
        await world.press("R", "t", "a", "g", "tab")
        assert "tag:north" in world.text
        await world.press("enter")
        assert "Run GST sales on 1 connection?" in world.text
        assert world.asked("inquiries.estimate") == [{"job": "gst_sales", "only": ("tag:north",)}]
        await world.press("enter")
        assert world.asked("submit") == [{"job": "gst_sales", "only": ("tag:north",)}]


async def test_a_dry_run_shows_columns_beside_the_first_rows(tmp_path):
    """N-25: dry run."""
    query = inquiry.DryQuery(
        name="main",
        columns=(Column(name="bill", type="int"), Column(name="name", type="text")),
        rows=2,
        first=(("7", "é" * 40), ("8", "x")),
    )
    engine = cw.FakeEngine()
    engine.answers["inquiries.dry_run"] = inquiry.DryRun(
        job="gst_sales", connection="branch_002", queries=(query,), rows=2, bytes=1000
    )
    async with jobs(tmp_path, engine) as world:
        await world.press("D")
        await world.type("branch_002")
        await world.press("enter")
        assert world.asked("inquiries.dry_run")[0]["connection"] == "branch_002"
        assert "bill  int   7" in world.text
        assert "main: 2 rows, 2 columns" in world.text


async def test_a_dry_run_that_fails_says_what_to_try_and_whom_to_call(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["inquiries.dry_run"] = inquiry.DryRun(
        job="gst_sales",
        connection="branch_002",
        trouble=Trouble(error_class=ErrorClass.SYNTAX, message="no such table"),
    )
    async with jobs(tmp_path, engine) as world:
        await world.press("colon")
        await world.type("dry-run branch_002")
        await world.press("enter")
        assert "syntax: no such table" in world.text
        assert "Call          Branch 002" in world.text


async def test_what_the_newest_run_lacks_is_read_again_or_taken_up(tmp_path):
    history = cw.FakeHistory(
        last_by_job={
            "gst_sales": row(status=RunStatus.COMPLETED_WITH_ERRORS),
            "stock": row("20261118T080000Z-STOP", status=RunStatus.STOPPED),
        },
        runs=[],
        actions=[],
    )
    async with jobs(tmp_path, history=history) as world:
        await world.press("o")
        assert world.asked("submit") == []
        await world.press("f")
        assert world.asked("retry")[0]["run"] == row().run
        await world.press("j", "o")
        assert world.asked("submit") == [{"job": "stock", "resume": True}]


async def test_jobs_are_paused_and_let_go_on(tmp_path):
    queue = QueueMetrics(paused_jobs=("gst_sales",), pending=1)
    waiting = [entry("x", job="stock", not_before=cw.AT + 3600)]
    engine = cw.FakeEngine(cw.snapshot(queue=queue, pending=waiting))
    async with jobs(tmp_path, engine) as world:
        assert "‖ paused" in world.text
        assert "at 12:06" in world.text
        assert "P lets it go on" in world.text
        await world.press("P", "j", "P")
        assert world.asked("queue.pause") == [
            {"job": "gst_sales", "paused": False},
            {"job": "stock", "paused": True},
        ]


async def test_a_job_is_taken_out_of_service_and_the_configuration_read_anew(tmp_path):
    local = tmp_path / "etltui.local.toml"
    async with jobs(tmp_path) as world:
        text = "[jobs.gst_sales]\nenabled = false\n"
        await asyncio.to_thread(local.write_text, text, encoding="utf-8")
        await world.press("e")
        if commands := [each for each in world.app.workers if each.group == "commands"]:
            await world.app.workers.wait_for_complete(commands)
        await world.settle()
        assert world.asked("options.enable") == [{"job": "gst_sales", "enabled": False}]
        assert "» off" in world.text
        assert "e lets it be started" in world.text
        await world.press("r")
        assert world.asked("inquiries.estimate") == []


async def test_read_only_changes_nothing(tmp_path):
    async with jobs(tmp_path, read_only=True) as world:
        await world.press("P", "e", "r", "R")
        assert world.engine.calls == []
        assert all("only shows" in told for told in world.told)


async def test_an_empty_list_says_what_would_fill_it(tmp_path):
    config = await asyncio.to_thread(cw.configured, tmp_path)
    empty = replace(config, jobs={})
    async with jobs(tmp_path, config=empty) as world:
        assert "The configuration has no job yet." in world.text


async def test_nothing_is_painted_where_nothing_has_changed(tmp_path):
    """The same moment gives the same rows."""
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with jobs(tmp_path, engine) as world:
        before = world.app.view.table.rows
        await world.now(engine.now)
        assert world.app.view.table.rows == before


async def test_the_line_below_says_what_became_of_the_job(tmp_path):
    past = [row(f"2026111{n}T080000Z-OLD{n}") for n in range(3, 7)]
    few = row("20261117T080000Z-LAST", status=RunStatus.COMPLETED_WITH_ERRORS, rows=90)
    history = cw.FakeHistory(
        last_by_job={"gst_sales": few, "stock": crashed()}, runs=[few, *past], actions=[]
    )
    async with jobs(tmp_path, history=history, size=cw.LARGE) as world:
        assert "90 rows: less than half the usual 1,000. LAST completed with" in world.lines[-2]
        assert world.lines[-2].endswith("f reads what it lacks")
        assert "−91%" in world.text
        await world.press("j")
        assert "CRSH stopped: the engine ended without notice" in world.lines[-2]
        assert world.lines[-2].endswith("o goes on where it stopped")


async def test_a_paused_queue_says_where_it_is_let_go_on(tmp_path):
    engine = cw.FakeEngine(cw.snapshot(queue=QueueMetrics(paused=True)))
    async with jobs(tmp_path, engine) as world:
        assert "The whole queue is paused; 6 lets it go on." in world.text


async def test_jobs_are_sorted_by_any_column(tmp_path):
    history = cw.FakeHistory(last_by_job={"stock": row()}, runs=[], actions=[])
    async with jobs(tmp_path, history=history) as world:
        for column, first in (
            ("-rows", "Stock"),
            ("when", "Stock"),
            ("job", "GST"),
            ("-done", "GST"),
        ):
            await world.press("colon")
            await world.type(f"sort {column}")
            await world.press("enter")
            assert world.lines[2].startswith(f" {first}"), column


async def test_the_run_of_a_job_is_one_key_away(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with jobs(tmp_path, engine) as world:
        await world.press("enter")
        assert (world.app.view.NAME, world.app.view.argument) == ("run", at_work().run)
        await world.press("escape")
        assert world.app.view.NAME == "jobs"


async def test_each_job_has_its_history_and_its_words_for_the_command_line(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["inquiries.estimate"] = estimate()
    async with jobs(tmp_path, engine) as world:
        await world.press("colon")
        await world.type("start")
        await world.press("enter")
        assert "Run GST sales?" in world.text
        await world.press("escape", "h")
        assert (world.app.view.NAME, world.app.view.argument) == ("history", "gst_sales")


async def test_a_question_that_is_left_asks_the_engine_nothing(tmp_path):
    async with jobs(tmp_path) as world:
        await world.press("R", "escape", "D", "escape", "D", "enter", "o", "enter", "f")
        assert world.engine.calls == []


async def test_n_25_a_start_may_begin_with_few_connections(tmp_path):
    engine = cw.FakeEngine()
    engine.answers["inquiries.estimate"] = estimate()
    async with jobs(tmp_path, engine) as world:
        await world.press("r")
        assert "c reads one connection first, then five" in world.text
        await world.press("c")
        assert world.asked("submit") == [{"job": "gst_sales", "only": (), "canary": True}]
        assert "Run GST sales?" not in world.text


async def test_n_25_one_connection_is_asked_for_its_plan(tmp_path):
    """N-25: EXPLAIN per branch."""
    engine = cw.FakeEngine()
    plans = (
        inquiry.QueryPlan(name="main", plan="SEARCH sales\n  USING INDEX day"),
        inquiry.QueryPlan(name="odd", plan=""),
    )
    engine.answers["inquiries.explain"] = inquiry.Explained(
        job="gst_sales", connection="branch_001", queries=plans
    )
    async with jobs(tmp_path, engine) as world:
        await world.press("X", *"branch_001", "enter")
        asked = {"job": "gst_sales", "connection": "branch_001"}
        assert world.asked("inquiries.explain") == [asked]
        assert "Plan of GST sales at branch_001" in world.text
        shown = [line.rstrip() for line in world.lines]
        assert "     USING INDEX day" in shown
        assert "   This kind of database tells no plan." in shown
        await world.press("escape", "X", "escape")
        assert len(world.asked("inquiries.explain")) == 1


async def test_a_branch_that_opens_counts_from_midnight_on_where_the_operator_is(tmp_path):
    """At the head office the day is another one than in UTC."""
    opens = '\n[connections.branch_009]\nurl = "sqlite:///9.db"\ntags = ["north"]\nopened = {}\n'
    zone = await asyncio.to_thread(ZoneInfo, "Asia/Kolkata")
    midnight = datetime(2026, 11, 19, tzinfo=zone)
    more = opens.format(midnight.date())
    config = await asyncio.to_thread(cw.configured, tmp_path, more=more)
    engine = cw.FakeEngine(cw.snapshot(at=midnight.timestamp() - 1))
    async with jobs(tmp_path, engine, config=config) as world:
        world.app.look.timezone = "Asia/Kolkata"
        await world.now(cw.snapshot(at=midnight.timestamp() - 1))
        assert "–/4" in next(line for line in world.lines if line.startswith(" Stock"))
        await world.now(cw.snapshot(at=midnight.timestamp() + 1))
        assert "–/5" in next(line for line in world.lines if line.startswith(" Stock"))
