"""How gently PostgreSQL and SQLite are read, as connection and tag say; N-31."""

import asyncio
import sqlite3
from contextlib import closing, contextmanager

import asyncpg
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers import sqlite
from etltui.readers.postgresql import connect
from etltui.readers.postgresql_session import gentle
from etltui.readers.reader import RereadError
from postgresql_kit import HOST, PASSWORD, PORT, USER, session_task

server = pytest.mark.server


@pytest.fixture(scope="module")
def database(postgresql):
    return postgresql.database("CREATE TABLE sales (id int)", "INSERT INTO sales VALUES (1)")


@contextmanager
def opened(database, **policy):
    with closing(connect(session_task(database, policy=ReadPolicy(**policy)))) as reader:
        yield reader


def one(reader, sql):
    """The first value of a query inside a snapshot."""
    query = QueryTask(name="q", sql=sql)
    with reader.read(query, batch_bytes=lambda: 65536, exact=False) as result:
        return next(iter(result.batches)).column(0)[0].as_py()


@server
@pytest.mark.parametrize(
    ("isolation", "level"),
    [
        ("", "repeatable read"),
        ("snapshot", "repeatable read"),
        ("committed", "read committed"),
        ("dirty", "read uncommitted"),
    ],
)
def test_n_31_the_isolation_is_as_said_and_nothing_can_be_written(database, isolation, level):
    with opened(database, isolation=isolation) as reader, reader.snapshot():
        settings = "current_setting('transaction_isolation'), current_setting('{}')"
        assert one(reader, f"SELECT {settings.format('transaction_read_only')}") == level
        assert one(reader, "SELECT current_setting('transaction_read_only')") == "on"


@server
@pytest.mark.parametrize(("isolation", "rows"), [("snapshot", 1), ("committed", 2)])
def test_n_31_what_is_committed_meanwhile_is_seen_where_that_is_wanted(postgresql, isolation, rows):
    name = postgresql.database("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with opened(name, isolation=isolation) as reader, reader.snapshot():
        assert one(reader, "SELECT count(*) FROM t") == 1
        postgresql.execute("INSERT INTO t VALUES (2)", database=name)
        assert one(reader, "SELECT count(*) FROM t") == rows


@server
def test_n_31_somebodys_lock_is_waited_for_as_long_as_said_and_no_longer(database):
    async def locked():
        connection = await asyncpg.connect(
            host=HOST, port=PORT, user=USER, password=PASSWORD, database=database, ssl=False
        )
        async with connection.transaction():
            await connection.execute("LOCK TABLE sales IN ACCESS EXCLUSIVE MODE")
            failure = await asyncio.to_thread(blocked)
        await connection.close()
        return failure

    def blocked():
        with opened(database, lock_timeout_s=1) as reader, reader.snapshot():
            with pytest.raises(Failure) as caught:
                one(reader, "SELECT count(*) FROM sales")
            return caught.value

    assert asyncio.run(locked()).error_class is ErrorClass.BUSY


@server
def test_n_31_the_server_uses_no_more_processors_than_said(database):
    with opened(database, maxdop=1) as reader, reader.snapshot():
        assert one(reader, "SELECT current_setting('max_parallel_workers_per_gather')") == "0"


def test_n_31_nothing_is_set_where_nothing_is_said():
    assert gentle(ReadPolicy()) == []
    assert gentle(ReadPolicy(lock_timeout_s=5, maxdop=3)) == [
        "SET lock_timeout = '5s'",
        "SET max_parallel_workers_per_gather = 2",
    ]


@pytest.mark.parametrize(("lock_timeout_s", "busy_s"), [(0, 0.05), (7, 7)])
def test_n_31_sqlite_waits_for_a_lock_as_long_as_said(tmp_path, lock_timeout_s, busy_s):
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE t (a INTEGER)")
    task = SessionTask(
        connection="c",
        kind="sqlite",
        host="",
        port=0,
        database=str(path),
        user="",
        password="",
        connect_timeout_s=0.1,
        policy=ReadPolicy(lock_timeout_s=lock_timeout_s),
    )
    with closing(sqlite.connect(task)) as reader, reader._authorizer.own():
        (asked,) = reader._db.execute("PRAGMA busy_timeout").fetchone()
    assert asked == busy_s * 1000


def legacy(folder, *texts, **policy):
    """The texts of a file that an old program wrote, as they are read by this policy; and notes."""
    path = folder / "old.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE t (a TEXT)")
        for raw in texts:
            made.execute(f"INSERT INTO t VALUES (CAST(x'{raw.hex()}' AS TEXT))")
    task = SessionTask(
        connection="c",
        kind="sqlite",
        host="",
        port=0,
        database=str(path),
        user="",
        password="",
        policy=ReadPolicy(**policy),
    )
    query = QueryTask(name="q", sql="SELECT a FROM t")
    with closing(sqlite.connect(task)) as reader, reader.snapshot():
        for exact in (False, True):
            try:
                with reader.read(query, batch_bytes=lambda: 65536, exact=exact) as result:
                    found = [row["a"] for batch in result.batches for row in batch.to_pylist()]
                    return found, dict(result.notes)
            except RereadError:
                assert not exact
    raise AssertionError


PLAIN, UMLAUTS, INDIC = b"plain", "Müller–Söhne".encode("cp1252"), "विभा".encode()


def test_n_17_an_old_code_page_is_read_where_it_is_named_and_utf_8_stays(tmp_path):
    found, notes = legacy(tmp_path, PLAIN, UMLAUTS, INDIC, encoding="cp1252")
    assert found == ["plain", "Müller–Söhne", "विभा"]
    assert notes == {}


def test_n_17_without_a_word_it_is_refused_with_the_column_and_a_way_out(tmp_path):
    with pytest.raises(Failure) as caught:
        legacy(tmp_path, PLAIN, UMLAUTS)
    assert caught.value.error_class is ErrorClass.VALUE
    assert "column a" in caught.value.message
    assert "encoding" in caught.value.message


def test_n_17_what_is_no_text_in_that_code_page_is_refused_or_replaced_as_said(tmp_path):
    with pytest.raises(Failure) as caught:
        legacy(tmp_path, b"a\x81", encoding="cp1252")
    assert caught.value.error_class is ErrorClass.VALUE
    assert "no cp1252: 81" in caught.value.message
    (tmp_path / "other").mkdir()
    found, notes = legacy(tmp_path / "other", PLAIN, b"a\x81", encoding_errors="replace")
    assert found == ["plain", "a\ufffd"]
    assert notes == {"texts that are no utf-8, replaced": 1}
