"""`etltui snapshot`: what it draws, and what it makes of an engine that has gone."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from etltui.cli import snapshot
from etltui.cli.listening import NO_POOLS
from etltui.cli.pools import fitted
from etltui.cli.snapshot import Taken, left_behind, picture, taken
from etltui.domain.pools import BreakerStats
from etltui.domain.queue import Ask
from etltui.domain.run import RunStatus
from etltui.domain.strays import Stray
from etltui.door.client import GoneError
from etltui.encode import documents
from unit.encode import encode_samples as sample

ALIVE = Taken(snapshot=sample.SNAPSHOT, engine=True)
NOW = sample.AT + 90


async def record(desk, live):
    async with await desk.open() as store:
        await store.put_live(live)
        await store.enqueue([replace(sample.ENTRY, ask=Ask())], "GST")
        await store.pause("ledger", paused=True)


def test_an_engine_is_drawn_in_80_columns_and_holds_nothing_that_moves_a_terminal():
    view = replace(sample.ENDED, reason="stopped \x1b[2J by " + "x" * 80)
    shown = replace(sample.SNAPSHOT, runs=(sample.PROGRESS, view))
    drawn = fitted(picture(Taken(snapshot=shown, engine=True), NOW, "Asia/Kolkata"))
    lines = drawn.splitlines()
    assert lines == [
        "asha@desk  2026-11-22 04:35:00, 1 min ago",
        "RUNS    2 runs",
        "  gst_sales          ██████        50%  2/6  ✗ 1  1,200,345 rows  1:30",
        "    7F3K  Executing query",
        "  ledger             ████████████ 100%  0/1  0 rows  –",
        f"    AAAA  stopped ␛[2J by {'x' * 80}"[:78] + "…",
        "QUEUE   2 waiting (1 not due yet), 1 running, 5 completed, 1 failed",
        "  paused: ledger",
        "  gst_sales          7F3K  priority 10, since 1 min, asha@desk",
        "LATE    gst_sales: 2 connections are tried on until 04:45, next at 04:36",
        "POOLS   3 pools, 11 of 50 sessions, 4 waiting, 1 leak; paused",
        "  not tried any more: reader",
        f"  {sample.POOL:<46}   8/20     5    3    4",
        "    paused",
        "    Branch_003: unreachable: no route",
        f"    held for 61 s by run {sample.RUN}, Branch_001",
        "MEMORY  █▍           11%  123.5 MB of 1.1 GB",
    ]


def test_n_3_a_gateway_that_is_down_is_drawn_and_told_as_json():
    down = BreakerStats(
        name="gateway VPN-North",
        open_s=42.04,
        waiting=tuple(f"B{number}" for number in range(14)),
        probe_in_s=20.0,
        last_error="B3: timeout: no session",
    )
    shown = replace(sample.SNAPSHOT, pools=replace(sample.METRICS, breakers=(down,)))
    drawn = picture(Taken(snapshot=shown, engine=True), NOW, "")
    place = drawn.index("  gateway VPN-North is down: 14 connections wait, next probe in 20 s")
    assert drawn[place + 1] == "    B3: timeout: no session"
    (line,) = documents.snapshot(shown)["pools"]["linesDown"]
    assert line == {
        "line": "gateway VPN-North",
        "seconds": 42.0,
        "waiting": list(down.waiting),
        "probing": None,
        "nextProbeSeconds": 20.0,
        "lastError": "B3: timeout: no session",
    }


def test_pools_at_rest_are_not_drawn():
    rest = replace(sample.STATS, lent=0, connecting=0, waiting=0, last_error="")
    shown = replace(sample.SNAPSHOT, pool_info=(rest,), threshold=0)
    drawn = picture(Taken(snapshot=shown, engine=True), NOW, "")
    assert [line for line in drawn if sample.POOL in line] == []
    assert drawn[-1].startswith("MEMORY               0%")


def test_what_an_engine_had_at_work_is_stopped_when_it_is_gone():
    waits = replace(sample.ENDED, run=sample.ENTRY.run, status=RunStatus.QUEUED, reason="")
    forgotten = replace(waits, run="another")
    last = replace(sample.SNAPSHOT, runs=(*sample.SNAPSHOT.runs, waits, forgotten))
    left = left_behind(last, [sample.ENTRY], ["", "ledger"])
    assert [(view.status, view.reason) for view in left.runs] == [
        (RunStatus.STOPPED, "its engine died"),
        (RunStatus.STOPPED, "stopped by SIGINT"),
        (RunStatus.QUEUED, ""),
        (RunStatus.STOPPED, "its engine died"),
    ]
    assert (left.queue.pending, left.queue.delayed, left.queue.running) == (1, 1, 0)
    assert (left.queue.paused, left.queue.paused_jobs) == (True, ("ledger",))
    assert (left.pools, left.pool_info, left.memory) == (NO_POOLS, (), 0)


def test_without_an_engine_the_last_words_are_settled(desk):
    asyncio.run(record(desk, sample.SNAPSHOT))
    found = asyncio.run(taken(desk.state, NOW))
    assert not found.engine
    assert found.snapshot.runs[0].status is RunStatus.STOPPED
    assert found.snapshot.queue.paused_jobs == ("ledger",)
    drawn = picture(found, NOW, "UTC")
    assert drawn[0].startswith("No engine runs; the last was that of asha@desk, 2026-11-21 23:05")
    assert [line for line in drawn if line.startswith(("POOLS", "MEMORY"))] == []


async def test_a_holder_without_a_door_is_looked_at_through_what_it_records(desk):
    async with await desk.open() as store:
        await store.put_live(sample.SNAPSHOT)
        assert await taken(desk.state, NOW) == ALIVE


@pytest.mark.parametrize("error", [GoneError("it has ended"), TimeoutError()])
async def test_an_engine_that_ends_or_hangs_meanwhile_is_no_error(desk, monkeypatch, error):
    @asynccontextmanager
    async def listening(_):
        raise error
        yield

    monkeypatch.setattr(snapshot, "listening", listening)
    await record(desk, sample.SNAPSHOT)
    assert not (await taken(desk.state, NOW)).engine


def test_where_nothing_has_run_the_way_to_a_run_is_told(desk):
    told = desk.ask("snapshot")
    assert told.exit_code == 0
    assert "Start one: etltui run JOB" in told.stdout
    said = json.loads(desk.ask("snapshot", "--json").stdout)
    assert said["engine"] is False
    assert said["runs"] == []
    assert not desk.state.exists()


def test_s4_30_what_was_not_given_back_is_drawn_and_told_as_json():
    stray = Stray(kind="thread", name="forgotten, wait", seconds=61.04)
    shown = replace(sample.SNAPSHOT, strays=(stray,))
    drawn = picture(Taken(snapshot=shown, engine=True), NOW, "")
    assert drawn[-1] == "  not given back for 61 s: thread forgotten, wait"
    told = documents.snapshot(shown)["leaks"]
    assert told == [{"kind": "thread", "name": "forgotten, wait", "seconds": 61.0}]
    assert "leaks" not in documents.snapshot(sample.SNAPSHOT)
