"""DuckDB files: what is refused, what is told, and what a process beside ours does to them."""

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.registry import connect
from etltui.readers.sqlalchemy_duckdb import sized


def task(path) -> SessionTask:
    return SessionTask(
        connection="c",
        kind="sqlalchemy",
        host="",
        port=0,
        database=str(path),
        user="",
        password="",
        options={"dialect": "duckdb"},
    )


@pytest.fixture
def path(tmp_path) -> Path:
    found = tmp_path / "some folder" / "a.duckdb"
    found.parent.mkdir()
    with closing(duckdb.connect(found)) as db:
        db.execute("CREATE TABLE t AS SELECT range AS id FROM range(10000)")
    return found


@pytest.fixture
def reader(path):
    with closing(connect(task(path))) as opened:
        yield opened


def rows(reader, sql: str, **params) -> list[dict]:
    asked = QueryTask(name="q", sql=sql, params=params)
    with (
        reader.snapshot(),
        reader.read(asked, batch_bytes=lambda: 1 << 16, exact=False) as result,
    ):
        return [row for batch in result.batches for row in batch.to_pylist()]


def test_a_file_asks_for_no_login_although_one_is_configured(path):
    with closing(connect(replace(task(path), user="reader", password="hush"))) as opened:
        assert rows(opened, "SELECT count(*) AS n FROM t") == [{"n": 10_000}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "ATTACH '{folder}/b.duckdb'",
        "COPY t TO '{folder}/b.csv'",
        "EXPORT DATABASE '{folder}/b'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "RESET threads",
        "CREATE TEMP TABLE b (a INT)",
        "PRAGMA enable_profiling",
        "CALL pragma_version()",
        "CHECKPOINT",
        "BEGIN",
        "COMMIT",
        "SELECT 1; SELECT 2",
        "SELECT id FROM t; DROP TABLE t",
        "EXPLAIN ANALYZE SELECT 1",
    ],
)
def test_nothing_reaches_out_of_the_file_or_changes_anything(reader, path, sql):
    before = sorted(path.parent.iterdir())
    with pytest.raises(Failure) as caught:
        rows(reader, sql.format(folder=path.parent))
    wanted = ErrorClass.SYNTAX if "FROM '/" in sql else ErrorClass.PERMISSION
    assert caught.value.error_class is wanted
    assert "\n" not in caught.value.message
    assert sorted(path.parent.iterdir()) == before
    assert len(rows(reader, "SELECT id FROM t")) == 10_000


def test_the_database_itself_refuses_too(reader):
    """Reading files is off in the session, not only in what we let through."""
    for sql in (
        "DELETE FROM t",
        "SELECT * FROM read_text('/etc/passwd')",
        "SET enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            reader._lane._driver.execute(sql)


def test_a_variable_of_the_program_is_no_table(reader):
    t_of_ours = pa.table({"a": [1]})
    with pytest.raises(Failure) as caught:
        rows(reader, "SELECT * FROM t_of_ours")
    assert caught.value.error_class is ErrorClass.SYNTAX
    assert t_of_ours.num_rows == 1


@pytest.mark.parametrize(
    ("sql", "params", "result"),
    [
        ("FROM t WHERE id = :n", {"n": 3}, [{"id": 3}]),
        ("SELECT ':n' AS a, :n::INT AS b -- :n", {"n": 3}, [{"a": ":n", "b": 3}]),
        ("SELECT [1, 2, 3][1:2] AS a", {}, [{"a": "[1,2]"}]),
        ("VALUES (1)", {}, [{"col0": 1}]),
        ("SELECT $$:n;$$ AS a;", {"n": 3}, [{"a": ":n;"}]),
        ("SELECT :a AS a, :b AS b", {"a": "x'y", "b": None}, [{"a": "x'y", "b": None}]),
        ("SELECT count(*) AS n FROM (DESCRIBE t)", {}, [{"n": 1}]),
        ("SELECT E'it\\'s :x' AS v", {"x": 1}, [{"v": "it's :x"}]),
    ],
)
def test_statements_of_its_own_dialect(reader, sql, params, result):
    assert rows(reader, sql, **params) == result


def test_the_order_of_the_query_is_kept(reader):
    ids = [row["id"] for row in rows(reader, "SELECT id FROM t ORDER BY id DESC")]
    assert ids == list(range(9999, -1, -1))


def test_a_file_that_somebody_writes_is_busy(path):
    program = (
        "import sys, duckdb; db = duckdb.connect(sys.argv[1]); print('open', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        try:
            assert writer.stdout.readline() == b"open\n"
            with pytest.raises(Failure) as caught:
                connect(task(path))
        finally:
            writer.communicate()
    assert caught.value.error_class is ErrorClass.BUSY
    with closing(connect(task(path))) as opened:
        opened.ping()


def test_what_is_no_duckdb_file_says_so(tmp_path):
    other = tmp_path / "other.duckdb"
    other.write_bytes(b"no database at all" * 1000)
    with pytest.raises(Failure) as caught:
        connect(task(other))
    assert caught.value.error_class is ErrorClass.CORRUPT
    for absent in (tmp_path / "absent.duckdb", tmp_path):
        with pytest.raises(Failure) as caught:
            connect(task(absent))
        assert caught.value.error_class is ErrorClass.NO_DATABASE


def test_a_file_that_was_replaced_ends_the_session(reader, path, tmp_path):
    reader.ping()
    other = tmp_path / "other.duckdb"
    duckdb.connect(other).close()
    other.replace(path)
    with pytest.raises(Failure, match="replaced") as caught:
        reader.ping()
    assert caught.value.error_class is ErrorClass.LOST


def test_several_sessions_read_one_file(path):
    with closing(connect(task(path))) as one, closing(connect(task(path))) as two:
        assert rows(one, "SELECT count(*) AS n FROM t") == rows(two, "SELECT count(*) AS n FROM t")
        one.close()
        two.ping()


def test_facts_say_what_reads(reader, path):
    facts = reader.facts()
    assert facts.product == f"DuckDB {duckdb.__version__}"
    assert facts.identity == str(path)
    assert "duckdb" in facts.driver


def test_a_value_of_any_size_is_one_batch_at_most(reader):
    asked = QueryTask(name="q", sql="SELECT repeat('x', 50000) AS a FROM range(40)")
    with (
        reader.snapshot(),
        reader.read(asked, batch_bytes=lambda: 100_000, exact=False) as result,
    ):
        sizes = [batch.nbytes for batch in result.batches]
    assert max(sizes) < 2 * 100_000
    assert len(sizes) >= 20


def test_after_a_chunk_that_does_not_fit_nothing_more_is_given():
    schema = pa.schema([pa.field("a", pa.int64())])
    good = pa.record_batch([pa.array([1, 2, 3])], schema=schema)
    seen = []

    def chunks():
        for chunk in (good, None, good):
            seen.append(chunk)
            yield chunk

    assert list(sized(chunks(), schema, lambda: 1 << 20)) == []
    assert len(seen) == 3
