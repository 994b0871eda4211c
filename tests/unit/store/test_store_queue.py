"""The queue as recorded: entries, turns, pauses, the live row, and databases of version 1."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
import store_samples as sample
from store_samples import NOW, RUN
from test_store_damage import change

from etltui.domain.errors import ErrorClass, StateError, Trouble
from etltui.domain.pools import PoolMetrics
from etltui.domain.progress import ConnectionView, RunView, Snapshot
from etltui.domain.queue import Ask, Mode, QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.store.database import Database
from etltui.store.folder import DATABASE
from etltui.store.history import open_history
from etltui.store.queries import STEPS
from etltui.store.rows import seal, to_json
from etltui.store.sqlite import SqliteStore

ASK = Ask(mode=Mode.RETRY, only=("B*",), only_failed=True, classes=(ErrorClass.LOST,))


def entry(run="R1", **changes):
    asked = {"job": "gst_sales", "type": "extract", "priority": 7, "submitted": 5.5, "keep": True}
    return QueueEntry(run=run, **{**asked, **changes})


async def reopened(store, folder, clock):
    await store.aclose()
    return await SqliteStore.open(folder, clock=clock)


async def statuses(store):
    return {row.run: row.status for row in await store.runs()}


async def test_an_entry_comes_back_as_it_was(store):
    """S1-5."""
    await store.create_run(sample.plan(), RunStatus.RUNNING)
    one = entry(RUN, ask=ASK, not_before=9.25, owner="ä@b", tries=3)
    await store.enqueue([one], "GST")
    assert await store.queued() == [one]


async def test_a_new_run_stands_in_the_history_from_the_first_moment(store):
    await store.enqueue([entry("R1"), entry("R2")], "GST")
    rows = await store.runs()
    assert [(row.run, row.status, row.title, row.plan_hash) for row in rows] == [
        ("R2", RunStatus.QUEUED, "GST", ""),
        ("R1", RunStatus.QUEUED, "GST", ""),
    ]
    assert [each.run for each in await store.queued()] == ["R1", "R2"]


async def test_of_two_entries_one_of_which_is_refused_none_is_recorded(store):
    await store.enqueue([entry("R1")], "GST")
    with pytest.raises(StateError, match="R1 is recorded already"):
        await store.enqueue([entry("R2"), entry("R1")], "GST")
    assert [each.run for each in await store.queued()] == ["R1"]


async def test_an_entry_that_is_asked_for_anew_is_intact(store):
    await store.create_run(sample.plan(), RunStatus.RUNNING)
    await store.enqueue([entry(RUN, ask=ASK)], "GST")
    other = entry(RUN, ask=ASK, job="other", type="x", submitted=99.0)
    await store.enqueue([other], "GST")
    assert await store.queued() == [other]


async def test_a_run_that_was_made_ready_and_did_not_begin_is_made_ready_again(store):
    await store.enqueue([entry(RUN)], "GST")
    await store.create_run(sample.plan(3), RunStatus.QUEUED)
    await store.create_run(sample.plan(2), RunStatus.QUEUED)
    assert [row.connection for row in await store.connections(RUN)] == ["B000", "B001"]
    await store.move_run(RUN, RunStatus.RUNNING)
    with pytest.raises(StateError, match="is recorded already"):
        await store.create_run(sample.plan(), RunStatus.QUEUED)


async def test_a_change_of_an_entry_that_is_gone_leaves_it_gone(store):
    await store.enqueue([entry()], "GST")
    await store.requeue(entry(priority=1))
    assert [each.priority for each in await store.queued()] == [1]
    await store.dequeue(["R1"], RunStatus.CANCELLED)
    await store.requeue(entry(priority=2))
    assert await store.queued() == []


async def test_its_turn_is_recorded_with_running(store):
    await store.enqueue([entry()], "GST")
    await store.move_run("R1", RunStatus.RUNNING)
    assert [each.taken for each in await store.queued()] == [True]
    # A run without an entry moves as well.
    await store.create_run(sample.plan(), RunStatus.QUEUED)
    await store.move_run(RUN, RunStatus.RUNNING)
    assert [each.run for each in await store.queued()] == ["R1"]


async def test_many_are_dropped_in_one_transaction(store):
    await store.enqueue([entry(f"R{n}") for n in range(200)], "GST")
    await store.move_run("R0", RunStatus.RUNNING)
    before = store.commits
    names = [f"R{n}" for n in range(200)]
    await store.dequeue([*names, "nobody"], RunStatus.CANCELLED, "cleared")
    assert store.commits == before + 1
    assert await store.queued() == []
    rows = {row.run: row for row in await store.runs(limit=-1)}
    # Only what never began ends so.
    assert rows.pop("R0").status is RunStatus.RUNNING
    assert {(row.status, row.reason) for row in rows.values()} == {
        (RunStatus.CANCELLED, "cleared"),
    }


async def test_a_drop_that_fails_drops_nobody(store, folder):
    await store.enqueue([entry("R1"), entry("R2")], "GST")
    change(folder, "CREATE TRIGGER no BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StateError, match="no"):
        await store.dequeue(["R1", "R2"], RunStatus.CANCELLED)
    assert len(await store.queued()) == 2
    assert set((await statuses(store)).values()) == {RunStatus.QUEUED}


async def failing_run(store):
    await store.create_run(sample.plan(), RunStatus.QUEUED)
    await store.enqueue([entry(RUN, ask=ASK)], "GST")
    await store.move_run(RUN, RunStatus.RUNNING)


async def test_an_end_and_the_next_turn_are_one_transaction(store):
    await failing_run(store)
    before = store.commits
    again = entry(RUN, ask=ASK, tries=2, not_before=77.0)
    await store.finish_run(sample.ended(RunStatus.FAILED), again)
    assert store.commits == before + 1
    assert await store.queued() == [again]
    assert await statuses(store) == {RUN: RunStatus.FAILED}


AGAIN = entry(RUN, ask=ASK, tries=2)


@pytest.mark.parametrize(
    ("again", "refused"),
    [
        (None, "UPDATE ON runs"),
        (None, "DELETE ON queue"),
        (AGAIN, "UPDATE ON runs"),
        (AGAIN, "UPDATE ON queue"),
    ],
)
async def test_a_crash_between_end_and_next_turn_is_impossible(store, folder, again, refused):
    await failing_run(store)
    queued = await store.queued()
    change(folder, f"CREATE TRIGGER no BEFORE {refused} BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StateError, match="no"):
        await store.finish_run(sample.ended(RunStatus.FAILED), again)
    assert await statuses(store) == {RUN: RunStatus.RUNNING}
    assert await store.queued() == queued


async def test_an_end_for_good_takes_the_entry_along(store):
    await failing_run(store)
    await store.finish_run(sample.ended(RunStatus.FAILED))
    assert await store.queued() == []


async def test_who_is_deleted_waits_no_more(store):
    await store.enqueue([entry("R1"), entry("R2")], "GST")
    await store.delete_runs(["R1"])
    assert [each.run for each in await store.queued()] == ["R2"]


async def test_pauses(store):
    for job in ("b", "", "b"):
        await store.pause(job, paused=True)
    assert await store.paused() == ["", "b"]
    await store.pause("b", paused=False)
    await store.pause("nobody", paused=False)
    assert await store.paused() == [""]


async def test_what_outlives_its_engine_and_what_does_not(store, folder, clock):
    await store.enqueue([entry("kept"), entry("dropped", keep=False), entry("worked")], "GST")
    await store.move_run("worked", RunStatus.RUNNING)
    store = await reopened(store, folder, clock)
    async with store:
        assert [(each.run, each.taken) for each in await store.queued()] == [
            ("kept", False),
            ("worked", True),
        ]
        rows = {row.run: row for row in await store.runs()}
        assert rows["kept"].status is RunStatus.QUEUED
        assert {rows[name].status for name in ("dropped", "worked")} == {RunStatus.STOPPED}
        assert {"crash" in rows[name].reason for name in ("dropped", "worked")} == {True}
        assert rows["dropped"].ended == NOW.timestamp()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE queue SET priority = 1 WHERE run = 'R1'",
        "UPDATE queue SET ask = '{' WHERE run = 'R1'",
        "UPDATE queue SET keep = 'x', taken = 'y' WHERE run = 'R1'",
    ],
)
async def test_a_damaged_entry_is_given_to_nobody_and_keeps_nobody_waiting(
    store, folder, clock, sql
):
    await store.enqueue([entry("R1"), entry("R2")], "GST")
    change(folder, sql)
    assert [each.run for each in await store.queued()] == ["R2"]
    with pytest.raises(StateError, match="the row R1 of queue"):
        await store.move_run("R1", RunStatus.RUNNING)
    store = await reopened(store, folder, clock)
    async with store:
        assert [each.run for each in await store.queued()] == ["R2"]
        assert await statuses(store) == {"R1": RunStatus.STOPPED, "R2": RunStatus.QUEUED}


async def test_a_damaged_run_of_an_entry_keeps_nobody_from_opening(store, folder, clock):
    await store.enqueue([entry("R1", keep=False)], "GST")
    change(folder, "UPDATE runs SET title = 'x'")
    store = await reopened(store, folder, clock)
    async with store:
        assert await store.queued() == []


def snapshot():
    trouble = Trouble(error_class=ErrorClass.LOST, message="ü", facts={"a": "b"})
    view = ConnectionView(connection="B000", status=ConnectionStatus.RETRYING, trouble=trouble)
    return Snapshot(
        at=3.5,
        holder="asha@desk",
        runs=(RunView(run=RUN, job="j", status=RunStatus.RUNNING, connections={"B000": view}),),
        pending=(entry(ask=ASK),),
        queue=QueueMetrics(pending=1, paused_jobs=("x",)),
        pools=PoolMetrics(
            total_pools=1,
            active_pools=0,
            total_connections=0,
            places=0,
            max_connections=50,
            max_per_host=20,
            waiting=0,
            paused=False,
            acquires=0,
            served_by_open=0,
            leaked=0,
        ),
        pool_info=(),
        memory=1,
        threshold=2,
    )


async def test_the_live_row_is_replaced_and_read_by_others(store, folder):
    assert await store.live() is None
    await store.put_live(snapshot())
    newer = replace(snapshot(), at=4.5)
    await store.put_live(newer)
    async with await open_history(folder) as history:
        assert await history.live() == newer


async def test_a_live_row_of_another_version_is_said_so(store, folder):
    await store.put_live(snapshot())
    change(folder, "UPDATE live SET snapshot = '{}'")
    with pytest.raises(StateError, match="the snapshot of the engine was written by another ver"):
        await store.live()


def version_1(folder):
    """A folder as version 1 of the database left it: one run done, one killed with a part."""
    folder.mkdir(mode=0o700)
    runs = []
    for run, status, ended in ((RUN, "completed", 9.0), ("R9", "running", None)):
        row = {
            "run": run,
            "job": "gst_sales",
            "title": "GST sales",
            "status": status,
            "plan_hash": sample.plan().hash,
            "attempt": 1,
            "total": 3,
            "started": 1.0,
            "ended": ended,
            "reason": "",
            "result": None,
        }
        runs.append(seal(row))
    receipt = sample.receipt(run="R9")
    place = {"run": "R9", "connection": "B000"}
    part = {
        "destination": 0,
        "variant": "",
        "query": 0,
        "segment": 0,
        "receipt": to_json(receipt),
    }
    tables = {
        "runs": runs,
        "plans": [seal({"run": run, "plan": to_json(sample.plan(run=run))}) for run in (RUN, "R9")],
        "run_connections": [
            seal(
                {
                    **place,
                    "number": 0,
                    "hash": "h",
                    "result": to_json(sample.completed()),
                    "parts": 1,
                },
            ),
        ],
        "parts": [seal({**place, **part})],
    }
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        connection.executescript(f"{STEPS[0]}; PRAGMA user_version = 1;")
        for table, rows in tables.items():
            for row in rows:
                names = ", ".join(row)
                marks = ", ".join(f":{name}" for name in row)
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row)


async def test_a_database_of_version_1_is_brought_up_to_date_and_goes_on(folder, clock):
    version_1(folder)
    with pytest.raises(StateError, match="is of version 1, this program reads version"):
        await Database.reader(folder / DATABASE)
    async with await SqliteStore.open(folder, clock=clock) as store:
        assert await statuses(store) == {RUN: RunStatus.COMPLETED, "R9": RunStatus.STOPPED}
        unfinished = await store.unfinished("gst_sales")
        assert unfinished.run == "R9"
        assert (await store.plan("R9")).job == sample.plan().job
        assert [row.done for row in await store.connections("R9")] == [True]
        assert await store.receipts("R9") == [sample.receipt(run="R9")]
        assert (await store.queued(), await store.paused(), await store.live()) == ([], [], None)
        resumed = entry("R9", ask=Ask(mode=Mode.RESUME))
        await store.enqueue([resumed], "GST sales")
        await store.move_run("R9", RunStatus.RUNNING)
        assert await store.next_attempt("R9") == 2
        assert await store.queued() == [replace(resumed, taken=True)]
    # Another time it is of today's version already.
    async with await open_history(folder) as history:
        assert len(await history.runs()) == 2
