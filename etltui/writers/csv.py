"""CSV files: a part holds lines without a header, and the target is a header and parts.

Where the target's name ends in `.gz` each part is one gzip member, so that a target is made of
parts by copying bytes in either case.
"""

import pyarrow as pa

from etltui.domain.job import CsvOptions
from etltui.domain.part import Receipt
from etltui.extractors.lines import Printed
from etltui.writers.csv_rows import Lines
from etltui.writers.csv_target import assemble
from etltui.writers.text_part import TextPart
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
        self._lines = Lines(
            CsvOptions(**task.writer.options),
            connection=task.extract.connection,
            names=[column.name for column in task.columns],
        )
        self._part = TextPart(task)

    def write(self, batch: pa.RecordBatch) -> None:
        for piece in self._lines.of(batch):
            self._part.write(piece)

    def write_lines(self, lines: Printed) -> None:
        self._lines.rows += lines.num_rows
        self._part.write(lines.data)

    def close(self) -> tuple[Receipt, ...]:
        return self._part.seal(rows=self._lines.rows, notes=self._lines.notes)

    def abandon(self) -> None:
        self._part.discard()
