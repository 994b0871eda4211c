"""What SQLSTATEs, and the servers' own codes behind them, become to an operator."""

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers import mysql_errors
from etltui.readers.odbc_api import OdbcError
from etltui.readers.odbc_errors import MARIADB, class_of, failure_of
from etltui.readers.odbc_open import family_of

STATES = {
    "01004": ErrorClass.VALUE,
    "07002": ErrorClass.SYNTAX,
    "08001": ErrorClass.UNREACHABLE,
    "08003": ErrorClass.LOST,
    "08004": ErrorClass.LOGIN,
    "08S01": ErrorClass.LOST,
    "0A000": ErrorClass.SYNTAX,
    "22003": ErrorClass.VALUE,
    "22012": ErrorClass.VALUE,
    "25006": ErrorClass.PERMISSION,
    "28000": ErrorClass.LOGIN,
    "28P01": ErrorClass.LOGIN,
    "3D000": ErrorClass.NO_DATABASE,
    "40001": ErrorClass.BUSY,
    "40P01": ErrorClass.BUSY,
    "42000": ErrorClass.SYNTAX,
    "42501": ErrorClass.PERMISSION,
    "42S02": ErrorClass.SYNTAX,
    "42P01": ErrorClass.SYNTAX,
    "53300": ErrorClass.BUSY,
    "55P03": ErrorClass.BUSY,
    "57014": ErrorClass.TIMEOUT,
    "57P01": ErrorClass.LOST,
    "57P03": ErrorClass.BUSY,
    "70100": ErrorClass.TIMEOUT,
    "HY008": ErrorClass.CANCELLED,
    "HY010": ErrorClass.LOST,
    "HYT00": ErrorClass.TIMEOUT,
    "HYT01": ErrorClass.TIMEOUT,
    "IM002": ErrorClass.DRIVER,
    "IM003": ErrorClass.DRIVER,
    "IM004": ErrorClass.DRIVER,
    "S0002": ErrorClass.SYNTAX,
    "XX001": ErrorClass.CORRUPT,
    "ZZ999": ErrorClass.SYNTAX,
}
NATIVES = {
    1040: ErrorClass.BUSY,
    1044: ErrorClass.PERMISSION,
    1045: ErrorClass.LOGIN,
    1049: ErrorClass.NO_DATABASE,
    1054: ErrorClass.SYNTAX,
    1064: ErrorClass.SYNTAX,
    1142: ErrorClass.PERMISSION,
    1146: ErrorClass.SYNTAX,
    1205: ErrorClass.BUSY,
    1213: ErrorClass.BUSY,
    1290: ErrorClass.PERMISSION,
    1792: ErrorClass.PERMISSION,
    1927: ErrorClass.LOST,
    1969: ErrorClass.TIMEOUT,
    2003: ErrorClass.REFUSED,
    2005: ErrorClass.UNREACHABLE,
    2006: ErrorClass.LOST,
    2013: ErrorClass.LOST,
    2026: ErrorClass.TLS,
}
WORDS = {
    'FATAL: password authentication failed for user "x"': ErrorClass.LOGIN,
    'FATAL: database "x" does not exist': ErrorClass.NO_DATABASE,
    "unable to open database file": ErrorClass.NO_DATABASE,
    "connect failed": ErrorClass.NO_DATABASE,
    "sorry, too many clients already": ErrorClass.BUSY,
    "database is locked": ErrorClass.BUSY,
    "attempt to write a readonly database": ErrorClass.PERMISSION,
    "file is not a database": ErrorClass.CORRUPT,
    "server does not support SSL, but SSL was required": ErrorClass.TLS,
    "certificate verify failed": ErrorClass.TLS,
    "could not translate host name": ErrorClass.UNREACHABLE,
    "connection refused": ErrorClass.REFUSED,
    "timeout expired": ErrorClass.TIMEOUT,
    "server closed the connection unexpectedly": ErrorClass.LOST,
    "interrupted": ErrorClass.CANCELLED,
    "Can't open lib '/x.so' : file not found": ErrorClass.DRIVER,
}


@pytest.mark.parametrize(("state", "kind"), STATES.items())
def test_a_state_has_its_class(state, kind):
    assert class_of(state, 0, "whatever") is kind


@pytest.mark.parametrize(("native", "kind"), NATIVES.items())
def test_a_server_s_own_number_says_more_than_the_state(native, kind):
    assert class_of("HY000", native, "timeout expired", MARIADB) is kind


@pytest.mark.parametrize(
    ("driver", "native", "kind"),
    [
        ("MariaDB Unicode", 1290, ErrorClass.PERMISSION),
        ("FreeTDS", 1222, ErrorClass.BUSY),
        ("ODBC Driver 18 for SQL Server", 1222, ErrorClass.BUSY),
        ("Oracle 21 ODBC driver", 1290, ErrorClass.SYNTAX),
    ],
)
def test_a_number_means_what_it_means_at_its_own_server(driver, native, kind):
    assert class_of("HY000", native, "said", family_of(driver).natives) is kind


def test_both_drivers_of_mariadb_tell_its_numbers_alike():
    server = [number for number in MARIADB if not 2000 <= number < 3000 and number != 5004]
    assert {n: MARIADB[n] for n in server} == {n: mysql_errors.class_of(n) for n in server}


@pytest.mark.parametrize(("words", "kind"), WORDS.items())
@pytest.mark.parametrize("state", ["HY000", "08001"])
def test_words_decide_where_the_state_is_vague(words, kind, state):
    assert class_of(state, 0, words) is kind


def test_words_do_not_overrule_a_state_that_is_clear():
    assert class_of("42S02", 0, "table certificate does not exist") is ErrorClass.SYNTAX


def test_what_pyodbc_says_becomes_one_line_with_its_code():
    error = RuntimeError(
        "42S02",
        "[42S02] [ma-3.1.15][10.11]Table 'd.x'\ndoesn't exist (1146) (SQLExecDirectW)",
    )
    failure = failure_of(error)
    assert failure.error_class is ErrorClass.SYNTAX
    assert failure.message == "Table 'd.x' doesn't exist (SQLSTATE 42S02, 1146)"
    assert failure.facts == {"sqlstate": "42S02", "native": "1146"}


def test_all_records_are_told_each_once():
    failure = failure_of(
        OdbcError(
            [("HY000", 7, "[x][y] one."), ("HY000", 7, "[x] one"), ("HY000", 8, "two;\nthree")],
        ),
    )
    assert failure.message == "one; two; three (SQLSTATE HY000, 7)"


def test_a_driver_that_is_not_there_names_the_way_out():
    failure = failure_of(OdbcError([("IM002", 0, "Data source name not found")]))
    assert failure.error_class is ErrorClass.DRIVER
    assert "odbcinst -q -d" in failure.message


def test_a_session_that_pyodbc_finds_closed_is_lost():
    failure = failure_of(RuntimeError("The cursor's connection has been closed."))
    assert failure.error_class is ErrorClass.LOST


def test_what_is_no_driver_s_word_is_ours():
    assert failure_of(KeyError("x")).error_class is ErrorClass.INTERNAL
    known = Failure(ErrorClass.BUSY, "wait")
    assert failure_of(known) is known
