"""Runs: what is recorded of them, how they move, what a further attempt keeps."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import store_samples as sample
from store_samples import NOW, RUN

from etltui.domain.errors import StateError, StatusError
from etltui.domain.run import RunStatus
from etltui.domain.stored import ConnectionRow
from etltui.store.folder import DATABASE
from etltui.store.history import open_history
from etltui.store.runs import CRASH
from etltui.store.sqlite import SqliteStore


async def test_a_new_run_is_recorded_with_its_plan_and_waiting_connections(store):
    plan = sample.plan()
    await store.create_run(plan, RunStatus.QUEUED)
    row = await store.run(RUN)
    assert (row.job, row.title, row.status) == ("gst_sales", "GST sales", RunStatus.QUEUED)
    assert (row.plan_hash, row.attempt, row.total) == (plan.hash, 1, 3)
    assert (row.started, row.ended, row.reason, row.result) == (
        NOW.timestamp() - 1500,
        None,
        "",
        None,
    )
    assert await store.plan(RUN) == plan
    assert await store.connections(RUN) == [
        ConnectionRow(run=RUN, number=n, connection=f"B{n:03d}", hash=plan.connections[n].hash)
        for n in range(3)
    ]


async def test_a_plan_keeps_its_offset_and_the_kind_of_its_options(running):
    found = await running.plan(RUN)
    assert found.started.isoformat() == "2026-11-22T04:35:00+05:30"
    assert [type(d.options).__name__ for d in found.job.destinations] == [
        "ExcelOptions",
        "CsvOptions",
    ]
    assert found.job.folder == sample.job().folder


async def test_a_run_is_created_once(running):
    with pytest.raises(StateError, match="recorded already"):
        await running.create_run(sample.plan(), RunStatus.QUEUED)


async def test_a_value_that_json_cannot_hold_is_refused(store):
    plan = sample.plan(of=sample.job(aliases={"a": object()}))
    with pytest.raises(TypeError, match="object cannot be stored"):
        await store.create_run(plan, RunStatus.QUEUED)


async def test_unknown_runs_are_said_so(store):
    assert await store.run("nobody") is None
    assert await store.connections("nobody") == []
    for call in (
        store.plan("nobody"),
        store.next_attempt("nobody"),
        store.move_run("nobody", RunStatus.RUNNING),
        store.replan(sample.plan()),
    ):
        with pytest.raises(StateError, match="knows no run"):
            await call


@pytest.mark.parametrize("text", [RUN, "7F3K", "7f3k", "20261121T23"])
async def test_a_run_is_found_by_its_id_or_either_end(store, text):
    await store.create_run(sample.plan(run="20261120T230500Z-AAAA"), RunStatus.QUEUED)
    await store.create_run(sample.plan(), RunStatus.QUEUED)
    assert (await store.run(text)).run == RUN


@pytest.mark.parametrize("text", ["", "2026", "%", "1T2"])
async def test_no_run_is_found_by_what_two_or_none_have(store, text):
    await store.create_run(sample.plan(run="20261120T230500Z-AAAA"), RunStatus.QUEUED)
    await store.create_run(sample.plan(), RunStatus.QUEUED)
    assert await store.run(text) is None


async def test_no_name_is_no_run_even_if_there_is_one(running):
    assert await running.run("") is None


async def test_an_exact_id_wins_over_a_longer_one(store):
    await store.create_run(sample.plan(run="a1"), RunStatus.QUEUED)
    await store.create_run(sample.plan(run="a"), RunStatus.QUEUED)
    assert (await store.run("a")).run == "a"


async def test_runs_come_newest_first(store):
    # Recorded later is newer, even if the clock was set back in between.
    for run, name in (("c", "x"), ("a", "y"), ("b", "x")):
        await store.create_run(sample.plan(run=run, of=sample.job(name)), RunStatus.QUEUED)
    assert [row.run for row in await store.runs()] == ["b", "a", "c"]
    assert [row.run for row in await store.runs(job="x")] == ["b", "c"]
    assert [row.run for row in await store.runs(limit=1)] == ["b"]


async def test_a_move_outside_the_table_is_refused_and_changes_nothing(running):
    with pytest.raises(StatusError, match="running and cannot become completed"):
        await running.move_run(RUN, RunStatus.COMPLETED)
    assert (await running.run(RUN)).status is RunStatus.RUNNING


async def test_a_stopped_run_says_when_and_why_and_forgets_it_when_it_goes_on(running, clock):
    clock.time += timedelta(seconds=30)
    await running.move_run(RUN, RunStatus.STOPPED, "memory")
    row = await running.run(RUN)
    assert (row.status, row.reason) == (RunStatus.STOPPED, "memory")
    assert row.ended == NOW.timestamp() + 30
    await running.move_run(RUN, RunStatus.RUNNING)
    row = await running.run(RUN)
    assert (row.status, row.reason, row.ended) == (RunStatus.RUNNING, "", None)


async def test_a_finished_run_keeps_its_result_without_its_connections(running):
    """S1-75."""
    await running.move_run(RUN, RunStatus.PUBLISHING)
    result = sample.ended(reason="so", connections=(sample.completed(),))
    await running.finish_run(result)
    row = await running.run(RUN)
    assert row.result == replace(result, connections=())
    assert (row.status, row.reason, row.ended) == (RunStatus.COMPLETED, "so", NOW.timestamp())


async def test_a_run_going_on_forgets_the_result_of_its_earlier_attempt(running):
    await running.finish_run(sample.ended(RunStatus.STOPPED))
    assert (await running.run(RUN)).result is not None
    await running.move_run(RUN, RunStatus.RUNNING)
    assert (await running.run(RUN)).result is None


async def test_a_run_cannot_finish_from_where_it_does_not_stand(running):
    with pytest.raises(StatusError):
        await running.finish_run(sample.ended())


async def test_attempts_are_counted(running):
    # All at once: each reads and writes, and none reads what another is about to replace.
    counted = await asyncio.gather(*(running.next_attempt(RUN) for _ in range(9)))
    assert counted == list(range(2, 11))
    assert (await running.run(RUN)).attempt == 10


async def test_only_the_newest_run_of_a_job_may_be_resumed(store):
    assert await store.unfinished("gst_sales") is None
    await store.create_run(sample.plan(run="a"), RunStatus.RUNNING)
    assert await store.unfinished("gst_sales") is None
    await store.move_run("a", RunStatus.STOPPED)
    assert (await store.unfinished("gst_sales")).run == "a"
    assert await store.unfinished("other") is None
    await store.create_run(sample.plan(run="b"), RunStatus.RUNNING)
    await store.move_run("b", RunStatus.PUBLISHING)
    await store.finish_run(sample.ended(run="b"))
    assert await store.unfinished("gst_sales") is None


async def test_a_new_plan_keeps_what_still_fits(running, folder):
    for name in ("B000", "B001", "B002"):
        await running.checkpoint(RUN, sample.completed(name), sample.receipts(name))
    new = sample.with_connections(
        sample.plan(),
        (0, sample.connection(0, tags=("new tag",))),
        (1, sample.connection(1, host="moved")),
        (3, sample.connection(3)),
    )
    new = replace(new, hash="other", job=replace(new.job, title="New title"))
    await running.replan(new.with_columns([[]]))
    rows = await running.connections(RUN)
    assert [(row.number, row.connection, row.done) for row in rows] == [
        (0, "B000", True),
        (1, "B001", False),
        (3, "B003", False),
    ]
    assert [row.hash for row in rows] == [connection.hash for connection in new.connections]
    assert {receipt.connection for receipt in await running.receipts(RUN)} == {"B000"}
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM parts").fetchone() == (2,)
    assert (await running.plan(RUN)).columns == ((),)
    row = await running.run(RUN)
    assert (row.plan_hash, row.title, row.total) == ("other", "New title", 3)


async def test_a_number_that_became_free_may_be_given_again(running):
    await running.replan(sample.with_connections(sample.plan(), (2, sample.connection(7))))
    assert [(r.number, r.connection) for r in await running.connections(RUN)] == [(2, "B007")]


@pytest.mark.parametrize("path", [[], ["running"], ["running", "publishing"]])
async def test_a_run_that_a_crash_left_is_stopped_at_the_next_open(folder, clock, path):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(), RunStatus.QUEUED)
        for status in path:
            await store.move_run(RUN, RunStatus(status))
        await store.create_run(sample.plan(run="other"), RunStatus.QUEUED)
        await store.move_run("other", RunStatus.CANCELLED, "by hand")
    async with await SqliteStore.open(folder, clock=clock) as store:
        row = await store.run(RUN)
        assert (row.status, row.reason, row.ended) == (RunStatus.STOPPED, CRASH, NOW.timestamp())
        assert row.reason == "the engine ended without finishing this run (crash)"
        assert (await store.run("other")).reason == "by hand"


async def test_a_final_status_is_written_although_its_caller_is_cancelled(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(), RunStatus.RUNNING)
        task = asyncio.create_task(store.finish_run(sample.ended(RunStatus.CANCELLED)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with await open_history(folder) as history:
        assert (await history.run(RUN)).status is RunStatus.CANCELLED
