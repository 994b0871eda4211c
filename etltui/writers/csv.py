"""CSV files: a part holds lines without a header, and the target is a header and parts.

Where the target's name ends in `.gz` each part is one gzip member, so that a target is made of
parts by copying bytes in either case.
"""

import pyarrow as pa

from etltui.domain.job import CsvOptions
from etltui.domain.part import Receipt
from etltui.extractors.lines import Printed
from etltui.writers.csv_gzip import GzipMember, default_compressor
from etltui.writers.csv_rows import Lines
from etltui.writers.csv_target import assemble
from etltui.writers.part import PartFile
from etltui.writers.writer import LineWriter, PartTask

__all__ = ["assemble", "part_writer"]


def part_writer(task: PartTask) -> LineWriter:
    """A writer for one query of one extract; its part file exists when this returns.

    Raises:
        Failure: Of class `disk`, or `value` where there is no such encoding.
    """
    return _CsvPart(task)


class _CsvPart:
    """One connection's lines in one segment; see `LineWriter`."""

    def __init__(self, task: PartTask) -> None:
        self._task = task
        self._lines = Lines(
            CsvOptions(**task.writer.options),
            connection=task.extract.connection,
            names=[column.name for column in task.columns],
        )
        self._part = PartFile(task.path(0))
        self._compressor = default_compressor() if task.writer.variant == "gzip" else "none"
        self._member: GzipMember | None = None
        self._stream: PartFile | GzipMember = self._part
        if self._compressor != "none":
            self._member = self._stream = GzipMember(self._part.write, self._compressor)

    def write(self, batch: pa.RecordBatch) -> None:
        for piece in self._lines.of(batch):
            self._stream.write(piece)

    def write_lines(self, lines: Printed) -> None:
        self._lines.rows += lines.num_rows
        self._stream.write(lines.data)

    def close(self) -> tuple[Receipt, ...]:
        if self._member:
            self._member.close()
        receipt = self._task.receipt(
            0,
            rows=self._lines.rows,
            bytes=self._part.bytes,
            crc=self._part.crc,
            raw_bytes=self._stream.bytes,
            raw_crc=self._stream.crc,
            compressor=self._compressor,
            notes=self._lines.notes,
        )
        self._part.seal(receipt)
        return (receipt,)

    def abandon(self) -> None:
        self._part.discard()
