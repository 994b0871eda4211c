"""From the server's CSV to Arrow, block by block, by Arrow's own reader."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrows

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.extractors.arrow import arrow_schema, arrow_type, mixed_array
from etltui.readers.postgresql_copy import Copy
from etltui.readers.postgresql_types import NUMERIC, Field, misfitting
from etltui.readers.reader import RereadError

pc: Any = compute
_csv: Any = arrows
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"

_LEAST = 64 * 1024
_NOT_FINITE = pa.array(["NaN", "Infinity", "-Infinity"])
_FALSE, _EMPTY, _NO_BYTES = pa.scalar(value=False), pa.scalar(""), pa.scalar(None, pa.binary())
_ZERO, _ONE, _TWO = (pa.scalar(number, pa.int32()) for number in range(3))
_ZEROS = pa.array([0], pa.int32())
"""Made once: for each new scalar Arrow looks for pandas on the whole path."""
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
        self._types = {str(n): read_as(column) for n, column in enumerate(self.columns)}

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
            Failure: Of class `lost`; the block is no CSV in UTF-8.
        """
        try:
            table = parsed(block, self._types)
        except pa.ArrowInvalid as error:
            raise self._misfit(block) from error
        arrays = [
            self._array(number, column.combine_chunks())
            for number, column in enumerate(table.columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _misfit(self, block: bytes) -> Exception:
        """Look for the columns that do not fit; slow, and done once for each."""
        found = []
        for number, (name, kind) in enumerate(self._types.items()):
            try:
                parsed(block, self._types, only=[name])
            except pa.ArrowInvalid as error:
                found.append(number)
                if kind == pa.string():
                    return Failure(ErrorClass.LOST, f"the server sent what is no text: {error}")
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


def parsed(
    block: bytes,
    types: Mapping[str, pa.DataType],
    *,
    delimiter: str = ",",
    only: list[str] | None = None,
) -> pa.Table:
    """The rows of a block, by Arrow's CSV reader.

    Args:
        block: Whole lines as the server prints them; booleans as `t` or `true`.
        types: Of all columns in order, by names of any kind.
        delimiter: Between fields.
        only: Names of the columns to read.

    Raises:
        pa.ArrowInvalid: A value is not of its column's type.
    """
    table: pa.Table = _csv.read_csv(
        pa.BufferReader(block),
        _csv.ReadOptions(use_threads=False, column_names=list(types), block_size=len(block) + 1),
        # A row of one NULL is an empty line.
        _csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False),
        _csv.ConvertOptions(
            column_types=types,
            include_columns=only,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t", "true"],
            false_values=["f", "false"],
        ),
    )
    return table


def read_as(column: Column) -> pa.DataType:
    """The type that Arrow's CSV reader is asked for."""
    return pa.string() if column.type in {"binary", "mixed"} else arrow_type(column.type)


def _binary(text: Array) -> Array:
    r"""The bytes of `\x` and hexadecimal digits, of all values at once."""
    filled = pc.fill_null(text, _EMPTY)
    _, bounds, content = filled.buffers()
    last = memoryview(bounds).cast("i")[len(text)]
    digits = bytes(memoryview(content)[:last]).replace(b"\\x", b"") if content else b""
    sizes = pc.shift_right(pc.subtract(pc.binary_length(text), _TWO), _ONE)
    ends = pc.cumulative_sum(pc.fill_null(sizes, _ZERO))
    whole = pa.Array.from_buffers(
        pa.binary(),
        len(text),
        [
            None,
            pa.concat_arrays([_ZEROS, ends]).buffers()[1],
            pa.py_buffer(bytes.fromhex(str(digits, "ascii"))),
        ],
    )
    values: Array = pc.if_else(text.is_valid(), whole, _NO_BYTES)
    return values


def _mixed(text: Array, *, numeric: bool) -> Array:
    """Values with a type of their own: exact numbers where they are some, text otherwise."""
    number = pa.repeat(_FALSE, len(text))
    if numeric:
        number = pc.fill_null(_plain_numbers(text), _FALSE)
    mixed: Array = mixed_array(text, number)
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
