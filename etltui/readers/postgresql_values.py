"""From the server's CSV to Arrow, block by block, by Arrow's own reader."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrows

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.extractors.arrow import MIXED, arrow_schema, arrow_type
from etltui.readers.postgresql_copy import Copy
from etltui.readers.postgresql_types import NUMERIC, Field, misfitting
from etltui.readers.reader import RereadError

pc: Any = compute
_csv: Any = arrows
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"

_LEAST = 64 * 1024
_NOT_FINITE = pa.array(["NaN", "Infinity", "-Infinity"])
_DOUBLE_DIGITS = pa.scalar(15)
"""So many digits a spreadsheet's number keeps; a longer exact one stays text there."""


class Values:
    """Makes batches of one result.

    Args:
        fields: The result's columns.
        misfits: Positions of columns that hold values which their types do not; more are added
            when they are met.
    """

    def __init__(self, fields: Sequence[Field], misfits: set[int]) -> None:
        self._fields = fields
        self._misfits = misfits
        self.columns: tuple[Column, ...] = tuple(
            misfitting(field.column) if number in misfits else field.column
            for number, field in enumerate(fields)
        )
        self._schema = arrow_schema(self.columns)
        self._types = {str(n): _read_as(column) for n, column in enumerate(self.columns)}

    def batches(
        self, copy: Copy, batch_bytes: Callable[[], int]
    ) -> Generator[pa.RecordBatch, None, None]:
        """Batches of at most about the bytes asked for, until the server has sent all rows.

        Raises:
            RereadError: A value misfits.
            Failure: The query failed, or not all rows came.
        """
        rows, asked, share = 0, batch_bytes(), 0.5
        while block := copy.pull(max(_LEAST, int(asked * share))):
            batch = self.batch(block)
            rows += batch.num_rows
            share = min(1.0, len(block) / max(1, batch.nbytes))
            start = 0
            while start < batch.num_rows:
                size = max(1, asked * batch.num_rows // max(1, batch.nbytes))
                yield batch.slice(start, size)
                start += size
                asked = batch_bytes()
        copy.check_rows(rows)

    def batch(self, block: bytes) -> pa.RecordBatch:
        """The rows of a block.

        Raises:
            RereadError: A value misfits; its column is among the misfits now.
            Failure: Of class `value`; a text is not UTF-8.
        """
        try:
            table = self._read(block)
        except pa.ArrowInvalid as error:
            raise self._misfit(block) from error
        arrays = [
            self._array(number, column.combine_chunks())
            for number, column in enumerate(table.columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _read(self, block: bytes, only: list[str] | None = None) -> pa.Table:
        names = list(self._types)
        table: pa.Table = _csv.read_csv(
            pa.BufferReader(block),
            _csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
            # A row of one NULL is an empty line.
            _csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            _csv.ConvertOptions(
                column_types=self._types,
                include_columns=only,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
        return table

    def _misfit(self, block: bytes) -> Exception:
        """Look for the columns that do not fit; slow, and done once for each."""
        found = []
        for number, column in enumerate(self.columns):
            try:
                self._read(block, [str(number)])
            except pa.ArrowInvalid:
                found.append(number)
                if self._types[str(number)] == pa.string():
                    return Failure(
                        ErrorClass.VALUE,
                        f"column {column.name} holds text that is not UTF-8; convert it in the "
                        "query",
                        {"column": column.name},
                    )
        if not found:
            return Failure(ErrorClass.LOST, "the server sent rows that are no CSV")
        self._misfits.update(found)
        return RereadError()

    def _array(self, number: int, array: Array) -> Array:
        kind = self.columns[number].type
        if kind == "binary":
            return _binary(array)
        if kind == "mixed":
            return _mixed(array, numeric=self._fields[number].oid == NUMERIC)
        return array


def _read_as(column: Column) -> pa.DataType:
    """The type that Arrow's CSV reader is asked for."""
    return pa.string() if column.type in {"binary", "mixed"} else arrow_type(column.type)


def _binary(text: Array) -> Array:
    r"""The bytes of `\x` and hexadecimal digits, of all values at once."""
    digits: Array = pc.binary_slice(pc.cast(text, pa.binary()), 2)
    _, offsets, content = pc.fill_null(digits, pa.scalar(b"")).buffers()
    bounds = pa.Array.from_buffers(pa.int32(), len(text) + 1, [None, offsets])
    first, last = bounds[0].as_py(), bounds[-1].as_py()
    data = bytes.fromhex(str(memoryview(content)[first:last], "ascii")) if content else b""
    halved = pc.divide(pc.subtract(bounds, bounds[0]), pa.scalar(2, pa.int32()))
    whole = pa.Array.from_buffers(
        pa.binary(),
        len(text),
        [None, halved.buffers()[1], pa.py_buffer(data)],
    )
    values: Array = pc.if_else(text.is_valid(), whole, pa.scalar(None, pa.binary()))
    return values


def _mixed(text: Array, *, numeric: bool) -> Array:
    """Values with a type of their own: exact numbers where they are some, text otherwise."""
    number = pa.repeat(pa.scalar(value=False), len(text))
    if numeric:
        number = pc.fill_null(_plain_numbers(text), pa.scalar(value=False))
    mixed: Array = pa.StructArray.from_arrays(
        [text, number],
        fields=list(MIXED),
        mask=text.is_null(),
    )
    return mixed


def _plain_numbers(text: Array) -> Array:
    """Which numerics a spreadsheet may take as numbers; whole ones it counts itself."""
    digits = pc.replace_substring(pc.ascii_ltrim(text, characters="-"), ".", "")
    short = pc.less_equal(
        pc.utf8_length(pc.ascii_trim(digits, characters="0")),
        _DOUBLE_DIGITS,
    )
    whole = pc.invert(pc.match_substring(text, "."))
    finite = pc.invert(pc.is_in(text, value_set=_NOT_FINITE))
    flags: Array = pc.and_(finite, pc.or_(short, whole))
    return flags
