"""Makes everything of a workbook but its data sheets, with openpyxl, the same bytes every time."""

import zipfile
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.limits import Limits
from etltui.domain.naming import INDEX, RUN
from etltui.writers.excel_index import Link, Value
from etltui.writers.excel_styles import GENERAL, HEADER, LINK, STYLES, TEXT
from etltui.writers.excel_text import cell_text

_LOOKS = {
    "header": (
        Font(name="Calibri", size=11, family=2, scheme="minor", bold=True),
        PatternFill("solid", start_color="FFD9E1F2", end_color="FFD9E1F2"),
    ),
    "link": (
        Font(name="Calibri", size=11, family=2, scheme="minor", u="single", color="FF0563C1"),
        PatternFill(),
    ),
}
"""`plain` is what a new workbook begins with."""
_CORE = "docProps/core.xml"
_CORE_XML = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<dc:title>{title}</dc:title><dc:creator>etltui</dc:creator>"
    '<dcterms:created xsi:type="dcterms:W3CDTF">2000-01-01T00:00:00Z</dcterms:created>'
    "</cp:coreProperties>"
)
"""The true time stands on the Run sheet; here it would make every file another one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSheet:
    """A small sheet that we write ourselves: Index or Run.

    Attributes:
        head: Names of the columns, and their widths in characters.
        totals: Rows at the end that are no entries, so that filters leave them out.
    """

    name: str
    head: Sequence[tuple[str, int]]
    rows: Iterable[tuple[Value, ...]]
    totals: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSheet:
    """A sheet whose XML comes from parts: only its name and its filter's range are needed here."""

    name: str
    filter: str


def scaffold(
    title: str,
    index: TableSheet,
    data: Sequence[DataSheet],
    run: TableSheet,
    limits: Limits,
) -> list[tuple[str, bytes | None]]:
    """The files of a workbook in order; None where a data sheet, in its order, belongs.

    Raises:
        Failure: Of class `internal`, openpyxl numbers styles otherwise than parts do.
    """
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook begins with a sheet")
    _define_styles(sheet)
    sheet.title = INDEX
    _fill(sheet, index, limits)
    for each in data:
        empty = book.create_sheet(each.name)
        if each.filter:
            empty.auto_filter.ref = each.filter  # defines the hidden name that Excel looks for
    _fill(book.create_sheet(RUN), run, limits)
    buffer = BytesIO()
    book.save(buffer)
    return _entries(buffer, cell_text(title, limits.text), len(data))


def _define_styles(sheet: Worksheet) -> None:
    for number, style in enumerate(STYLES):
        cell = Cell(sheet, row=1, column=1)
        if style.look in _LOOKS:
            cell.font, cell.fill = _LOOKS[style.look]
        cell.number_format = style.format
        if cell.style_id != number:
            raise Failure(
                ErrorClass.INTERNAL,
                f"openpyxl gives style {number} the number {cell.style_id}",
            )


def _fill(sheet: Worksheet, table: TableSheet, limits: Limits) -> None:
    last = get_column_letter(len(table.head))
    for column, (name, width) in enumerate(table.head, 1):
        _put(sheet, 1, column, name, HEADER, limits)
        sheet.column_dimensions[get_column_letter(column)].width = width
    row = 1
    for row, values in enumerate(table.rows, 2):
        for column, value in enumerate(values, 1):
            style = LINK if isinstance(value, Link) else TEXT if isinstance(value, str) else GENERAL
            _put(sheet, row, column, value, style, limits)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{last}{max(1, row - table.totals)}"


def _put(
    sheet: Worksheet,
    row: int,
    column: int,
    value: Value,
    style: int,
    limits: Limits,
) -> None:
    if value is None:
        return
    cell: Any = sheet.cell(row, column)
    book: Any = sheet.parent
    cell._style = copy(book._cell_styles[style])  # noqa: SLF001 - the public way is 20 times slower
    if isinstance(value, int):
        cell.value = value
        return
    cell.value = cell_text(value.text if isinstance(value, Link) else value, limits.text)
    cell.data_type = "s"  # whatever it looks like: openpyxl takes `=1` for a formula
    if isinstance(value, Link):
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=value.location)


def _entries(buffer: BytesIO, title: str, data: int) -> list[tuple[str, bytes | None]]:
    """What openpyxl made, without its time.

    Content types come first, as Excel writes them; the Run sheet last, so that nothing else moves
    when it changes.
    """
    sheets = [f"xl/worksheets/sheet{number}.xml" for number in range(1, data + 3)]
    ours = sheets[1:-1]
    with zipfile.ZipFile(buffer) as book:
        others = sorted(set(book.namelist()) - set(sheets), key=_by_place)
        bodies = {name: book.read(name) for name in (*others, sheets[0], sheets[-1])}
    bodies[_CORE] = _CORE_XML.format(title=escape(title)).encode()
    return [(name, bodies.get(name)) for name in (*others, sheets[0], *ours, sheets[-1])]


def _by_place(name: str) -> tuple[bool, str]:
    return name != "[Content_Types].xml", name
