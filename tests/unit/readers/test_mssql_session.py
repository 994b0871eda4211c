"""A session at a SQL Server that is cancelled, cut, or given what is long."""

import threading
from contextlib import closing

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.readers import mssql
from etltui.readers.reader import RereadError
from etltui.readers.registry import connect
from mssql_kit import DRIVERS, serving, session_task

ROWS = 3000
ALL = QueryTask(name="q", sql="SELECT a, b FROM t")
ENDLESS = QueryTask(
    name="q",
    sql="WITH c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
)
GENEROUS_S = 15


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path) as made:
        rows = [(number, "x" * (number % 60)) for number in range(ROWS)]
        made.table("shop", "t", {"a": "int", "b": "nvarchar(60)"}, rows)
        yield made


@pytest.fixture(params=sorted(DRIVERS))
def driver(request):
    return DRIVERS[request.param]()


@pytest.fixture
def reader(server, driver):
    with closing(connect(session_task(server, "shop", driver))) as opened:
        yield opened


def rows(reader, query=ALL, *, exact=False, size=1 << 20):
    with reader.read(query, batch_bytes=lambda: size, exact=exact) as result:
        return [row for batch in result.batches for row in batch.to_pylist()]


def until(true):
    """Wait until something is so, within generous bounds."""
    pause = threading.Event()
    for _ in range(GENEROUS_S * 50):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError("it never came to be")


def _counts(sql):
    """Whether it is the endless query, and not only looked at for its columns."""
    return "c(x)" in sql.replace('"', "") and "LIMIT 0" not in sql


class Cancelled:
    """A read in a thread of its own, cancelled when the server is at it."""

    def __init__(self, server, reader, query=ENDLESS):
        self.classes = []
        self._reader, self._query = reader, query
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        until(lambda: any(_counts(session.executing) for session in server.live()))
        reader.cancel()
        thread.join(GENEROUS_S)
        assert not thread.is_alive()

    def _run(self):
        try:
            with self._reader.snapshot():
                rows(self._reader, self._query)
        except Failure as failure:
            self.classes.append(failure.error_class)


def test_a_cancel_ends_the_servers_query_and_keeps_the_session(server, reader):
    assert Cancelled(server, reader).classes == [ErrorClass.CANCELLED]
    until(lambda: not server.running())
    assert server.attentions
    assert not [batch for batch in server.batches if batch.startswith("KILL")]
    reader.ping()
    assert len(rows(reader)) == ROWS


def test_a_server_that_does_not_hear_has_its_session_killed(server, reader, monkeypatch):
    monkeypatch.setattr(mssql, "_KILL_AFTER_S", 0.2)
    server.deaf = True
    assert Cancelled(server, reader).classes == [ErrorClass.CANCELLED]
    until(lambda: not server.running())
    assert [batch for batch in server.batches if batch.startswith("KILL")]


def test_without_the_right_to_kill_the_caller_is_free_all_the_same(server, reader, monkeypatch):
    monkeypatch.setattr(mssql, "_KILL_AFTER_S", 0.2)
    server.deaf, server.may_kill = True, False
    assert Cancelled(server, reader).classes == [ErrorClass.CANCELLED]
    with pytest.raises(Failure) as caught:
        reader.ping()
    assert caught.value.error_class is ErrorClass.LOST
    server.deaf = False


@pytest.mark.parametrize("how", ["rst", "fin"])
def test_rows_that_a_broken_line_cuts_short_are_never_complete(server, driver, how):
    """N-35: wherever the line breaks."""
    for sent in (1, 8, 9, 61, 300, 4095, 4096, 4097, 8192, 20_000, 50_000, 100_001):
        with closing(connect(session_task(server, "shop", driver))) as reader:
            reader.describe(ALL)
            server.script("FROM t", bytes=sent, link=how, times=1)
            with pytest.raises(Failure) as caught, reader.snapshot():
                rows(reader)
            assert caught.value.error_class in {ErrorClass.LOST, ErrorClass.UNREACHABLE}, sent
            with pytest.raises(Failure):
                reader.ping()


def test_a_session_that_somebody_kills(server, reader):
    reader.ping()
    [session] = server.live()
    server.kill(session.spid)
    with pytest.raises(Failure) as caught:
        rows(reader)
    assert caught.value.error_class is ErrorClass.LOST


def test_a_server_that_ends_the_session_itself(server, reader):
    reader.describe(ALL)
    server.script("FROM t", number=596, words="the session is in the kill state", level=21)
    with pytest.raises(Failure) as caught:
        rows(reader)
    assert caught.value.error_class is ErrorClass.LOST


def test_a_transaction_ends_with_its_block(server, reader):
    with reader.snapshot():
        rows(reader)
        [session] = server.live()
        assert session.in_transaction
    until(lambda: not session.in_transaction)


@pytest.mark.parametrize(
    "values",
    [
        [b"", bytes(range(256)) * 100, None],
        [bytes([number]) * 3_500_000 for number in range(1, 6)],
        [bytes([number]) * (100_000 * (number % 3)) for number in range(9)],
    ],
    ids=["one alone in its block", "each in a block of its own", "several"],
)
def test_values_of_any_length(server, reader, values):
    server.table("shop", "wide", {"i": "int", "v": "varbinary(max)"}, list(enumerate(values)))
    query = QueryTask(name="q", sql="SELECT v FROM wide ORDER BY i")
    with pytest.raises(RereadError):
        rows(reader, query)
    assert [row["v"] for row in rows(reader, query, exact=True, size=64 << 20)] == values


@pytest.mark.parametrize(
    ("value", "sql_type"),
    [(3, "int"), (-(2**40), "bigint"), (0.5, "float"), ("x'y", "nvarchar(20)"), (True, "bit")],
)
def test_values_are_bound_as_what_they_are(server, reader, value, sql_type):
    server.table("shop", "bound", {"v": sql_type}, [(value,), (None,)])
    query = QueryTask(name="q", sql="SELECT v FROM bound WHERE v = :v", params={"v": value})
    assert rows(reader, query) == [{"v": value}]
    assert not any(repr(value) in batch for batch in server.batches if "x'y" in batch)


def test_the_first_of_several_errors_names_what_is_wrong(reader):
    with pytest.raises(Failure) as caught:
        reader.describe(QueryTask(name="q", sql="SELECT x FROM nowhere"))
    assert caught.value.error_class is ErrorClass.SYNTAX
    assert "nowhere" in caught.value.message


def test_a_procedure_that_the_job_lists_gives_its_rows(server, reader):
    server.procedures["dbo.first"] = (("count",), "SELECT a FROM t WHERE a < @count")
    asked = {"name": "q", "sql": "EXEC dbo.first @count = :n", "params": {"n": 3}}
    listed = QueryTask(**asked, procedures=("dbo.first",))
    with reader.snapshot():
        assert rows(reader, listed) == [{"a": 0}, {"a": 1}, {"a": 2}]
    with pytest.raises(Failure) as caught:
        rows(reader, QueryTask(**asked))
    assert caught.value.error_class is ErrorClass.PERMISSION
