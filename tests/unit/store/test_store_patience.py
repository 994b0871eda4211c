"""A database that is locked or away: what is to be recorded waits, and is recorded."""

import asyncio
import logging
import subprocess
import sys

import pytest
import store_samples as sample
from store_samples import ENVIRONMENT, RUN

from etltui.domain.errors import StateError
from etltui.domain.run import RunStatus
from etltui.store import database
from etltui.store.folder import DATABASE
from etltui.store.history import open_history
from etltui.store.patience import MOST_S
from etltui.store.sqlite import SqliteStore
from fakes import TurnedClock

HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
held.execute("COMMIT")
print("free", flush=True)
"""


class Holder:
    """Another process that locks the database."""

    def __init__(self, folder):
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder / DATABASE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
        )
        assert self._process.stdout.readline() == "held\n"

    def let_go(self):
        self._process.communicate("\n")


@pytest.fixture
async def world(folder, monkeypatch):
    """A store on a clock that is turned, that meets a lock at once; and the clock."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.0)
    clock = TurnedClock(sample.NOW)
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(), RunStatus.RUNNING)
        yield store, clock


async def turned_until_done(clock, *tasks):
    while not all(task.done() for task in tasks):
        # Where nobody sleeps any more there is nothing to turn to.
        clock.turn(1)
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)


async def record(store, name):
    await store.checkpoint(RUN, sample.completed(name), sample.receipts(name))


async def test_marks_wait_for_another_process_that_locks_the_database(world, folder, caplog):
    store, clock = world
    holder = await asyncio.to_thread(Holder, folder)
    marks = [asyncio.create_task(record(store, name)) for name in ("B000", "B001", "B002")]
    try:
        for _ in range(30):
            await clock.turn_to_next()
        # Whoever only reads is not held up.
        assert not any(row.done for row in await store.connections(RUN))
        assert not any(mark.done() for mark in marks)
    finally:
        await asyncio.to_thread(holder.let_go)
    await turned_until_done(clock, *marks)
    assert [row.done for row in await store.connections(RUN)] == [True] * 3
    said = [each for each in caplog.messages if "cannot be written" in each]
    assert len(said) == 1
    assert "database is locked" in said[0]


async def test_a_lock_that_stays_is_told_in_the_end(world, folder, caplog):
    store, clock = world
    caplog.set_level(logging.INFO)
    holder = await asyncio.to_thread(Holder, folder)
    mark = asyncio.create_task(record(store, "B000"))
    try:
        await clock.until_asleep()
        clock.turn(MOST_S + 1)
        with pytest.raises(StateError, match=r"database is locked. Another program holds it"):
            await mark
    finally:
        await asyncio.to_thread(holder.let_go)
    await record(store, "B000")
    assert "The state database can be written again" in caplog.messages
    assert [row.done for row in await store.connections(RUN)] == [True, False, False]


async def test_marks_wait_for_a_folder_that_is_away(world, folder):
    store, clock = world
    away = folder.with_name("away")
    folder.rename(away)
    mark = asyncio.create_task(record(store, "B000"))
    for _ in range(30):
        await clock.turn_to_next()
    assert not mark.done()
    # Another folder in its place is not the one that was opened.
    folder.mkdir()
    (folder / DATABASE).touch()
    await clock.turn_to_next()
    assert not mark.done()
    (folder / DATABASE).unlink()
    folder.rmdir()
    away.rename(folder)
    await turned_until_done(clock, mark)
    async with await open_history(folder) as history:
        assert [row.done for row in await history.connections(RUN)] == [True, False, False]


async def test_a_folder_that_stays_away_is_told_in_the_end(world, folder):
    store, clock = world
    away = folder.with_name("away")
    folder.rename(away)
    mark = asyncio.create_task(record(store, "B000"))
    await clock.until_asleep()
    clock.turn(MOST_S + 1)
    with pytest.raises(StateError, match="has not been where it was opened for 5:00"):
        await mark
    away.rename(folder)
    await record(store, "B000")
