"""What a T-SQL query sets of its session: for its own rows only, and nothing that does harm."""

from contextlib import closing

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.mssql_settings import apart
from etltui.readers.mssql_sql import bare, check_reading
from etltui.readers.registry import connect
from hostile_queries import HOSTILE
from mssql_kit import DRIVERS, PASSWORD, USER, serving, session_task


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as made:
        made.table("shop", "t", {"a": "int"}, [(number,) for number in range(3)])
        yield made


@pytest.fixture(params=sorted(DRIVERS))
def reader(server, request):
    with closing(connect(session_task(server, "shop", DRIVERS[request.param]()))) as opened:
        yield opened


def rows(reader, sql, **more):
    query = QueryTask(name="q", sql=sql, **more)
    with reader.read(query, batch_bytes=lambda: 1 << 20, exact=False) as result:
        return [row for batch in result.batches for row in batch.to_pylist()]


@pytest.mark.parametrize(
    ("sql", "settings", "rest"),
    [
        ("SELECT 1", (), "SELECT 1"),
        ("SET NOCOUNT ON; SELECT 1", ("SET NOCOUNT ON",), " SELECT 1"),
        ("set nocount on select 1", ("SET NOCOUNT on",), " select 1"),
        ("SET LOCK_TIMEOUT -1;SELECT 1", ("SET LOCK_TIMEOUT -1",), "SELECT 1"),
        ("SET LANGUAGE N'a;''b'; SELECT 1", ("SET LANGUAGE N'a;''b'",), " SELECT 1"),
        (
            "-- x\nSET /* ; */ DATEFORMAT dmy; SET ARITHABORT OFF; SELECT 1",
            ("SET DATEFORMAT dmy", "SET ARITHABORT OFF"),
            " SELECT 1",
        ),
        ("SET ROWCOUNT 5; SELECT 1", (), "SET ROWCOUNT 5; SELECT 1"),
        ("SET NOCOUNT maybe; SELECT 1", (), "SET NOCOUNT maybe; SELECT 1"),
        ("SET", (), "SET"),
    ],
)
def test_a_query_is_parted_from_its_settings(sql, settings, rest):
    assert apart(sql) == (settings, rest)


@pytest.mark.parametrize(
    "sql", [sql for sql, known in HOSTILE if "mssql" in known and "SET " in sql]
)
def test_n_32_what_is_left_is_looked_at_as_ever(sql):
    _, rest = apart(bare(sql))
    with pytest.raises(Failure):
        check_reading(bare(rest))


def test_settings_hold_for_the_rows_and_not_for_the_next_query(server, reader):
    (session,) = server.live()
    sql = (
        "SET NOCOUNT ON; SET LANGUAGE French; SET DATEFORMAT ymd; SET LOCK_TIMEOUT 5000; "
        "SET ANSI_WARNINGS OFF; SET DEADLOCK_PRIORITY LOW; SELECT a FROM t WHERE a < :most"
    )
    before = session.lock_timeout
    with reader.snapshot():
        query = QueryTask(name="q", sql=sql, params={"most": 2})
        assert [column.name for column in reader.describe(query)] == ["a"]
        assert session.settings == {}
        with reader.read(query, batch_bytes=lambda: 1 << 20, exact=False) as result:
            found = [row for batch in result.batches for row in batch.to_pylist()]
            assert session.lock_timeout == 5000
            assert session.settings["LANGUAGE"] == "French"
            assert session.settings["NOCOUNT"] == "ON"
            assert session.settings["ANSI_WARNINGS"] == "OFF"
        assert found == [{"a": 0}, {"a": 1}]
        assert session.lock_timeout == before
    assert (session.settings["NOCOUNT"], session.settings["LANGUAGE"]) == ("OFF", "Español")
    assert session.settings["ANSI_WARNINGS"] == "ON"
    assert rows(reader, "SELECT a FROM t WHERE a = 1") == [{"a": 1}]


def test_settings_are_taken_back_after_a_mistake_too(server, reader):
    (session,) = server.live()
    with reader.snapshot(), pytest.raises(Failure):
        rows(reader, "SET NOCOUNT ON; SELECT a FROM nowhere")
    assert session.settings.get("NOCOUNT", "OFF") == "OFF"
    with reader.snapshot():
        assert len(rows(reader, "SET NOCOUNT ON SELECT a FROM t")) == 3


def test_a_plan_is_told_of_the_query_alone(server, reader):
    (session,) = server.live()
    with reader.snapshot():
        assert reader.explain(QueryTask(name="q", sql="SET NOCOUNT ON; SELECT a FROM t"))
    assert session.settings == {}


def test_any_odbc_driver_for_sql_server_is_told_the_same_way(server):
    task = SessionTask(
        connection="c",
        kind="odbc",
        host="",
        port=0,
        database="",
        user=USER,
        password=PASSWORD,
        options={
            "Driver": DRIVERS["freetds"]() and "FreeTDS",
            "Server": "127.0.0.1",
            "Port": str(server.port),
            "Database": "shop",
            "TDS_Version": "7.4",
            "Encryption": "off",
        },
    )
    with closing(connect(task)) as reader:
        (session,) = server.live()
        with reader.snapshot():
            assert rows(reader, "SET NOCOUNT ON; SELECT a FROM t WHERE a = 2") == [{"a": 2}]
            assert session.settings == {"NOCOUNT": "OFF"}
            with pytest.raises(Failure, match="more than one statement"):
                rows(reader, "SET NOCOUNT ON; SELECT a FROM t; DELETE FROM t")


def test_what_is_no_setting_of_these_is_refused_before_the_server_is_asked(server, reader):
    calls = len(server.calls)
    with pytest.raises(Failure, match="begins with SET") as met:
        rows(reader, "SET ROWCOUNT 5; SELECT a FROM t")
    assert met.value.error_class is ErrorClass.PERMISSION
    assert len(server.calls) == calls
