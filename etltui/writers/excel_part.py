"""Writes a connection's rows as deflated worksheet XML that a workbook takes in as it is."""

import zlib
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import msgspec
import pyarrow as pa

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import ExcelOptions
from etltui.domain.limits import EXCEL, Limits
from etltui.domain.part import Receipt
from etltui.writers.excel_rows import Rows
from etltui.writers.part import PartFile
from etltui.writers.writer import PartTask

isal_zlib: Any = None
with suppress(ImportError):  # there are no wheels for this machine
    isal_zlib = import_module("isal.isal_zlib")

SHEETS, SINGLE = "sheets", "single"
"""The variants of a part: rows alone, and rows that begin with the connection's name."""
_BLOCK = 1 << 20
"""The compressor is fed so many bytes at a time: isal's output depends on the size of its calls."""


class Segment:
    """A part being written: raw deflate, whole bytes, never final.

    Ended by a sync flush, so that segments can follow each other inside one deflate stream: each
    begins with an empty window and refers to nothing before it.
    """

    def __init__(self, file: PartFile, compression: str) -> None:
        fast = compression == "auto" and isal_zlib is not None
        library: Any = isal_zlib if fast else zlib
        self.compressor = "isal-1" if fast else "zlib-1"
        self.file = file
        self.rows = 0
        self.raw_bytes = 0
        self.raw_crc = 0
        self._crc32 = library.crc32
        self._stream = library.compressobj(level=1, method=zlib.DEFLATED, wbits=-15)
        self._pending = bytearray()

    def append(self, xml: memoryview, rows: int) -> None:
        """Take whole rows."""
        self.rows += rows
        self.raw_bytes += len(xml)
        self.raw_crc = self._crc32(xml, self.raw_crc)
        if self._pending:
            missing = _BLOCK - len(self._pending)
            self._pending += xml[:missing]
            xml = xml[missing:]
            if len(self._pending) < _BLOCK:
                return
            self._compress(self._pending)
            self._pending.clear()
        while len(xml) >= _BLOCK:
            self._compress(xml[:_BLOCK])
            xml = xml[_BLOCK:]
        self._pending += xml

    def finish(self) -> None:
        """Compress what is left and end on a whole byte."""
        self._compress(self._pending)
        self._pending.clear()
        self.file.write(self._stream.flush(zlib.Z_SYNC_FLUSH))

    def _compress(self, block: bytearray | memoryview) -> None:
        if deflated := self._stream.compress(block):
            self.file.write(deflated)


class ExcelPartWriter:
    """One connection's rows of one query, in as many segments as sheets are needed.

    Widths and counts are of all rows together, so they are known only at the end: segments are
    sealed then, and the counts stand in the first one's receipt.

    Args:
        task: Of variant `sheets`, or `single` for rows that begin with the connection's name.
        limits: Where a segment ends; smaller in tests.
    """

    def __init__(self, task: PartTask, limits: Limits = EXCEL) -> None:
        options = msgspec.convert(dict(task.writer.options), ExcelOptions)
        single = task.writer.variant == SINGLE
        _check_width(len(task.found) + single, limits)
        self._task = task
        self._limits = limits
        self._compression = options.compression
        self._rows = Rows(
            task.found,
            text_columns=options.text_columns,
            first=task.extract.connection if single else None,
            limits=limits,
        )
        self._segments: list[Segment] = []
        self._begin_segment()

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        for piece in self._rows.slices(batch):
            self._append(self._rows.xml(piece))

    def close(self) -> tuple[Receipt, ...]:
        """Finish and seal every segment."""
        self._segments[-1].finish()
        receipts = []
        for number, segment in enumerate(self._segments):
            receipt = self._task.receipt(
                number,
                rows=segment.rows,
                bytes=segment.file.bytes,
                crc=segment.file.crc,
                raw_bytes=segment.raw_bytes,
                raw_crc=segment.raw_crc,
                widths=self._rows.widths,
                compressor=segment.compressor,
                notes=dict(sorted(self._rows.notes.items())) if number == 0 else {},
            )
            segment.file.seal(receipt)
            receipts.append(receipt)
        return tuple(receipts)

    def abandon(self) -> None:
        """Delete every segment."""
        for segment in self._segments:
            segment.file.discard()

    def _begin_segment(self) -> None:
        file = PartFile(self._task.path(len(self._segments)))
        self._segments.append(Segment(file, self._compression))

    def _append(self, rows: pa.StringArray) -> None:
        _, offsets, content = rows.buffers()
        if offsets is None or content is None:
            return
        bounds = memoryview(offsets).cast("i")[rows.offset : rows.offset + len(rows) + 1]
        xml = memoryview(content)
        start = 0
        while start < len(rows):
            end = self._fitting(bounds, start)
            if end == start:
                self._segments[-1].finish()
                self._begin_segment()
                continue
            self._segments[-1].append(xml[bounds[start] : bounds[end]], end - start)
            start = end

    def _fitting(self, bounds: Sequence[int], start: int) -> int:
        """Where to stop so that the segment keeps within the limits.

        An empty segment takes at least one row. Depends on the rows alone, not on how they came.
        """
        segment = self._segments[-1]
        by_rows = start + self._limits.rows - 1 - segment.rows
        room = bounds[start] + self._limits.xml - segment.raw_bytes
        by_size = bisect_right(bounds, room, start) - 1 if room >= bounds[start] else start
        end = min(by_rows, by_size, len(bounds) - 1)
        return max(end, start + 1) if not segment.rows else max(end, start)


def _check_width(columns: int, limits: Limits) -> None:
    if columns > limits.columns:
        raise Failure(
            ErrorClass.VALUE,
            f"the query has {columns:,} columns, and a worksheet holds {limits.columns:,}. "
            "Select fewer columns, or use a CSV destination",
            {"columns": str(columns), "limit": str(limits.columns)},
        )
