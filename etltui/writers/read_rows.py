"""Which rows a piece of a target holds: each format's own way to read every cell of a part."""

import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from etltui.domain.job import CsvOptions, JsonOptions
from etltui.domain.part import Receipt
from etltui.domain.read_back import ReadTask
from etltui.writers.content import BrokenError, Range
from etltui.writers.excel_part import SINGLE
from etltui.writers.grammar import Rows, csv_rows, excel_rows, json_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What a piece of a target holds.

    Attributes:
        cells: Values in all of its rows.
        raw: Length and CRC-32 before compression; None where the format has no such content.
    """

    rows: int
    cells: int
    raw: tuple[int, int] | None


Count = Callable[[Range], Counted]
"""Reads every cell of a piece.

Raises:
    BrokenError: It does not hold whole rows of this format.
"""


def counting(task: ReadTask, receipt: Receipt) -> Count:
    """How rows of a part are read in its target."""
    columns = len(receipt.columns)
    if task.type == "parquet":
        return _parquet
    if task.type == "excel":
        columns += receipt.variant == SINGLE
        return _texts(excel_rows(columns), columns, Range.inflated)
    content = Range.unzipped if receipt.variant == "gzip" else Range.blocks
    if task.type == "csv":
        options = msgspec.convert(dict(task.options), CsvOptions)
        columns += bool(options.connection_column)
        return _texts(csv_rows(columns, options), columns, content)
    found = msgspec.convert(dict(task.options), JsonOptions)
    columns += bool(found.connection_column)
    return _texts(json_rows(columns, array=task.type == "json"), columns, content)


def _texts(rows: Rows, columns: int, content: Callable[[Range], Iterator[bytes]]) -> Count:
    def count(piece: Range) -> Counted:
        tallied = _Tallied(content(piece))
        found = rows(tallied)
        return Counted(rows=found, cells=found * columns, raw=(tallied.length, tallied.crc))

    return count


class _Tallied:
    """Blocks as they are, with their length and CRC-32."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self.length = 0
        self.crc = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.length += len(block)
            self.crc = zlib.crc32(block, self.crc)
            yield block


def _parquet(piece: Range) -> Counted:
    """A part of Parquet is a whole file of its own."""
    rows = cells = 0
    try:
        with piece.path.open("rb") as file:
            whole = parquet.ParquetFile(pa.PythonFile(_Window(file, piece), mode="r"))
            for batch in whole.iter_batches():
                batch.validate(full=True)
                rows += batch.num_rows
                cells += batch.num_rows * batch.num_columns
    except (OSError, pa.ArrowException) as error:
        raise BrokenError(f"its rows cannot be read as Parquet ({error})") from error
    return Counted(rows=rows, cells=cells, raw=None)


class _Window(io.RawIOBase):
    """A piece of a file as a file."""

    def __init__(self, file: io.BufferedReader, piece: Range) -> None:
        super().__init__()
        self._file = file
        self._piece = piece
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._piece.length}
        self._at = starts[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._piece.offset + self._at)
        wanted = max(0, min(len(buffer), self._piece.length - self._at))
        found = self._file.readinto(memoryview(buffer)[:wanted])
        self._at += found
        return found
