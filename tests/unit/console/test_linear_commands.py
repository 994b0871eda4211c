"""What is typed to the console in lines, and what it does and says then."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

import console_past as past
import console_world as cw
import history_world as hw
from console_pools import pool
from etltui.config.advice import Caution
from etltui.domain import inquiry
from etltui.domain.errors import ErrorClass, EtltuiError, Mistake, NoSuchRunError, Trouble
from etltui.domain.logbook import Hold
from etltui.domain.pools import PoolHistory
from etltui.domain.queue import Ask, Mode
from etltui.domain.run import ConnectionStatus, Output, RunStatus
from etltui.engine.options import Verdict
from linear_world import linear
from unit.console.test_settings import Kept

UNREACHABLE = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route to 10.4.17.2")
READ_ONLY = "warning: {}: this console only shows (--read-only)"
HELD = Hold(connection="branch_003", reason="line is cut", who="ravi@desk", since=cw.AT - 60)


def stood():
    return cw.snapshot(
        [
            cw.run(
                connections=[
                    cw.connection(1, ConnectionStatus.COMPLETED, rows=10),
                    cw.connection(2, ConnectionStatus.RUNNING, step="Querying"),
                    cw.connection(3, ConnectionStatus.FAILED, trouble=UNREACHABLE),
                ]
            ),
            cw.run("20261118T080000Z-BBBB", job="stock", status=RunStatus.COMPLETED),
        ],
        pools=[pool(lent=5)],
    )


@pytest.fixture
def engine():
    return cw.FakeEngine(stood())


async def test_a_run_is_started_on_some_connections_or_where_it_stopped(tmp_path, engine):
    engine.answers["submit"] = "20261118T110000Z-CCCC"
    run, some = "run stock --only 'branch_0*'", ("branch_0*", "tag:north")
    async with linear(tmp_path, engine) as talk:
        assert await talk.type(f"{run} --only=tag:north --canary", "RUN stock --resume") == []
        assert engine.calls == [
            ("submit", {"job": "stock", "only": some, "resume": None, "canary": True}),
            ("submit", {"job": "stock", "only": (), "resume": True, "canary": None}),
        ]
        engine.answers["submit"] = "20261118T090000Z-AAAA"
        assert await talk.type("run gst_sales") == ["run AAAA of gst_sales is there already"]


async def test_what_cannot_be_understood_says_what_to_write(tmp_path, engine):
    async with linear(tmp_path, engine) as talk:
        said = await talk.type(
            "run",
            "run sotck",
            "run stock --onyl x",
            "run stock --only",
            "run 'stock",
            "cancel --now",
            "connections size>3",
            "connections /(/",
            "logs /(/",
        )
    assert engine.calls == []
    assert said == [
        "error: run: nothing is named. Write run JOB [--only GLOB]... [--resume] [--canary]",
        "error: JOB: there is no job 'sotck'. Did you mean \"stock\"?",
        'error: --onyl: there is no such option here. Did you mean "--only"?',
        "error: --only: it names no connection. Write --only branch_0* or tag:north",
        'error: \'stock: a quote is not closed. Write "two words" in two quotes',
        "error: --now: there is no such option here. Leave it out",
        said[6],
        said[7],
        said[8],
    ]
    assert said[6].startswith("error: FILTER: there is no column 'size'; there are name, status")
    assert "is no pattern" in said[7]
    assert "is no pattern" in said[8]


async def test_a_run_is_cancelled_by_its_name_or_its_jobs_after_a_yes(tmp_path, engine):
    async with linear(tmp_path, engine) as talk:
        assert await talk.type("cancel gst_sales", "n") == ["Cancel run AAAA of gst_sales? y/n"]
        assert engine.calls == []
        await talk.type("cancel aaaa", "y")
        cancelled = ("cancel", {"run": stood().runs[0].run, "reason": "cancelled from the console"})
        assert engine.calls == [cancelled]
        engine.answers["cancel"] = NoSuchRunError(
            run="BBBB", why="it has ended", way_out="See runs"
        )
        assert "it has ended" in (await talk.type("cancel bbbb"))[0]
        (unknown,) = await talk.type("cancel zzzz")
        assert "there is no such run or job" in unknown


async def test_nobody_is_asked_where_the_configuration_says_so(tmp_path, engine):
    config = partial(cw.configured, tmp_path, more="[console]\nconfirm = false\n")
    async with linear(tmp_path, engine, config=config) as talk:
        assert await talk.type("cancel gst_sales") == []
    assert [name for name, _ in engine.calls] == ["cancel"]


async def test_what_a_run_lacks_is_read_again(tmp_path, engine):
    recorded = past.row("20261117T080000Z-DDDD", status=RunStatus.COMPLETED_WITH_ERRORS)
    history = cw.FakeHistory(run=lambda run: recorded if run == "DDDD" else None)
    engine.answers["retry"] = "20261118T110000Z-CCCC"
    async with linear(tmp_path, engine, history) as talk:
        assert await talk.type("retry DDDD --only branch_003", "retry gst_sales") == []
        assert [arguments for _, arguments in engine.calls] == [
            {"run": recorded.run, "ask": Ask(mode=Mode.RETRY, only=("branch_003",))},
            {"run": stood().runs[0].run, "ask": Ask(mode=Mode.RETRY)},
        ]


@pytest.mark.parametrize(
    ("typed", "call", "said"),
    [
        (
            "hold branch_00[12] the line is cut",
            (
                "records.hold",
                {"connections": ("branch_001", "branch_002"), "reason": "the line is cut"},
            ),
            "2 connections held: no run reads them",
        ),
        (
            "release branch_*",
            ("records.release", {"connections": ("branch_003",)}),
            "branch_003 released",
        ),
        ("pause stock", ("queue.pause", {"job": "stock", "paused": True}), "stock is paused"),
        ("resume", ("queue.pause", {"job": "", "paused": False}), "the queue goes on"),
    ],
)
async def test_levers(tmp_path, engine, typed, call, said):
    history = cw.FakeHistory(holds=[HELD])
    async with linear(tmp_path, engine, history) as talk:
        assert await talk.type(typed) == [said]
        assert engine.calls == [call]
    engine.calls.clear()
    async with linear(tmp_path, engine, history, read_only=True) as talk:
        assert await talk.type(typed) == [READ_ONLY.format(typed.split()[0])]
        assert engine.calls == []


async def test_a_hold_needs_a_connection_and_a_reason(tmp_path, engine):
    async with linear(tmp_path, engine) as talk:
        assert await talk.type("hold branch_001", "hold brnch_001 cut", "release branch_001") == [
            "error: REASON: no reason is given. Say why, for whoever misses its rows",
            "error: CONNECTION: 'brnch_001' matches no connection. Did you mean \"branch_001\"?",
            "error: CONNECTION: 'branch_001' is not held. No connection is held",
        ]
        assert engine.calls == []


async def test_what_the_engine_refuses_is_told(tmp_path, engine):
    engine.answers["submit"] = EtltuiError("the job is off")
    async with linear(tmp_path, engine) as talk:
        assert await talk.type("run stock") == ["error: the job is off"]


async def test_jobs_and_runs_are_listed_by_the_names_that_commands_take(tmp_path, engine):
    rows = [past.row()]
    history = cw.FakeHistory(runs=rows, last_by_job={"gst_sales": rows[0]})
    async with linear(tmp_path, engine, history) as talk:
        head, *lines = await talk.type("jobs")
        assert head.split()[:2] == ["NAME", "LAST"]
        assert [line.split()[:3] for line in lines] == [
            ["gst_sales", "◐", "running"],
            ["stock", "✓", "completed"],
        ]
        assert "67%" in lines[0]
        head, line = await talk.type("runs gst_sales")
        assert head.split() == [
            "RUN",
            "BEGAN",
            "JOB",
            "STATUS",
            "DONE",
            "ROWS",
            "USUAL",
            "TIME",
            "WHO",
        ]
        assert line.split()[0] == "OLD1"
        assert "gst_sales" in line


async def test_a_run_is_shown_with_what_went_wrong_and_whom_to_call(tmp_path, engine):
    async with linear(tmp_path, engine) as talk:
        head, names, *lines = await talk.type("show gst_sales")
        assert head.startswith("run AAAA gst_sales ◐ running  1/3 done · 1 failing · 10 rows")
        assert names.split()[:3] == ["#", "CONNECTION", "STATUS"]
        assert [line.split()[0] for line in lines[:3]] == ["branch_003", "branch_002", "branch_001"]
        assert lines[3] == (
            "branch_003 unreachable: no route to 10.4.17.2; call Branch 003, +91 80 5550 0003"
        )
        assert lines[4].startswith("unreachable: ")
        shown = await talk.type("show AAAA rows>5", "show AAAA nothing")
        assert [line.split()[0] for line in shown if " branch_" in line] == ["branch_001"]
        assert shown[-1] == "No connection is like that."


async def test_a_run_that_only_the_records_know_is_shown(tmp_path, engine):
    row = hw.run_row(2, completed=1, total=2)
    history = cw.FakeHistory(
        runs=[row],
        connections=[hw.result_row(1), hw.result_row(2, bad=ErrorClass.UNREACHABLE)],
    )
    engine.now = cw.snapshot()
    async with linear(tmp_path, engine, history) as talk:
        said = await talk.type("show gst_sales")
        assert "1/2 done" in said[0]
        assert [line.split()[1] for line in said[2:4]] == ["branch_002", "branch_001"]


async def test_500_connections_are_one_line_each_and_filtered(tmp_path):
    config = partial(cw.configured, tmp_path, branches=500)
    history = cw.FakeHistory(holds=[HELD], outcomes=[hw.outcome(2)])
    async with linear(tmp_path, cw.FakeEngine(stood()), history, config=config, width=80) as talk:
        lines = await talk.type("connections")
        assert len(lines) == 501
        assert max(map(len, lines)) <= 80
        (_, held) = await talk.type("connections held")
        assert held.split()[:3] == ["branch_003", "‖", "held"]
        assert await talk.type("connections nowhere") == ["No connection is like that."]


async def test_pools_queue_and_checkpoints(tmp_path, engine):
    stopped = replace(
        past.row("20261117T080000Z-DDDD", status=RunStatus.STOPPED), job="stock", plan_hash="other"
    )
    history = cw.FakeHistory(last_by_job={"stock": stopped}, plan=None)
    engine.answers["pools.get_history"] = ()
    async with linear(tmp_path, engine, history) as talk:
        numbers, head, line = await talk.type("pools")
        assert numbers.startswith("5 lent, ")
        assert head.split()[0] == "POOL"
        assert "5" in line.split()
        numbers, head, line = await talk.type("queue")
        assert "1 running" in numbers
        assert line.split()[:2] == ["AAAA", "gst_sales"]
        head, line = await talk.type("checkpoints")
        assert "RUN" in head.split()
        assert "DDDD" in line
        assert "no: the plan has changed" in line
    async with linear(tmp_path, engine) as talk:
        assert await talk.type("checkpoints") == ["No unfinished runs: there is nothing to resume."]
        assert await talk.type("runs stock") == ["No run of stock yet: run JOB starts one."]


async def test_what_is_likely_and_who_answers(tmp_path, engine):
    engine.answers["inquiries.estimate"] = inquiry.Estimate(
        job="stock",
        connections=4,
        known=0,
        rows=0,
        targets=(),
        eta=None,
        memory=1,
        memory_is="as it is now",
        disks=(),
    )
    engine.answers["inquiries.test"] = (
        inquiry.Tested(connection="branch_001", milliseconds=4.25),
        inquiry.Tested(connection="branch_002", trouble=UNREACHABLE, contact="Ravi"),
    )
    async with linear(tmp_path, engine) as talk:
        (first, *_) = await talk.type("estimate stock --only tag:north")
        assert first.split()[:2] == ["Connections", "4,"]
        assert await talk.type("test branch_001 branch_002") == [
            "branch_001 answered in 4.2 ms",
            "branch_002 unreachable: no route to 10.4.17.2; call Ravi",
            "1 answered, 1 unreachable",
        ]
        assert engine.calls[-1] == (
            "inquiries.test",
            {"connections": ("branch_001", "branch_002")},
        )


async def test_the_last_lines_of_the_log(tmp_path, engine):
    logs = tmp_path / "logs"
    logs.mkdir()
    line = '{{"time": "2026-11-18T11:06:{:02d}Z", "level": "info", "message": "line {}"}}\n'
    (logs / "etltui.jsonl").write_text("".join(line.format(n, n) for n in range(30)))
    async with linear(tmp_path, engine) as talk:
        assert len(await talk.type("logs")) == 20
        assert await talk.type("logs 2") == [
            "2026-11-18 11:06:28 info    line 28",
            "2026-11-18 11:06:29 info    line 29",
        ]
        assert [each.split()[-1] for each in await talk.type("logs 5 /line 1$|line 7/")] == [
            "1",
            "7",
        ]
        assert await talk.type("logs nothing") == ["No line of the log is like that."]


async def test_an_empty_configuration_says_what_would_fill_it(tmp_path, engine):
    path = tmp_path / "etltui.toml"
    path.write_text("[settings]\n")
    config = partial(cw.load, path, environ={})
    async with linear(tmp_path, engine, config=config) as talk:
        jobs, connections, run = await talk.type("jobs", "connections", "run stock")
        assert "[jobs.NAME]" in jobs
        assert "import-fleet" in connections
        assert run.endswith("The configuration has none yet")


async def test_a_terminal_with_few_characters_gets_ascii(tmp_path, engine):
    async with linear(tmp_path, engine, unicode=False) as talk:
        await talk.type("status", "jobs", "show gst_sales", "connections", "queue", "pools", "help")
        assert talk.text.isascii()


async def test_settings_are_listed_explained_and_changed(tmp_path):
    kept = await asyncio.to_thread(Kept, tmp_path)
    async with linear(tmp_path, kept.engine, config=lambda: kept.config) as talk:
        listed = await talk.type("settings")
        assert listed[0].split()[:3] == ["SETTING", "VALUE", "ALLOWED"]
        assert any(line.startswith("pool_size ") for line in listed)
        explained = await talk.type("settings pool_size")
        assert "Default       20" in explained
        assert await talk.type("settings pool_size 7") == ["1 setting holds now"]
        assert kept.engine.calls[-1] == ("update_settings", {"changes": {"pool_size": 7}})
        assert await talk.type("settings pool_size 7") == ["pool_size is 7 already"]
        assert (await talk.type("settings pool_size many"))[0].startswith("error: pool_size: ")
        (unknown,) = await talk.type("settings pol_size 3")
        assert unknown.endswith('Did you mean "pool_size"?')
        assert await talk.type("settings console.read_only on") == ["1 setting holds now"]
        assert await talk.type("settings pool_size 9") == [READ_ONLY.format("settings")]


async def test_what_is_likely_to_be_regretted_is_asked(tmp_path):
    kept = await asyncio.to_thread(Kept, tmp_path)
    kept.verdict = Verdict(
        cautions=(Caution(key="settings.pool_size", problem="few sessions", way_out="Take more"),)
    )
    async with linear(tmp_path, kept.engine, config=lambda: kept.config) as talk:
        said = await talk.type("settings pool_size 1", "n")
        assert said[0] == "pool_size  20 → 1"
        assert said[-2:] == ["! settings.pool_size: few sessions. Take more", "Apply it? y/n"]
        assert "update_settings" not in [name for name, _ in kept.engine.calls]
        assert (await talk.type("settings pool_size 1", "y"))[-1] == "1 setting holds now"
        mistake = Mistake(where="", key="pool_size", problem="too many", way_out="Take fewer")
        kept.verdict = Verdict(mistakes=(mistake,))
        assert await talk.type("settings pool_size 2") == ["error: pool_size: too many. Take fewer"]


async def test_what_a_variable_says_is_not_changed_here(tmp_path):
    kept = await asyncio.to_thread(Kept, tmp_path, {"DB_POOL_MAX": "9"})
    async with linear(tmp_path, kept.engine, config=lambda: kept.config) as talk:
        (said,) = await talk.type("settings pool_size 3")
        assert said.startswith("warning: pool_size: ")
        assert said.endswith(" says it and counts more than any file")


async def test_where_the_rows_of_a_run_are(tmp_path, engine):
    output = Output(type="csv", path="/out/stock.csv", rows=10, bytes=300, final=True)
    engine.now = cw.snapshot([cw.run(status=RunStatus.COMPLETED, outputs=(output,))])
    async with linear(tmp_path, engine) as talk:
        assert (await talk.type("show gst_sales"))[-2:] == [
            "/out/stock.csv",
            "  csv, 10 rows, 300 B",
        ]


async def test_a_pool_that_is_down_says_why(tmp_path, engine):
    down = PoolHistory(
        pool="postgresql n@10.4.17.2:5432/sales", proved_s=None, proofs_failed=3, last_error="no"
    )
    engine.answers["pools.get_history"] = (down,)
    async with linear(tmp_path, engine) as talk:
        assert (await talk.type("pools"))[-1].endswith(": no")


async def test_what_a_database_says_moves_no_terminal_and_is_said_once(tmp_path):
    hostile = Trouble(error_class=ErrorClass.SYNTAX, message="no \x1b]0;zebra\x07 is there")
    views = [cw.connection(3, ConnectionStatus.FAILED, trouble=hostile)]
    engine = cw.FakeEngine(cw.snapshot([cw.run(connections=views)]))
    engine.answers["submit"] = EtltuiError("the engine says \x1b[2J")
    async with linear(tmp_path, engine) as talk:
        said = await talk.type("show gst_sales", "run stock", "\x1b[31m")
        assert sum("zebra" in line for line in said) == 1
        assert "\x1b" not in talk.text
        assert "\x07" not in talk.text


async def test_a_question_that_nobody_answers_is_answered_no(tmp_path, engine):
    async with linear(tmp_path, engine, prompts=True) as talk:
        talk.speech.hear("cancel gst_sales")
        await talk.until("y/n ")
        talk.speech.hear(None)
        assert await talk.over == "gone"
        assert engine.calls == []
