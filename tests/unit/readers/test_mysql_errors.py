"""Every number that MySQL and MariaDB give a failure has the class that an operator needs."""

import re
import ssl

import pytest
from pymysql import err

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mysql_errors import class_of, failure_of


@pytest.mark.parametrize(
    ("named", "numbers"),
    [
        (ErrorClass.LOGIN, "1045 1251 1275 1524 1698 1820 1862 2059 3118 3955 4151"),
        (ErrorClass.NO_DATABASE, "1049"),
        (
            ErrorClass.PERMISSION,
            "1044 1104 1129 1130 1142 1143 1227 1290 1345 1356 1370 1449 1792 1836",
        ),
        (ErrorClass.SYNTAX, "1051 1052 1054 1060 1064 1146 1055 1305 1140 1193 4091 1295"),
        (ErrorClass.BUSY, "1021 1037 1040 1114 1203 1205 1213 1226 1461 1615 1206 3572"),
        (ErrorClass.TIMEOUT, "1317 1969 3024"),
        (
            ErrorClass.LOST,
            "1053 1077 1152 1158 1159 1160 1161 1927 2006 2013 2055 3169 4031 4183 1429",
        ),
        (ErrorClass.CORRUPT, "1030 1032 1034 1194 1195 1877"),
        (ErrorClass.VALUE, "1153 1264 1292 1366 1411 1690"),
        (ErrorClass.TLS, "2026 3159"),
        (ErrorClass.UNREACHABLE, "2003"),
    ],
)
def test_the_class_of_each_number(named, numbers):
    found = {number: class_of(int(number)) for number in numbers.split()}
    assert found == dict.fromkeys(numbers.split(), named)


def test_the_servers_words_in_one_line_with_their_number():
    failure = failure_of(err.ProgrammingError(1064, "You have an error\n  near 'x'"))
    assert failure.error_class is ErrorClass.SYNTAX
    assert failure.message == "You have an error near 'x'"
    assert failure.facts == {"errno": "1064"}


@pytest.mark.parametrize(
    ("error", "named", "words"),
    [
        (err.OperationalError(2013, "Lost connection"), ErrorClass.LOST, "session broke: Lost"),
        (err.InterfaceError(0, ""), ErrorClass.LOST, "session broke: InterfaceError"),
        (err.InternalError("Packet sequence number wrong"), ErrorClass.LOST, "number wrong"),
        (ConnectionResetError(104, "reset"), ErrorClass.LOST, "session broke: reset"),
        (BrokenPipeError(), ErrorClass.LOST, "session broke: BrokenPipeError"),
        (TimeoutError("timed out"), ErrorClass.TIMEOUT, "timed out"),
        (ssl.SSLError(1, "bad record"), ErrorClass.TLS, "bad record"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), ErrorClass.VALUE, "no"),
        (RuntimeError("**WARN**: Received LOAD_LOCAL"), ErrorClass.INTERNAL, "RuntimeError: "),
    ],
)
def test_what_happens_to_the_line(error, named, words):
    failure = failure_of(error)
    assert failure.error_class is named
    assert re.search(words, failure.message)


def test_a_failure_stays_what_it_is():
    failure = Failure(ErrorClass.BUSY, "words")
    assert failure_of(failure) is failure
