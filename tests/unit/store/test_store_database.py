"""The database file: who may look, how it is opened, which versions fit."""

import asyncio
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest
import store_samples as sample
from store_samples import RUN

from etltui.domain.errors import StateError
from etltui.domain.run import RunStatus
from etltui.store import database
from etltui.store.database import Database, unusable
from etltui.store.folder import make_private
from etltui.store.history import DATABASE, open_history
from etltui.store.queries import QUERIES, STEPS, named
from etltui.store.sqlite import SqliteStore


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask(request):
    old = os.umask(request.param)
    yield
    os.umask(old)


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277], indirect=True)
@pytest.mark.usefixtures("umask")
async def test_only_the_owner_may_look(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(), RunStatus.QUEUED)
        await asyncio.to_thread(shutil.rmtree, folder / "marks")
        files = {path.name: mode(path) for path in folder.iterdir()}
    assert files == dict.fromkeys([".lock", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"], 0o600)
    assert mode(folder) == 0o700


async def test_a_folder_left_open_is_closed(folder, clock):
    folder.mkdir()
    folder.chmod(0o755)
    for name in (".lock", DATABASE, f"{DATABASE}-wal"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    async with await SqliteStore.open(folder, clock=clock):
        assert {mode(path) for path in folder.iterdir()} == {0o600}
        assert mode(folder) == 0o700


async def test_a_folder_that_cannot_be_made_is_said_so(tmp_path, clock):
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"cannot be used: .*--state-dir"):
        await SqliteStore.open(tmp_path / "file" / "state", clock=clock)


async def test_a_link_in_place_of_the_lock_is_not_followed(folder, clock, tmp_path):
    folder.mkdir()
    (folder / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="cannot be opened"):
        await SqliteStore.open(folder, clock=clock)
    assert not (tmp_path / "elsewhere").exists()


def test_a_database_that_cannot_be_made_private_is_said_so(tmp_path):
    (tmp_path / f"{DATABASE}-wal").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StateError, match="cannot be made private"):
        make_private(tmp_path / DATABASE)


def test_the_name_of_a_new_database_outlives_a_power_cut(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    make_private(tmp_path / DATABASE)
    assert synced == [tmp_path.stat().st_ino]


async def test_what_returned_outlives_a_power_cut(folder, clock):
    said = []

    class Spy(Database):
        async def pragma(self, text):
            said.append(text)
            return await super().pragma(text)

    async with await SqliteStore.open(folder, clock=clock) as store:
        assert await store._writer.pragma("synchronous") == 2
        assert await store._writer.pragma("journal_mode") == "wal"
        assert await store._writer.pragma("foreign_keys") == 1
        assert await store._writer.pragma("busy_timeout") == 5000
    # FULL is what most builds of SQLite do unasked; it has to be asked for.
    spy = await Spy.writer(folder / DATABASE)
    await spy.aclose()
    assert "synchronous = FULL" in said


async def test_how_the_state_database_is_opened(running, folder):
    """S4-1, S4-3; checkpoints must outlive a power cut, so FULL and not NORMAL."""
    async with await open_history(folder) as history:
        (first,), (other,) = running._reader._idle, history._reader._idle
        for each in (running._writer, first, other):
            assert isinstance(each._connection, aiosqlite.Connection)
            assert await each.pragma("journal_mode") == "wal"
            assert await each.pragma("cache_size") == 10_000
    assert await running._writer.pragma("synchronous") == 2


async def test_a_disk_without_write_ahead_log_is_refused(folder):
    class Stubborn(Database):
        async def pragma(self, text):
            return "delete" if "journal_mode" in text else await super().pragma(text)

    folder.mkdir()
    await asyncio.to_thread(make_private, folder / DATABASE)
    with pytest.raises(StateError, match=r"no write-ahead log .*local disk"):
        await Stubborn.writer(folder / DATABASE)


async def test_a_writing_transaction_lets_nobody_write_in_between(running, folder):
    def intrude():
        with closing(sqlite3.connect(folder / DATABASE, timeout=0)) as other:
            other.execute("DELETE FROM runs")

    async def work(statements):
        await statements.rows("run", run=RUN)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await asyncio.to_thread(intrude)

    await running._writer.transact(work)


async def test_a_reader_sees_nothing_before_its_commit(running):
    async def work(statements):
        await statements.change("drop_connection", [{"run": RUN, "connection": "B000"}])
        return len(await running.connections(RUN))

    assert await running._writer.transact(work) == 3
    assert len(await running.connections(RUN)) == 2


async def test_a_reader_cannot_write(running, folder):
    async with await open_history(folder) as history:
        for reader in (running._reader, history._reader):
            with pytest.raises(StateError, match="readonly"):
                await reader.transact(
                    lambda statements: statements.change(
                        "drop_parts", [{"run": 1, "connection": 1}]
                    ),
                )


async def test_history_is_read_while_an_engine_holds_the_folder(running, folder):
    await running.checkpoint(RUN, sample.completed(), sample.receipts())
    async with await open_history(folder) as history:
        assert (await history.run("7F3K")).status is RunStatus.RUNNING
        assert await history.plan(RUN) == sample.plan()
        assert len(await history.receipts(RUN)) == 2
        await running.move_run(RUN, RunStatus.STOPPED)
        assert (await history.unfinished("gst_sales")).run == RUN


@pytest.mark.parametrize("made", [False, True])
async def test_a_folder_without_records_has_an_empty_history(folder, made):
    if made:
        folder.mkdir()
        await asyncio.to_thread(make_private, folder / DATABASE)
    async with await open_history(folder) as history:
        assert await history.runs() == []
    assert folder.exists() is made


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 4096]
)
async def test_a_file_that_is_no_database_is_said_so(folder, clock, content):
    folder.mkdir()
    (folder / DATABASE).write_bytes(content)
    with pytest.raises(StateError, match=r"not a database. The next `etltui run` sets it aside"):
        await open_history(folder)
    async with await SqliteStore.open(folder, clock=clock) as store:
        assert "It was set aside as state.db.damaged-20261121-233000" in store.rebuilt
        assert await store.runs() == []
    assert (folder / "state.db.damaged-20261121-233000").read_bytes() == content


async def test_a_file_that_cannot_be_opened_is_said_so(tmp_path):
    with pytest.raises(StateError, match=r"unable to open database file. Check its disk"):
        await Database.writer(tmp_path / "nowhere" / DATABASE)
    (tmp_path / DATABASE).mkdir()
    with pytest.raises(StateError, match="cannot be used"):
        await open_history(tmp_path)


async def test_a_newer_database_is_refused_by_both_versions(folder, clock):
    async with await SqliteStore.open(folder, clock=clock):
        pass
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for opened in (SqliteStore.open(folder, clock=clock), open_history(folder)):
        with pytest.raises(StateError, match=f"version 99, .* up to {len(STEPS)}. Use the newer"):
            await opened


async def test_an_older_database_is_brought_up_to_date_by_a_writer_only(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(), RunStatus.QUEUED)
    steps = (*STEPS, "CREATE TABLE later (a)")
    path = folder / DATABASE
    with pytest.raises(StateError, match=f"of version {len(STEPS)}, this program reads version"):
        await Database.reader(path, steps=steps)
    writer = await Database.writer(path, steps=steps)
    assert await writer.pragma("user_version") == len(steps)
    await writer.aclose()
    reader = await Database.reader(path, steps=steps)
    found = await reader.transact(lambda statements: statements.rows("run", run=RUN))
    assert len(found) == 1
    await reader.aclose()


async def test_a_migration_that_fails_leaves_nothing_behind(folder, clock):
    async with await SqliteStore.open(folder, clock=clock):
        pass
    path = folder / DATABASE
    steps = (*STEPS, "CREATE TABLE later (a); CREATE TABLE later (a)")
    for _ in range(2):
        with pytest.raises(StateError, match="later already exists"):
            await Database.writer(path, steps=steps)
    with pytest.raises(StateError, match="later already exists"):
        await Database.reader(path.with_name("nothing"), steps=steps)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'later'").fetchall()


def test_a_kind_of_failure_has_the_way_out_of_its_family():
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = "SQLITE_BUSY_SNAPSHOT"
    assert "close that program" in str(unusable(Path("x"), error))
    assert "Check its disk" in str(unusable(Path("x"), sqlite3.Error("odd")))


def test_a_statement_is_named_once():
    assert named("-- name: a\nSELECT 1;\n\n-- name: b\nSELECT 2;\n") == {
        "a": "SELECT 1;",
        "b": "SELECT 2;",
    }
    with pytest.raises(ValueError, match="stands twice"):
        named("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n")


def test_every_statement_is_used():
    code = "".join(path.read_text() for path in Path(database.__file__).parent.glob("*.py"))
    assert [name for name in QUERIES if f'"{name}"' not in code] == []


async def test_closing_waits_for_what_runs(tmp_path):
    await asyncio.to_thread(make_private, tmp_path / "state.db")
    store = await Database.writer(tmp_path / "state.db")
    begun, go = asyncio.Event(), asyncio.Event()

    async def work(_):
        begun.set()
        await go.wait()
        return "done"

    running = asyncio.create_task(store.transact(work))
    await begun.wait()
    closing = asyncio.create_task(store.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    go.set()
    await closing
    assert await running == "done"
