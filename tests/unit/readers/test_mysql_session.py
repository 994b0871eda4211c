"""A MySQL session at a real server: cancelling, losing, limits, and what it may do there."""

import threading
import time
from contextlib import closing, contextmanager
from dataclasses import asdict, replace

import pyarrow as pa
import pytest

import mysql_kit
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import CsvOptions
from etltui.domain.policy import ReadPolicy
from etltui.domain.task import ExtractTask, QueryTask, WriterTask
from etltui.extractors.arrow import arrow_schema
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import Gate
from etltui.readers import mysql as reading
from etltui.readers import mysql_open
from etltui.readers.mysql import connect
from etltui.readers.mysql_types import Field
from etltui.readers.mysql_values import Values
from etltui.readers.reader import RereadError
from mysql_kit import mysql_task
from postgresql_kit import Relay

pytestmark = pytest.mark.server

MANY = "SELECT seq AS id, REPEAT('x', 200) AS t FROM seq_1_to_2000000"
ENDLESS = "SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b"
PROMISE_S = 2.0
SLACK_S = 1.5
LONG_S = 15.0
"""A bound that only a test that hangs reaches."""


@pytest.fixture(scope="module")
def database(mysql):
    return mysql.database(
        "CREATE TABLE sales (id INT PRIMARY KEY, n DECIMAL(38,10))",
        "INSERT INTO sales VALUES (1, 1.5), (2, NULL)",
        "CREATE TABLE old (id INT) ENGINE=MyISAM",
        "CREATE FUNCTION writes() RETURNS INT BEGIN DELETE FROM sales; RETURN 1; END",
    )


@pytest.fixture
def reader(database):
    with closing(connect(mysql_task(database))) as opened:
        yield opened


@pytest.fixture
def relay(monkeypatch):
    monkeypatch.setattr("postgresql_kit.PORT", mysql_kit.PORT)
    monkeypatch.setattr("postgresql_kit.HOST", mysql_kit.HOST)
    with closing(Relay()) as made:
        yield made


@pytest.fixture
def gone(mysql, database):
    """Wait until nobody works in the database any more, and say how long that took."""

    def wait():
        begun = time.monotonic()
        while any(row["COMMAND"] != "Sleep" for row in mysql.sessions(database)):
            assert time.monotonic() - begun < LONG_S
        return time.monotonic() - begun

    return wait


def query(sql, **params):
    return QueryTask(name="q", sql=sql, params=params)


@contextmanager
def opened(reader, sql, size=1 << 16, *, exact=False, **changes):
    asked = QueryTask(name="q", sql=sql, **changes)
    with reader.read(asked, batch_bytes=lambda: size, exact=exact) as result:
        yield result


def rows(reader, sql, **changes):
    with opened(reader, sql, **changes) as result:
        return [row for batch in result.batches for row in batch.to_pylist()]


def failing(work):
    with pytest.raises(Failure) as caught:
        work()
    assert "\n" not in caught.value.message
    return caught.value


def in_thread(work):
    caught = []

    def run():
        try:
            work()
        except Failure as failure:
            caught.append(failure)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, caught


def busy(mysql, database, sign):
    """Wait until the server is at work on a query that holds these words."""
    begun = time.monotonic()
    while not any(sign in (row["INFO"] or "") for row in mysql.sessions(database)):
        assert time.monotonic() - begun < LONG_S


def test_cancel_ends_the_servers_query_too(mysql, database, reader, gone):
    """The server must not go on for nobody: within 3 s, and the session stays good."""
    thread, caught = in_thread(lambda: rows(reader, ENDLESS))
    busy(mysql, database, "COUNT(*)")
    begun = time.monotonic()
    reader.cancel()
    thread.join(PROMISE_S + SLACK_S)
    assert not thread.is_alive()
    assert [error.error_class for error in caught] == [ErrorClass.CANCELLED]
    gone()
    assert time.monotonic() - begun < 3.0
    with reader.snapshot():
        assert len(rows(reader, "SELECT * FROM sales")) == 2


def test_a_cancel_holds_until_something_new_begins(reader):
    reader.cancel()
    assert failing(lambda: rows(reader, "SELECT 1")).error_class is ErrorClass.CANCELLED
    reader.ping()
    assert rows(reader, "SELECT 1 AS a") == [{"a": 1}]


def test_where_no_side_session_is_to_be_had_the_line_is_cut(mysql, database, reader, monkeypatch):
    """N-26: leaving does not depend on a second login."""

    def refused(*_):
        raise Failure(ErrorClass.BUSY, "too many connections")

    monkeypatch.setattr(mysql_open, "_kill", refused)
    thread, caught = in_thread(lambda: rows(reader, ENDLESS))
    busy(mysql, database, "COUNT(*)")
    reader.cancel()
    thread.join(PROMISE_S + SLACK_S)
    assert not thread.is_alive()
    assert [error.error_class for error in caught] == [ErrorClass.CANCELLED]
    assert failing(reader.ping).error_class is ErrorClass.LOST
    for row in mysql.sessions(database):
        mysql.execute(f"KILL {row['ID']}")


def test_only_the_very_same_server_is_told_to_end_a_query(mysql, database):
    """Behind a balancer another server may have a session of the same number."""
    task = mysql_task(database)
    with closing(connect(task)) as other:
        number = other._wire.line.number
        thread, caught = in_thread(lambda: rows(other, ENDLESS))
        busy(mysql, database, "COUNT(*)")
        mysql_open._kill(task, (("elsewhere", 3306, "/"),), number)
        busy(mysql, database, "COUNT(*)")
        mysql_open._kill(task, _where(mysql), number)
        thread.join(LONG_S)
    assert [error.error_class for error in caught] == [ErrorClass.TIMEOUT]
    assert caught[0].facts == {"errno": "1317"}


def _where(mysql):
    (row,) = mysql.execute(mysql_open._WHERE)
    return (tuple(row.values()),)


@pytest.mark.parametrize("size", [1 << 12, 1 << 20])
def test_a_large_result_left_early_is_not_read_to_its_end(reader, gone, size):
    begun = time.monotonic()
    with opened(reader, MANY, size) as result:
        next(result.batches)
    assert time.monotonic() - begun < PROMISE_S + SLACK_S
    gone()
    assert rows(reader, "SELECT 1 AS a") == [{"a": 1}]


def test_a_line_that_is_cut_amid_rows_is_lost(database, relay, gone):
    with closing(connect(mysql_task(database, host="127.0.0.1", port=relay.port))) as reader:
        with opened(reader, MANY) as result:
            next(result.batches)
            relay.cut()
            assert failing(lambda: list(result.batches)).error_class is ErrorClass.LOST
        assert failing(reader.ping).error_class is ErrorClass.LOST
    gone()


def test_a_line_that_goes_silent_holds_up_no_cancel(database, relay, gone):
    reader = connect(mysql_task(database, host="127.0.0.1", port=relay.port))
    started = threading.Event()

    def work():
        with opened(reader, MANY) as result:
            next(result.batches)
            relay.silent.set()
            started.set()
            list(result.batches)

    thread, caught = in_thread(work)
    assert started.wait(LONG_S)
    reader.cancel()
    thread.join(2 * PROMISE_S + SLACK_S)
    assert not thread.is_alive()
    assert [error.error_class for error in caught] == [ErrorClass.CANCELLED]
    closer, _ = in_thread(reader.close)
    closer.join(PROMISE_S + SLACK_S)
    assert not closer.is_alive()
    relay.close()
    gone()


def test_a_silent_line_fails_the_ping(database, relay, monkeypatch):
    monkeypatch.setattr(reading, "PING_S", 0.1)
    with closing(connect(mysql_task(database, host="127.0.0.1", port=relay.port))) as reader:
        relay.silent.set()
        failure = failing(reader.ping)
    assert failure.error_class is ErrorClass.TIMEOUT
    assert failure.message == "the server did not answer within 0.1 s"


@pytest.mark.parametrize("asked", ["describe", "explain"])
def test_a_server_that_says_nothing_is_not_waited_for(database, relay, monkeypatch, asked):
    monkeypatch.setattr(reading, "ANSWER_S", 0.1)
    with closing(connect(mysql_task(database, host="127.0.0.1", port=relay.port))) as reader:
        relay.silent.set()
        failure = failing(lambda: getattr(reader, asked)(query("SELECT * FROM sales")))
    assert failure.error_class is ErrorClass.TIMEOUT


def test_a_lock_is_waited_for_as_long_as_the_policy_says(database):
    """N-31."""
    task = mysql_task(database, policy=ReadPolicy(lock_timeout_s=1))
    with closing(connect(mysql_task(database))) as other, closing(connect(task)) as reader:
        other._wire.line.ask("SET SESSION TRANSACTION READ WRITE")
        other._wire.line.ask("LOCK TABLES sales WRITE")
        failure = failing(lambda: rows(reader, "SELECT * FROM sales"))
    assert failure.error_class is ErrorClass.BUSY
    assert failure.facts == {"errno": "1205"}


@pytest.mark.parametrize(
    ("isolation", "seen"), [("", 0), ("snapshot", 0), ("committed", 1), ("dirty", 2)]
)
def test_what_a_read_sees_is_the_policys_word(mysql, isolation, seen):
    """N-31."""
    name = mysql.database("CREATE TABLE t (a INT)")
    task = mysql_task(name, policy=ReadPolicy(isolation=isolation))
    with closing(connect(task)) as reader, closing(connect(mysql_task(name))) as other:
        other._wire.line.ask("SET SESSION TRANSACTION READ WRITE")
        with reader.snapshot():
            mysql.execute("INSERT INTO t VALUES (1)", database=name)
            other._wire.line.ask("START TRANSACTION READ WRITE")
            other._wire.line.ask("INSERT INTO t VALUES (2)")
            assert len(rows(reader, "SELECT * FROM t")) == seen


def test_the_server_ends_a_query_that_nobody_ends(reader):
    failure = failing(lambda: rows(reader, ENDLESS, limit_s=0.2))
    assert failure.error_class is ErrorClass.TIMEOUT
    assert failure.facts == {"errno": "1969"}
    assert rows(reader, "SELECT 1 AS a", limit_s=5.0) == [{"a": 1}]


def test_a_query_that_ends_as_if_nothing_had_been_is_not_complete(reader):
    """MariaDB gives a row where BENCHMARK is ended by its limit, and no error."""
    endless = "SELECT BENCHMARK(100000000000, MD5('x')) AS a"
    failure = failing(lambda: rows(reader, endless, limit_s=0.2))
    assert failure.error_class is ErrorClass.TIMEOUT
    assert failure.message == "the query took longer than 0.6 s, after which the server ends it"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE '/tmp/etltui_test_out'",
        "SELECT 1 INTO DUMPFILE '/tmp/etltui_test_out'",
        "SELECT 1 INTO @a",
        "SELECT /*! 1 */",
        "SELECT 1 /*M!100000 INTO OUTFILE '/tmp/etltui_test_out' */",
        "/*!50000 DELETE FROM sales */",
        "SELECT * FROM sales FOR UPDATE",
        "SELECT * FROM sales LOCK IN SHARE MODE",
        "SELECT writes()",
        "WITH x AS (SELECT 1) DELETE FROM sales",
        "CALL nothing()",
        "SET GLOBAL max_connections = 1",
        "HANDLER sales OPEN",
        "TRUNCATE sales",
        "SELECT NEXTVAL(counter)",
    ],
)
def test_nothing_is_written_or_locked(mysql, database, reader, sql):
    mysql.execute("CREATE SEQUENCE IF NOT EXISTS counter", database=database)
    with reader.snapshot():
        failure = failing(lambda: rows(reader, sql))
    assert failure.error_class in {ErrorClass.PERMISSION, ErrorClass.SYNTAX}
    assert len(rows(reader, "SELECT * FROM sales")) == 2
    (row,) = mysql.execute("SELECT next_not_cached_value AS n FROM counter", database=database)
    assert row["n"] == 1


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "SELECT 1; DELETE FROM sales"])
def test_one_statement_only(reader, sql):
    assert failing(lambda: rows(reader, sql)).error_class is ErrorClass.SYNTAX
    assert failing(lambda: reader.explain(query(sql))).error_class is ErrorClass.SYNTAX


def test_a_user_that_may_not_read(mysql, database):
    user = mysql.user("IDENTIFIED BY 'secret-1'", f"CREATE ON {database}.*")
    task = mysql_task(database, user=user, password="secret-1")
    with closing(connect(task)) as reader:
        failure = failing(lambda: rows(reader, "SELECT * FROM sales"))
    assert failure.error_class is ErrorClass.PERMISSION
    assert failure.facts == {"errno": "1142"}


def test_a_password_beyond_latin(mysql, database):
    user = mysql.user("IDENTIFIED BY 'пароль-密'", f"SELECT ON {database}.*")
    with closing(connect(mysql_task(database, user=user, password="пароль-密"))) as reader:
        assert len(rows(reader, "SELECT * FROM sales")) == 2
    failure = failing(lambda: connect(mysql_task(database, user=user, password="wrong")))
    assert failure.error_class is ErrorClass.LOGIN


def test_a_database_that_the_user_may_not_use(mysql, database):
    user = mysql.user("IDENTIFIED BY 'x'")
    failure = failing(lambda: connect(mysql_task(database, user=user, password="x")))
    assert failure.error_class is ErrorClass.PERMISSION


def test_a_socket_of_this_machine(mysql, database):
    (row,) = mysql.execute("SELECT @@socket AS s")
    with closing(connect(mysql_task(database, host=row["s"], options={}))) as reader:
        assert reader.facts().encrypted is None
        assert len(rows(reader, "SELECT * FROM sales")) == 2


def test_the_local_server_offers_no_tls(mysql, database):
    if mysql.execute("SELECT @@have_ssl AS s")[0]["s"] == "YES":
        pytest.skip("this server offers TLS")
    failure = failing(lambda: connect(mysql_task(database, options={})))
    assert failure.error_class is ErrorClass.TLS
    assert "offers no TLS" in failure.message


def test_facts_name_the_very_database(mysql, database, reader):
    """N-18, N-19."""
    facts = reader.facts()
    assert facts.product.startswith(("MariaDB ", "MySQL "))
    assert facts.identity.endswith(f"/{database}")
    assert facts.encrypted is False
    assert abs(facts.skew_s) < LONG_S
    assert facts.driver.startswith("PyMySQL ")
    with closing(connect(mysql_task(database))) as again:
        assert (again.facts().identity, again.facts().started) == (facts.identity, facts.started)
    with closing(connect(mysql_task(mysql.database()))) as other:
        assert other.facts().identity != facts.identity


def test_facts_that_the_user_may_not_see_stay_empty(reader, monkeypatch):
    monkeypatch.setattr("etltui.readers.mysql_facts._FULL", dict.fromkeys((True, False), "SELECT"))
    facts = reader.facts()
    assert facts.identity
    assert facts.started == ""


def test_misfits_are_learned_and_forgotten(reader):
    asked = "SELECT CAST('25:00' AS TIME) AS t, 18446744073709551615 AS n"
    with pytest.raises(RereadError):
        rows(reader, asked)
    (row,) = rows(reader, asked, exact=True)
    assert row["t"] == {"text": "25:00:00", "number": False}
    assert int(row["n"]) == 2**64 - 1
    with opened(reader, asked) as afresh:
        assert [column.type for column in afresh.columns] == ["time", "int"]


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (ReadPolicy(encoding_errors="replace"), "A\ufffdB"),
        (ReadPolicy(encoding="cp1252"), "AäB"),
        (ReadPolicy(encoding="cp1251"), "AдB"),
    ],
)
def test_bytes_that_are_no_text(policy, text):
    """N-17: as old versions have let into columns of UTF-8."""
    made = Values([Field(name="a", code=253)], set(), policy)
    raw = pa.array([b"A\xe4B", "é".encode(), None, b"\xe4"], pa.binary())
    assert made._words(0, raw).to_pylist() == [text, "é", None, text[1]]
    replaced = policy.encoding_errors == "replace"
    assert made.notes == ({"texts of a that are no utf-8, replaced": 2} if replaced else {})


def test_bytes_that_are_no_text_fail_by_default():
    """N-17."""
    made = Values([Field(name="a", code=253)], set(), ReadPolicy())
    failure = failing(lambda: made._words(0, pa.array([b"A\xe4B"], pa.binary())))
    assert failure.error_class is ErrorClass.VALUE
    assert "column a holds bytes that are no utf-8: e4 42" in failure.message
    assert 'encoding_errors = "replace"' in failure.message


def test_what_was_replaced_is_noted(database, tmp_path):
    """N-17: the server is made to send letters in another code page than asked for."""
    policy = ReadPolicy(encoding_errors="replace")
    asked = QueryTask(name="q", sql="SELECT seq, 'Ä' AS a FROM seq_1_to_3")
    with closing(connect(mysql_task(database, policy=policy))) as reader:
        asked = replace(asked, columns=reader.describe(asked))
        reader._wire.line.ask("SET character_set_results = latin1")
        folder = tmp_path / "0"
        folder.mkdir()
        writer = WriterTask(
            destination=0, type="csv", folder=str(folder), options=asdict(CsvOptions())
        )
        task = ExtractTask(
            run="r",
            connection="B",
            number=1,
            attempt=1,
            queries=(asked,),
            writers=(writer,),
            plan_hash="",
            connection_hash="",
        )
        done = extract(reader, task, Gate(1), Watch())
    assert done.notes == {"texts of a that are no utf-8, replaced": 3}
    (receipt,) = done.receipts
    written = (tmp_path / receipt.path).read_bytes()[: receipt.bytes]
    assert written.decode() == "1,\ufffd\n2,\ufffd\n3,\ufffd\n"


def test_a_row_larger_than_a_packet_comes_whole(reader):
    """A packet holds 16 MiB at most."""
    sql = (
        "SELECT seq AS n, REPEAT(CHAR(96 + seq USING utf8mb4), 9000000) AS a, "
        "REPEAT('y', 9000001) AS b FROM seq_1_to_3"
    )
    with opened(reader, sql) as result:
        table = [batch.to_pylist() for batch in result.batches]
    found = [row for batch in table for row in batch]
    assert [row["n"] for row in found] == [1, 2, 3]
    assert [(row["a"][0], len(row["a"]), row["b"][-1], len(row["b"])) for row in found] == [
        (letter, 9_000_000, "y", 9_000_001) for letter in "abc"
    ]
    assert arrow_schema(result.columns).names == ["n", "a", "b"]


def test_a_table_that_changes_amid_a_read_says_so(mysql, database):
    mysql.execute("CREATE OR REPLACE TABLE changing (a INT)", database=database)
    with (
        closing(connect(mysql_task(database))) as reader,
        opened(reader, "SELECT * FROM changing") as result,
    ):
        mysql.execute("ALTER TABLE changing MODIFY a VARCHAR(9)", database=database)
        failure = failing(lambda: list(result.batches))
    assert failure.error_class is ErrorClass.BUSY


def test_what_is_joined_is_not_cut(reader):
    sql = "SELECT GROUP_CONCAT(REPEAT('x', 1000)) AS a FROM seq_1_to_2000"
    (row,) = rows(reader, sql)
    assert len(row["a"]) == 2000 * 1001 - 1


def test_no_setting_of_the_server_changes_what_is_read(reader):
    """Whatever is set there for all, a session of ours says otherwise."""
    sql = (
        "SELECT CONCAT(@@sql_select_limit) AS most, @@time_zone AS zone, "
        "@@tx_read_only AS only_reads, "
        "@@character_set_results AS letters, @@autocommit AS alone, @@net_write_timeout AS wait, "
        "@@sql_mode LIKE '%ANSI_QUOTES%' OR @@sql_mode LIKE '%PAD_CHAR%' AS odd"
    )
    (row,) = rows(reader, sql)
    assert {name: str(value) for name, value in row.items()} == {
        "most": str(2**64 - 1),
        "zone": "+00:00",
        "only_reads": "1",
        "letters": "utf8mb4",
        "alone": "1",
        "wait": "600",
        "odd": "0",
    }


def test_many_columns(reader):
    """The bits that say NULL take more than one byte, and lengths more than one."""
    columns = ", ".join(
        f"IF(seq % {n + 2}, REPEAT('é', {n * 40}), NULL) AS c{n}" for n in range(40)
    )
    found = rows(reader, f"SELECT {columns} FROM seq_1_to_50")
    assert found == [
        {f"c{n}": "é" * (n * 40) if seq % (n + 2) else None for n in range(40)}
        for seq in range(1, 51)
    ]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'yz'", [(1, "x"), (2, "yz")]),
        ("SELECT '' AS a, NULL AS b UNION ALL SELECT NULL, 'x'", [("", None), (None, "x")]),
        ("SELECT REPEAT('ü', 70000) AS a UNION ALL SELECT 'b'", [("ü" * 70_000,), ("b",)]),
        ("SELECT 1.5 AS a UNION SELECT 'b'", [("1.5",), ("b",)]),
    ],
)
def test_a_union_is_read_whatever_is_said_of_its_texts(reader, sql, found):
    """MariaDB says of a text's length and decimals now this, now that."""
    assert [tuple(row.values()) for row in rows(reader, sql)] == found
