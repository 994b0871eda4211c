"""SQL Server's error numbers, said by the double and heard through a real driver."""

from contextlib import closing

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.readers.mssql_errors import NATIVES
from etltui.readers.registry import connect
from mssql_kit import DRIVERS, PASSWORD, serving, session_task

QUERY = QueryTask(name="q", sql="SELECT a FROM t")
SAID = {
    102: (ErrorClass.SYNTAX, 15),
    105: (ErrorClass.SYNTAX, 15),
    137: (ErrorClass.SYNTAX, 15),
    156: (ErrorClass.SYNTAX, 15),
    195: (ErrorClass.SYNTAX, 15),
    207: (ErrorClass.SYNTAX, 16),
    208: (ErrorClass.SYNTAX, 16),
    209: (ErrorClass.SYNTAX, 16),
    229: (ErrorClass.PERMISSION, 14),
    230: (ErrorClass.PERMISSION, 14),
    262: (ErrorClass.PERMISSION, 14),
    300: (ErrorClass.PERMISSION, 14),
    241: (ErrorClass.VALUE, 16),
    245: (ErrorClass.VALUE, 16),
    468: (ErrorClass.SYNTAX, 16),
    601: (ErrorClass.BUSY, 12),
    605: (ErrorClass.CORRUPT, 16),
    701: (ErrorClass.BUSY, 17),
    824: (ErrorClass.CORRUPT, 16),
    916: (ErrorClass.PERMISSION, 14),
    922: (ErrorClass.BUSY, 14),
    926: (ErrorClass.CORRUPT, 14),
    942: (ErrorClass.NO_DATABASE, 14),
    976: (ErrorClass.BUSY, 14),
    1105: (ErrorClass.BUSY, 17),
    1204: (ErrorClass.BUSY, 16),
    1205: (ErrorClass.BUSY, 13),
    1222: (ErrorClass.BUSY, 16),
    3906: (ErrorClass.PERMISSION, 16),
    3952: (ErrorClass.PERMISSION, 16),
    3958: (ErrorClass.BUSY, 16),
    3960: (ErrorClass.BUSY, 16),
    3961: (ErrorClass.BUSY, 16),
    8115: (ErrorClass.VALUE, 16),
    8134: (ErrorClass.VALUE, 16),
    8645: (ErrorClass.BUSY, 16),
    9002: (ErrorClass.BUSY, 17),
    40613: (ErrorClass.BUSY, 17),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("tds")) as made:
        made.table("shop", "t", {"a": "int"}, [(1,), (2,), (0,)])
        yield made


@pytest.fixture(scope="module", params=sorted(DRIVERS))
def reader(server, request):
    with closing(connect(session_task(server, "shop", DRIVERS[request.param]()))) as opened:
        yield opened


@pytest.mark.parametrize("number", sorted(SAID))
def test_an_error_has_its_class(server, reader, number):
    expected, level = SAID[number]
    assert NATIVES[number] is expected
    server.scripts[:] = []
    server.script("FROM t", number=number, words=f"scripted\n{PASSWORD}", level=level)
    with pytest.raises(Failure) as caught, reader.snapshot():
        reader.describe(QUERY)
    assert caught.value.error_class is expected
    assert str(number) in caught.value.message
    assert "\n" not in caught.value.message
    assert PASSWORD not in caught.value.message
    server.scripts[:] = []
    reader.ping()
    assert [column.type for column in reader.describe(QUERY)] == ["int"]


@pytest.mark.parametrize("number", [1205, 8134, 3960, 824])
def test_an_error_amid_rows_is_never_an_end(server, reader, number):
    server.scripts[:] = []
    reader.describe(QUERY)
    server.script("FROM t", number=number, words="amid rows", after=2)
    with (
        pytest.raises(Failure) as caught,
        reader.snapshot(),
        reader.read(QUERY, batch_bytes=lambda: 1 << 20, exact=False) as result,
    ):
        list(result.batches)
    assert caught.value.error_class is SAID[number][0]
    server.scripts[:] = []
    reader.ping()


LOGINS = {
    18456: ErrorClass.LOGIN,
    18452: ErrorClass.LOGIN,
    18470: ErrorClass.LOGIN,
    18486: ErrorClass.LOGIN,
    18487: ErrorClass.LOGIN,
    18488: ErrorClass.LOGIN,
    18461: ErrorClass.BUSY,
    17809: ErrorClass.BUSY,
    4060: ErrorClass.NO_DATABASE,
    4064: ErrorClass.NO_DATABASE,
    40615: ErrorClass.LOGIN,
}


@pytest.mark.parametrize("driver", sorted(DRIVERS))
@pytest.mark.parametrize("number", sorted(LOGINS))
def test_a_login_that_is_refused_says_why(server, driver, number):
    server.scripts[:] = []
    server.login_error = (number, f"no session for {PASSWORD}")
    try:
        with pytest.raises(Failure) as caught:
            connect(session_task(server, "shop", DRIVERS[driver]()))
    finally:
        server.login_error = None
    assert caught.value.error_class is LOGINS[number]
    assert PASSWORD not in caught.value.message


def test_a_class_for_enough_numbers():
    assert len(NATIVES) >= 80
