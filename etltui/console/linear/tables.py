"""Records as plain aligned text."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rich.cells import cell_len

from etltui.console.cells import Cell, Column, fitted, places, text_of
from etltui.console.model.listing import Field
from etltui.domain.safe_text import safe_text

T = TypeVar("T")


def plain(parts: Iterable[Cell]) -> str:
    """Parts of a line without their colours."""
    return "".join(map(text_of, parts))


def table(fields: Sequence[Field[T]], records: Iterable[T], width: int, mark: str) -> list[str]:
    """A heading, and a line for each record; no column is wider than what stands in it.

    Args:
        fields: The columns.
        records: What is shown.
        width: Of a line; columns hide and texts are cut as on a screen of that width.
        mark: Where text was cut.
    """
    rows = [[text_of(field.cell(record)) for field in fields] for record in records]
    return list(laid_out(tuple(field.column for field in fields), rows, width, mark))


def laid_out(
    columns: tuple[Column, ...], rows: Sequence[Sequence[str]], width: int, mark: str
) -> Iterator[str]:
    """The lines of `table` from its texts."""
    where = places(columns, width + 1)
    heads = [column.title for column in columns]
    shown = [heads, *rows]
    widths = {
        place.column: min(
            place.width, max(cell_len(safe_text(row[place.column]).strip()) for row in shown)
        )
        for place in where
    }
    for row in shown:
        cells = (
            fitted(row[n].strip(), widths[n], columns[n].align, columns[n].cut, mark)
            for n in widths
            if widths[n]
        )
        yield " ".join(cells).rstrip()
