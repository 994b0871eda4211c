"""What every reader promises, held against each kind's real reader.

A further reader joins by one line in `KINDS`: how to make its database, and words of its dialect.
"""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask, SessionTask
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import Reader, RereadError
from etltui.readers.registry import connect
from mssql_kit import freetds, microsoft, serving
from mssql_kit import session_task as mssql_session
from mysql_kit import MysqlServer, mysql_task
from odbc_kit import (
    MARIADB,
    POSTGRESQL,
    mariadb_task,
    missing,
    postgresql_task,
)
from postgresql_kit import Server, session_task
from tds.server import TdsServer

ROWS = 3000
DDL = """
    CREATE TABLE facts (
        id INTEGER, name TEXT, day DATE, at TIMESTAMP, amount DECIMAL(12,2), ok BOOLEAN,
        ratio REAL, note TEXT
    )
"""
COLUMNS = tuple(
    Column(name=name, type=kind)
    for name, kind in (
        ("id", "int"),
        ("name", "text"),
        ("day", "date"),
        ("at", "timestamp"),
        ("amount", "decimal(12,2)"),
        ("ok", "bool"),
        ("ratio", "float"),
        ("note", "text"),
    )
)


def fact(number: int) -> tuple:
    """A row as the table takes it; the notes begin late, the ratios are sometimes missing."""
    return (
        number,
        f"{number:05d} – विभा, “q” '=1+1",
        f"2026-11-{1 + number % 28:02d}",
        f"2026-11-{1 + number % 28:02d} {number % 24:02d}:59:07",
        number * 105 / 100,
        number % 2,
        None if number % 3 else number / 7,
        f"note {number}" if number > ROWS - 10 else None,
    )


def expected(number: int) -> dict:
    """The same row as a reader gives it."""
    row = fact(number)
    return {
        "id": number,
        "name": row[1],
        "day": date.fromisoformat(row[2]),
        "at": datetime.fromisoformat(row[3]),
        "amount": Decimal(number * 105) / 100,
        "ok": bool(row[5]),
        "ratio": row[6],
        "note": row[7],
    }


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of database: `prepare` makes one with `facts`, `write` changes it meanwhile.

    Where there is a server it is known by its fixture, else there is a folder.
    """

    prepare: Callable[..., SessionTask]
    write: Callable[[SessionTask, str], None]
    remove: Callable[[SessionTask], None]
    endless: str
    alone: str = ""
    """Why nobody can write while a session is open; empty: anybody can."""
    server: str = ""
    """The fixture of its server; empty: it is a file."""


def sqlite_task(path: Path) -> SessionTask:
    return SessionTask(
        connection="c",
        kind="sqlite",
        host="",
        port=0,
        database=str(path),
        user="",
        password="",
        connect_timeout_s=0.1,
    )


def sqlite_prepare(folder: Path) -> SessionTask:
    path = folder / "facts.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(DDL)
        db.execute("BEGIN")
        db.executemany("INSERT INTO facts VALUES (?,?,?,?,?,?,?,?)", map(fact, range(ROWS)))
        db.execute("COMMIT")
    return sqlite_task(path)


def sqlite_write(task: SessionTask, sql: str) -> None:
    with closing(sqlite3.connect(task.database, isolation_level=None)) as db:
        db.execute(sql)


def literals() -> str:
    """All rows as SQL writes them."""
    return ", ".join(
        "({}, {}, {}, {}, {}, {}, {}, {})".format(
            *(
                "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
                for value in fact(number)
            ),
        )
        for number in range(ROWS)
    )


def postgresql_prepare(server: Server) -> SessionTask:
    ddl = DDL.replace("REAL", "DOUBLE PRECISION")
    return session_task(server.database(ddl, f"INSERT INTO facts VALUES {literals()}"))


def postgresql_write(task: SessionTask, sql: str) -> None:
    Server().execute(sql, database=task.database)


def mysql_prepare(server: MysqlServer) -> SessionTask:
    # A TIMESTAMP is a moment there, with a zone.
    ddl = DDL.replace("TIMESTAMP", "DATETIME")
    return mysql_task(server.database(ddl, f"INSERT INTO facts VALUES {literals()}"))


def duckdb_prepare(folder: Path) -> SessionTask:
    path = folder / "facts.duckdb"
    with closing(duckdb.connect(path)) as db:
        db.execute(DDL.replace("REAL", "DOUBLE").replace(" at ", ' "at" '))
        db.execute(f"INSERT INTO facts VALUES {literals()}")
    return replace(
        sqlite_task(path),
        kind="sqlalchemy",
        options={"dialect": "duckdb"},
    )


def duckdb_write(task: SessionTask, sql: str) -> None:
    """Change it in a process of its own; DuckDB's locks are between processes."""
    program = "import sys, duckdb; duckdb.connect(sys.argv[1]).execute(sys.argv[2])"
    subprocess.run(
        [sys.executable, "-c", program, task.database, sql],
        check=True,
        capture_output=True,
    )


def odbc_postgresql_prepare(server: Server) -> SessionTask:
    return postgresql_task(postgresql_prepare(server).database)


def odbc_mariadb_prepare(server: MysqlServer) -> SessionTask:
    """Its driver does not tell a BOOLEAN from other small numbers, a BIT it does."""
    ddl = DDL.replace("BOOLEAN", "BIT").replace("TIMESTAMP", "DATETIME")
    values = ", ".join(
        "({}, {}, {}, {}, {}, {}, {}, {})".format(
            *(
                "NULL"
                if value is None
                else str(value)
                if isinstance(value, int | float)
                else "'" + value.replace("'", "''") + "'"
                for value in fact(number)
            ),
        )
        for number in range(ROWS)
    )
    return mariadb_task(server.database(ddl, f"INSERT INTO facts VALUES {values}"))


MSSQL_ENDLESS = """
    WITH c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c
    OPTION (MAXRECURSION 0)
"""
MSSQL_SERVERS: dict[int, TdsServer] = {}


def mssql_prepare(server: TdsServer, driver: str) -> SessionTask:
    columns = dict(
        zip(
            ("id", "name", "day", "at", "amount", "ok", "ratio", "note"),
            (
                *("int", "nvarchar(40)", "date", "datetime2(7)", "decimal(12,2)"),
                *("bit", "float", "nvarchar(max)"),
            ),
            strict=True,
        ),
    )
    database = f"etltui_test_{len(server.databases)}"
    server.table(database, "facts", columns, [fact(number) for number in range(ROWS)])
    MSSQL_SERVERS[server.port] = server
    return mssql_session(server, database, driver)


def mssql_write(task: SessionTask, sql: str) -> None:
    MSSQL_SERVERS[task.port].execute(task.database, sql)


def mssql_remove(task: SessionTask) -> None:
    MSSQL_SERVERS[task.port].drop(task.database)


KINDS = {
    "duckdb": Kind(
        prepare=duckdb_prepare,
        write=duckdb_write,
        remove=lambda task: Path(task.database).unlink(),
        endless="SELECT count(*) FROM range(100000000) a, range(100000000) b",
        alone="DuckDB locks the whole file against writers of other processes",
    ),
    "mssql": Kind(
        prepare=lambda server: mssql_prepare(server, microsoft()),
        write=mssql_write,
        remove=mssql_remove,
        endless=MSSQL_ENDLESS,
        server="mssql_double",
    ),
    "mssql-freetds": Kind(
        prepare=lambda server: mssql_prepare(server, freetds()),
        write=mssql_write,
        remove=mssql_remove,
        endless=MSSQL_ENDLESS,
        server="mssql_double",
    ),
    "mysql": Kind(
        prepare=mysql_prepare,
        write=lambda task, sql: MysqlServer().execute(sql, database=task.database) and None,
        remove=lambda task: MysqlServer().drop(task.database),
        endless="SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b",
        server="mysql",
    ),
    "odbc-mariadb": Kind(
        prepare=odbc_mariadb_prepare,
        write=lambda task, sql: MysqlServer().execute(sql, database=task.database) and None,
        remove=lambda task: MysqlServer().drop(task.database),
        endless="SELECT count(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b",
        server="mariadb_by_odbc",
    ),
    "odbc-postgresql": Kind(
        prepare=odbc_postgresql_prepare,
        write=postgresql_write,
        remove=lambda task: Server().drop(task.database),
        endless="SELECT count(*) FROM generate_series(1, 100000000000)",
        server="postgresql_by_odbc",
    ),
    "postgresql": Kind(
        prepare=postgresql_prepare,
        write=postgresql_write,
        remove=lambda task: Server().drop(task.database),
        endless="SELECT count(*) FROM generate_series(1, 100000000000)",
        server="postgresql",
    ),
    "sqlite": Kind(
        prepare=sqlite_prepare,
        write=sqlite_write,
        remove=lambda task: Path(task.database).unlink(),
        endless="WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT count(*) FROM c",
    ),
}


@pytest.fixture
def mssql_double(tmp_path):
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def postgresql_by_odbc(postgresql):
    if why := missing(POSTGRESQL):
        pytest.skip(why)
    return postgresql


@pytest.fixture
def mariadb_by_odbc(mysql):
    if why := missing(MARIADB):
        pytest.skip(why)
    return mysql


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.server) if each.server else name
        for name, each in KINDS.items()
    ],
)
def kind(request) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def task(kind, request, tmp_path) -> SessionTask:
    return kind.prepare(request.getfixturevalue(kind.server) if kind.server else tmp_path)


@pytest.fixture
def reader(task):
    with closing(connect(task)) as opened:
        yield opened


def query(sql: str, **params) -> QueryTask:
    return QueryTask(name="q", sql=sql, params=params)


def read(reader: Reader, asked: QueryTask, *, exact: bool, size: int = 1 << 20) -> pa.Table:
    """All rows of one lane as one table."""
    with reader.read(asked, batch_bytes=lambda: size, exact=exact) as result:
        batches = list(result.batches)
        return pa.Table.from_batches(batches, schema=arrow_schema(result.columns))


def read_as_caller(reader: Reader, asked: QueryTask) -> pa.Table:
    """All rows, read again where the reader asks for it."""
    exact = False
    for _ in range(4):
        try:
            with reader.snapshot():
                return read(reader, asked, exact=exact)
        except RereadError:
            exact = True
    raise AssertionError("reading again does not converge")


ALL = query("SELECT * FROM facts ORDER BY id")


def test_describe_names_and_types(reader):
    assert reader.describe(ALL) == COLUMNS


def test_describe_leaves_the_session_usable(reader):
    reader.describe(ALL)
    reader.describe(ALL)
    assert read(reader, ALL, exact=False).num_rows == ROWS


def test_n_25_a_plan_is_told_and_nothing_is_run(reader):
    """N-25: EXPLAIN per branch."""
    asked = query("SELECT name FROM facts WHERE id = :id -- one", id=3)
    with reader.snapshot():
        plan = reader.explain(asked)
    assert "facts" in plan
    assert plan == plan.strip("\n")
    assert read(reader, ALL, exact=False).num_rows == ROWS


@pytest.mark.parametrize("sql", ["SELECT nothing FROM facts", "DELETE FROM facts", "ANALYZE", ""])
def test_what_is_no_query_has_no_plan(reader, sql):
    with pytest.raises(Failure) as caught, reader.snapshot():
        reader.explain(query(sql))
    assert caught.value.error_class in {ErrorClass.SYNTAX, ErrorClass.PERMISSION}
    reader.ping()
    assert read(reader, ALL, exact=False).num_rows == ROWS


@pytest.mark.parametrize("exact", [False, True])
def test_every_value_arrives_as_it_is(reader, exact):
    """N-16."""
    table = read(reader, ALL, exact=exact)
    assert table.to_pylist() == [expected(number) for number in range(ROWS)]


def test_lanes_agree(reader):
    assert read(reader, ALL, exact=False).equals(read(reader, ALL, exact=True))


@pytest.mark.parametrize("exact", [False, True])
def test_a_result_without_rows_has_its_types(reader, exact):
    asked = query("SELECT * FROM facts WHERE id < 0")
    with reader.read(asked, batch_bytes=lambda: 1 << 20, exact=exact) as result:
        assert result.columns == COLUMNS
        assert sum(batch.num_rows for batch in result.batches) == 0


@pytest.mark.parametrize("exact", [False, True])
def test_a_column_of_nulls_keeps_its_type(reader, exact):
    table = read(reader, query("SELECT note, ratio FROM facts WHERE id = 1"), exact=exact)
    assert table.schema == arrow_schema((COLUMNS[7], COLUMNS[6]))
    assert table.to_pylist() == [{"note": None, "ratio": None}]


@pytest.mark.parametrize("exact", [False, True])
def test_parameters_are_bound_by_name(reader, exact):
    asked = query(
        "SELECT id FROM facts WHERE id >= :low AND id < :high AND name LIKE :like ORDER BY id",
        high=4,
        low=1,
        like="%:low%' OR 1=1 --%",
    )
    assert read(reader, asked, exact=exact).num_rows == 0
    asked = query("SELECT id FROM facts WHERE id < :n AND :n = :n ORDER BY id", n=3)
    assert read(reader, asked, exact=exact)["id"].to_pylist() == [0, 1, 2]


def test_a_missing_parameter_is_a_mistake_of_the_query(reader):
    with pytest.raises(Failure) as caught:
        reader.describe(query("SELECT id FROM facts WHERE id = :absent"))
    assert caught.value.error_class is ErrorClass.SYNTAX


@pytest.mark.parametrize("exact", [False, True])
def test_batches_are_as_large_as_asked(reader, exact):
    """S4-29."""
    asked, sizes = [], [4000, 64_000, 8000]

    def batch_bytes() -> int:
        asked.append(sizes[min(len(asked), 2)])
        return asked[-1]

    with reader.read(ALL, batch_bytes=batch_bytes, exact=exact) as result:
        batches = list(result.batches)
    assert sum(batch.num_rows for batch in batches) == ROWS
    assert max(batch.nbytes for batch in batches) < 2 * 64_000
    assert max(batch.nbytes for batch in batches[3:]) < 2 * 8000
    assert len(asked) >= len(batches)


@pytest.mark.parametrize(
    "sql",
    ["SELECT nothing FROM facts", "SELECT * FROM nowhere", "SELEC 1", "SELECT (", ""],
)
def test_what_is_not_understood_is_syntax(reader, sql):
    with pytest.raises(Failure) as caught:
        reader.describe(query(sql))
    assert caught.value.error_class in {ErrorClass.SYNTAX, ErrorClass.PERMISSION}
    assert "\n" not in caught.value.message
    with pytest.raises(Failure), reader.read(query(sql), batch_bytes=lambda: 1 << 20, exact=False):
        pass
    reader.ping()


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM facts", "UPDATE facts SET id = 0", "DROP TABLE facts", "CREATE TABLE t (a INT)"],
)
@pytest.mark.parametrize("exact", [False, True])
def test_writing_is_refused(reader, sql, exact):
    with pytest.raises(Failure) as caught:
        read(reader, query(sql), exact=exact)
    assert caught.value.error_class is ErrorClass.PERMISSION
    assert read(reader, ALL, exact=exact).num_rows == ROWS


@pytest.mark.parametrize("exact", [False, True])
def test_a_block_left_early_frees_the_statement(reader, exact):
    with reader.read(ALL, batch_bytes=lambda: 1000, exact=exact) as result:
        next(result.batches)
    assert next(result.batches, None) is None
    assert read(reader, ALL, exact=exact).num_rows == ROWS


@pytest.mark.parametrize("exact", [False, True])
def test_cancel_between_batches(reader, exact):
    """N-2."""
    with reader.read(ALL, batch_bytes=lambda: 1000, exact=exact) as result:
        next(result.batches)
        reader.cancel()
        with pytest.raises(Failure) as caught:
            list(result.batches)
    assert caught.value.error_class is ErrorClass.CANCELLED


def test_cancel_of_a_query_that_never_gives_a_row(reader, kind):
    """N-2."""
    caught: list[BaseException] = []
    started = threading.Event()

    def run() -> None:
        try:
            with reader.read(query(kind.endless), batch_bytes=lambda: 1000, exact=True) as result:
                started.set()
                list(result.batches)
        except Failure as failure:
            caught.append(failure)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    reader.cancel()
    thread.join(timeout=2)
    assert not thread.is_alive()
    assert [failure.error_class for failure in caught] == [ErrorClass.CANCELLED]
    with reader.snapshot():
        assert read(reader, ALL, exact=True).num_rows == ROWS


@pytest.mark.parametrize("exact", [(False, False), (True, True), (False, True), (True, False)])
def test_a_snapshot_is_one_state_for_every_lane(reader, kind, task, exact):
    count = query("SELECT id FROM facts")
    if kind.alone:
        with reader.snapshot():
            assert read(reader, count, exact=exact[0]).num_rows == ROWS
            with pytest.raises(subprocess.CalledProcessError):
                kind.write(task, "DELETE FROM facts WHERE id >= 10")
            assert read(reader, count, exact=exact[1]).num_rows == ROWS
        return
    with reader.snapshot():
        kind.write(task, "DELETE FROM facts WHERE id >= 10")
        assert read(reader, count, exact=exact[0]).num_rows == ROWS
        kind.write(task, "DELETE FROM facts WHERE id >= 5")
        assert read(reader, count, exact=exact[1]).num_rows == ROWS
    with reader.snapshot():
        assert read(reader, count, exact=exact[0]).num_rows == 5


def test_a_snapshot_ends_also_after_a_failure(reader, kind, task):
    with pytest.raises(Failure), reader.snapshot():
        read(reader, query("SELECT nothing"), exact=False)
    left = ROWS
    if not kind.alone:
        kind.write(task, "DELETE FROM facts WHERE id >= 5")
        left = 5
    with reader.snapshot():
        assert read(reader, query("SELECT id FROM facts"), exact=False).num_rows == left


def test_ping(reader, kind, task):
    reader.ping()
    kind.remove(task)
    with pytest.raises(Failure):
        reader.ping()


def test_no_database(kind, task):
    kind.remove(task)
    with pytest.raises(Failure) as caught:
        connect(task)
    assert caught.value.error_class is ErrorClass.NO_DATABASE


def test_close_and_cancel_never_raise(task):
    reader = connect(task)
    reader.cancel()
    reader.close()
    reader.close()
    reader.cancel()


def test_a_query_that_was_read_again_is_read_afresh_next_time(reader):
    assert read_as_caller(reader, ALL).num_rows == ROWS
    assert read(reader, ALL, exact=False).schema == arrow_schema(COLUMNS)
