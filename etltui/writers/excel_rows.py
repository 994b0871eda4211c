"""Turns batches into worksheet rows: one text for each row, in one buffer."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyarrow import compute

from etltui.domain.columns import Column
from etltui.domain.limits import EXCEL, Limits
from etltui.extractors.arrow import arrow_type
from etltui.writers.excel_cells import Piece, renderer, text_cell
from etltui.writers.text import canonical

pc: Any = compute
"""Untyped, since the stubs refuse Python's numbers and texts as operands."""

_CELLS_AT_ONCE = 196_608
"""About 8 MB of XML: the arrays of one step stay in the processor's cache, and no array comes near
the 2 GiB that 32-bit offsets reach."""
_SAMPLE = 1_000
"""Rows that column widths are taken from."""
MAX_WIDTH = 60
"""Characters; longer texts are read in the cell's own line."""


class Rows:
    """What one query's rows look like in a sheet.

    Args:
        columns: With the types of the batches.
        text_columns: Names of columns whose values are always text.
        first: Text of a cell before all others in each row, None for no such cell.
        limits: Of the sheet.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        text_columns: Sequence[str] = (),
        first: str | None = None,
        limits: Limits = EXCEL,
    ) -> None:
        self.notes = Counter[str]()
        self._seen = 0
        self._widths = [0] * len(columns)
        self._types = [arrow_type(column.type) for column in columns]
        self._begin = "<row>" + ("" if first is None else text_cell(first, limits))
        self._renders = [
            renderer(column, as_text=column.name in text_columns, limits=limits)
            for column in columns
        ]
        self._at_once = max(1, _CELLS_AT_ONCE // max(1, len(columns)))

    @property
    def widths(self) -> tuple[int, ...]:
        """Of each column's widest text in the first rows, in characters."""
        return tuple(min(width, MAX_WIDTH) for width in self._widths)

    def slices(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        """A batch in pieces of the size that `xml` takes."""
        starts = range(0, batch.num_rows, self._at_once)
        return [batch.slice(start, self._at_once) for start in starts]

    def xml(self, batch: pa.RecordBatch) -> pa.StringArray:
        """The XML of each row, behind each other in one buffer."""
        arrays = [
            array if array.type == kind else array.cast(kind)
            for array, kind in zip(batch.columns, self._types, strict=True)
        ]
        self._measure(arrays, batch.num_rows)
        pieces: list[Piece] = [self._begin]
        for render, array in zip(self._renders, arrays, strict=True):
            pieces += render(array, self.notes)
        pieces.append("</row>")
        return _joined(pieces, batch.num_rows)

    def _measure(self, arrays: Sequence[Any], rows: int) -> None:
        sample = min(rows, _SAMPLE - self._seen)
        if sample <= 0:
            return
        self._seen += sample
        for place, array in enumerate(arrays):
            widest = pc.max(pc.utf8_length(canonical(array.slice(0, sample)))).as_py()
            self._widths[place] = max(self._widths[place], widest or 0)


def header(names: Sequence[str], style: int, limits: Limits = EXCEL) -> str:
    """The first row of a sheet."""
    cells = "".join(text_cell(name, limits, style) for name in names)
    return f"<row>{cells}</row>"


def _joined(pieces: Sequence[Piece], rows: int) -> pa.StringArray:
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    if len(merged) == 1:  # no column at all
        return pa.array([merged[0]] * rows, pa.string())
    joined: pa.StringArray = pc.binary_join_element_wise(*merged, "")
    return joined
