"""What every reader promises, held against each kind's real reader.

A further reader joins by one line in `KINDS`: how to make its database, and words of its dialect.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask, SessionTask
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import Reader, RereadError
from etltui.readers.registry import connect
from postgresql_kit import Server, session_task

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


def postgresql_prepare(server: Server) -> SessionTask:
    ddl = DDL.replace("REAL", "DOUBLE PRECISION")
    rows = ", ".join(
        "({}, {}, {}, {}, {}, {}, {}, {})".format(
            *(
                "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
                for value in fact(number)
            ),
        )
        for number in range(ROWS)
    )
    return session_task(server.database(ddl, f"INSERT INTO facts VALUES {rows}"))


def postgresql_write(task: SessionTask, sql: str) -> None:
    Server().execute(sql, database=task.database)


KINDS = {
    "postgresql": Kind(
        prepare=postgresql_prepare,
        write=postgresql_write,
        remove=lambda task: Server().drop(task.database),
        endless="SELECT count(*) FROM generate_series(1, 100000000000)",
    ),
    "sqlite": Kind(
        prepare=sqlite_prepare,
        write=sqlite_write,
        remove=lambda task: Path(task.database).unlink(),
        endless="WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT count(*) FROM c",
    ),
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def kind(request) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def task(kind, request, tmp_path) -> SessionTask:
    if kind is KINDS["postgresql"]:
        return kind.prepare(request.getfixturevalue("postgresql"))
    return kind.prepare(tmp_path)


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
    with reader.read(ALL, batch_bytes=lambda: 1000, exact=exact) as result:
        next(result.batches)
        reader.cancel()
        with pytest.raises(Failure) as caught:
            list(result.batches)
    assert caught.value.error_class is ErrorClass.CANCELLED


def test_cancel_of_a_query_that_never_gives_a_row(reader, kind):
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
    kind.write(task, "DELETE FROM facts WHERE id >= 5")
    with reader.snapshot():
        assert read(reader, query("SELECT id FROM facts"), exact=False).num_rows == 5


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
