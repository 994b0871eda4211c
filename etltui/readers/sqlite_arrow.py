"""The fast lane: ADBC's Arrow batches of a SQLite query, taken only where each value is proved.

ADBC takes a column's type from the first batch and prints what does not fit later, numbers with
six decimals. So the query is wrapped. A first row of known values, cut off again, fixes every
column's type; a condition over each row stops the statement at the first value that would be
printed; what remains is proved by `sqlite_values`. Whatever goes wrong here, the rows lane reads
the query again and tells what it is.

A blocked call of ADBC cannot be interrupted: a cancel is seen between batches.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from adbc_driver_sqlite import StatementOptions, dbapi

from etltui.domain.columns import Column
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import RereadError
from etltui.readers.sqlite_sql import bare, numbered
from etltui.readers.sqlite_values import MisfitError, from_adbc

_ERRORS = (dbapi.Error, pa.ArrowException, OSError)
_GUESSED_ROW_BYTES = 512
"""Where no row could be looked at soon enough."""
_WIDEST_ROW = 16 * 1024
"""Bytes; wider rows are few, and the rows lane bounds them exactly."""
_FEWEST_ROWS, _MOST_ROWS = 256, 65_536
_WIDE, _WIDE_AT_LEAST = 16, 4096
"""A text of more characters than so many average rows, or than so many, ends the fast lane: the
rows of an ADBC batch are counted, not weighed."""

_STOP = "abs(-9223372036854775808)"
"""An integer overflow: the one way for plain SQL to end a statement with an error."""
_NUMBERS = ("int", "bool")
_BINARY = "binary"
_CHANGING = frozenset({"random", "randomblob", "changes", "total_changes", "last_insert_rowid"})
"""Functions that may answer the condition with one value and the result with another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A query wrapped for ADBC, with its bind values in order."""

    sql: str
    params: tuple[object, ...]
    batch_rows: int


def suits(columns: Sequence[Column], functions: frozenset[str], opcodes: frozenset[str]) -> bool:
    """Whether a query's values could be proved by this lane at all.

    Args:
        columns: Described; a mixed one holds what only Python can tell.
        functions: That the query calls.
        opcodes: Of its plan; a virtual table (`VOpen`) may do anything, unseen by an authorizer.
    """
    known = all(column.type not in {"mixed", "unknown"} for column in columns)
    return known and not functions & _CHANGING and "VOpen" not in opcodes


def wrap(
    sql: str,
    params: dict[str, Any],
    columns: Sequence[Column],
    *,
    row_bytes: int,
    batch_bytes: int,
) -> Statement | None:
    """The statement that ADBC shall run, None where the rows are too wide for this lane."""
    average = row_bytes or _GUESSED_ROW_BYTES
    if average > _WIDEST_ROW:
        return None
    inner, names = numbered(bare(sql))
    limit = max(_WIDE_AT_LEAST, _WIDE * average)
    own = [f"c{position}" for position in range(len(columns))]
    doubts = [
        doubt
        for name, column in zip(own, columns, strict=True)
        if (doubt := _doubt(name, column, limit))
    ]
    where = f" WHERE CASE WHEN {' OR '.join(doubts)} THEN {_STOP} ELSE 1 END" if doubts else ""
    wrapped = (
        f"WITH etltui_rows({', '.join(own)}) AS (\n{inner}\n) "  # noqa: S608 - running it is the task
        f"SELECT {', '.join(_first(column) for column in columns)} "
        f"UNION ALL SELECT * FROM etltui_rows{where}"
    )
    return Statement(
        sql=wrapped,
        params=tuple(params[name] for name in names),
        batch_rows=max(_FEWEST_ROWS, min(_MOST_ROWS, batch_bytes // average)),
    )


def _first(column: Column) -> str:
    """A value from which ADBC concludes the column's type."""
    if column.type in _NUMBERS:
        return "0"
    if column.type == "float" or column.type.startswith("decimal"):
        return "0.0"
    return "x''" if column.type == _BINARY else "''"


def _doubt(name: str, column: Column, limit: int) -> str:
    """The condition under which ADBC would print a value, or hold too much; empty for numbers.

    In SQLite's order numbers come before texts before blobs, so comparing tells the storage class
    faster than `typeof`. `+` takes a column's affinity away, which would turn a number into text.
    """
    if column.type in _NUMBERS or _first(column) == "0.0":
        return ""
    if column.type == _BINARY:
        return f"+{name} < x'' OR length({name}) > {limit}"
    strange = f"+{name} < '' OR +{name} >= x''"
    return f"{strange} OR length({name}) > {limit}" if column.type == "text" else strange


class ArrowLane:
    """ADBC's session on a file, opened on first use.

    Args:
        uri: Opens the file read-only.
        busy_s: How long to wait for somebody's lock.
    """

    def __init__(self, uri: str, *, busy_s: float) -> None:
        self._uri = uri
        self._busy_ms = int(busy_s * 1000)
        self._db: Any = None

    def _opened(self) -> Any:
        if self._db is None:
            db = dbapi.connect(self._uri, autocommit=True)
            try:
                for pragma in (
                    f"busy_timeout = {self._busy_ms}",
                    "query_only = 1",
                    "trusted_schema = 0",
                ):
                    _run(db, f"PRAGMA {pragma}")
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    def begin(self) -> bool:
        """Begin a read transaction; False where it could not be."""
        try:
            self._opened().adbc_connection.set_autocommit(False)
            _run(self._db, "SELECT 1 FROM sqlite_master LIMIT 1")
        except _ERRORS:
            self.end()
            return False
        return True

    def end(self) -> None:
        """Roll the transaction back, if there is one."""
        if self._db is not None:
            with suppress(*_ERRORS):
                self._db.rollback()
            with suppress(*_ERRORS):
                self._db.adbc_connection.set_autocommit(True)
                # A session may lie idle after its lease: it gives back what it has cached.
                _run(self._db, "PRAGMA shrink_memory")

    def batches(
        self,
        statement: Statement,
        columns: tuple[Column, ...],
        batch_bytes: Callable[[], int],
    ) -> Generator[pa.RecordBatch, None, None]:
        """The statement's rows; it begins with the first batch.

        Raises:
            RereadError: Something could not be proved; the rows lane knows whether it misfits.
        """
        schema = arrow_schema(columns)
        with _reread(), closing(self._opened().cursor()) as cursor:
            cursor.adbc_statement.set_options(
                **{StatementOptions.BATCH_ROWS.value: str(statement.batch_rows)},
            )
            cursor.execute(statement.sql, statement.params or None)
            with cursor.fetch_record_batch() as found:
                skip = 1
                while (batch := _next(found)) is not None:
                    arrays = _proved(batch.slice(skip), columns)
                    skip = 0
                    yield from _pieces(
                        pa.RecordBatch.from_arrays(arrays, schema=schema), batch_bytes
                    )

    def close(self) -> None:
        """End the session."""
        if self._db is not None:
            with suppress(*_ERRORS):
                self._db.close()
            self._db = None


def _run(db: Any, sql: str) -> None:
    with closing(db.cursor()) as cursor:
        cursor.execute(sql)
        cursor.fetchall()


def _next(found: Any) -> pa.RecordBatch | None:
    try:
        batch: pa.RecordBatch = found.read_next_batch()
    except StopIteration:
        return None
    return batch


@contextmanager
def _reread() -> Iterator[None]:
    """Whatever ADBC says, the rows lane finds out what it means."""
    try:
        yield
    except _ERRORS as error:
        words = " ".join(str(error).split())
        raise RereadError(f"ADBC: {words}") from error


def _proved(batch: pa.RecordBatch, columns: Sequence[Column]) -> list["pa.Array[Any]"]:
    arrays = []
    for position, column in enumerate(columns):
        try:
            arrays.append(from_adbc(column.type, batch.column(position)))
        except MisfitError:
            raise RereadError(f"{column.name} is not proved to be {column.type}") from None
    return arrays


def _pieces(batch: pa.RecordBatch, batch_bytes: Callable[[], int]) -> Iterator[pa.RecordBatch]:
    """The batch, cut where it weighs more than is wanted now."""
    start = 0
    while start < batch.num_rows:
        rest = batch.slice(start)
        rows = max(1, rest.num_rows * batch_bytes() // max(1, rest.nbytes))
        yield rest.slice(0, rows)
        start += rows
