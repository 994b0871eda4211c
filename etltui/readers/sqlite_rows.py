"""The rows lane: a cursor's rows into Arrow batches, every value proved or kept as mixed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import RereadError
from etltui.readers.sqlite_values import MisfitError, from_python

_FIRST_ROWS = 16
_MOST_ROWS = 1024
"""Rows taken at once: enough to make Arrow's cost per call small, few enough to bound what a
sudden run of long values can hold in memory."""
_STEPS_A_BATCH = 4


class Rows(Protocol):
    """Where rows come from, such as a cursor of sqlite3."""

    def fetchmany(self, size: int, /) -> Sequence[Sequence[Any]]:
        """The next rows, at most so many; none at the end."""
        ...


class RowsLane:
    """Batches of one statement.

    Args:
        columns: With the types that the batches shall have.
        misfits: Positions that are read as mixed; grows by what this lane finds.
        batch_bytes: Asked before each batch.
        convert: How a driver's values become an array of a type.
    """

    def __init__(
        self,
        columns: tuple[Column, ...],
        misfits: set[int],
        batch_bytes: Callable[[], int],
        convert: Callable[[str], Callable[[Sequence[Any]], Any]] = from_python,
    ) -> None:
        self._columns = columns
        self._misfits = misfits
        self._batch_bytes = batch_bytes
        self._schema = arrow_schema(columns)
        self._convert = [convert(column.type) for column in columns]

    def batches(self, cursor: Rows) -> Iterator[pa.RecordBatch]:
        """The cursor's rows.

        Raises:
            RereadError: A value did not fit its column's type. The statement has been read to its
                end by then, so that `misfits` holds every such column.
        """
        chunks: list[pa.RecordBatch] = []
        held, wanted, step = 0, self._batch_bytes(), _FIRST_ROWS
        while rows := cursor.fetchmany(step):
            chunk = self._chunk(rows)
            if chunk is None:
                self._find_all(cursor)
                raise RereadError(f"{len(self._misfits)} columns hold values of other types")
            chunks.append(chunk)
            held += chunk.nbytes
            row_bytes = max(1, chunk.nbytes // len(rows))
            step = max(1, min(_MOST_ROWS, wanted // _STEPS_A_BATCH // row_bytes))
            if held >= wanted:
                yield _joined(chunks)
                chunks = []
                held, wanted = 0, self._batch_bytes()
        if chunks:
            yield _joined(chunks)

    def _chunk(self, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch | None:
        """The rows as a batch, None where one did not fit."""
        arrays = []
        for position, values in enumerate(zip(*rows, strict=True)):
            try:
                arrays.append(self._convert[position](values))
            except MisfitError:
                self._misfits.add(position)
        if len(arrays) < len(self._columns):
            return None
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _find_all(self, cursor: Rows) -> None:
        """Look at the remaining rows, so that reading again is enough once."""
        while rows := cursor.fetchmany(_MOST_ROWS):
            self._chunk(rows)


def _joined(chunks: list[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of several."""
    if len(chunks) == 1:
        return chunks[0]
    [batch] = pa.Table.from_batches(chunks).combine_chunks().to_batches()
    return batch
