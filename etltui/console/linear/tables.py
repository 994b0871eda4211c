"""Records as plain aligned text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
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
    shown = [[column.title for column in columns], *rows]
    needed = [
        max(1, *(cell_len(safe_text(row[n]).strip()) for row in shown)) for n in range(len(columns))
    ]
    slim = tuple(
        replace(column, width=min(column.width, most))
        for column, most in zip(columns, needed, strict=True)
    )
    where = [
        (columns[place.column], place.column, min(place.width, needed[place.column]))
        for place in places(slim, width + 1)
    ]
    for row in shown:
        cells = (
            fitted(row[n].strip(), room, column.align, column.cut, mark)
            for column, n, room in where
        )
        yield " ".join(cells).rstrip()
