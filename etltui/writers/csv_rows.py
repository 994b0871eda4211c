"""From Arrow rows to the lines of a CSV file, column by column.

The bytes depend on the rows only, never on where batches end.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import CsvOptions
from etltui.writers.csv_encoding import Encoding, encoding_of
from etltui.writers.csv_fields import Fields
from etltui.writers.notes import GUARDED, REPLACED
from etltui.writers.refused import refused
from etltui.writers.text import content_of

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Columns: TypeAlias = "Sequence[pa.StringArray]"

_SLICE_ROWS = 8192
"""Small enough for the processor's cache: with 65,536 rows it took 40 % longer."""
_EMPTY = pa.scalar("")
_LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}


class Lines:
    """Makes lines; counts what it had to change.

    Args:
        options: Of the destination.
        connection: Named in the connection column where there is one.
        names: Of the columns, without the connection column.

    Attributes:
        rows: Made so far.

    Raises:
        Failure: Of class `value`; there is no such encoding.
    """

    def __init__(self, options: CsvOptions, *, connection: str, names: Sequence[str]) -> None:
        self.encoding: Encoding = encoding_of(options)
        self.rows = 0
        self._replaced = 0
        self._options = options
        self._fields = Fields(options)
        self._end = pa.scalar(_LINE_ENDS[options.line_end])
        self._delimiter = pa.scalar(options.delimiter)
        self._label = pa.scalar(connection)
        first = (options.connection_column,) if options.connection_column else ()
        self._names = (*first, *names)

    @property
    def notes(self) -> dict[str, int]:
        """What was changed, and how often."""
        counts = {
            GUARDED: self._fields.guarded,
            REPLACED: self._replaced,
        }
        return {note: count for note, count in counts.items() if count}

    def header(self) -> bytes:
        """The line of column names; they are texts like any other.

        Raises:
            Failure: Of class `value`; the encoding lacks a character of a name.
        """
        fields = [self._fields.of(pa.array([name])) for name in self._names]
        return bytes(self._encoded(fields, first_row=0))

    def of(self, batch: pa.RecordBatch) -> Iterator[bytes | memoryview]:
        """The lines of a batch, in pieces.

        Raises:
            Failure: Of class `value`; the encoding lacks a character, or a text is not UTF-8.
        """
        for start in range(0, batch.num_rows, _SLICE_ROWS):
            piece = batch.slice(start, _SLICE_ROWS)
            columns = [self._fields.of(array) for array in piece.columns]
            if self._options.connection_column:
                columns.insert(0, self._fields.of(pa.repeat(self._label, piece.num_rows)))
            yield self._encoded(columns, first_row=self.rows + 1)
            self.rows += piece.num_rows

    def _encoded(self, columns: Columns, *, first_row: int) -> bytes | memoryview:
        lines = self._joined(columns)
        try:
            lines.validate(full=True)
            content = content_of(lines)
            if self.encoding.is_utf8:
                return content
            encoded, replaced = self.encoding.encode(str(content, "utf-8"))
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:
            raise self._failure(columns, first_row) from error
        self._replaced += replaced
        return encoded

    def _joined(self, columns: Columns) -> pa.StringArray:
        """A line for each row; the line end rides on the last column, which saves a copy of all."""
        *most, last = columns
        replace = {"null_handling": "replace", "null_replacement": self._options.null}
        ended = pc.binary_join_element_wise(last, self._end, _EMPTY, **replace)
        lines: pa.StringArray = pc.binary_join_element_wise(
            *most,
            ended,
            self._delimiter,
            **replace,
        )
        return lines

    def _failure(self, columns: Columns, first_row: int) -> Failure:
        """Look for the value that cannot be written; slow, and done once in a run connection."""
        for offset in range(len(columns[0])):
            for name, column in zip(self._names, columns, strict=True):
                reason = self._refusal(column, offset)
                if reason:
                    encoding = self._options.encoding
                    return refused(first_row + offset, name, reason, encoding=encoding)
        return Failure(
            ErrorClass.VALUE,
            f"{self._options.encoding} lacks a character of the delimiter or of the NULL text",
            {"encoding": self._options.encoding},
        )

    def _refusal(self, column: pa.StringArray, offset: int) -> str:
        """Why a value cannot be written; empty where it can."""
        try:
            text = bytes(content_of(column.slice(offset, 1))).decode()
            self.encoding.encode(text)
        except UnicodeDecodeError:
            return "the text is not valid UTF-8; cast it in the query"
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            return (
                f"{self._options.encoding} has no {character!r} (U+{ord(character):04X}); "
                'set encoding = "utf-8" or encoding_errors = "replace"'
            )
        return ""
