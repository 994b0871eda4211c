"""Nothing that a query says changes or makes a file, and every refusal has its class."""

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.readers.sqlite import connect
from etltui.readers.sqlite_errors import failure_of
from etltui.readers.sqlite_open import Authorizer, _opened, check_query, open_guarded, uri_of
from unit.readers.sqlite_bench import task_of

HOSTILE = [
    "ATTACH 'evil.db' AS e",
    "ATTACH DATABASE 'file:evil.db?mode=rwc' AS e",
    "INSERT INTO t VALUES (9)",
    "REPLACE INTO t VALUES (9)",
    "UPDATE t SET a = 9",
    "DELETE FROM t",
    "WITH x(a) AS (SELECT 9) INSERT INTO t SELECT a FROM x",
    "WITH x(a) AS (SELECT 9) DELETE FROM t WHERE a IN (SELECT a FROM x)",
    "WITH x(a) AS (SELECT 9) UPDATE sqlite_master SET sql = ''",
    "INSERT INTO t VALUES (9) RETURNING a",
    "CREATE TABLE evil (a)",
    "CREATE TEMP TABLE evil (a)",
    "CREATE VIEW evil AS SELECT 1",
    "CREATE TEMP VIEW evil AS SELECT 1",
    "CREATE VIRTUAL TABLE evil USING fts5(a)",
    "CREATE TRIGGER evil AFTER INSERT ON t BEGIN DELETE FROM t; END",
    "CREATE INDEX evil ON t (a)",
    "DROP TABLE t",
    "DROP VIEW v",
    "ALTER TABLE t ADD COLUMN b",
    "ALTER TABLE t RENAME TO evil",
    "PRAGMA journal_mode = WAL",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = 1",
    "PRAGMA user_version = 9",
    "PRAGMA wal_checkpoint",
    "PRAGMA temp_store_directory = '.'",
    "VACUUM",
    "VACUUM INTO 'evil.db'",
    "REINDEX",
    "ANALYZE",
    "BEGIN IMMEDIATE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "DETACH main",
    "SELECT 1; DELETE FROM t",
    "SELECT 1; ATTACH 'evil.db' AS e",
    "SELECT 1) AS x; DELETE FROM t; --",
    "SELECT * FROM t /* ; */; DROP TABLE t",
    "EXPLAIN SELECT 1",
    "SELECT load_extension('evil')",
    "SELECT writefile('evil.db', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT * FROM pragma_journal_mode('wal')",
    "SELECT * FROM pragma_user_version",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
]


def state(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one database, which is the current one, so that `evil.db` would land here."""
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("b.db", isolation_level=None)) as db:
        db.execute("CREATE TABLE t (a INTEGER)")
        db.execute("INSERT INTO t VALUES (1), (2)")
        db.execute("CREATE VIEW v AS SELECT a FROM t")
    return tmp_path


@pytest.fixture
def reader(folder):
    with closing(connect(task_of(folder / "b.db"))) as opened:
        yield opened


def attempt(reader, sql: str, *, exact: bool) -> ErrorClass:
    query = QueryTask(name="q", sql=sql)
    with (
        pytest.raises(Failure) as caught,
        reader.snapshot(),
        reader.read(query, batch_bytes=lambda: 1000, exact=exact) as result,
    ):
        list(result.batches)
    assert "\n" not in caught.value.message
    return caught.value.error_class


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile_statements_change_nothing(folder, reader, sql, exact):
    before = state(folder)
    assert attempt(reader, sql, exact=exact) in {ErrorClass.PERMISSION, ErrorClass.SYNTAX}
    assert state(folder) == before
    query = QueryTask(name="q", sql="SELECT a FROM t")
    with reader.read(query, batch_bytes=lambda: 1000, exact=exact) as result:
        assert [row["a"] for batch in result.batches for row in batch.to_pylist()] == [1, 2]


@pytest.mark.parametrize(
    ("sql", "refused"),
    [
        ("DELETE FROM t", "DELETE t"),
        ("ATTACH 'evil.db' AS e", "ATTACH evil.db"),
        ("PRAGMA user_version = 9", "PRAGMA user_version"),
        ("SELECT load_extension('x')", "load_extension()"),
    ],
)
def test_a_refusal_is_of_class_permission_and_says_what(reader, sql, refused):
    with pytest.raises(Failure) as caught:
        reader.describe(QueryTask(name="q", sql=sql))
    assert caught.value.error_class is ErrorClass.PERMISSION
    assert caught.value.facts == {"refused": refused}


@pytest.mark.parametrize("sql", HOSTILE)
def test_the_authorizer_and_the_mode_hold_without_the_other_fences(folder, sql):
    """Each statement run as it is on a guarded connection, without looking at its first word."""
    before = state(folder)
    db, _ = open_guarded(str(folder / "b.db"), busy_s=0.05)
    with closing(db), suppress(sqlite3.Error, sqlite3.Warning):
        db.execute(sql).fetchall()
    assert state(folder) == before


@pytest.mark.parametrize("sql", HOSTILE)
def test_the_connection_for_views_makes_only_views(folder, sql):
    before = state(folder)
    with closing(_opened(str(folder / "b.db"), 0.05, Authorizer(views=True))) as db:
        for statement in (sql, f"CREATE TEMP VIEW x AS {sql}"):
            with suppress(sqlite3.Error, sqlite3.Warning):
                db.execute(statement).fetchall()
    assert state(folder) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT value FROM json_each('[1, 2]')",
        "SELECT name FROM pragma_table_info('t')",
        "SELECT name FROM sqlite_master",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3) SELECT x FROM c",
        "VALUES (1), (2)",
        "select upper('a'), count(*) over () from v",
        "-- why\n SELECT a FROM t;",
    ],
)
def test_reading_is_let_through(reader, sql):
    with reader.read(
        QueryTask(name="q", sql=sql),
        batch_bytes=lambda: 1000,
        exact=False,
    ) as result:
        assert sum(batch.num_rows for batch in result.batches) > 0


def test_an_own_statement_is_no_way_around_the_authorizer(folder):
    """The sqlite3 module would run a statement it has cached without asking again."""
    db, authorizer = open_guarded(str(folder / "b.db"), busy_s=0.05)
    with closing(db):
        with authorizer.own():
            db.execute("BEGIN")
            db.execute("ROLLBACK")
        with pytest.raises(sqlite3.DatabaseError):
            db.execute("BEGIN")


def test_what_only_tells_is_still_no_query(reader):
    """The authorizer lets this PRAGMA through, for `pragma_table_info`; its first word does not."""
    with pytest.raises(Failure, match="only a query may run here") as caught:
        reader.describe(QueryTask(name="q", sql="PRAGMA table_info(t)"))
    assert caught.value.error_class is ErrorClass.PERMISSION


def test_the_fence_within_sqlite_is_up(folder):
    db, authorizer = open_guarded(str(folder / "b.db"), busy_s=0.05)
    with closing(db), authorizer.own():
        assert db.execute("PRAGMA query_only").fetchone() == (1,)
        assert db.execute("PRAGMA trusted_schema").fetchone() == (0,)


def test_only_the_temporary_schema_may_be_written_for_views():
    authorizer = Authorizer(views=True)
    insert = sqlite3.SQLITE_INSERT
    assert authorizer(insert, "sqlite_temp_master", None, "temp", None) == sqlite3.SQLITE_OK
    assert authorizer(insert, "t", None, "main", None) == sqlite3.SQLITE_DENY
    assert Authorizer()(insert, "sqlite_temp_master", None, "temp", None) == sqlite3.SQLITE_DENY


@pytest.mark.parametrize("sql", ["", "  ", "(SELECT 1)", "DELETE FROM t", "'SELECT'"])
def test_first_word_fence(sql):
    with pytest.raises(Failure):
        check_query(sql)


@pytest.mark.parametrize(
    "name", ["a?b.db", "a#b.db", "a%20b.db", "a b&mode=rwc.db", "दुकान.db", "'"]
)
def test_any_file_name_opens_that_file(tmp_path, name):
    path = tmp_path / name
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a INTEGER)")
        db.execute("INSERT INTO t VALUES (7)")
        db.commit()
    with closing(connect(task_of(path))) as reader:
        for exact in (False, True):
            query = QueryTask(name="q", sql="SELECT a FROM t")
            with reader.read(query, batch_bytes=lambda: 1000, exact=exact) as result:
                assert [batch.to_pylist() for batch in result.batches] == [[{"a": 7}]]
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def opening(path: Path) -> ErrorClass:
    with pytest.raises(Failure) as caught:
        connect(task_of(path))
    assert "\n" not in caught.value.message
    return caught.value.error_class


def test_what_cannot_be_opened(tmp_path):
    assert opening(tmp_path / "absent.db") is ErrorClass.NO_DATABASE
    assert opening(tmp_path / "absent" / "b.db") is ErrorClass.NO_DATABASE
    assert opening(tmp_path) is ErrorClass.NO_DATABASE
    assert opening(Path("/dev/null")) is ErrorClass.NO_DATABASE
    assert opening(Path(f"{tmp_path}/a\0b")) is ErrorClass.NO_DATABASE
    os.mkfifo(tmp_path / "fifo")
    assert opening(tmp_path / "fifo") is ErrorClass.NO_DATABASE
    (tmp_path / "text.db").write_text("this is no database, whatever its name says" * 100)
    assert opening(tmp_path / "text.db") is ErrorClass.CORRUPT
    assert not (tmp_path / "absent.db").exists()


def test_a_cut_file_is_corrupt(folder, reader):
    with closing(sqlite3.connect(folder / "b.db")) as db:
        db.executemany("INSERT INTO t VALUES (?)", ((n,) for n in range(5000)))
        db.commit()
    content = (folder / "b.db").read_bytes()
    (folder / "b.db").write_bytes(content[: len(content) // 8192 * 4096] + b"\xff" * 8192)
    reader.close()
    query = QueryTask(name="q", sql="SELECT a FROM t")
    with (
        pytest.raises(Failure) as caught,
        closing(connect(task_of(folder / "b.db"))) as damaged,
        damaged.read(query, batch_bytes=lambda: 1000, exact=True) as result,
    ):
        list(result.batches)
    assert caught.value.error_class is ErrorClass.CORRUPT


def test_a_locked_file_is_busy(folder):
    with closing(sqlite3.connect(folder / "b.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert opening(folder / "b.db") is ErrorClass.BUSY


def test_a_file_that_is_locked_later_is_busy(folder, reader):
    with closing(sqlite3.connect(folder / "b.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert attempt(reader, "SELECT a FROM t", exact=True) is ErrorClass.BUSY
    reader.ping()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_IOERR, ErrorClass.LOST),
        (sqlite3.SQLITE_IOERR_READ, ErrorClass.LOST),
        (sqlite3.SQLITE_IOERR_SHORT_READ, ErrorClass.CORRUPT),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, ErrorClass.BUSY),
        (sqlite3.SQLITE_READONLY_DIRECTORY, ErrorClass.PERMISSION),
        (sqlite3.SQLITE_INTERRUPT, ErrorClass.CANCELLED),
        (sqlite3.SQLITE_FULL, ErrorClass.DISK),
        (sqlite3.SQLITE_NOMEM, ErrorClass.MEMORY),
        (sqlite3.SQLITE_ERROR, ErrorClass.SYNTAX),
    ],
)
def test_classes_by_result_code(code, expected):
    error = sqlite3.OperationalError("two\nlines")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_X"
    failure = failure_of(error)
    assert (failure.error_class, failure.message) == (expected, "two lines")


def test_no_code_and_too_large_data():
    assert (
        failure_of(sqlite3.DataError("query string is too large")).error_class is ErrorClass.VALUE
    )
    assert failure_of(OverflowError("too large")).error_class is ErrorClass.SYNTAX


@contextmanager
def as_nobody():
    """Somebody with fewer rights than the owner of the files."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody with fewer rights")
def test_a_wal_database_in_a_folder_that_may_only_be_read():
    with TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "b.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("CREATE TABLE t (a INTEGER)")
            db.execute("INSERT INTO t VALUES (1), (2)")
        path.chmod(0o644)
        query = QueryTask(name="q", sql="SELECT a FROM t")
        with as_nobody(), closing(connect(task_of(path))) as reader:
            for exact in (False, True):
                with reader.read(query, batch_bytes=lambda: 1000, exact=exact) as result:
                    assert sum(batch.num_rows for batch in result.batches) == 2
        assert [entry.name for entry in folder.iterdir()] == ["b.db"]
        path.chmod(0o600)
        with as_nobody():
            assert opening(path) is ErrorClass.PERMISSION


def test_only_a_frozen_file_is_opened_without_locks(folder):
    assert uri_of(str(folder / "b.db")).endswith("?mode=ro")
