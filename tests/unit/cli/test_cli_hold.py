"""`etltui hold` and `release`, and a checkpoint that an engine deletes."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from door_kit import House
from etltui.cli import checkpoints, hold, release
from etltui.cli.picture import Picture
from etltui.cli.report import report
from etltui.config.schema import Config, Settings
from etltui.domain.errors import ConfigError, ErrorClass, NoSuchRunError
from etltui.domain.events import ConnectionFailed, ConnectionSkipped, RunFinished, RunStarted
from etltui.domain.logbook import Hold
from etltui.domain.queue import Ask
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus
from etltui.encode import events as encode
from etltui.encode.changes import Changes
from etltui.store.history import open_history
from fakes import Script, failure
from unit.cli.cli_desk import CONFIG, done
from unit.encode import encode_samples as sample


@pytest.fixture
async def house(tmp_path):
    made = await House(tmp_path).open()
    yield made
    await made.close()


def kept(desk):
    async def read():
        async with await open_history(desk.state) as history:
            return await history.holds(), await history.actions()

    return asyncio.run(read())


def test_a_connection_is_held_listed_and_released_where_no_engine_runs(desk):
    desk.configure()
    assert desk.ask("hold").stdout == "No connection is held.\n"
    told = desk.ask("hold", "B", "--reason", "line is cut")
    assert told.stdout == "B held: no run reads it\n"
    assert desk.ask("hold", "A", "C", "--reason", "moves", "--until", "2h").exit_code == 0
    lines = desk.ask("hold").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["CONNECTION", "A", "B", "C", "Let"]
    assert lines[2].endswith(": line is cut")
    assert max(map(len, lines)) < 80
    first, second, _ = map(json.loads, desk.ask("hold", "--json").stdout.splitlines())
    assert (first["type"], first["connection"], first["reason"]) == ("hold", "A", "moves")
    assert first["until"] - first["since"] == pytest.approx(7200, abs=60)
    assert second["until"] == 0
    assert desk.ask("release", "B").stdout == "B released\n"
    assert desk.ask("release", "*").stdout == "A, C released\n"
    holds, actions = kept(desk)
    assert holds == []
    assert [(each.what, each.target) for each in actions] == [
        ("records.release", "A, C"),
        ("records.release", "B"),
        ("records.hold", "A, C"),
        ("records.hold", "B"),
    ]
    assert {each.who for each in actions} == {first["who"]}


def test_globs_and_tags_mean_connections(desk):
    desk.configure(CONFIG.replace("[connections.C]", '[connections.C]\ntags = ["north"]'))
    told = desk.ask("hold", "[AB]", "A", "tag:north", "--reason", "x", "--until", "2099-01-01")
    assert told.stdout == "3 connections held until 2099-01-01 00:00:00: no run reads them\n"
    assert [each.connection for each in kept(desk)[0]] == ["A", "B", "C"]


def test_what_is_done_where_no_engine_runs_is_written_down_too(desk):
    desk.configure()
    run = asyncio.run(desk.record(done("A")))
    waits = replace(sample.ENTRY, job="sales", ask=Ask(), not_before=0.0)

    async def enqueue():
        async with await desk.open() as store:
            await store.enqueue([waits], "GST")

    asyncio.run(enqueue())
    for words in (
        ("queue", "pause", "sales"),
        ("queue", "priority", waits.run, "7"),
        ("queue", "clear", "--yes"),
        ("checkpoints", "delete", run, "--yes"),
    ):
        assert desk.ask(*words).exit_code == 0
    actions = kept(desk)[1][::-1]
    assert [(each.what, each.target, each.detail, each.outcome) for each in actions] == [
        ("queue.pause", "sales", "paused=True", "done"),
        ("queue.reprioritise", waits.run, "priority=7", "done"),
        ("queue.clear", "", waits.run, "1"),
        ("records.discard", run, "", run),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hold", "Z", "--reason", "x"), "'Z' matches no connection"),
        (("hold", "A"), "no reason is given. Say why"),
        (("hold", "A", "--reason", "x", "--until", "soon"), "'soon' is no time. Write 10m"),
        (("hold", "A", "--reason", "x", "--until", "2001-01-01"), "the time has passed"),
        (("release", "A"), "'A' is not held. No connection is held"),
    ],
)
def test_what_makes_no_sense_is_refused(desk, words, said):
    desk.configure()
    told = desk.ask(*words)
    assert told.exit_code == 2
    assert said in told.stderr
    assert not (desk.state / "state.db").exists() or kept(desk)[0] == []


def test_what_is_held_is_suggested_where_a_name_is_wrong(desk):
    desk.configure(CONFIG.replace("connections.A]", "connections.Branch_001]"))
    desk.ask("hold", "Branch_001", "--reason", "x")
    told = desk.ask("release", "Brunch_001")
    assert told.exit_code == 2
    assert "'Brunch_001' is not held" in told.stderr
    assert "Branch_001" in told.stderr


def test_a_hold_whose_time_has_passed_is_not_listed(desk):
    async def put():
        async with await desk.open() as store:
            over = Hold(connection="A", reason="r", who="a@b", since=1.0, until=2.0)
            await store.put_holds([over])

    asyncio.run(put())
    assert desk.ask("hold").stdout == "No connection is held.\n"


@pytest.mark.parametrize(
    ("text", "zone", "until"),
    [
        ("", "", 0.0),
        ("90s", "", 1090.0),
        ("10m", "", 1600.0),
        ("2h", "", 8200.0),
        ("1d", "", 87400.0),
        ("2026-11-23T08:00", "Asia/Kolkata", 1795401000.0),
        ("2026-11-23T08:00Z", "Asia/Kolkata", 1795420800.0),
        ("2026-11-23T08:00", "", datetime.fromisoformat("2026-11-23T08:00").timestamp()),
    ],
)
def test_until_when(text, zone, until):
    assert hold.until_of(text, 1000.0, zone) == until


def config(*connections):
    return Config(
        settings=Settings(),
        connections=connections,
        credentials={},
        jobs={},
        path=Path("etltui.toml"),
        origins={},
    )


async def test_an_engine_that_runs_is_told(house):
    async with house.open_house():
        await hold.hold(house.state, config(*house.connections), ["B"], "line is cut", 0.0)
        assert (await house.run()).held == 1
        assert await release.release(house.state, ["B"]) == ["B"]
        assert (await house.run()).held == 0
        with pytest.raises(ConfigError, match="no connection 'D'"):
            await hold.hold(house.state, config(*house.connections), ["D"], "x", 0.0)
    await house.engine.records.journal.flush()
    hows = [each.what for each in await house.store.actions()]
    assert hows.count("records.hold") == 2
    assert hows.count("records.release") == 1


async def test_an_engine_that_runs_deletes_a_checkpoint(house):
    house.leases.extracts["B"] = Script(failure(ErrorClass.DISK, "full"), 2)
    house.job(max_parallel=1)
    house.renew()
    first = await house.run()
    async with house.open_house():
        await checkpoints._discard(house.state, first.run)
        assert await house.stored(first.run) is RunStatus.DISCARDED
        with pytest.raises(NoSuchRunError, match="it is discarded"):
            await checkpoints._discard(house.state, first.run)


HELD = Hold(connection="B", reason="line is cut", who="ravi@desk", since=1.0)
SKIPPED = ConnectionResult(
    connection="B",
    status=ConnectionStatus.SKIPPED,
    trouble=HELD.trouble("2026-11-22 04:35"),
    tries=0,
)
AT = {"at": 1.0, "run": "20261121T230500Z-7F3K", "job": "sales"}
ENDED = RunResult(
    run=AT["run"],
    job=AT["job"],
    status=RunStatus.COMPLETED_WITH_ERRORS,
    total=2,
    completed=1,
    failed=0,
    skipped=0,
    held=1,
    rows=6,
    seconds=1.0,
    connections=(done("A"), SKIPPED),
)


def test_the_report_says_what_was_held_by_whom_and_how_to_read_it():
    lines = report(ENDED, config()).splitlines()
    assert lines == [
        "sales: completed with errors, 1/2 connections (1 held), 6 rows, 1.0s",
        "  B  held: line is cut (ravi@desk, since 2026-11-22 04:35)",
        (
            "  → held (1): An operator holds this connection: no run reads it. "
            "Let it go with `etltui release`, then retry the run."
        ),
        "  Read them again with: etltui retry 7F3K --only-failed",
    ]


def test_a_run_that_was_recorded_shows_what_was_held(desk):
    desk.configure()
    run = asyncio.run(desk.record(done("A"), SKIPPED, status=RunStatus.STOPPED))
    shown = desk.ask("show", run).stdout.splitlines()
    assert [line.split()[:4] for line in shown if " B " in line][:1] == [["2", "B", "»", "skipped"]]
    assert "  B  held: line is cut (ravi@desk, since 2026-11-22 04:35)" in shown


def test_the_lines_of_a_run_say_what_was_held():
    lines = Changes()
    skipped = ConnectionSkipped(**AT, connection="B", trouble=SKIPPED.trouble)
    assert lines.line(skipped) == (
        "skipped B held: line is cut (ravi@desk, since 2026-11-22 04:35)"
    )
    assert lines.line(RunFinished(**AT, result=ENDED)) == (
        "run 7F3K completed with errors: 1 done, 0 failed, 1 held, 6 rows"
    )


def test_the_picture_knows_that_what_is_held_by_now_is_not_tried_again():
    picture = Picture(lambda: 0.0)
    picture.take(RunStarted(**AT, total=2))
    failing = {"connection": "B", "trouble": SKIPPED.trouble, "tries": 1}
    picture.take(ConnectionFailed(**AT, **failing, will_retry=True))
    assert "1 retrying" in "\n".join(picture.lines(80, 10))
    picture.take(ConnectionSkipped(**AT, **failing))
    assert "retrying" not in "\n".join(picture.lines(80, 10))


def test_run_finished_counts_what_was_held_where_anything_was():
    assert encode.finished(ENDED)["connections"] == {
        "total": 2,
        "completed": 1,
        "failed": 0,
        "skipped": 0,
        "held": 1,
    }
