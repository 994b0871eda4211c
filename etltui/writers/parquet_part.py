"""Writes a connection's rows as a whole Parquet file whose bytes depend on the rows only."""

import io
from collections.abc import Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute, parquet

from etltui.domain.columns import Column
from etltui.domain.job import ParquetOptions
from etltui.domain.naming import unique_names
from etltui.domain.part import Receipt
from etltui.extractors.arrow import canonical_type
from etltui.writers.notes import LONG_NUMBER, MISFIT, NUMBER_AS_TEXT, RENAMED
from etltui.writers.parquet_fit import fitted, numbers, stored_type, too_wide
from etltui.writers.parquet_groups import Groups
from etltui.writers.part import PartFile
from etltui.writers.refused import quoted, refused
from etltui.writers.text import canonical
from etltui.writers.writer import PartTask

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"


def schema_of(columns: Sequence[Column], options: ParquetOptions) -> pa.Schema:
    """The schema of every part and target: the connection's name first, no two names alike."""
    first = [(options.connection_column, pa.string())] if options.connection_column else []
    rest = [
        (c.name, pa.string() if c.name in options.text_columns else stored_type(c)) for c in columns
    ]
    names = unique_names([name for name, _ in (*first, *rest)])
    kinds = [kind for _, kind in (*first, *rest)]
    return pa.schema([pa.field(n, kind) for n, kind in zip(names, kinds, strict=True)])


def open_file(sink: Any, schema: pa.Schema, options: ParquetOptions) -> parquet.ParquetWriter:
    """A writer of Parquet whose footer names no place but those of pages.

    Args:
        sink: A file-like object.
        schema: Of all tables.
        options: Of the destination.
    """
    return parquet.ParquetWriter(
        sink,
        schema,
        version="2.6",
        compression=options.compression,
        store_decimal_as_integer=True,
        write_page_index=False,
    )


class _Sink(io.RawIOBase):
    """What Arrow writes to; deaf when the part was abandoned, for Arrow still ends its file."""

    def __init__(self, part: PartFile) -> None:
        super().__init__()
        self._part = part
        self.deaf = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not self.deaf:
            self._part.write(data)
        return len(data)


class ParquetPart:
    """One connection's rows of one query; see `PartWriter`."""

    def __init__(self, task: PartTask) -> None:
        self._task = task
        self._options = ParquetOptions(**task.writer.options)
        self._schema = schema_of(task.columns, self._options)
        own = list(self._schema)[bool(self._options.connection_column) :]
        self._kinds = [field.type for field in own]
        self._notes: dict[str, int] = {}
        self._count(RENAMED, sum(f.name != c.name for f, c in zip(own, task.columns, strict=True)))
        self._rows = 0
        self._groups = Groups(self._kinds, self._write_group)
        self._part = PartFile(task.path(0))
        self._sink = _Sink(self._part)
        self._file = open_file(self._sink, self._schema, self._options)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        arrays = [self._stored(position, array) for position, array in enumerate(batch.columns)]
        self._rows += batch.num_rows
        self._groups.take(arrays)

    def close(self) -> tuple[Receipt, ...]:
        """Finish and seal the part."""
        self._groups.end()
        self._file.close()
        receipt = self._task.receipt(
            0,
            rows=self._rows,
            bytes=self._part.bytes,
            crc=self._part.crc,
            raw_bytes=self._groups.raw_bytes,
            raw_crc=self._part.crc,
            compressor=self._options.compression,
            notes=dict(sorted(self._notes.items())),
        )
        self._part.seal(receipt)
        return (receipt,)

    def abandon(self) -> None:
        """Delete the part."""
        self._sink.deaf = True
        self._part.discard()

    def _stored(self, position: int, array: Array) -> Array:
        """A column as the part holds it."""
        column, kind = self._task.columns[position], self._kinds[position]
        stored, misfits = fitted(array, kind)
        if misfits is not None:
            self._refuse(misfits, array, column, kind)
            self._count(MISFIT, pc.sum(misfits).as_py())
        if pa.types.is_string(kind):
            self._check_text(stored, column)
            if array.type != kind and column.name not in self._options.text_columns:
                note = LONG_NUMBER if too_wide(column) else NUMBER_AS_TEXT
                self._count(note, numbers(array))
        return stored

    def _count(self, note: str, count: int) -> None:
        if count:
            self._notes[note] = self._notes.get(note, 0) + count

    def _refuse(
        self, misfits: pa.BooleanArray, array: Array, column: Column, kind: pa.DataType
    ) -> None:
        """Name the first misfit, where the settings let none pass."""
        if self._options.misfits == "fail":
            row = pc.index(misfits, pa.scalar(value=True)).as_py()
            raise refused(
                self._rows + row + 1,
                column.name,
                f"{quoted(canonical(array), row)} is no {canonical_type(kind)}; name the column in "
                'text_columns, cast it in the query, or set misfits = "null"',
            )

    def _check_text(self, text: Array, column: Column) -> None:
        """Parquet's texts are UTF-8, and a program that reads others may stop there."""
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            bad = next(row for row in range(len(text)) if not _is_utf8(text[row : row + 1]))
            raise refused(
                self._rows + bad + 1,
                column.name,
                f"{quoted(canonical(text), bad)} is not valid UTF-8; cast it in the query",
            ) from None

    def _write_group(self, columns: list[Array]) -> None:
        rows = len(columns[0])
        if self._options.connection_column:
            columns.insert(0, pa.repeat(pa.scalar(self._task.extract.connection), rows))
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._file.write_table(table, row_group_size=rows)


def _is_utf8(text: Array) -> bool:
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
