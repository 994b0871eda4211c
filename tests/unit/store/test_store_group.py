"""Checkpoints share commits; none is lost, none waits for another's fault."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
import store_samples as sample
from store_samples import RUN

from etltui.domain.errors import StateError
from etltui.domain.run import RunStatus
from etltui.store.folder import DATABASE
from etltui.store.group import GroupCommit
from etltui.store.history import open_history
from etltui.store.sqlite import SqliteStore


class Gate:
    """A commit that waits until it is opened, and remembers what it was given."""

    def __init__(self):
        self.batches = []
        self.begun = asyncio.Event()
        self.open = asyncio.Event()

    async def commit(self, entries):
        self.batches.append(list(entries))
        self.begun.set()
        await self.open.wait()
        return [None] * len(entries)


async def test_who_comes_during_a_commit_shares_the_next():
    gate = Gate()
    group = GroupCommit(gate.commit, most=64)
    first = asyncio.create_task(group.add(-1))
    await gate.begun.wait()
    others = [asyncio.create_task(group.add(number)) for number in range(100)]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)
    assert gate.batches == [[-1], list(range(64)), list(range(64, 100))]


async def test_nobody_returns_before_the_commit():
    gate = Gate()
    group = GroupCommit(gate.commit)
    waiting = asyncio.create_task(group.add(1))
    await gate.begun.wait()
    assert not waiting.done()
    gate.open.set()
    await waiting


async def test_a_refused_entry_is_refused_alone():
    async def commit(entries):
        return [StateError("odd") if entry % 2 else None for entry in entries]

    group = GroupCommit(commit)
    results = await asyncio.gather(*(group.add(n) for n in range(4)), return_exceptions=True)
    assert [str(result) for result in results] == ["None", "odd", "None", "odd"]


async def test_a_failed_commit_fails_all_who_shared_it_and_nobody_later():
    failures = [StateError("full")]

    async def commit(entries):
        if failures:
            raise failures.pop()
        return [None] * len(entries)

    group = GroupCommit(commit)
    results = await asyncio.gather(*(group.add(n) for n in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["full"] * 3
    await group.add(3)


async def test_a_closed_group_commits_who_waits_and_refuses_who_comes():
    gate = Gate()
    group = GroupCommit(gate.commit)
    waiting = asyncio.create_task(group.add(1))
    await gate.begun.wait()
    closing_ = asyncio.create_task(group.aclose())
    await asyncio.sleep(0)
    with pytest.raises(StateError, match="closed"):
        await group.add(2)
    assert not closing_.done()
    gate.open.set()
    await asyncio.gather(waiting, closing_)


async def test_nobody_hangs_when_the_loop_ends_in_the_midst():
    gate = Gate()
    group = GroupCommit(gate.commit, most=1)
    waiting = [asyncio.create_task(group.add(number)) for number in range(3)]
    await gate.begun.wait()
    group._task.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 3


async def test_five_hundred_checkpoints_at_once_take_far_fewer_commits(store):
    await store.create_run(sample.plan(500), RunStatus.RUNNING)
    before = store.commits
    names = [f"B{n:03d}" for n in range(500)]
    await asyncio.gather(
        *(store.checkpoint(RUN, sample.completed(n), sample.receipts(n)) for n in names),
    )
    assert store.commits - before == 8  # 500 in groups of 64
    assert [row.connection for row in await store.connections(RUN) if row.done] == names
    assert len(await store.receipts(RUN)) == 1000


async def test_a_caller_that_is_cancelled_harms_nobody(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(), RunStatus.RUNNING)
        tasks = [
            asyncio.create_task(store.checkpoint(RUN, sample.completed(f"B00{n}")))
            for n in range(3)
        ]
        await asyncio.sleep(0)
        tasks[1].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result).__name__ for result in results] == [
            "NoneType",
            "CancelledError",
            "NoneType",
        ]
    async with await open_history(folder) as history:
        assert all(row.done for row in await history.connections(RUN))


async def test_closing_waits_for_checkpoints_under_way(folder, clock):
    store = await SqliteStore.open(folder, clock=clock)
    await store.create_run(sample.plan(200), RunStatus.RUNNING)
    tasks = [
        asyncio.create_task(store.checkpoint(RUN, sample.completed(f"B{n:03d}")))
        for n in range(200)
    ]
    await asyncio.sleep(0)
    await store.aclose()
    assert await asyncio.gather(*tasks) == [None] * 200
    with pytest.raises(StateError, match="closed"):
        await store.checkpoint(RUN, sample.completed())
    with pytest.raises(StateError, match="closed"):
        await store.runs()
    await store.aclose()
    async with await open_history(folder) as history:
        assert sum(row.done for row in await history.connections(RUN)) == 200


async def test_a_commit_that_fails_records_none_of_those_who_shared_it(running, folder):
    # A deferred foreign key is checked by COMMIT itself, which then leaves the transaction open.
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.executescript(
            "CREATE TABLE poison (run REFERENCES runs DEFERRABLE INITIALLY DEFERRED);"
            "CREATE TRIGGER poisoned AFTER INSERT ON parts WHEN new.connection = 'B001'"
            " BEGIN INSERT INTO poison VALUES ('nobody'); END;",
        )
    names = ("B000", "B001", "B002")
    results = await asyncio.gather(
        *(running.checkpoint(RUN, sample.completed(n), sample.receipts(n)) for n in names),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [StateError] * 3
    assert "FOREIGN KEY constraint failed. This is a mistake in the program" in str(results[0])
    assert await running.receipts(RUN) == []
    assert not any(row.done for row in await running.connections(RUN))
    await running.checkpoint(RUN, sample.completed("B000"), sample.receipts("B000"))
    assert len(await running.receipts(RUN)) == 2
