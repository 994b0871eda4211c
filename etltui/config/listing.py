"""A table of texts under a header, as spreadsheets and CSV files hold it: lines with numbers."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from etltui.config.checks import shown
from etltui.config.files import text_of
from etltui.domain.errors import Mistake

_DELIMITERS = ",;\t"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of a listing.

    Attributes:
        number: As an editor counts, from 1; of a cell that spans lines, where it begins.
        values: By column; an empty cell is left out.
    """

    number: int
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Lines under a header.

    Attributes:
        header: The names of the columns, empty where nothing could be read.
        lines: Without empty ones.
        mistakes: Each with its line, and its column where there is one.
    """

    header: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def place(line: int, column: str = "") -> str:
    """A cell as a mistake names it."""
    return f"line {line}, column {column}" if column else f"line {line}"


def _header_mistakes(where: str, number: int, header: Sequence[str]) -> Iterator[Mistake]:
    for name in sorted({name for name in header if header.count(name) > 1 or not name}):
        yield Mistake(
            where=where,
            key=place(number),
            problem=f"{shown(name)} heads two columns" if name else "a column has no name",
            way_out="Give each column a name of its own",
        )


def _long(where: str, number: int, cells: int, columns: int) -> Mistake:
    return Mistake(
        where=where,
        key=place(number),
        problem=f"holds {cells} cells, but there are {columns} columns",
        way_out="Put quotes around a cell that holds the delimiter",
    )


def listing(where: str, rows: Iterable[tuple[int, Sequence[str]]]) -> Listing:
    """What rows say; the first that is not empty is the header.

    Args:
        where: The file.
        rows: Line numbers with cells.
    """
    header: tuple[str, ...] = ()
    lines: list[Line] = []
    mistakes: list[Mistake] = []
    for number, row in rows:
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if not header:
            header = tuple(cells)
            wrong = tuple(_header_mistakes(where, number, header))
            if wrong:
                return Listing(mistakes=wrong)
            continue
        if len(cells) > len(header):
            mistakes.append(_long(where, number, len(cells), len(header)))
        values = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
        lines.append(Line(number=number, values=values))
    if not header:
        mistakes.append(
            Mistake(where=where, key="", problem="is empty", way_out="Begin it with a header"),
        )
    return Listing(header=header, lines=tuple(lines), mistakes=tuple(mistakes))


def _rows(text: str, where: str) -> list[tuple[int, list[str]]] | Mistake:
    """The rows of a CSV text; its delimiter is the one that its first line holds most of."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    begin = 1
    try:
        for row in reader:
            rows.append((begin, row))
            begin = reader.line_num + 1
    except csv.Error as fault:
        return Mistake(
            where=where,
            key=place(begin),
            problem=f"is not CSV: {fault}",
            way_out="Close each quote, and write a quote inside quotes twice",
        )
    return rows


def read_csv(path: Path) -> Listing:
    """The listing of a CSV file in UTF-8, separated by comma, semicolon or tab. Never raises."""
    where = str(path)
    text = text_of(path)
    if text is None:
        text = Mistake(
            where=where,
            key="",
            problem="there is no such file",
            way_out="Check the path",
        )
    rows = text if isinstance(text, Mistake) else _rows(text, where)
    return Listing(mistakes=(rows,)) if isinstance(rows, Mistake) else listing(where, rows)
