"""Puts a workbook together from parts: copies their bytes, proves them, makes the file durable."""

import os
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgspec
from openpyxl.utils import get_column_letter

from etltui.config.disk import sync_folder
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import ExcelOptions
from etltui.domain.limits import Limits
from etltui.domain.naming import INDEX, RUN
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.task import PublishTask
from etltui.writers.excel_index import INDEX_HEAD, RENAMED, RUN_HEAD, index_rows, run_rows
from etltui.writers.excel_rows import MAX_WIDTH, header
from etltui.writers.excel_scaffold import DataSheet, TableSheet, scaffold
from etltui.writers.excel_sheets import Sheet, sheets_of
from etltui.writers.excel_styles import HEADER
from etltui.writers.part import crc_of, disk_errors, read_receipt, verified
from etltui.writers.zip_parts import Piece, ZipParts, crc_combine, deflated

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_FROZEN = (
    '<sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    '<selection pane="bottomLeft"/></sheetView></sheetViews>'
)
_PADDING = 3
"""Characters beside the text: the cell's margin and the filter's button."""


def assembled(task: PublishTask, limits: Limits) -> Published:
    """Write the workbook; what `excel.assemble` promises."""
    options = msgspec.convert(dict(task.options), ExcelOptions)
    sheets = sheets_of(task, options, limits)
    path = Path(task.temporary)
    try:
        need = sum(part.bytes for sheet in sheets for part in sheet.parts)
        with disk_errors(path, ErrorClass.TARGET, need=need):
            members = _write(task, options, sheets, limits)
            crc = _proven(path, Path(task.parts), members)
            sync_folder(path.parent)
            size = path.stat().st_size
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    notes = Counter(RENAMED for sheet in sheets if sheet.renamed)
    stacked = sheets[0].stacked if sheets else False
    return Published(
        bytes=size,
        crc=crc,
        rows=sum(sheet.rows for sheet in sheets if sheet.stacked == stacked),
        members=tuple(member for member, _ in members),
        notes=dict(notes),
    )


_Placed = tuple[Member, Receipt]


def _write(
    task: PublishTask,
    options: ExcelOptions,
    sheets: tuple[Sheet, ...],
    limits: Limits,
) -> list[_Placed]:
    """The whole file, on the disk when this returns; tells where each part lies."""
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    fd = os.open(task.temporary, flags, 0o666)  # less the umask, as any new file of the operator's
    try:
        target = ZipParts(fd)
        members: list[_Placed] = []
        waiting = iter(sheets)
        for name, body in _scaffold(task, options, sheets, limits):
            if body is not None:
                target.add(name, [deflated(body, last=True)])
                continue
            sheet = next(waiting)
            members += _add_sheet(target, name, sheet, (task, options, limits))
        target.finish()
        os.fsync(fd)
    finally:
        os.close(fd)
    return members


def _scaffold(
    task: PublishTask,
    options: ExcelOptions,
    sheets: tuple[Sheet, ...],
    limits: Limits,
) -> list[tuple[str, bytes | None]]:
    index = TableSheet(
        name=INDEX,
        head=INDEX_HEAD,
        rows=index_rows(task, sheets),
        totals=1 + len(task.revisions),
    )
    data = [
        DataSheet(name=sheet.name, filter=_filter(_names(sheet, task, options), sheet, options))
        for sheet in sheets
    ]
    run = TableSheet(name=RUN, head=RUN_HEAD, rows=run_rows(task))
    return scaffold(task.title, index, data, run, limits)


def _add_sheet(
    target: ZipParts,
    name: str,
    sheet: Sheet,
    context: tuple[PublishTask, ExcelOptions, Limits],
) -> list[_Placed]:
    task, options, limits = context
    names = _names(sheet, task, options)
    pieces = [deflated(_before(names, sheet, options, limits).encode(), last=False)]
    pieces += [_checked(Path(task.parts), part) for part in sheet.parts]
    ends = f"</sheetData>{_filter_xml(_filter(names, sheet, options))}</worksheet>"
    pieces.append(deflated(ends.encode(), last=True))
    offsets = target.add(name, pieces)[1:-1]
    return [
        (
            Member(
                connection=part.connection,
                query=part.query,
                segment=part.segment,
                offset=offset,
                length=part.bytes,
                crc=part.crc,
                variant=part.variant,
            ),
            part,
        )
        for part, offset in zip(sheet.parts, offsets, strict=True)
    ]


def _checked(folder: Path, part: Receipt) -> Piece:
    """A part whose footer says what its receipt does."""
    path = folder / part.path
    if read_receipt(path) != part:
        raise _corrupt(part)
    return Piece(
        source=path,
        length=part.bytes,
        raw_length=part.raw_bytes,
        raw_crc=part.raw_crc,
    )


def _corrupt(part: Receipt) -> Failure:
    return Failure(
        ErrorClass.CORRUPT,
        f"the part {part.path} of {part.connection} is not what was written. "
        "Read this connection again",
        {"connection": part.connection, "part": part.path},
    )


def _names(sheet: Sheet, task: PublishTask, options: ExcelOptions) -> list[str]:
    """The header's cells."""
    own = [column.name for column in task.columns[sheet.query]]
    return [options.connection_column, *own] if sheet.stacked else own


def _widths(names: list[str], sheet: Sheet) -> list[int]:
    """Of each column, in characters."""
    widest = [len(name) for name in names]
    for part in sheet.parts:
        own = (len(part.connection), *part.widths) if sheet.stacked else part.widths
        for place, width in enumerate(own):
            widest[place] = max(widest[place], width)
    return [min(width, MAX_WIDTH) + _PADDING for width in widest]


def _before(names: list[str], sheet: Sheet, options: ExcelOptions, limits: Limits) -> str:
    """A sheet's XML up to its first row of data."""
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(_widths(names, sheet), 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{_MAIN}"><dimension ref="{_range(names, sheet)}"/>'
        f"{_FROZEN if options.freeze_header else ''}"
        '<sheetFormatPr defaultRowHeight="15"/>'
        f"{f'<cols>{columns}</cols>' if columns else ''}"
        f"<sheetData>{header(names, HEADER, limits)}"
    )


def _range(names: list[str], sheet: Sheet) -> str:
    return f"A1:{get_column_letter(max(1, len(names)))}{sheet.rows + 1}"


def _filter(names: list[str], sheet: Sheet, options: ExcelOptions) -> str:
    return _range(names, sheet) if options.autofilter and names else ""


def _filter_xml(where: str) -> str:
    return f'<autoFilter ref="{where}"/>' if where else ""


def _proven(path: Path, folder: Path, members: list[_Placed]) -> int:
    """CRC-32 of the whole file, which was read once and holds every part as it was written."""
    _check_structure(path)
    size = path.stat().st_size
    crc = at = 0
    for member, part in members:
        between = member.offset - at
        crc = crc_combine(crc, crc_of(path, offset=at, length=between), between)
        found = crc_of(path, offset=member.offset, length=member.length)
        if found != member.crc:
            raise _corrupt(part) if not verified(folder, part) else _unfaithful(path)
        crc = crc_combine(crc, found, member.length)
        at = member.offset + member.length
    return crc_combine(crc, crc_of(path, offset=at, length=size - at), size - at)


def _check_structure(path: Path) -> None:
    """Directory and local headers agree, entries follow each other without a gap."""
    try:
        with zipfile.ZipFile(path) as book:
            infos = book.infolist()
            for info in infos:
                book.open(info).close()
            ends = [info.header_offset for info in infos[1:]] + [book.start_dir]
    except zipfile.BadZipFile as error:
        raise _unfaithful(path) from error
    for info, end in zip(infos, ends, strict=True):
        if info.header_offset + 30 + len(info.filename) + info.compress_size != end:
            raise _unfaithful(path)


def _unfaithful(path: Path) -> Failure:
    return Failure(
        ErrorClass.TARGET,
        f"{path} does not hold what was written to it",
        {"path": str(path)},
    )
