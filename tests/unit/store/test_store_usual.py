"""What past runs were: rows and seconds of each connection, and which ended in a crash."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import store_samples as sample

from etltui.domain.queue import Ask, Mode, QueueEntry
from etltui.domain.run import RunStatus
from etltui.domain.usual import Usual
from etltui.store.sqlite import SqliteStore


@pytest.fixture
async def past(store):
    """Records runs of the job with so many rows of connections 0, 1, …; None: it failed."""

    async def record(run, *rows, status=RunStatus.COMPLETED, seconds=None, size=0, **began):
        await begun(store, run, **began)
        for number, count in enumerate(rows):
            name = f"B{number:03d}"
            if count is None:
                await store.checkpoint(run, sample.failed(name))
            else:
                took = {"query": 0.25} if seconds is None else seconds
                result = replace(sample.completed(name), rows=count, seconds=took, bytes=size)
                await store.checkpoint(run, result, sample.receipts(name, run=run))
        if status in {RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS}:
            await store.move_run(run, RunStatus.PUBLISHING)
        await store.finish_run(sample.ended(status, run=run))

    return record


async def rows(store, besides, **more):
    usual = await store.usual("gst_sales", besides=besides, **more)
    return {name: each.rows for name, each in usual.items()}


async def test_of_each_connection_the_median_of_the_runs_before(store, past):
    await past("R1", 1, 10)
    await past("R2", 3, None, status=RunStatus.COMPLETED_WITH_ERRORS)
    await past("R3", 900, 20)
    await past("R4", 2, 5)
    assert await rows(store, "R4") == {"B000": 3, "B001": 20}
    assert await rows(store, "R2") == {"B000": 1, "B001": 10}
    assert await rows(store, "R1") == {}
    # A run that nobody knows yet comes after all others.
    assert await rows(store, "") == {"B000": 3, "B001": 10}
    assert await rows(store, "R9", runs=1) == {"B000": 2, "B001": 5}
    assert await store.usual("other", besides="R9") == {}


@pytest.mark.parametrize("status", [RunStatus.STOPPED, RunStatus.CANCELLED, RunStatus.FAILED])
async def test_a_run_that_did_not_complete_says_nothing_of_what_is_usual(store, past, status):
    await past("R1", 7, status=status)
    assert await store.usual("gst_sales", besides="R2") == {}


async def test_n_26_of_each_connection_its_seconds_and_how_far_they_differ(store, past):
    for run, took in {"R1": 4.0, "R2": 6.0, "R3": 20.0}.items():
        await past(run, 5, seconds={"connect": 1.0, "fetch": took - 1.0})
    usual = Usual(rows=5, seconds=6.0, spread=2.0, longest_s=19.0, timed=3)
    assert await store.usual("gst_sales") == {"B000": usual}
    # One that was imported took no time that anybody knows of.
    await past("R4", 5, seconds={})
    assert (await store.usual("gst_sales"))["B000"].seconds == 6.0
    assert await store.usual("gst_sales", runs=1) == {"B000": Usual(rows=5)}


async def test_n_30_of_each_connection_the_bytes_of_the_runs_that_tell(store, past):
    for run, size in {"R1": 0, "R2": 500, "R3": 700, "R4": 9000}.items():
        await past(run, 5, seconds={}, size=size)
    assert await store.usual("gst_sales") == {"B000": Usual(rows=5, bytes=700)}


async def weeks(past, counts, *, days=0, **of_job):
    """Runs of past weeks, the last one a week before day 0; `days` later than that each."""
    for back, count in enumerate(counts, start=1):
        await past(f"W{days}-{back}", count, days=days - 7 * back, **of_job)


async def test_n_8_rows_are_compared_with_those_of_the_same_day_of_the_week(store, past):
    await weeks(past, [10, 12, 11])
    await weeks(past, [500, 510, 520], days=1)
    await begun(store, "R")
    await begun(store, "S", days=1)
    found = (await store.usual("gst_sales", besides="R"))["B000"]
    assert (found.rows, found.weekday) == (11, "saturday"), "they read the day before"
    found = (await store.usual("gst_sales", besides="S"))["B000"]
    assert (found.rows, found.weekday) == (510, "sunday")


async def test_n_8_of_two_such_days_nobody_can_tell_so_all_days_count(store, past):
    await weeks(past, [10, 12])
    await weeks(past, [500, 510, 520], days=1)
    await begun(store, "R")
    found = (await store.usual("gst_sales", besides="R"))["B000"]
    assert (found.rows, found.weekday) == (500, "")


async def test_n_8_the_day_that_somebody_asks_for_counts_not_the_one_of_asking(store, past):
    await weeks(past, [10, 12, 11])
    await weeks(past, [500, 510, 520], days=1)
    await begun(store, "R", day=date(2026, 11, 15))
    found = (await store.usual("gst_sales", besides="R"))["B000"]
    assert (found.rows, found.weekday) == (510, "sunday")


@pytest.mark.parametrize(("said", "weekday"), [("today", "sunday"), ("-3", "thursday")])
async def test_n_8_a_day_is_that_of_the_operators_clock_and_the_job(store, past, said, weekday):
    await weeks(past, [10, 12, 11], business_day=said)
    await begun(store, "R", business_day=said)
    found = (await store.usual("gst_sales", besides="R"))["B000"]
    assert (found.rows, found.weekday) == (11, weekday)


async def begun(
    store, run, job="gst_sales", status=RunStatus.RUNNING, *, days=0, day=None, **of_job
):
    plan = sample.plan(run=run, of=sample.job(job, **of_job))
    # By the clock of its operator it begins early on a Sunday, some days later.
    plan = replace(plan, started=plan.started + timedelta(days=days), day=day)
    await store.create_run(plan, status)


async def crashed(store):
    return [row.run for row in await store.crashed()]


async def test_what_a_crash_has_stopped_is_known_until_it_is_taken_up(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await begun(store, "R1")
        await begun(store, "R2", "stock")
        await begun(store, "R3", "bank")
        await begun(store, "R4", "till")
        await store.move_run("R4", RunStatus.STOPPED, "by hand")
        assert await crashed(store) == []
    async with await SqliteStore.open(folder, clock=clock) as store:
        assert await crashed(store) == ["R3", "R2", "R1"]
        # A later run of the job takes its place, unless that is still to begin.
        entry = QueueEntry(run="R5", job="stock", type="extract", priority=1, submitted=1.0)
        await store.enqueue([entry], "Stock")
        assert await crashed(store) == ["R3", "R2", "R1"]
        await begun(store, "R6", "stock")
        assert await crashed(store) == ["R3", "R1"]
        await store.move_run("R1", RunStatus.RUNNING)
        assert await crashed(store) == ["R3"]
        # It waits for its turn: nobody needs to ask.
        waits = replace(entry, run="R3", job="bank", ask=Ask(mode=Mode.RESUME))
        await store.enqueue([waits], "Bank")
        assert await crashed(store) == []
        await store.dequeue(["R3"], RunStatus.STOPPED)
        assert await crashed(store) == ["R3"]
        await store.move_run("R3", RunStatus.DISCARDED)
        assert await crashed(store) == []
