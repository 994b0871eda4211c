"""A PostgreSQL session at a real server: cancelling, losing, limits, and what it may do there."""

import asyncio
import threading
from contextlib import closing, contextmanager
from decimal import Decimal

import asyncpg
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.extractors.lines import LineForm
from etltui.readers import postgresql, postgresql_line
from etltui.readers.postgresql import connect
from etltui.readers.reader import RereadError
from postgresql_kit import Relay, session_task

pytestmark = pytest.mark.server

PLAIN = LineForm(delimiter=",", quoting="minimal")
MANY = "SELECT g AS id, repeat('x', 200) AS t FROM generate_series(1, 2000000) AS g"
PROMISE_S = 2.0
SLACK_S = 1.5
LONG_S = 15.0
"""A bound that only a test that hangs reaches."""


@pytest.fixture(scope="module")
def database(postgresql):
    return postgresql.database("CREATE TABLE sales (id int, n numeric(38,10))")


@pytest.fixture
def reader(database):
    with closing(connect(session_task(database))) as opened:
        yield opened


@pytest.fixture
def gone(postgresql, database):
    """Wait until the server runs nothing there; how many sessions there were at most."""

    def wait(left=0):
        most, tick = 0, threading.Event()
        for _ in range(int(LONG_S * 50)):
            sessions = postgresql.sessions(database)
            most = max(most, len(sessions))
            if sum(row["state"] == "active" for row in sessions) <= left:
                return most
            tick.wait(0.02)
        raise AssertionError(sessions)

    return wait


def query(sql, **options):
    return QueryTask(name="q", sql=sql, params=options.pop("params", {}), **options)


@contextmanager
def opened(reader, lane, sql, **options):
    asked = query(sql, **options)
    if lane == "lines":
        reading = reader.lines(asked, form=PLAIN, batch_bytes=lambda: 100_000)
    else:
        reading = reader.read(asked, batch_bytes=lambda: 100_000, exact=False)
    with reader.snapshot(), reading as result:
        yield result


def failing(work):
    with pytest.raises(Failure) as caught:
        work()
    return caught.value


def in_thread(work):
    """Do the work elsewhere; the failure it met is in the list when the thread has ended."""
    caught = []

    def run():
        try:
            work()
        except Failure as error:
            caught.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, caught


LANES = pytest.mark.parametrize("lane", ["lines", "values"])


def until_active(postgresql, database, word):
    tick = threading.Event()
    for _ in range(int(LONG_S * 100)):
        for row in postgresql.sessions(database):
            if row["state"] == "active" and word in row["query"]:
                return row["pid"]
        tick.wait(0.01)
    raise AssertionError(f"{word} never ran")


@LANES
def test_cancel_of_a_query_that_sleeps(postgresql, database, reader, gone, lane):
    def work():
        with opened(reader, lane, "SELECT 1 AS a, pg_sleep(60)::text AS b") as result:
            list(result.batches)

    thread, caught = in_thread(work)
    until_active(postgresql, database, "pg_sleep")
    reader.cancel()
    thread.join(PROMISE_S + SLACK_S)
    assert not thread.is_alive()
    assert [error.error_class for error in caught] == [ErrorClass.CANCELLED]
    assert gone() <= 1
    with opened(reader, lane, "SELECT 1 AS a, 2 AS b") as result:
        assert sum(batch.num_rows for batch in result.batches) == 1


def test_a_cancel_goes_to_the_server_that_answered(database, gone, monkeypatch):
    with closing(connect(session_task(database))) as reader:
        # The name may mean another server by now: nobody may ask again.
        monkeypatch.setattr(postgresql_line, "found", None)
        with opened(reader, "values", MANY) as result:
            next(result.batches)
            reader.cancel()
            assert failing(lambda: list(result.batches)).error_class is ErrorClass.CANCELLED
        assert not reader._wire.connection.is_closed()
    gone()


@LANES
def test_cancel_amid_rows(reader, gone, lane):
    with opened(reader, lane, MANY) as result:
        next(result.batches)
        reader.cancel()
        assert failing(lambda: list(result.batches)).error_class is ErrorClass.CANCELLED
    assert gone() <= 1
    reader.ping()
    with opened(reader, lane, "SELECT 1 AS a, 2 AS b") as result:
        assert sum(batch.num_rows for batch in result.batches) == 1


@LANES
def test_a_block_left_amid_rows_ends_the_query(reader, gone, lane):
    with opened(reader, lane, MANY) as result:
        next(result.batches)
    gone()
    reader.ping()


@LANES
def test_closing_amid_rows_ends_the_session(database, gone, lane):
    reader = connect(session_task(database))
    with opened(reader, lane, MANY) as result:
        next(result.batches)
        reader.close()
        reader.cancel()
    gone()


@LANES
def test_a_session_that_is_ended_amid_rows_is_lost(postgresql, database, reader, lane):
    with opened(reader, lane, MANY) as result:
        next(result.batches)
        (row,) = postgresql.sessions(database)
        postgresql.execute(f"SELECT pg_terminate_backend({row['pid']})")
        assert failing(lambda: list(result.batches)).error_class is ErrorClass.LOST
    assert failing(reader.ping).error_class is ErrorClass.LOST
    assert failing(lambda: reader.describe(query("SELECT 1"))).error_class is ErrorClass.LOST


def test_a_session_that_ends_behind_an_answer_is_lost(monkeypatch, reader):
    prepare = asyncpg.Connection.prepare

    async def answered(self, *arguments, **options):
        statement = await prepare(self, *arguments, **options)
        self.terminate()
        await asyncio.sleep(0)
        return statement

    monkeypatch.setattr(asyncpg.Connection, "prepare", answered)
    failure = failing(lambda: reader.describe(query("SELECT 1 AS a")))
    assert failure.error_class is ErrorClass.LOST


@LANES
def test_the_server_ends_a_query_that_nobody_watches(reader, lane):
    for _ in range(2):
        sql = "SELECT 1 AS a, pg_sleep(60)::text AS b"
        with opened(reader, lane, sql, limit_s=0.1) as result:
            failure = failing(lambda: list(result.batches))
        assert failure.error_class is ErrorClass.TIMEOUT
        assert failure.facts == {"sqlstate": "57014"}
    with opened(reader, lane, "SELECT 1 AS a, pg_sleep(0.4)::text AS b") as result:
        assert sum(batch.num_rows for batch in result.batches) == 1


def test_a_query_that_waits_for_a_lock_can_be_cancelled(postgresql, database, reader):
    with closing(connect(session_task(database))) as other:
        other._wire.run(
            other._wire.connection.execute(
                "BEGIN READ WRITE; LOCK TABLE sales IN ACCESS EXCLUSIVE MODE",
            ),
        )
        thread, caught = in_thread(lambda: reader.describe(query("SELECT * FROM sales")))
        until_active(postgresql, database, "SELECT * FROM sales")
        reader.cancel()
        thread.join(PROMISE_S + SLACK_S)
    assert [error.error_class for error in caught] == [ErrorClass.CANCELLED]
    reader.ping()
    assert reader.describe(query("SELECT id FROM sales"))[0].type == "int"


def test_describing_holds_no_lock(postgresql, database, reader):
    reader.describe(query("SELECT * FROM sales"))
    (row,) = postgresql.sessions(database)
    assert row["state"] == "idle"


def test_a_cancel_between_two_pulls_holds_until_the_next_snapshot(reader):
    reader.cancel()
    reading = reader.read(query("SELECT 1"), batch_bytes=lambda: 1, exact=False)
    assert failing(reading.__enter__).error_class is ErrorClass.CANCELLED
    assert failing(lambda: reader.describe(query("SELECT 1"))).error_class is ErrorClass.CANCELLED
    with opened(reader, "values", "SELECT 1") as result:
        assert len(list(result.batches)) == 1


def test_a_cancel_that_comes_late_hits_nothing_new(reader):
    reader.cancel()
    with opened(reader, "values", "SELECT 1") as result:
        assert len(list(result.batches)) == 1


def test_the_session_says_who_it_is_and_what_holds_there(reader):
    settings = {
        "application_name": "etltui",
        "client_connection_check_interval": "1s",
        "IntervalStyle": "postgres",
        "TimeZone": "UTC",
        "transaction_isolation": "repeatable read",
        "transaction_read_only": "on",
    }
    sql = "SELECT " + ", ".join(f"current_setting('{name}') AS s_{name}" for name in settings)
    with opened(reader, "values", sql) as result:
        (row,) = next(result.batches).to_pylist()
    assert list(row.values()) == list(settings.values())


WRITES = [
    "WITH gone AS (DELETE FROM sales RETURNING *) SELECT * FROM gone",
    "SELECT id, id FROM sales FOR UPDATE",
    "SELECT 1 AS a, set_config('transaction_read_only', 'off', true) AS b",
    "DELETE FROM sales RETURNING id, id",
    "COPY sales TO STDOUT",
    "BEGIN; DELETE FROM sales",
    "SELECT 1) TO STDOUT; DELETE FROM sales; --",
    "SELECT 1; DELETE FROM sales",
    "COMMIT",
    "SELECT 1 AS a, 2 AS b INTO gone",
]


@LANES
@pytest.mark.parametrize("sql", WRITES)
def test_nothing_can_be_written(reader, lane, sql):
    def work():
        with opened(reader, lane, sql) as result:
            list(result.batches)

    assert failing(work).error_class in {ErrorClass.PERMISSION, ErrorClass.SYNTAX}
    reader.ping()


def test_a_value_cannot_leave_its_place(reader):
    hostile = "x'); DELETE FROM sales; --\\"
    sql = r"SELECT :a AS a, ':a' AS b, E'\':a' AS c, $$ :a $$ AS d, :a::text || :b AS e -- :a"
    with opened(reader, "values", sql, params={"a": hostile, "b": "$1"}) as result:
        (row,) = next(result.batches).to_pylist()
    assert row == {"a": hostile, "b": ":a", "c": "':a", "d": " :a ", "e": f"{hostile}$1"}


def test_values_have_the_type_that_the_server_wants(reader):
    sql = (
        "SELECT :day::date + 1 AS d, 2 * :n AS e, :flag AND true AS f, "
        "3 = ANY(:many) AS g, :nothing::int AS h, 'ab'::char(2) = :pad AS i"
    )
    params = {"day": "2026-11-21", "n": 1, "flag": True, "many": "{1,3}", "nothing": None,
              "pad": "ab"}  # fmt: skip
    with opened(reader, "values", sql, params=params) as result:
        (row,) = next(result.batches).to_pylist()
    assert [str(value) for value in row.values()] == [
        "2026-11-22", "2", "True", "True", "None", "True",
    ]  # fmt: skip


def test_a_value_of_the_wrong_type_is_the_values_fault(reader):
    def work():
        with opened(reader, "values", "SELECT 1 + :n", params={"n": "x"}) as result:
            list(result.batches)

    assert failing(work).error_class is ErrorClass.VALUE


@pytest.mark.parametrize("sql", ["SELECT", "SELECT FROM sales"])
def test_a_query_without_columns_is_refused(reader, sql):
    failure = failing(lambda: reader.describe(query(sql)))
    assert (failure.error_class, failure.message) == (
        ErrorClass.SYNTAX,
        "the query gives no columns",
    )


def test_numerics_are_exact(reader):
    """N-16."""
    long = "1234567890123456789012345678.0123456789"
    sql = (
        f"SELECT {long}::numeric(38,10) AS a, sum(n) AS b, {long}::numeric AS c, 0.1 AS d, "
        "'NaN'::numeric AS e, 1e30::numeric AS f, NULL::numeric AS g "
        f"FROM (VALUES ({long}), (0.0000000001)) AS v (n)"
    )
    assert [c.type for c in reader.describe(query(sql))] == ["decimal(38,10)", *["mixed"] * 6]
    with opened(reader, "values", sql) as result:
        (row,) = next(result.batches).to_pylist()
    assert row["a"] == Decimal(long)
    assert row["b"] == {"text": "1234567890123456789012345678.0123456790", "number": False}
    assert row["c"] == {"text": long, "number": False}
    assert row["d"] == {"text": "0.1", "number": True}
    assert row["e"] == {"text": "NaN", "number": False}
    assert row["f"] == {"text": "1" + "0" * 30, "number": True}
    assert row["g"] is None


def test_domains_and_types_of_extensions(postgresql, database, reader):
    postgresql.execute(
        "CREATE DOMAIN price AS numeric(9,3) CHECK (VALUE >= 0)",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE TYPE pair AS (a int, b text)",
        database=database,
    )
    sql = (
        "SELECT 1.5::price AS p, 'ok'::mood AS m, ROW(1, 'x,y')::pair AS r, ARRAY[1.5::price] AS a"
    )
    with opened(reader, "values", sql) as result:
        assert [c.type for c in result.columns] == ["decimal(9,3)", "text", "text", "text"]
        (row,) = next(result.batches).to_pylist()
    assert row == {"p": Decimal("1.500"), "m": "ok", "r": '(1,"x,y")', "a": "{1.500}"}


@LANES
def test_text_that_is_not_utf8_is_refused(postgresql, lane):
    name = f"{postgresql.database()}_ascii"
    postgresql.execute(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'",
    )
    postgresql.databases.append(name)
    postgresql.execute(
        "CREATE TABLE odd AS SELECT 1 AS a, convert_from('\\xff'::bytea, 'SQL_ASCII') AS b",
        database=name,
    )
    with (
        closing(connect(session_task(name))) as reader,
        opened(reader, lane, "SELECT * FROM odd") as result,
    ):
        failure = failing(lambda: list(result.batches))
    assert failure.error_class is ErrorClass.VALUE
    assert failure.facts == {"sqlstate": "22021"}


def test_a_database_in_another_encoding_is_read_as_utf8(postgresql):
    name = postgresql.database()
    postgresql.execute(
        f"CREATE DATABASE {name}_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    )
    postgresql.databases.append(f"{name}_latin")
    with (
        closing(connect(session_task(f"{name}_latin"))) as reader,
        opened(reader, "lines", "SELECT 1 AS a, 'Ä' AS b") as result,
    ):
        assert next(result.batches).data == "1,Ä\n".encode()


def test_misfits_are_learned_one_reading_after_the_other(reader):
    asked = query("SELECT 1 AS i, date 'infinity' AS d, time '24:00' AS t")

    def reading(lane):
        options = {"form": PLAIN} if lane == reader.lines else {"exact": True}
        with reader.snapshot(), lane(asked, batch_bytes=lambda: 1000, **options) as result:
            types.append([column.type for column in result.columns])
            return next(result.batches)

    types = []
    for lane in (reader.lines, reader.read):
        with pytest.raises(RereadError):
            reading(lane)
    (row,) = reading(reader.read).to_pylist()
    assert types == [["int", "date", "time"], ["int", "mixed", "time"], ["int", "mixed", "mixed"]]
    assert row["d"] == {"text": "infinity", "number": False}
    assert row["t"] == {"text": "24:00:00", "number": False}
    with reader.read(asked, batch_bytes=lambda: 1000, exact=False) as afresh:
        assert [column.type for column in afresh.columns] == types[0]


def test_a_query_is_prepared_once_in_a_snapshot(reader):
    asked = query("SELECT :a::int AS a", params={"a": 1})
    with reader.snapshot():
        first = reader._statement(asked)
        assert reader._statement(asked) is first
    assert reader._prepared is None


def test_rows_that_are_missing_are_a_lost_session(reader):
    with opened(reader, "lines", "SELECT 1 AS a, 2 AS b") as result:
        batch = next(result.batches)
        copy = result.batches.gi_frame.f_locals["copy"]
        assert batch.num_rows == 1
        assert list(result.batches) == []
    failure = failing(lambda: copy.check_rows(2))
    assert failure.error_class is ErrorClass.LOST
    assert failure.message == "2 rows arrived, but the server says COPY 1"


def test_a_user_that_may_not_read(postgresql, database):
    role = postgresql.role("LOGIN")
    with closing(connect(session_task(database, user=role))) as reader:

        def work():
            with opened(reader, "values", "SELECT * FROM sales") as result:
                list(result.batches)

        assert failing(work).error_class is ErrorClass.PERMISSION


def test_the_local_server_offers_no_tls(postgresql, database):
    (row,) = postgresql.execute("SHOW ssl")
    if row["ssl"] == "on":
        pytest.skip("this server offers TLS")
    assert (
        failing(lambda: connect(session_task(database, options={}))).error_class is ErrorClass.TLS
    )


def test_a_socket_of_this_machine(postgresql, database):
    (row,) = postgresql.execute("SHOW unix_socket_directories")
    folder = row["unix_socket_directories"].partition(",")[0]
    with closing(connect(session_task(database, host=folder, options={}))) as reader:
        reader.ping()
        with opened(reader, "values", "SELECT 1.5::numeric(9,1) AS a") as result:
            assert result.columns[0].type == "decimal(9,1)"


@pytest.fixture
def relay():
    with closing(Relay()) as made:
        yield made


@LANES
def test_a_line_that_is_cut_amid_rows_is_lost(database, relay, gone, lane):
    with closing(connect(session_task(database, host="127.0.0.1", port=relay.port))) as reader:
        with opened(reader, lane, MANY) as result:
            next(result.batches)
            relay.cut()
            assert failing(lambda: list(result.batches)).error_class is ErrorClass.LOST
        assert failing(reader.ping).error_class is ErrorClass.LOST
    gone()


@LANES
def test_a_line_that_goes_silent_holds_up_no_cancel(database, relay, gone, lane):
    reader = connect(session_task(database, host="127.0.0.1", port=relay.port))
    started = threading.Event()

    def work():
        with opened(reader, lane, MANY) as result:
            next(result.batches)
            relay.silent.set()
            started.set()
            list(result.batches)

    thread, caught = in_thread(work)
    assert started.wait(LONG_S)
    reader.cancel()
    thread.join(PROMISE_S + SLACK_S)
    assert not thread.is_alive()
    assert [error.error_class for error in caught] == [ErrorClass.CANCELLED]
    closer, _ = in_thread(reader.close)
    closer.join(PROMISE_S + SLACK_S)
    assert not closer.is_alive()
    relay.close()
    gone()


def test_a_silent_line_fails_the_ping_and_closes_at_once(database, relay, monkeypatch):
    monkeypatch.setattr(postgresql, "PING_S", 0.1)
    reader = connect(session_task(database, host="127.0.0.1", port=relay.port))
    relay.silent.set()
    failure = failing(reader.ping)
    assert failure.error_class is ErrorClass.TIMEOUT
    assert failure.message == "the server did not answer within 0.1 s"
    closer, _ = in_thread(reader.close)
    closer.join(PROMISE_S + SLACK_S)
    assert not closer.is_alive()


def test_a_silent_line_begins_no_snapshot(database, relay, monkeypatch):
    monkeypatch.setattr(postgresql, "ANSWER_S", 0.1)
    with closing(connect(session_task(database, host="127.0.0.1", port=relay.port))) as reader:
        relay.silent.set()
        assert failing(reader.snapshot().__enter__).error_class is ErrorClass.TIMEOUT


def test_describing_waits_for_no_lock_for_ever(database, reader, monkeypatch):
    monkeypatch.setattr(postgresql, "ANSWER_S", 0.1)
    with closing(connect(session_task(database))) as other:
        lock = "BEGIN READ WRITE; LOCK TABLE sales IN ACCESS EXCLUSIVE MODE"
        other._wire.run(other._wire.connection.execute(lock))
        failure = failing(lambda: reader.describe(query("SELECT * FROM sales")))
    assert failure.error_class is ErrorClass.TIMEOUT
    assert len(reader.describe(query("SELECT * FROM sales"))) == 2


def test_a_copy_given_up_when_its_last_rows_are_here_leaves_the_session_usable(postgresql):
    """The server's end may have come with a block that nobody has taken yet."""
    database = postgresql.database(
        "CREATE TABLE t AS SELECT g AS id, "
        "CASE g WHEN 10 THEN 'NaN'::numeric ELSE g END::numeric(38,10) AS n "
        "FROM generate_series(1, 8000) AS g",
    )
    with closing(connect(session_task(database))) as reader:
        for count in range(3000, 8000, 500):
            query = QueryTask(name="q", sql=f"SELECT * FROM t WHERE id <= {count}")
            with reader.snapshot():
                with (
                    pytest.raises(RereadError),
                    reader.read(query, batch_bytes=lambda: 1, exact=False) as result,
                ):
                    next(result.batches)
                with reader.read(query, batch_bytes=lambda: 1, exact=True) as result:
                    assert sum(batch.num_rows for batch in result.batches) == count
