"""Counts rows in a target that another program has written anew, as any reader would."""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import openpyxl
import pyarrow as pa
from pyarrow import parquet

from etltui.domain.job import ExcelOptions, ParquetOptions
from etltui.domain.limits import EXCEL
from etltui.domain.part import Receipt
from etltui.domain.read_back import ReadTask
from etltui.domain.task import PublishEntry, PublishTask
from etltui.writers.content import BrokenError
from etltui.writers.excel_sheets import Sheet, sheets_of

Key = tuple[str, int, str]
"""Connection, query, variant."""


def key_of(receipt: Receipt) -> Key:
    """Whose rows a part holds."""
    return receipt.connection, receipt.query, receipt.variant


def foreign_rows(task: ReadTask) -> Mapping[Key, int]:
    """From each connection, query and variant to the rows that are found; none where unknown.

    Raises:
        BrokenError: It is no such file any more.
    """
    counts = {"excel": _workbook, "parquet": _parquet}.get(task.type)
    return counts(task) if counts else {}


def _workbook(task: ReadTask) -> Mapping[Key, int]:
    sheets = _sheets(task)
    found: Counter[Key] = Counter()
    try:
        # openpyxl leaves a file open that it cannot read
        with Path(task.target).open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            for sheet in sheets:
                if sheet.name in book.sheetnames:
                    found.update(_sheet(sheet, book[sheet.name].iter_rows(2, values_only=True)))
    except (OSError, KeyError, ValueError, SyntaxError, zipfile.BadZipFile, zlib.error) as error:
        raise BrokenError(f"cannot be read as a workbook ({error})") from error
    # a sheet that is gone holds no row
    return {key_of(part): found[key_of(part)] for sheet in sheets for part in sheet.parts}


def _sheet(sheet: Sheet, rows: Iterable[tuple[object, ...]]) -> Counter[Key]:
    """Rows of one sheet; on a stacked one each begins with the name of its connection."""
    if not sheet.parts:
        return Counter()
    first = sheet.parts[0]
    if not sheet.stacked:
        return Counter({key_of(first): sum(1 for _ in rows)})
    return Counter((str(row[0]), first.query, first.variant) for row in rows if row)


def _sheets(task: ReadTask) -> tuple[Sheet, ...]:
    """The sheets of a workbook, as they were when it was made."""
    entries = tuple(
        PublishEntry(
            connection=name,
            status="",
            receipts=tuple(r for r in task.receipts if r.connection == name),
        )
        for name in task.connections
    )
    made = PublishTask(
        destination=0,
        type=task.type,
        parts="",
        temporary="",
        target=task.target,
        options=task.options,
        queries=task.queries,
        query=task.query,
        columns=(),
        entries=entries,
        title=task.title,
    )
    return sheets_of(made, msgspec.convert(dict(task.options), ExcelOptions), EXCEL)


def _parquet(task: ReadTask) -> Mapping[Key, int]:
    label = msgspec.convert(dict(task.options), ParquetOptions).connection_column
    if not label:
        return {}
    names: Counter[str] = Counter()
    try:
        for batch in parquet.ParquetFile(task.target).iter_batches(columns=[label]):
            names.update(map(str, batch.column(0).to_pylist()))
    except (OSError, pa.ArrowException) as error:
        raise BrokenError(f"cannot be read as Parquet ({error})") from error
    return {key_of(receipt): names[receipt.connection] for receipt in task.receipts}
