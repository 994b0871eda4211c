"""Any dialect by the rows of its driver; SQLite's stands for all of them."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy
from etltui.domain.task import QueryTask, SessionTask
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import RereadError
from etltui.readers.registry import connect
from etltui.readers.sqlalchemy_values import claim, converter
from etltui.readers.sqlite_values import MisfitError


def task(path, **changes) -> SessionTask:
    given = {
        "connection": "c",
        "kind": "sqlalchemy",
        "host": "",
        "port": 0,
        "database": str(path),
        "user": "",
        "password": "",
        "options": {"dialect": "sqlite"},
    }
    return SessionTask(**(given | changes))


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "rows.db"
    with closing(sqlite3.connect(found, isolation_level=None)) as db:
        db.execute("CREATE TABLE t (id INTEGER, name TEXT, ratio REAL, late)")
        db.executemany(
            "INSERT INTO t VALUES (?, ?, ?, ?)",
            [(n, f"name {n}", n / 8, "late" if n == 900 else n) for n in range(1000)],
        )
    return found


@pytest.fixture
def reader(path):
    with closing(connect(task(path))) as opened:
        yield opened


def query(sql: str, **params) -> QueryTask:
    return QueryTask(name="q", sql=sql, params=params)


def read(reader, asked: QueryTask, *, exact: bool = False, size: int = 1 << 20) -> pa.Table:
    with (
        reader.snapshot(),
        reader.read(asked, batch_bytes=lambda: size, exact=exact) as result,
    ):
        return pa.Table.from_batches(list(result.batches), schema=arrow_schema(result.columns))


def test_the_first_rows_claim_the_types(reader):
    asked = query("SELECT id, name, ratio, NULL AS empty FROM t ORDER BY id")
    assert [(c.name, c.type) for c in reader.describe(asked)] == [
        ("id", "int"),
        ("name", "text"),
        ("ratio", "float"),
        ("empty", "unknown"),
    ]
    table = read(reader, asked)
    assert table.num_rows == 1000
    assert table.slice(999, 1).to_pylist() == [
        {"id": 999, "name": "name 999", "ratio": 999 / 8, "empty": None},
    ]


def test_a_value_that_breaks_its_columns_claim_makes_it_mixed(reader):
    asked = query("SELECT late FROM t ORDER BY id")
    with pytest.raises(RereadError):
        read(reader, asked)
    table = read(reader, asked, exact=True)
    assert table["late"][899].as_py() == {"text": "899", "number": True}
    assert table["late"][900].as_py() == {"text": "late", "number": False}
    assert table["late"][901].as_py() == {"text": "901", "number": True}


def test_only_names_with_a_value_are_parameters(reader):
    asked = query(
        "SELECT ':id' AS a, '12:30:45' AS b, 'x:' AS c, \"id\" -- :id\nFROM t WHERE id = :id",
        id=7,
    )
    assert read(reader, asked).to_pylist() == [{"a": ":id", "b": "12:30:45", "c": "x:", "id": 7}]


def test_a_value_is_bound_and_never_pasted(reader):
    asked = query("SELECT id FROM t WHERE name = :name", name="' OR 1=1 --")
    assert read(reader, asked).num_rows == 0


@pytest.mark.parametrize(
    ("sql", "error_class"),
    [
        ("DELETE FROM t", ErrorClass.PERMISSION),
        ("WITH x AS (SELECT 1) DELETE FROM t", ErrorClass.PERMISSION),
        ("SELECT 1; DELETE FROM t", ErrorClass.PERMISSION),
        ("SELECT * INTO u FROM t", ErrorClass.PERMISSION),
        ("PRAGMA writable_schema = 1", ErrorClass.PERMISSION),
        ("  -- nothing\n ", ErrorClass.SYNTAX),
        ("SELECT nothing FROM t", ErrorClass.SYNTAX),
        ("SELECT id FROM t WHERE id = :absent", ErrorClass.SYNTAX),
    ],
)
def test_what_is_no_query_is_refused(reader, sql, error_class):
    for ask in (reader.describe, lambda asked: read(reader, asked)):
        with pytest.raises(Failure) as caught:
            ask(query(sql))
        assert caught.value.error_class is error_class
    assert read(reader, query("SELECT id FROM t")).num_rows == 1000


def test_the_session_itself_cannot_write(reader):
    """The database is the last fence, should a statement ever get through the others."""
    with pytest.raises(exc.OperationalError, match="readonly"):
        reader._connection.exec_driver_sql("DELETE FROM t")


def test_a_word_of_writing_in_quotes_is_only_a_word(reader):
    assert read(reader, query("SELECT 'DELETE; INTO' AS \"update\" FROM t LIMIT 1")).num_rows == 1


def test_batches_are_as_large_as_asked(reader):
    asked = query("SELECT id, name FROM t")
    with reader.snapshot(), reader.read(asked, batch_bytes=lambda: 4000, exact=False) as result:
        sizes = [batch.nbytes for batch in result.batches]
    assert len(sizes) >= 5
    assert max(sizes) < 2 * 4000


def test_a_cancel_ends_what_runs_and_holds_until_the_next_snapshot(reader):
    endless = query(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    )
    caught: list[ErrorClass] = []
    begun = threading.Event()

    def run() -> None:
        begun.set()
        try:
            with reader.read(endless, batch_bytes=lambda: 1000, exact=True) as result:
                list(result.batches)
        except Failure as failure:
            caught.append(failure.error_class)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    begun.wait()
    while not reader._at_work.is_set() and thread.is_alive():
        pass
    reader.cancel()
    thread.join(timeout=5)
    assert caught == [ErrorClass.CANCELLED]
    with pytest.raises(Failure), reader.read(query("SELECT 1"), batch_bytes=int, exact=True):
        pass
    assert read(reader, query("SELECT id FROM t")).num_rows == 1000


def test_m_5_what_is_asked_goes_through_sqlalchemy(reader):
    asked = "SELECT id FROM t WHERE id < :most"
    heard = []

    def hear(_connection, _cursor, statement, *_):
        heard.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        assert read(reader, query(asked, most=3)).num_rows == 3
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)
    assert any("FROM t WHERE id <" in each for each in heard)


def test_the_plan_is_told(reader):
    assert "SCAN" in reader.explain(query("SELECT id FROM t WHERE name = :n", n="x"))


def test_a_dialect_that_is_not_there_says_what_to_install():
    for dialect, words in (
        ("snowflake", "pip install 'snowflake-sqlalchemy'"),
        ("oracle+oracledb", "pip install 'oracledb'"),
        ("nosuchthing", "check its spelling"),
    ):
        with pytest.raises(Failure) as caught:
            connect(task("x", options={"dialect": dialect}))
        assert caught.value.error_class is ErrorClass.DRIVER
        assert words in caught.value.message


def test_an_asynchronous_driver_is_refused():
    with pytest.raises(Failure, match="asynchronous") as caught:
        connect(task("x", options={"dialect": "postgresql+asyncpg"}))
    assert caught.value.error_class is ErrorClass.DRIVER


def test_nobody_listens():
    with pytest.raises(Failure, match=r"nothing listens at 127\.0\.0\.1") as caught:
        connect(task("x", host="127.0.0.1", port=1, options={"dialect": "mysql+pymysql"}))
    assert caught.value.error_class is ErrorClass.REFUSED


def test_an_isolation_that_a_dialect_does_not_know_is_refused_in_words(path):
    with pytest.raises(Failure, match='cannot read with isolation = "committed"'):
        connect(task(path, policy=ReadPolicy(isolation="committed")))
    with closing(connect(task(path, policy=ReadPolicy(isolation="snapshot")))) as reader:
        assert read(reader, query("SELECT 1 AS one")).to_pylist() == [{"one": 1}]


def test_facts_never_fail(reader):
    facts = reader.facts()
    assert facts.product.startswith("sqlite 3")
    assert "SQLAlchemy" in facts.driver


INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None], "unknown"),
        ([True, None], "bool"),
        ([1, None], "int"),
        ([1, 2.5], "mixed"),
        ([True, 1], "mixed"),
        ([Decimal("1.50"), None, 3], "decimal(38,2)"),
        ([Decimal("NaN")], "mixed"),
        ([date(2026, 1, 1)], "date"),
        ([datetime(2026, 1, 1)], "timestamp"),  # noqa: DTZ001 - naive is what it is about
        ([datetime(2026, 1, 1, tzinfo=UTC)], "timestamptz"),
        ([date(2026, 1, 1), datetime(2026, 1, 1)], "mixed"),  # noqa: DTZ001
        ([time(1)], "time"),
        ([time(1, tzinfo=UTC)], "text"),
        ([b"x", bytearray(b"y")], "binary"),
        ([UUID(int=0), "x"], "text"),
        ([timedelta(hours=30)], "text"),
        ([[1], {"a": Decimal("1.5")}], "text"),
    ],
)
def test_what_values_claim_and_that_they_keep_it(values, kind):
    assert claim(values) == kind
    assert len(converter(kind)(values)) == len(values)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", True),
        ("int", 2**63),
        ("int", 1.0),
        ("bool", 1),
        ("float", 1),
        ("text", 1),
        ("text", b"x"),
        ("date", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("timestamp", datetime(2026, 1, 1, tzinfo=UTC)),
        ("timestamptz", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("time", time(1, tzinfo=UTC)),
        ("decimal(38,2)", Decimal("1.001")),
        ("decimal(38,2)", Decimal("NaN")),
        ("decimal(38,2)", 1.5),
    ],
)
def test_nothing_is_bent_into_a_type(kind, value):
    with pytest.raises(MisfitError):
        converter(kind)([None, value])


@pytest.mark.parametrize(
    ("value", "text", "number"),
    [
        (True, "true", False),
        (2**70, "1180591620717411303424", True),
        (1e16, "1e+16", True),
        (float("nan"), "NaN", False),
        (float("-inf"), "-Infinity", False),
        (Decimal("1.50"), "1.50", True),
        (Decimal("1E+3"), "1000", True),
        (b"\x00\xff", "\\x00ff", False),
        (datetime(2026, 1, 2, 3, 4, 5, 120000), "2026-01-02 03:04:05.12", False),  # noqa: DTZ001
        (datetime(2026, 1, 2, 3, tzinfo=INDIA), "2026-01-01 21:30:00+00", False),
        (time(1, 2, 3), "01:02:03", False),
        (date(2026, 1, 2), "2026-01-02", False),
        ({"b": [1, Decimal("1.5"), None]}, '{"b": [1, "1.5", null]}', False),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001", False),
    ],
)
def test_the_canonical_text_of_a_mixed_value(value, text, number):
    assert converter("mixed")([value, None]).to_pylist() == [{"text": text, "number": number}, None]
