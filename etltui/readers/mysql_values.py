"""From the server's rows to Arrow, block by block, a column at a time."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy
from etltui.extractors.arrow import arrow_schema, arrow_type, mixed_array, shortest
from etltui.readers.mysql_layout import Cells, cells
from etltui.readers.mysql_moments import TEXTS, MisfitError, dates, fixed, times, timestamps
from etltui.readers.mysql_packets import Block
from etltui.readers.mysql_rows import Rows
from etltui.readers.mysql_types import Field
from etltui.readers.mysql_wkt import wkt
from etltui.readers.reader import RereadError

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"

_LEAST = 64 * 1024
_SIGNED = {1: pa.int8(), 2: pa.int16(), 4: pa.int32(), 8: pa.int64()}
_UNSIGNED = {1: pa.uint8(), 2: pa.uint16(), 4: pa.uint32(), 8: pa.uint64()}


class Values:
    """Makes batches of one result.

    Args:
        fields: The result's columns.
        misfits: Positions of columns that hold values which their types do not; more are added
            when they are met.
        policy: What to do with texts that are none.

    Attributes:
        columns: Of the batches.
        notes: How many values of which column were changed so far.
    """

    def __init__(self, fields: Sequence[Field], misfits: set[int], policy: ReadPolicy) -> None:
        self._fields = fields
        self._misfits = misfits
        self._policy = policy
        self.notes: dict[str, int] = {}
        self.columns: tuple[Column, ...] = tuple(
            field.misfit if number in misfits else field.column
            for number, field in enumerate(fields)
        )
        self._schema = arrow_schema(self.columns)

    def batches(
        self, rows: Rows, batch_bytes: Callable[[], int]
    ) -> Generator[pa.RecordBatch, None, None]:
        """Batches of at most about the bytes asked for, until the server has sent all rows.

        Raises:
            RereadError: A value misfits.
            Failure: The query failed, or not all rows came.
        """
        asked, share = batch_bytes(), 0.5
        while block := rows.pull(max(_LEAST, int(asked * share))):
            batch = self.batch(block)
            share = min(1.0, block.ends[-1] / max(1, batch.nbytes))
            start = 0
            while start < batch.num_rows:
                size = max(1, asked * batch.num_rows // max(1, batch.nbytes))
                yield batch.slice(start, size)
                start += size
                asked = batch_bytes()

    def batch(self, block: Block) -> pa.RecordBatch:
        """The rows of a block.

        Raises:
            RereadError: A value misfits; its column is among the misfits now.
            Failure: The rows are not of these columns, or a text is none.
        """
        arrays, found = [], []
        for number, column in enumerate(cells(block, self._fields)):
            try:
                arrays.append(self._array(number, column))
            except MisfitError:
                found.append(number)
        if found:
            self._misfits.update(found)
            raise RereadError
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _array(self, number: int, column: Cells) -> Array:
        field, kind = self._fields[number], self.columns[number].type
        if field.is_moment:
            return _moment(field, column, kind)
        if field.is_bits:
            return _integers(_bits(column), kind)
        if field.width:
            return _number(field, column, kind)
        if kind == "binary":
            return _masked(column, pa.binary())
        if field.is_geometry:
            return _each(column, wkt)
        return self._text(number, column, kind)

    def _text(self, number: int, column: Cells, kind: str) -> Array:
        """Texts, and decimals, which come as text."""
        text = self._words(number, _masked(column, pa.binary()))
        if kind == "text":
            return text
        if kind == "mixed":
            return _mixed(text, numbers=True)
        try:
            return text.cast(arrow_type(kind))
        except pa.ArrowInvalid as error:
            raise MisfitError from error

    def _words(self, number: int, raw: Array) -> Array:
        """Bytes as text, which the server has brought into UTF-8 unless they were none before."""
        try:
            return raw.cast(pa.string())
        except pa.ArrowInvalid:
            name = self.columns[number].name
            return pa.array([self._word(name, value) for value in raw.to_pylist()], pa.string())

    def _word(self, name: str, value: bytes | None) -> str | None:
        """One value as text; what is none is read by the code page that the policy names."""
        if value is None:
            return None
        encoding = self._policy.encoding or "utf-8"
        try:
            return _decoded(value, encoding)
        except UnicodeDecodeError as error:
            if self._policy.encoding_errors == "replace":
                note = f"texts of {name} that are no {encoding}, replaced"
                self.notes[note] = self.notes.get(note, 0) + 1
                return value.decode(encoding, "replace")
            shown = value[error.start : error.start + 8].hex(" ")
            raise Failure(
                ErrorClass.VALUE,
                f"column {name} holds bytes that are no {encoding}: {shown}; say encoding = "
                '"cp1252" or another code page for the connection, or encoding_errors = "replace"',
            ) from error


def _decoded(value: bytes, encoding: str) -> str:
    """A value in UTF-8, as the server sends all texts, or else by a code page."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode(encoding)


def _masked(column: Cells, kind: pa.DataType) -> Array:
    """The bytes of each value, NULL where there is none."""
    whole = column.joined()
    if column.present is None:
        return whole
    _, bounds, content = whole.buffers()
    bits = column.present.buffers()[1]
    return pa.Array.from_buffers(kind, len(whole), [bits, bounds, content])


def _each(column: Cells, text_of: Callable[[bytes], str]) -> Array:
    """Texts made one by one."""
    raw = _masked(column, pa.binary()).to_pylist()
    return pa.array([None if value is None else text_of(value) for value in raw], pa.string())


def _moment(field: Field, column: Cells, kind: str) -> Array:
    if kind == "mixed":
        return _mixed(_each(column, TEXTS[field.column.type]))
    return _MOMENTS[kind](column)


def _mixed(text: Array, *, numbers: bool = False) -> Array:
    """Values with a type of their own."""
    flags = pa.repeat(pa.scalar(numbers), len(text))
    made: Array = mixed_array(text, flags)
    return made


def _number(field: Field, column: Cells, kind: str) -> Array:
    if kind == "float":
        return _float(column, field.width)
    kinds = _UNSIGNED if field.unsigned else _SIGNED
    return _integers(fixed(column, kinds[field.width]), kind)


def _integers(numbers: Array, kind: str) -> Array:
    if kind == "bool":
        if (pc.max(numbers).as_py() or 0) > 1 or (pc.min(numbers).as_py() or 0) < 0:
            raise MisfitError
        return numbers.cast(pa.bool_())
    if kind == "int":
        try:
            return numbers.cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise MisfitError from error
    text = numbers.cast(pa.string())
    return _mixed(text, numbers=True) if kind == "mixed" else text.cast(arrow_type(kind))


def _float(column: Cells, width: int) -> Array:
    if width == pa.float64().bit_width // 8:
        return fixed(column, pa.float64())
    made: Array = shortest(fixed(column, pa.float32()))
    return made


def _bits(column: Cells) -> Array:
    """Bits as numbers; they come highest first, in as many bytes as the column is declared for."""
    raw = _masked(column, pa.binary()).to_pylist()
    numbers = [None if value is None else int.from_bytes(value) for value in raw]
    return pa.array(numbers, pa.uint64())


def _zoned(column: Cells) -> Array:
    return timestamps(column).cast(pa.timestamp("us", tz="UTC"))


_MOMENTS: dict[str, Callable[[Cells], Array]] = {
    "date": dates,
    "time": times,
    "timestamp": timestamps,
    "timestamptz": _zoned,
}
