"""Both lanes see one state in a snapshot, or only one lane is used."""

import sqlite3
import threading
from contextlib import closing

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.readers.sqlite import SqliteReader
from etltui.readers.sqlite_arrow import ArrowLane

IDS = "SELECT a FROM t"


@pytest.fixture
def wal(bench):
    bench.write(
        "PRAGMA journal_mode = WAL", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)"
    )
    return bench


def commits_before_begin(monkeypatch, wal, times: int) -> list[int]:
    """Somebody commits just before the fast lane's transaction begins, so many times."""
    begin, left = ArrowLane.begin, list(range(times))

    def later(self) -> bool:
        if left:
            wal.write(f"INSERT INTO t VALUES ({left.pop()})")
        return begin(self)

    monkeypatch.setattr(ArrowLane, "begin", later)
    return left


@pytest.mark.parametrize("times", [1, 2, 3, 9])
def test_a_commit_between_the_two_beginnings_is_noticed(monkeypatch, wal, times):
    commits_before_begin(monkeypatch, wal, times)
    with wal.reader.snapshot():
        rows = wal.read(IDS, exact=True).num_rows
        assert wal.read(IDS, exact=False).num_rows == rows
        wal.write("DELETE FROM t")
        assert wal.read(IDS, exact=True).num_rows == rows
        assert wal.read(IDS, exact=False).num_rows == rows


def test_the_fast_lane_is_used_again_after_a_block_without_it(monkeypatch, wal):
    commits_before_begin(monkeypatch, wal, 3)
    with wal.reader.snapshot():
        assert not wal.reader._arrow_here
    assert wal.reader._arrow_here
    with wal.reader.snapshot():
        assert wal.reader._arrow_here
    assert wal.reader._arrow_here


@pytest.mark.usefixtures("fast_only")
def test_a_quiet_database_is_read_by_the_fast_lane_in_a_snapshot(wal):
    with wal.reader.snapshot():
        assert wal.read(IDS, exact=False).num_rows == 1


def test_a_snapshot_holds_no_lock_afterwards(bench):
    """Without WAL a reader's lock would stop every writer."""
    bench.write("CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    with bench.reader.snapshot():
        bench.read(IDS, exact=False)
        with (
            closing(sqlite3.connect(bench.path, timeout=0, isolation_level=None)) as other,
            pytest.raises(sqlite3.OperationalError),
        ):
            other.execute("DELETE FROM t")
    bench.write("DELETE FROM t")
    assert bench.read(IDS, exact=False).num_rows == 0


def test_a_cancel_holds_until_the_next_snapshot_or_ping(wal):
    wal.reader.cancel()
    with pytest.raises(Failure) as caught:
        wal.read(IDS, exact=False)
    assert caught.value.error_class is ErrorClass.CANCELLED
    with wal.reader.snapshot():
        assert wal.read(IDS, exact=False).num_rows == 1
    wal.reader.cancel()
    wal.reader.ping()
    assert wal.read(IDS, exact=False).num_rows == 1


def endless(reader: SqliteReader, started: threading.Event, caught: list[Failure]) -> None:
    sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    query = QueryTask(name="q", sql=sql)
    try:
        with reader.read(query, batch_bytes=lambda: 1000, exact=True) as result:
            started.set()
            list(result.batches)
    except Failure as failure:
        caught.append(failure)


@pytest.mark.parametrize("way", ["flag", "interrupt"])
def test_each_way_of_cancelling_is_enough(wal, way):
    """The flag where no statement ran yet, the interrupt where one runs."""
    reader, started, caught = wal.reader, threading.Event(), []
    if way == "interrupt":
        reader._db.set_progress_handler(None, 0)
    thread = threading.Thread(target=endless, args=(reader, started, caught), daemon=True)
    thread.start()
    started.wait()
    for _ in range(200):
        # Interrupting before the statement runs does nothing: that is what the flag is for.
        if way == "flag":
            reader._cancelled.set()
        else:
            reader.cancel()
        thread.join(timeout=0.02)
        if not thread.is_alive():
            break
    stopped = not thread.is_alive()
    reader._db.interrupt()  # else closing would wait for it
    thread.join(timeout=5)
    assert stopped
    assert [failure.error_class for failure in caught] == [ErrorClass.CANCELLED]


def test_an_end_brought_about_by_a_cancel_is_no_end(wal):
    """The last batch has come, then the cancel: the result must not look complete."""
    query = QueryTask(name="q", sql=IDS)
    with wal.reader.read(query, batch_bytes=lambda: 1000, exact=False) as result:
        assert next(result.batches).num_rows == 1
        wal.reader.cancel()
        with pytest.raises(Failure):
            next(result.batches)


def test_a_later_run_forgets_what_misfitted(wal):
    wal.write("INSERT INTO t VALUES ('x')")
    table, tries = wal.reread(IDS)
    assert (str(table.schema.types[0])[:6], tries) == ("struct", 3)
    wal.write("DELETE FROM t WHERE a = 'x'")
    table, tries = wal.reread(IDS)
    assert (str(table.schema.types[0]), tries) == ("int64", 1)
    # Also where the fast lane gives up at once.
    wal.write("INSERT INTO t VALUES ('x')")
    wal.reread(IDS)
    wal.write("DELETE FROM t WHERE a = 'x'")
    with wal.reader.read(
        QueryTask(name="q", sql=IDS), batch_bytes=lambda: 9, exact=False
    ) as result:
        assert result.columns[0].type == "int"


def test_a_file_that_was_replaced_between_two_uses_is_read_anew(tmp_path):
    """A session outlives its lease: the next one must not read a file that has no name any more."""
    path, other = tmp_path / "a.db", tmp_path / "b.db"
    for place, number in ((path, 1), (other, 2)):
        with closing(sqlite3.connect(place)) as database, database:
            database.execute("CREATE TABLE t (a INTEGER)")
            database.execute("INSERT INTO t VALUES (?)", (number,))
    reader = SqliteReader(str(path), busy_s=1)
    query = QueryTask(name="main", sql=IDS)

    def read():
        lane = reader.read(query, batch_bytes=lambda: 1 << 20, exact=False)
        with reader.snapshot(), lane as result:
            return [value for batch in result.batches for value in batch["a"].to_pylist()]

    assert read() == [1]
    other.replace(path)
    assert reader.describe(query)[0].name == "a"
    assert read() == [2]
    path.unlink()
    with pytest.raises(Failure, match="there is no file"):
        reader.ping()
    reader.close()
