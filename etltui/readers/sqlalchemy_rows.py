"""The lane of any dialect: rows as its driver gives them, typed by the first of them."""

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.domain.task import QueryTask
from etltui.readers.sqlalchemy_errors import told
from etltui.readers.sqlalchemy_open import BEGINS, Opened
from etltui.readers.sqlalchemy_sql import as_core_text, bare, check_reading
from etltui.readers.sqlalchemy_values import claim, converter
from etltui.readers.sqlite_rows import RowsLane

_FIRST_ROWS = 200
"""Looked at before a column has a type; they are read once and given with the first batch."""
_INTERRUPTS = ("interrupt", "cancel")
"""What drivers call it."""


class _Ahead:
    """Rows of which the first have been read already."""

    def __init__(self, first: Sequence[Any], result: "sa.CursorResult[Any]") -> None:
        self._first = list(first)
        self._result = result

    def fetchmany(self, size: int, /) -> Sequence[Sequence[Any]]:
        """The next rows."""
        if self._first:
            given, self._first = self._first[:size], self._first[size:]
            return given
        with told():
            return self._result.fetchmany(size)


class RowsOfAny:
    """Reads queries of one connection, whatever its dialect.

    Args:
        opened: The connection.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._connection = opened.connection
        self._misfits: dict[str, set[int]] = {}
        self._result: sa.CursorResult[Any] | None = None

    def interrupt(self) -> None:
        """End what runs, from any thread, where the driver can."""
        result = self._result
        cursor = None if result is None else result.cursor
        for each in (self._opened.driver, cursor):
            for name in _INTERRUPTS:
                if callable(call := getattr(each, name, None)):
                    # A driver's cancel may fail in any way; the flag decides.
                    with suppress(Exception):
                        call()
                    return

    def begin(self) -> None:
        """What a transaction of this dialect begins with."""
        if (said := BEGINS.get(self._opened.dialect)) is not None:
            self._connection.exec_driver_sql(said)

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns as the first rows show them: most drivers tell only names."""
        # Within a transaction that goes on a refused statement might end it.
        alone = not self._connection.in_transaction()
        first, result = self._started(query, limited=alone)
        with told():
            names = list(result.keys())
            result.close()
        return _columns(names, first, set())

    def explain(self, query: QueryTask) -> str:
        """The plan, where the dialect understands EXPLAIN; empty where it does not."""
        check_reading(query.sql)
        prefix = "EXPLAIN QUERY PLAN" if self._opened.dialect == "sqlite" else "EXPLAIN"
        with told():
            text, values = _core(f"{prefix} {bare(query.sql)}", query)
            rows = self._connection.execute(sa.text(text), values).fetchall()
        return "\n".join(" | ".join("" if v is None else str(v) for v in row) for row in rows)

    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> tuple[tuple[Column, ...], Generator[pa.RecordBatch, None, None]]:
        """Run a query up to its first rows, which tell the columns' types."""
        misfits = self._misfits.setdefault(query.sql, set())
        if not exact:
            misfits.clear()
        first, result = self._started(query, limited=False)
        columns = _columns(list(result.keys()), first, misfits)
        lane = RowsLane(columns, misfits, batch_bytes, converter)
        return columns, self._batches(lane, first, result)

    def _batches(
        self,
        lane: RowsLane,
        first: Sequence[Any],
        result: "sa.CursorResult[Any]",
    ) -> Generator[pa.RecordBatch, None, None]:
        try:
            yield from lane.batches(_Ahead(first, result))
        finally:
            self.finish()

    def finish(self) -> None:
        """Free the statement that runs; never raises."""
        result, self._result = self._result, None
        if result is not None:
            with suppress(Exception):
                result.close()

    def _started(
        self,
        query: QueryTask,
        *,
        limited: bool,
    ) -> tuple[Sequence[Any], "sa.CursorResult[Any]"]:
        """A statement under way, with its first rows."""
        check_reading(query.sql)
        sql = bare(query.sql)
        streaming = self._connection.execution_options(
            stream_results=True,
            max_row_buffer=_FIRST_ROWS,
        )
        with told():
            result = self._limited(streaming, sql, query) if limited else None
            if result is None:
                text, values = _core(sql, query)
                result = streaming.execute(sa.text(text), values)
            if not result.returns_rows:
                raise Failure(ErrorClass.PERMISSION, "the statement gives no rows; write a SELECT")
            self._result = result
            return result.fetchmany(_FIRST_ROWS), result

    def _limited(
        self,
        connection: sa.Connection,
        sql: str,
        query: QueryTask,
    ) -> "sa.CursorResult[Any] | None":
        """The query cut off after its first rows by the server; None where that is refused.

        Some dialects take no ORDER BY in brackets, some no two columns of one name.
        """
        text, values = _core(sql, query)
        rows = sa.select(sa.text("*")).select_from(sa.text(f"(\n{text}\n) etltui_query"))
        try:
            return connection.execute(rows.limit(_FIRST_ROWS), values)
        except exc.SQLAlchemyError:
            connection.rollback()
            return None


def _core(sql: str, query: QueryTask) -> tuple[str, dict[str, Scalar]]:
    """A statement for SQLAlchemy's `text()`, and the values that it names."""
    text, used = as_core_text(sql, query.params)
    return text, {name: query.params[name] for name in used}


def _columns(
    names: Sequence[str],
    first: Sequence[Sequence[Any]],
    misfits: set[int],
) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=str(name),
            type="mixed" if number in misfits else claim(row[number] for row in first),
        )
        for number, name in enumerate(names)
    )
