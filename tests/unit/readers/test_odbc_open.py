"""Opening ODBC sessions: which driver, what is said to it, and what an operator hears."""

import importlib
import socket
import sys
import threading
import time
from contextlib import closing

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy
from etltui.domain.task import QueryTask
from etltui.readers import odbc_api
from etltui.readers.odbc_line import OdbcLine, connection_string
from etltui.readers.odbc_open import _completed, _family, open_line
from etltui.readers.registry import connect
from mysql_kit import mysql_task
from odbc_kit import (
    MARIADB,
    POSTGRESQL,
    SQLITE,
    mariadb_task,
    missing,
    odbc_task,
    postgresql_task,
    sqlite_task,
)
from postgresql_kit import session_task


def failure(task):
    with pytest.raises(Failure) as caught:
        connect(task)
    assert "\n" not in caught.value.message
    return caught.value


def needs(driver):
    if why := missing(driver):
        pytest.skip(why)


def test_values_of_any_kind_stand_in_a_connection_string():
    keys = {"Driver": "A B", "PWD": "x;y}z=1", "Plain": "p"}
    assert connection_string(keys) == "Driver={A B};PWD={x;y}}z=1};Plain=p"


@pytest.fixture
def without_driver_manager(monkeypatch):
    odbc_api.library.cache_clear()
    monkeypatch.setattr(odbc_api, "LIBRARY", "libodbc.so.none")
    yield monkeypatch
    odbc_api.library.cache_clear()


def test_without_a_driver_manager_the_package_to_install_is_named(without_driver_manager):
    with pytest.raises(Failure, match="apt install unixodbc") as caught:
        odbc_api.library()
    assert caught.value.error_class is ErrorClass.DRIVER
    without_driver_manager.setitem(sys.modules, "pyodbc", None)
    assert "apt install unixodbc" in failure(odbc_task({"Driver": SQLITE})).message


def test_m_5_sessions_are_aioodbc_s(tmp_path, monkeypatch):
    """It opens them and runs what controls them."""
    needs(SQLITE)
    file = tmp_path / "north.db"
    file.touch()
    cursors = importlib.import_module("aioodbc.cursor")
    heard, execute = [], cursors.Cursor.execute

    def hear(cursor, sql, *values):
        heard.append(sql)
        return execute(cursor, sql, *values)

    monkeypatch.setattr(cursors.Cursor, "execute", hear)
    with closing(connect(sqlite_task(file))) as reader, reader.snapshot():
        reader.ping()
    assert heard
    monkeypatch.setitem(sys.modules, "aioodbc", None)
    assert "aioodbc" in failure(sqlite_task(file)).message


def test_an_unknown_driver_is_answered_with_those_that_are_there():
    """N-36."""
    needs(SQLITE)
    said = failure(odbc_task({"Driver": "No Such Driver", "Server": "h"}))
    assert said.error_class is ErrorClass.DRIVER
    assert "No Such Driver" in said.message
    assert SQLITE in said.message


def test_an_unknown_data_source_is_answered_with_those_that_are_there(tmp_path, monkeypatch):
    needs(SQLITE)
    (tmp_path / "odbc.ini").write_text(f"[north]\nDriver={SQLITE}\nDatabase=/nowhere.db\n")
    monkeypatch.setenv("ODBCINI", str(tmp_path / "odbc.ini"))
    said = failure(odbc_task({"DSN": "south"}))
    assert said.error_class is ErrorClass.DRIVER
    assert "south" in said.message


def test_a_driver_that_cannot_be_loaded_is_named_without_the_secret():
    needs(SQLITE)
    said = failure(odbc_task({"Driver": "/tmp/hush/lib.so"}, password="hush"))
    assert said.error_class is ErrorClass.DRIVER
    assert "/tmp/***/lib.so" in said.message


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    needs(SQLITE)
    said = failure(sqlite_task(tmp_path / "none.db"))
    assert said.error_class is ErrorClass.NO_DATABASE
    assert said.message == f"there is no file {tmp_path}/none.db"
    assert not (tmp_path / "none.db").exists()


def test_what_reading_depends_on_is_said_whatever_the_operator_says():
    needs(POSTGRESQL)
    keys = {"Driver": POSTGRESQL, "boolsaschar": "1", "Fetch": "7", "Server": "h"}
    made = _completed(keys, _family(keys), odbc_task(keys, user="u", password="p"))
    assert "boolsaschar" not in made
    assert (made["BoolsAsChar"], made["UseDeclareFetch"], made["Fetch"]) == ("0", "1", "7")
    assert (made["UID"], made["PWD"]) == ("u", "p")


@pytest.mark.parametrize(
    ("driver", "own", "key"),
    [
        (POSTGRESQL, {}, "SSLmode"),
        (POSTGRESQL, {"sslmode": "disable"}, None),
        (MARIADB, {}, "SSLVERIFY"),
        (MARIADB, {"FORCETLS": "0"}, None),
    ],
)
def test_a_line_is_encrypted_and_verified_unless_the_url_says_how(driver, own, key):
    needs(driver)
    keys = {"Driver": driver, "Server": "h", **own}
    made = _completed(keys, _family(keys), odbc_task(keys))
    if key:
        assert made[key] in {"verify-full", "1"}
    else:
        assert not {"SSLmode", "SSLVERIFY"} & set(made)


def test_a_name_that_nobody_knows_and_a_port_where_nobody_listens():
    needs(POSTGRESQL)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert failure(postgresql_task("d", port=port)).error_class is ErrorClass.REFUSED
    task = odbc_task({"Driver": POSTGRESQL, "Server": "no.such.host.invalid", "Port": "1"})
    assert failure(task).error_class is ErrorClass.UNREACHABLE


@pytest.mark.parametrize("task_of", [postgresql_task, mariadb_task])
def test_a_server_that_says_nothing_costs_no_more_than_the_limit(task_of):
    """Drivers ignore ODBC's limit of a login: MariaDB's waits for ever."""
    needs(POSTGRESQL)
    needs(MARIADB)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        said = failure(task_of("d", port=silent.getsockname()[1], connect_timeout_s=1.0))
        took = time.monotonic() - started
    assert said.error_class is ErrorClass.TIMEOUT
    assert took < 6.0


@pytest.mark.server
def test_a_database_that_is_not_there(postgresql):
    needs(POSTGRESQL)
    assert failure(postgresql_task("etltui_none")).error_class is ErrorClass.NO_DATABASE
    postgresql.execute("SELECT 1")


@pytest.mark.server
@pytest.mark.usefixtures("mysql")
def test_a_login_that_is_refused_does_not_show_its_password():
    needs(MARIADB)
    said = failure(
        odbc_task(
            dict(mariadb_task("mysql").options),
            user="etltui_nobody",
            password="hush-hush",
        ),
    )
    assert said.error_class is ErrorClass.LOGIN
    assert "hush" not in said.message


@pytest.mark.server
def test_facts_name_server_database_clock_and_driver(postgresql):
    """N-9, N-18, N-19."""
    needs(POSTGRESQL)
    one, other = postgresql.database(), postgresql.database()
    facts = []
    for database in (one, one, other):
        reader = connect(postgresql_task(database))
        facts.append(reader.facts())
        reader.close()
    assert facts[0].product.startswith("PostgreSQL 1")
    assert facts[0].driver.startswith("psqlodbcw.so ")
    assert facts[0].encrypted is False
    assert abs(facts[0].skew_s) < 5
    assert facts[0].identity == facts[1].identity != facts[2].identity
    with closing(connect(session_task(one))) as native:
        itself = native.facts()
    assert (facts[0].identity, facts[0].started) == (itself.identity, itself.started)


@pytest.mark.server
def test_mariadb_is_the_same_database_whichever_driver_reads_it(mysql):
    """N-9."""
    needs(MARIADB)
    database = mysql.database()
    found = []
    for task in (mariadb_task(database), mysql_task(database)):
        with closing(connect(task)) as reader:
            found.append(reader.facts())
    assert found[0].identity == found[1].identity != ""
    assert abs(int(found[0].started) - int(found[1].started)) <= 1
    assert abs(found[0].skew_s) < 5


@pytest.mark.server
@pytest.mark.usefixtures("mysql")
def test_mariadb_cuts_nothing_whichever_driver_reads_it():
    needs(MARIADB)
    sql = "SELECT CAST(@@sql_select_limit AS CHAR) AS a, @@group_concat_max_len AS b"
    found = []
    for task in (mariadb_task("mysql"), mysql_task("mysql")):
        with (
            closing(connect(task)) as reader,
            reader.read(
                QueryTask(name="q", sql=sql), batch_bytes=lambda: 1000, exact=True
            ) as result,
        ):
            found += [row for batch in result.batches for row in batch.to_pylist()]
    assert found == [{"a": str(2**64 - 1), "b": 2**30}] * 2


@pytest.mark.server
def test_the_policy_reaches_the_session(postgresql):
    """N-31."""
    needs(POSTGRESQL)
    policy = ReadPolicy(isolation="committed", lock_timeout_s=7, maxdop=2)
    reader = connect(postgresql_task(postgresql.database(), policy=policy))
    asked = ("lock_timeout", "transaction_isolation", "max_parallel_workers_per_gather")
    sql = f"SELECT {', '.join(f'current_setting({name!r}) AS {name}' for name in asked)}"
    with reader.snapshot(), reader.read(
        QueryTask(name="q", sql=sql), batch_bytes=lambda: 1000, exact=False
    ) as result:  # fmt: skip
        (batch,) = result.batches
    reader.close()
    assert batch.to_pylist() == [dict(zip(asked, ("7s", "read committed", "1"), strict=True))]


@pytest.mark.server
@pytest.mark.usefixtures("mysql")
def test_texts_of_control_statements_keep_their_last_character():
    """As UTF-16 MariaDB's driver drops it where the text holds an Ø."""
    needs(MARIADB)
    line = open_line(mariadb_task("mysql"))
    assert line.rows("SELECT 'aØ', 'Ù付z'", seconds=5) == [("aØ", "Ù付z")]
    line.close()


def test_a_driver_that_never_comes_back_holds_nobody(tmp_path):
    needs(SQLITE)
    path = tmp_path / "a.db"
    path.touch()
    line = OdbcLine({"Driver": SQLITE, "Database": str(path)}, where="a.db", limit_s=5)
    hangs = threading.Event()
    started = time.monotonic()
    with pytest.raises(Failure) as caught:
        line.call(hangs.wait, seconds=0.2)
    assert caught.value.error_class is ErrorClass.TIMEOUT
    assert not line.usable
    with pytest.raises(Failure) as caught:
        line.check()
    assert caught.value.error_class is ErrorClass.LOST
    line.close()
    line.close()
    assert time.monotonic() - started < 5
    hangs.set()


def test_a_cancel_that_the_driver_does_not_hear_gives_the_session_up(tmp_path):
    needs(SQLITE)
    path = tmp_path / "a.db"
    path.touch()
    line = OdbcLine({"Driver": SQLITE, "Database": str(path)}, where="a.db", limit_s=5)
    hangs = threading.Event()
    asked = threading.Event()
    threading.Timer(0.1, line.cancel).start()
    started = time.monotonic()
    with pytest.raises(Failure) as caught:
        line.call(hangs.wait, interrupt=asked.set)
    assert caught.value.error_class is ErrorClass.CANCELLED
    assert time.monotonic() - started < 5
    assert asked.is_set()
    line.close()
    hangs.set()
