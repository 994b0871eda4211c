"""The driver manager's functions that read rows in blocks, on a connection that pyodbc has opened.

pyodbc hands out single values only; whole columns in one call are what makes ODBC fast. Both work
on the same connection, so there is one session at the server, one state that all queries see, and
one cancel. Names and numbers are those of the ODBC 3.8 reference.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar

LIBRARY = "libodbc.so.2"
_SUCCESS, _WITH_INFO, _NO_DATA = 0, 1, 100
_STATEMENT = 3
_DBMS_NAME = 17
NULL, NO_TOTAL = -1, -4
_INPUT = 1
_ROW_ERROR = 5
_WARNING = "01"
_FREETDS = range(20_000, 21_000)
"""FreeTDS's own numbers: a line that has ended it calls a warning."""
_COUNTABLE = 32_767
_MOST_RECORDS = 5

BIT, BIGINT, INTEGER, SMALLINT, TINYINT = -7, -5, 4, 5, -6
REAL, FLOAT, DOUBLE, NUMERIC, DECIMAL = 7, 6, 8, 2, 3
CHAR, VARCHAR, LONGVARCHAR, WCHAR, WVARCHAR, WLONGVARCHAR = 1, 12, -1, -8, -9, -10
BINARY, VARBINARY, LONGVARBINARY, GUID = -2, -3, -4, -11
DATE, TIME, TIMESTAMP = 91, 92, 93
C_BIT, C_BIGINT, C_DOUBLE, C_CHAR, C_WCHAR, C_BINARY = -7, -25, 8, 1, -8, -2
C_DATE, C_TIMESTAMP = 91, 93

_ATTR_QUERY_TIMEOUT, _ATTR_BIND_TYPE, _ATTR_ARRAY_SIZE = 0, 5, 27
_ATTR_STATUS, _ATTR_FETCHED = 25, 26
_DESC_UNSIGNED, _DESC_TYPE_NAME = 8, 14


class OdbcError(Exception):
    """What a driver said of a call that failed.

    Args:
        records: SQLSTATE, native code and text of each, the first one first.
    """

    def __init__(self, records: Sequence[tuple[str, int, str]]) -> None:
        self.records = tuple(records)
        super().__init__("; ".join(text for _, _, text in records))


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column of a result as the driver describes it.

    Attributes:
        sql_type: Its SQL type's number, which may be the driver's own.
        size: Characters, digits or bytes; 0 where the driver does not tell.
        digits: Behind the point, or of a fraction of a second.
        type_name: What the database calls its type.
    """

    name: str
    sql_type: int
    size: int = 0
    digits: int = 0
    unsigned: bool = False
    type_name: str = ""


@cache
def library() -> Any:
    """The driver manager.

    Raises:
        Failure: It is not installed.
    """
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise missing(str(error)) from error


def missing(why: str) -> Failure:
    """What to say where the driver manager is not installed."""
    return Failure(
        ErrorClass.DRIVER,
        f"ODBC needs {LIBRARY}: install unixodbc (apt install unixodbc); {why}",
    )


def connection_of(opened: Any) -> ctypes.c_void_p | None:
    """The driver manager's handle of a pyodbc connection; None where it is not where it was.

    pyodbc keeps it as the first field of its object. The driver manager knows its own handles, so
    whatever else might stand there is refused without being touched; and the two must name the
    same database.
    """
    handle = ctypes.c_void_p.from_address(id(opened) + object.__basicsize__)
    found = ctypes.create_string_buffer(256)
    length = ctypes.c_short()
    handle = ctypes.c_void_p(handle.value)
    code = library().SQLGetInfo(handle, _DBMS_NAME, found, 256, ctypes.byref(length))
    same = code in {_SUCCESS, _WITH_INFO} and found.value.decode(errors="replace") == (
        opened.getinfo(_DBMS_NAME)
    )
    return handle if same else None


class Statement:
    """One statement; everything but `cancel` comes from the connection's thread.

    Args:
        connection: As `connection_of` gave it.
    """

    def __init__(self, connection: ctypes.c_void_p) -> None:
        self._lib = library()
        self._handle: ctypes.c_void_p | None = ctypes.c_void_p()
        self._kept: list[Any] = []
        """What the driver has the address of."""
        self._bound: dict[int, tuple[int, Any]] = {}
        code = self._lib.SQLAllocHandle(_STATEMENT, connection, ctypes.byref(self._handle))
        if code not in {_SUCCESS, _WITH_INFO}:
            raise OdbcError([("08003", 0, "the connection takes no further statement")])

    def limit(self, seconds: int) -> None:
        """Ask the driver to end the statement after some time; not every driver can."""
        self._attribute(_ATTR_QUERY_TIMEOUT, ctypes.c_void_p(seconds), must=False)

    def prepare(self, sql: str, values: Sequence[Scalar] = ()) -> None:
        """Have the statement parsed, with values for its question marks; runs nothing.

        Raises:
            OdbcError: It is not understood.
        """
        text = sql.encode("utf-16-le", "surrogatepass")
        self._check(self._lib.SQLPrepareW(self._handle, text, len(text) // 2))
        for number, value in enumerate(values, 1):
            self._bind(number, value)

    def _bind(self, number: int, value: Scalar) -> None:
        c_type, sql_type, size, data, length = _parameter(value)
        indicator = ctypes.c_ssize_t(length)
        self._kept += [data, indicator]
        self._check(
            self._lib.SQLBindParameter(
                self._handle,
                ctypes.c_ushort(number),
                ctypes.c_short(_INPUT),
                ctypes.c_short(c_type),
                ctypes.c_short(sql_type),
                ctypes.c_size_t(size),
                ctypes.c_short(0),
                data if data is None else ctypes.byref(data),
                ctypes.c_ssize_t(max(0, length)),
                ctypes.byref(indicator),
            ),
        )

    def fields(self) -> tuple[Field, ...]:
        """The columns of the prepared or executed statement; none where it gives no rows."""
        count = ctypes.c_short()
        self._check(self._lib.SQLNumResultCols(self._handle, ctypes.byref(count)))
        return tuple(self._field(number) for number in range(1, count.value + 1))

    def _field(self, number: int) -> Field:
        name = ctypes.create_string_buffer(2 * 1024)
        length, kind, digits, nullable = (ctypes.c_short() for _ in range(4))
        size = ctypes.c_size_t()
        self._check(
            self._lib.SQLDescribeColW(
                self._handle,
                ctypes.c_ushort(number),
                name,
                ctypes.c_short(1024),
                ctypes.byref(length),
                ctypes.byref(kind),
                ctypes.byref(size),
                ctypes.byref(digits),
                ctypes.byref(nullable),
            ),
        )
        unsigned, type_name = self._described(number)
        size_known = 0 if size.value > 2**62 else size.value
        return Field(
            name=_text(name, length.value),
            sql_type=kind.value,
            size=size_known,
            digits=digits.value,
            unsigned=unsigned,
            type_name=type_name,
        )

    def _described(self, number: int) -> tuple[bool, str]:
        """What not every driver tells of a column: whether it is unsigned, its type's name."""
        buffer = ctypes.create_string_buffer(512)
        length, value = ctypes.c_short(), ctypes.c_ssize_t()
        ask = self._lib.SQLColAttributeW
        column = ctypes.c_ushort(number)
        code = ask(self._handle, column, _DESC_UNSIGNED, None, 0, None, ctypes.byref(value))
        unsigned = code in {_SUCCESS, _WITH_INFO} and bool(value.value)
        code = ask(self._handle, column, _DESC_TYPE_NAME, buffer, 512, ctypes.byref(length), None)
        named = code in {_SUCCESS, _WITH_INFO}
        return unsigned, _text(buffer, length.value // 2) if named else ""

    def execute(self) -> None:
        """Run the prepared statement.

        Raises:
            OdbcError: It failed.
        """
        code = self._lib.SQLExecute(self._handle)
        if code != _NO_DATA:
            self._check(code)

    def array(self, rows: int) -> "Fetch":
        """Let each fetch give so many rows."""
        fetch = Fetch(rows)
        self._kept.append(fetch)
        self._attribute(_ATTR_BIND_TYPE, ctypes.c_void_p(0))
        self._attribute(_ATTR_ARRAY_SIZE, ctypes.c_void_p(rows), must=rows > 1)
        self._attribute(_ATTR_STATUS, ctypes.byref(fetch.status), must=False)
        self._attribute(_ATTR_FETCHED, ctypes.byref(fetch.count), must=rows > 1)
        return fetch

    def memory(self, width: int, rows: int) -> tuple[Any, Any]:
        """Memory for a column: so many values side by side, and their lengths."""
        data = ctypes.create_string_buffer(width * rows)
        lengths = (ctypes.c_ssize_t * rows)()
        self._kept += [data, lengths]
        return data, lengths

    def bind(self, number: int, c_type: int, width: int, memory: tuple[Any, Any]) -> None:
        """Have the next fetches fill this memory with a column, counted from 1."""
        data, lengths = memory
        self._bound[number] = (width, lengths)
        self._check(
            self._lib.SQLBindCol(
                self._handle,
                ctypes.c_ushort(number),
                ctypes.c_short(c_type),
                data,
                ctypes.c_ssize_t(width),
                lengths,
            ),
        )

    def fetch(self, fetch: "Fetch") -> int:
        """Fill the columns with the next rows; 0 at their end.

        Raises:
            OdbcError: It failed, also where only one row did.
        """
        fetch.count.value = 0
        code = self._lib.SQLFetch(self._handle)
        if code == _NO_DATA:
            return 0
        self._check(code)
        count = fetch.count.value
        if code == _WITH_INFO:
            self._check_told(fetch, count)
        return count

    def _check_told(self, fetch: "Fetch", count: int) -> None:
        """Raise for what is more than a warning.

        FreeTDS says so of rows that end in an error, and gives no rows any more after that.
        """
        told = list(self._records(_COUNTABLE))
        if any(_is_error(state, native) for state, native, _ in told):
            raise OdbcError([each for each in told if _is_error(*each[:2])][:_MOST_RECORDS])
        # Drivers call a row an error, too, where a value was cut; its length tells which.
        if fetch.has_errors(count) and not self._has_cut(count):
            raise self._error()

    def _has_cut(self, count: int) -> bool:
        """Whether one of so many rows has a value that its memory could not hold."""
        return any(
            length > width or length < NULL
            for width, lengths in self._bound.values()
            for length in lengths[:count]
        )

    def cancel(self) -> None:
        """Interrupt what runs, from any thread."""
        if self._handle is not None:
            self._lib.SQLCancel(self._handle)

    def close(self) -> None:
        """Free the statement and what is left of its rows."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._lib.SQLFreeHandle(ctypes.c_short(_STATEMENT), handle)
        self._kept.clear()

    def _attribute(self, number: int, value: Any, *, must: bool = True) -> None:
        code = self._lib.SQLSetStmtAttr(self._handle, number, value, 0)
        if must:
            self._check(code)

    def _check(self, code: int) -> None:
        if code not in {_SUCCESS, _WITH_INFO}:
            raise self._error()

    def _error(self) -> OdbcError:
        records = list(self._records())
        # FreeTDS says nothing where its line has ended beneath it.
        return OdbcError(records or [("08S01", 0, "the driver failed and does not say why")])

    def _records(self, most: int = _MOST_RECORDS) -> Iterator[tuple[str, int, str]]:
        state = ctypes.create_string_buffer(2 * 6)
        text = ctypes.create_string_buffer(2 * 2048)
        native, length = ctypes.c_int(), ctypes.c_short()
        for number in range(1, most + 1):
            code = self._lib.SQLGetDiagRecW(
                ctypes.c_short(_STATEMENT),
                self._handle,
                ctypes.c_short(number),
                state,
                ctypes.byref(native),
                text,
                ctypes.c_short(2048),
                ctypes.byref(length),
            )
            if code not in {_SUCCESS, _WITH_INFO}:
                return
            yield _text(state, 5), native.value, _text(text, min(length.value, 2047))


class Fetch:
    """Where the driver tells what a fetch gave."""

    def __init__(self, rows: int) -> None:
        self.count = ctypes.c_size_t()
        self.status = (ctypes.c_ushort * rows)()

    def has_errors(self, count: int) -> bool:
        """Whether one of the rows could not be given."""
        return _ROW_ERROR in self.status[:count]


def _is_error(state: str, native: int) -> bool:
    return not state.startswith(_WARNING) or native in _FREETDS


def _text(buffer: Any, characters: int) -> str:
    return bytes(buffer.raw[: 2 * characters]).decode("utf-16-le", "replace")


def _parameter(value: Scalar) -> tuple[int, int, int, Any, int]:
    """C type, SQL type, size, memory and length of a bind value."""
    if value is None:
        return C_WCHAR, WVARCHAR, 1, None, NULL
    if isinstance(value, bool):
        return C_BIT, BIT, 1, ctypes.c_ubyte(value), 1
    if isinstance(value, int) and abs(value) < 2**63:
        return C_BIGINT, BIGINT, 19, ctypes.c_int64(value), 8
    if isinstance(value, float):
        return C_DOUBLE, DOUBLE, 15, ctypes.c_double(value), 8
    text = str(value).encode("utf-16-le", "surrogatepass")
    size = max(1, len(text) // 2)
    return C_WCHAR, WVARCHAR, size, ctypes.create_string_buffer(text, len(text) + 2), len(text)
