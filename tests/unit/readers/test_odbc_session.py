"""An ODBC session at work: cancelled at the server, limited there, and never read halfway."""

import threading
import time
from contextlib import closing

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.readers.odbc_batches import Learnt
from etltui.readers.odbc_blocks import LONG
from etltui.readers.reader import RereadError
from etltui.readers.registry import connect
from odbc_kit import (
    MARIADB,
    POSTGRESQL,
    SQLITE,
    mariadb_task,
    missing,
    postgresql_task,
    sqlite_task,
)

pytestmark = pytest.mark.server


def needs(driver):
    if why := missing(driver):
        pytest.skip(why)


def rows(reader, sql, *, size=1 << 20, exact=False, **changes):
    asked = QueryTask(name="q", sql=sql, **changes)
    with reader.read(asked, batch_bytes=lambda: size, exact=exact) as result:
        return [row for batch in result.batches for row in batch.to_pylist()]


def gone(still, seconds=3.0):
    """Seconds until the server does it no more."""
    started = time.monotonic()
    while still():
        assert time.monotonic() - started < seconds + 5
        threading.Event().wait(0.05)
    return time.monotonic() - started


def cancelled(reader, sql, running):
    """Cancel once the server is at it; the class of what came of it."""
    caught = []

    def run():
        try:
            with reader.snapshot():
                rows(reader, sql)
        except Failure as failure:
            caught.append(failure.error_class)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not running():
        threading.Event().wait(0.02)
    reader.cancel()
    thread.join(5)
    assert not thread.is_alive()
    return caught


def test_a_cancel_ends_the_query_at_postgresql(postgresql):
    needs(POSTGRESQL)
    database = postgresql.database()

    def running():
        return any("pg_sleep" in each["query"] and each["state"] == "active"
                   for each in postgresql.sessions(database))  # fmt: skip

    with closing(connect(postgresql_task(database))) as reader:
        sql = "SELECT pg_sleep(60)::text AS x"
        assert cancelled(reader, sql, running) == [ErrorClass.CANCELLED]
        assert gone(running) < 3
        with reader.snapshot():
            assert rows(reader, "SELECT 1 AS x") == [{"x": 1}]


def test_a_cancel_ends_the_query_at_mariadb(mysql):
    """Its driver gives a row, and no error, of a SLEEP that was ended: the own flag decides."""
    needs(MARIADB)

    def running():
        return any("SLEEP(60)" in (row["INFO"] or "") for row in mysql.sessions("mysql"))

    with closing(connect(mariadb_task("mysql"))) as reader:
        assert cancelled(reader, "SELECT SLEEP(60) AS x", running) == [ErrorClass.CANCELLED]
        assert gone(running) < 3


def test_the_server_ends_what_nobody_ends(postgresql):
    needs(POSTGRESQL)
    with closing(connect(postgresql_task(postgresql.database()))) as reader:
        with pytest.raises(Failure) as caught:
            rows(reader, "SELECT pg_sleep(30)::text AS x", limit_s=0.4)
        assert caught.value.error_class is ErrorClass.TIMEOUT
        assert caught.value.facts["sqlstate"] == "57014"


def test_a_session_that_the_server_ends_is_lost_and_not_read_halfway(postgresql):
    needs(POSTGRESQL)
    database = postgresql.database()
    sql = "SELECT g AS x FROM generate_series(1, 10000000) AS g"
    with closing(connect(postgresql_task(database, keys={"Fetch": "100"}))) as reader:
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )
        rows(reader, "SELECT 1 AS x", limit_s=30)
        postgresql.execute(kill)
        with pytest.raises(Failure) as caught:
            rows(reader, sql)
        assert caught.value.error_class is ErrorClass.LOST
        with pytest.raises(Failure):
            reader.ping()


def test_a_long_text_is_read_whole_with_more_room(postgresql):
    needs(POSTGRESQL)
    numbers = "generate_series(1, 99) AS g"
    table = f"CREATE TABLE t AS SELECT g AS id, repeat('ü', g * 40) AS x FROM {numbers}"
    with closing(connect(postgresql_task(postgresql.database(table)))) as reader:
        sql = "SELECT id, x FROM t ORDER BY id"
        with reader.snapshot(), pytest.raises(RereadError):
            rows(reader, sql)
        with reader.snapshot():
            found = rows(reader, sql, exact=True)
        assert [len(row["x"]) for row in found] == [g * 40 for g in range(1, 100)]
        assert LONG < 99 * 80, "or it proves nothing"
        # What was learnt of the room stays: the next run need not read twice.
        with reader.snapshot():
            assert rows(reader, sql) == found


def test_what_is_learnt_begins_empty():
    assert Learnt() == Learnt(sizes={}, misfits=set())


@pytest.mark.usefixtures("mysql")
@pytest.mark.parametrize("sql", ["SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT 1 /*! INTO @a */"])
def test_what_a_read_only_transaction_lets_pass_is_refused(sql):
    needs(MARIADB)
    with closing(connect(mariadb_task("mysql"))) as reader:
        with pytest.raises(Failure) as caught:
            rows(reader, sql)
        assert caught.value.error_class is ErrorClass.PERMISSION


def test_a_function_that_writes_is_refused_by_the_session(postgresql):
    needs(POSTGRESQL)
    database = postgresql.database(
        "CREATE TABLE t (a int)",
        "CREATE FUNCTION w() RETURNS int AS 'INSERT INTO t VALUES (1) RETURNING 1' LANGUAGE sql",
    )
    with closing(connect(postgresql_task(database))) as reader:
        for _ in range(2):
            with pytest.raises(Failure) as caught:
                rows(reader, "SELECT w() AS x")
            assert caught.value.error_class is ErrorClass.PERMISSION
        with reader.snapshot(), pytest.raises(Failure):
            rows(reader, "SELECT w() AS x")
    assert postgresql.execute("SELECT count(*) AS n FROM t", database=database)[0]["n"] == 0


def test_what_is_said_of_one_block_is_not_taken_for_the_next(mysql):
    """MariaDB's driver says of a BIT only where it is NULL: later blocks had NULLs of earlier."""
    needs(MARIADB)
    made = "SELECT seq AS id, IF(seq % 7, seq % 2, NULL) AS v FROM seq_1_to_20000"
    database = mysql.database("CREATE TABLE t (id INT, v BIT(1))", f"INSERT INTO t {made}")
    with closing(connect(mariadb_task(database))) as reader, reader.snapshot():
        found = rows(reader, "SELECT id, v FROM t ORDER BY id")
    assert [row["v"] for row in found] == [
        bool(number % 2) if number % 7 else None for number in range(1, 20_001)
    ]


WIDE = "o'b\\ 付😀😁?{fn x}--"


@pytest.mark.parametrize("driver", [MARIADB, POSTGRESQL, SQLITE])
def test_a_character_of_two_units_survives_as_a_value_and_in_the_query(
    driver, postgresql, mysql, tmp_path
):
    """MariaDB's driver put a NUL behind such a value, and SQLite's made two characters of it."""
    needs(driver)
    empty = tmp_path / "empty.db"
    empty.touch()
    task = {
        MARIADB: lambda: mariadb_task(mysql.database()),
        POSTGRESQL: lambda: postgresql_task(postgresql.database()),
        SQLITE: lambda: sqlite_task(empty),
    }[driver]()
    value = ":v::text" if driver == POSTGRESQL else ":v"
    same = f"CASE WHEN {value} = '😁' THEN 1 ELSE 0 END"
    sql = f"SELECT {value} AS a, '付😀😁' AS b, {same} AS c"
    with closing(connect(task)) as reader, reader.snapshot():
        for said, found in ((WIDE, 0), ("😁", 1)):
            (row,) = rows(reader, sql, params={"v": said})
            told = [each["text"] if isinstance(each, dict) else each for each in row.values()]
            assert [told[0], told[1], int(told[2])] == [said, "付😀😁", found]
