"""SQLSTATEs and the driver's own errors as classes of failure."""

import ssl

import asyncpg
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.postgresql_errors import failure_of
from etltui.readers.sqlstates import class_of

STATES = """
    lost        08000 08001 08003 08004 08006 08007 08P01 25P03 26000 57P01 57P02 57P05 58000 58030
    lost        HV00N
    login       0P000 28000 28P01 F0000
    no_database 3D000 57P04
    permission  25001 25006 42501 53400
    syntax      0A000 3F000 42000 42601 42602 42622 42703 42702 42803 42804 42846 42883 42P01 42P02
    syntax      42P10 42P18 21000 23505 38000 54001 P0001 P0002 HV00B
    value       22000 22001 22003 22007 22008 22012 22021 22023 22P02 22P05
    busy        40001 40P01 53000 53100 53200 53300 55000 55006 55P03 57P03 72000 HV001
    timeout     57014 25P04
    corrupt     58P01 58P02 XX000 XX001 XX002
    internal    25P02
"""
TABLE = [(state, line.split()[0]) for line in STATES.split("\n") for state in line.split()[1:]]


def test_the_table_is_long():
    assert len({state for state, _ in TABLE}) >= 60


@pytest.mark.parametrize(("state", "named"), TABLE)
def test_a_state_has_its_class(state, named):
    error = asyncpg.PostgresError.new({"C": state, "M": "the words", "S": "ERROR"})
    failure = failure_of(error)
    assert class_of(state) == failure.error_class == ErrorClass(named)
    assert failure.facts == {"sqlstate": state}
    assert failure.message.startswith("the words")


def test_the_whole_of_what_the_server_says_is_one_line():
    fields = {"C": "42703", "M": "no\ncolumn.", "D": "Detail.", "H": "Perhaps\tx.", "S": "ERROR"}
    assert failure_of(asyncpg.PostgresError.new(fields)).message == "no column. Detail. Perhaps x"


@pytest.mark.parametrize(
    ("error", "broken", "named", "words"),
    [
        (TimeoutError("late"), False, "timeout", "late"),
        (ssl.SSLError(1, "bad record"), False, "tls", "bad record"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), False, "value", "decode"),
        (TimeoutError(110, "no answer"), True, "lost", "the session broke: [Errno 110] no answer"),
        (ConnectionResetError(104, "reset"), False, "lost", "[Errno 104] reset"),
        (asyncpg.InterfaceError("connection is closed"), True, "lost", "the session broke"),
        (AssertionError(), True, "lost", "the session broke: AssertionError"),
        (asyncpg.InternalClientError("another operation"), False, "lost", "the session broke: an"),
        (asyncpg.InterfaceError("odd"), False, "internal", "InterfaceError: odd"),
        (KeyError("x"), False, "internal", "KeyError: 'x'"),
        (Failure(ErrorClass.DRIFT, "as it is"), True, "drift", "as it is"),
        (asyncpg.ConnectionDoesNotExistError("it was closed"), False, "lost", "it was closed"),
        (asyncpg.ConnectionDoesNotExistError(), False, "lost", "08003"),
        (asyncpg.PostgresError("no state"), False, "internal", "PostgresError: no state"),
    ],
)
def test_errors_of_the_driver_and_the_line(error, broken, named, words):
    failure = failure_of(error, broken=broken)
    assert failure.error_class == named
    assert words in failure.message
