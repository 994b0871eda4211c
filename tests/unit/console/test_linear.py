"""The console in lines: what it says by itself, and how it ends."""

from dataclasses import replace

import pytest

import console_past as past
import console_world as cw
from etltui.domain.errors import ErrorClass, EtltuiError, Trouble
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    Overflow,
    RunFinished,
    RunStarted,
)
from etltui.domain.progress import Eta
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus
from linear_world import linear

RUN = {"run": "20261118T090000Z-AAAA", "job": "gst_sales", "at": cw.AT}
DONE = ConnectionResult(
    connection="branch_001", status=ConnectionStatus.COMPLETED, tries=1, rows=277_688
)
ENDED = RunResult(
    run=RUN["run"],
    job="gst_sales",
    status=RunStatus.COMPLETED_WITH_ERRORS,
    total=56,
    completed=53,
    failed=3,
    skipped=0,
    rows=1_911_004,
    seconds=72.0,
)
UNREACHABLE = Trouble(error_class=ErrorClass.UNREACHABLE, message="no route to host\x1b[2J")


def at_work():
    return cw.run(
        connections=[
            cw.connection(1, ConnectionStatus.COMPLETED, rows=10),
            cw.connection(2, ConnectionStatus.RUNNING, step="Querying"),
        ]
    )


async def test_each_change_is_one_line_and_none_can_move_a_terminal(tmp_path):
    engine = cw.FakeEngine()
    async with linear(tmp_path, engine) as talk:
        begun = len(talk.lines)
        engine.happen(RunStarted(**RUN, total=56))
        engine.happen(ConnectionCompleted(**RUN, connection="branch_001", result=DONE))
        engine.happen(
            ConnectionFailed(
                **RUN,
                connection="branch_017",
                trouble=UNREACHABLE,
                tries=1,
                will_retry=True,
                wait_s=8.0,
            )
        )
        engine.happen(RunFinished(**RUN, result=ENDED))
        await talk.until("3 failed")
        assert talk.lines[begun:] == [
            "11:06:40 run AAAA gst_sales started, 56 connections",
            "11:06:40 done branch_001 277,688 rows 0.0s (1/56)",
            "11:06:40 retry branch_017 unreachable: no route to host␛[2J; again in 8.0s",
            "11:06:40 run AAAA completed with errors: 53 done, 3 failed, 1,911,004 rows",
        ]


async def test_it_begins_with_what_runs_and_what_a_crash_has_left(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    history = cw.FakeHistory(crashed=[past.row()])
    async with linear(tmp_path, engine, history, embedded=False, read_only=True) as talk:
        await talk.until("crash")
        assert talk.lines == [
            "etltui: engine of op@server, already at work; help says what can be typed",
            "this console only shows: nothing can be changed from it",
            "1 running  conn 0/50  mem 400M/1.0G",
            "run AAAA gst_sales ◐ running  1/2 done · 10 rows, 1:00",
            "1 run was stopped by a crash: checkpoints says what is safe, run JOB --resume goes on",
        ]
        # What had ended before is counted on.
        engine.happen(ConnectionCompleted(**RUN, connection="branch_002", result=DONE))
        await talk.until("(2/2)")


async def test_what_was_missed_is_said(tmp_path):
    engine = cw.FakeEngine()
    async with linear(tmp_path, engine) as talk:
        engine.happen(Overflow(at=cw.AT, lost=12))
        await talk.until("12 changes missed: status says how it stands")


async def test_it_ends_with_the_engine(tmp_path):
    engine = cw.FakeEngine()
    async with linear(tmp_path, engine) as talk:
        engine.happen(None)
        await talk.until("the engine has ended")
        assert await talk.over == "quit"


async def test_without_an_engine_there_is_nothing_to_talk_about(tmp_path):
    class Gone(cw.FakeEngine):
        async def collect(self):
            raise EtltuiError("no engine")

    with pytest.raises(EtltuiError, match="no engine"):
        async with linear(tmp_path, Gone()):
            pass


async def test_lines_come_above_the_prompt_and_leave_no_word_of_it(tmp_path):
    engine = cw.FakeEngine()
    async with linear(tmp_path, engine, prompts=True) as talk:
        await talk.until("0 running\n> ")
        engine.happen(RunStarted(**RUN, total=56))
        await talk.until("56 connections\n> ")
        assert "> \r11:06:40 run AAAA" in talk.text
        talk.speech.hear("status")
        await talk.until("connections\n> 0 running\n> ")
        talk.speech.hear(None)
        assert await talk.over == "gone"
        assert talk.text.endswith("> \nend of input\n")


async def test_the_end_of_the_input_says_what_becomes_of_what_runs(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with linear(tmp_path, engine) as talk:
        talk.speech.hear(None)
        assert await talk.over == "gone"
        assert talk.lines[-1] == "end of input: what runs goes on without this console"

    def stopping():
        config = cw.configured(tmp_path)
        return replace(config, settings=replace(config.settings, on_hangup="stop"))

    async with linear(tmp_path, engine, config=stopping) as talk:
        talk.speech.hear(None)
        assert await talk.over == "gone"
        assert talk.lines[-1] == "end of input: what runs is stopped and can be resumed"
    async with linear(tmp_path, engine, embedded=False) as talk:
        talk.speech.hear(None)
        assert await talk.over == "gone"
        assert talk.lines[-1] == "end of input"


async def test_leaving_asks_first_where_something_would_stop(tmp_path):
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with linear(tmp_path, engine) as talk:
        said = await talk.type("quit", "n")
        assert said[0].startswith("1 at work will be stopped and can be resumed. Quit?")
        talk.speech.hear("quit")
        talk.speech.hear("Y")
        assert await talk.over == "quit"
    async with linear(tmp_path, engine, embedded=False) as talk:
        talk.speech.hear("quit")
        assert await talk.over == "quit"
    async with linear(tmp_path, engine) as talk:
        talk.speech.hear("detach")
        assert await talk.over == "detach"


async def test_whoever_leaves_first_counts_and_a_prompt_is_ended(tmp_path):
    async with linear(tmp_path, prompts=True) as talk:
        await talk.until("0 running\n> ")
        talk.console.exit("stopped")
        talk.console.exit("gone")
        assert await talk.over == "stopped"
        assert talk.text.endswith("> \n")


async def test_what_nobody_knows_names_the_nearest(tmp_path):
    async with linear(tmp_path) as talk:
        assert await talk.type("jbos", "", "fly me") == [
            "error: there is no command 'jbos'; did you mean jobs?",
            "error: there is no command 'fly'; help says what there is",
        ]


async def test_help_names_every_command(tmp_path):
    async with linear(tmp_path) as talk:
        said = await talk.type("help")
        assert "run JOB [--only GLOB]... [--resume] [--canary]" in said
        assert "    End the console; asks first where runs are at work." in said


async def test_a_run_that_may_miss_its_deadline_is_told_once_and_once_that_it_has(tmp_path):
    run = replace(at_work(), due=cw.AT + 60, eta=Eta(left_s=120.0, band_s=0.0))
    engine = cw.FakeEngine(cw.snapshot([at_work()]))
    async with linear(tmp_path, engine) as talk:
        engine.happen(RunStarted(**RUN, total=2, due=run.due))
        await talk.until("2 connections")
        engine.now = cw.snapshot([run])
        talk.ticks.put_nowait(None)
        await talk.until("11:06:40 gst_sales may miss its deadline 11:07: it finishes 11:08")
        talk.ticks.put_nowait(None)
        engine.now = cw.snapshot([replace(run, eta=None)], at=cw.AT + 61)
        talk.ticks.put_nowait(None)
        await talk.until("has missed its deadline")
        assert talk.text.count("may miss") == 1
        engine.happen(RunFinished(**RUN, result=ENDED))
        await talk.until("1,911,004")
        engine.now = cw.snapshot([replace(run, due=cw.AT - 1)])
        talk.ticks.put_nowait(None)
        assert await talk.type("") == []
        assert talk.text.count("has missed") == 1
    async with linear(tmp_path, cw.FakeEngine(cw.snapshot([run]))) as talk:
        talk.ticks.put_nowait(None)
        await talk.until("may miss")


async def test_no_prompt_follows_whoever_leaves(tmp_path):
    async with linear(tmp_path, prompts=True) as talk:
        talk.speech.hear("detach")
        assert await talk.over == "detach"
        assert talk.text.endswith("0 running\n> ")
