"""From Arrow rows to JSON objects, column by column.

The bytes depend on the rows only, never on where batches end.
"""

from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring as quoted_text
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.errors import Failure
from etltui.domain.job import JsonOptions
from etltui.domain.naming import unique_names
from etltui.writers.json_values import Values
from etltui.writers.notes import LONG_NUMBER, NOT_FINITE, NOT_FINITE_NULL, RENAMED
from etltui.writers.refused import quoted, refused
from etltui.writers.text import canonical, content_of

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"

_SLICE_ROWS = 8192
"""Small enough for the processor's cache."""
_EMPTY = pa.scalar("")


class Objects:
    """Makes objects, members in the order of the columns; counts what it had to change.

    Args:
        options: Of the destination.
        connection: Named in the first member where there is one.
        names: Of the columns; of two alike the second gets a number.
        begin: What comes before each object.
        end: What follows each object.

    Attributes:
        rows: Made so far.
    """

    def __init__(
        self,
        options: JsonOptions,
        *,
        connection: str,
        names: Sequence[str],
        begin: str = "",
        end: str = "",
    ) -> None:
        self.rows = 0
        self._options = options
        self._values = Values(options)
        self._names = names
        label = options.connection_column
        keys = unique_names([label, *names] if label else names)[bool(label) :]
        self._renamed = sum(key != name for key, name in zip(keys, names, strict=True))
        first = f"{quoted_text(label)}:{quoted_text(connection)}," if label else ""
        self._begin = begin + "{" + first
        self._keys = [quoted_text(key) + ":" for key in keys]
        self._end = "}" + end
        self._between: dict[tuple[bool, ...], list[Any]] = {}

    @property
    def notes(self) -> dict[str, int]:
        """What was changed, and how often."""
        text = self._options.not_finite == "text"
        counts = {
            LONG_NUMBER: self._values.long,
            NOT_FINITE if text else NOT_FINITE_NULL: self._values.not_finite,
            RENAMED: self._renamed,
        }
        return {note: count for note, count in counts.items() if count}

    def of(self, batch: pa.RecordBatch) -> Iterator[memoryview]:
        """The objects of a batch, in pieces.

        Raises:
            Failure: Of class `value`; a text is not valid UTF-8.
        """
        for start in range(0, batch.num_rows, _SLICE_ROWS):
            piece = batch.slice(start, _SLICE_ROWS)
            values, open_ = zip(*self._columns(piece), strict=True)
            between = self._literals(open_)
            pieces = [each for pair in zip(between, values, strict=False) for each in pair]
            objects = pc.binary_join_element_wise(
                *pieces,
                between[-1],
                _EMPTY,
                null_handling="replace",
                null_replacement="null",
            )
            yield content_of(objects)
            self.rows += piece.num_rows

    def _columns(self, piece: pa.RecordBatch) -> Iterator[tuple[pa.StringArray, bool]]:
        for name, column in zip(self._names, piece.columns, strict=True):
            try:
                yield self._values.of(column)
            except pa.ArrowInvalid as error:
                raise self._failure(name, column) from error

    def _literals(self, open_: tuple[bool, ...]) -> list[Any]:
        """What stands before each value and behind the last, with quotes for those without."""
        if open_ not in self._between:
            quotes = ['"' if each else "" for each in open_]
            heads = [self._begin, *(f"{quote}," for quote in quotes[:-1])]
            texts = [
                *(h + key + quote for h, key, quote in zip(heads, self._keys, quotes, strict=True)),
                quotes[-1] + self._end,
            ]
            self._between[open_] = [pa.scalar(text) for text in texts]
        return self._between[open_]

    def _failure(self, name: str, column: Array) -> Failure:
        """Look for the text that cannot be written; done once in a run connection."""
        row = next(row for row in range(len(column)) if not _is_utf8(column[row : row + 1]))
        value = quoted(canonical(column), row)
        reason = f"{value} is not valid UTF-8; cast it in the query"
        return refused(self.rows + row + 1, name, reason)


def _is_utf8(text: Array) -> bool:
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
