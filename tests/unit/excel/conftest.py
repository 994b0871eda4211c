"""A workbench that writes parts and puts workbooks together, and reads them back raw."""

import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.limits import EXCEL
from etltui.domain.task import ExtractTask, PublishEntry, PublishTask, WriterTask
from etltui.extractors.arrow import arrow_schema
from etltui.writers.excel import assemble, part_writer
from etltui.writers.writer import PartTask

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Workbench:
    """Parts under a folder, and the workbooks made of them."""

    def __init__(self, folder):
        self.folder = folder
        self.made = 0

    def task(self, columns, *, connection="Branch", variant="sheets", query=0, **options):
        self.made += 1
        folder = self.folder / f"parts{self.made}"
        folder.mkdir()
        extract = ExtractTask(
            run="r",
            connection=connection,
            number=self.made,
            attempt=1,
            queries=(),
            writers=(),
            plan_hash="p",
            connection_hash="c",
        )
        writer = WriterTask(
            destination=0,
            type="excel",
            folder=str(folder),
            options=options,
            variant=variant,
        )
        return PartTask(extract=extract, writer=writer, query=query, columns=columns, found=columns)

    def parts(self, columns, rows, *, limits=EXCEL, sizes=(), **task):
        """Receipts of rows given as tuples, in batches of these sizes and a last one."""
        columns = tuple(columns)
        writer = part_writer(self.task(columns, **task), limits)
        batch = batch_of(columns, rows)
        start = 0
        for size in [*sizes, len(rows)]:
            writer.write(batch.slice(start, size))
            start += size
        return writer.close()

    def payload(self, receipt):
        return (self.folder / receipt.path).read_bytes()[: receipt.bytes]

    def entry(self, receipts, **more):
        receipts = tuple(receipts)
        fields = {
            "connection": receipts[0].connection if receipts else "Branch",
            "status": "completed",
            "rows": sum(receipt.rows for receipt in receipts),
        }
        return PublishEntry(receipts=receipts, **{**fields, **more})

    def stored(self, columns, connection, rows, *, variants=("sheets",), limits=EXCEL, **more):
        """The entry of a completed connection."""
        parts = [
            part
            for variant in variants
            for part in self.parts(
                columns,
                rows,
                connection=connection,
                variant=variant,
                limits=limits,
            )
        ]
        return self.entry(parts, **{"rows": len(rows), **more})

    def failed(self, connection, error_class=ErrorClass.LOGIN, message="no"):
        trouble = Trouble(error_class=error_class, message=message)
        return self.entry([], connection=connection, status="failed", trouble=trouble)

    def publish(self, columns, *entries, limits=EXCEL, queries=("main",), **more):
        """A workbook; `columns` of each query or of the only one."""
        columns = tuple(columns)
        if columns and isinstance(columns[0], Column):
            columns = (columns,)
        task = PublishTask(
            destination=0,
            type="excel",
            parts=str(self.folder),
            temporary=str(self.folder / more.pop("name", "book.xlsx")),
            target=str(self.folder / "target.xlsx"),
            queries=queries,
            columns=columns,
            entries=tuple(entries),
            options=more.pop("options", {}),
            **more,
        )
        published = assemble(task, limits)
        return Path(task.temporary), published

    def cells(self, columns, rows, **options):
        """The cells of a sheet as (type, style, text); empty cells as None."""
        receipts = self.parts(columns, rows, **options)
        book, _ = self.publish(columns, self.entry(receipts))
        return raw_cells(book, 2)[1:]


def batch_of(columns, rows):
    schema = arrow_schema(tuple(columns))
    values = list(zip(*rows, strict=True)) if rows else [[] for _ in columns]
    arrays = [pa.array(list(v), field.type) for v, field in zip(values, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def raw_cells(book, number):
    """What the XML of a sheet says: for each row its cells as (type, style, text) or None."""
    with zipfile.ZipFile(book) as file:
        root = ET.fromstring(file.read(f"xl/worksheets/sheet{number}.xml"))
    assert root.find(f".//{_NS}f") is None, "a formula"
    return [[_cell(cell) for cell in row] for row in root.iter(f"{_NS}row")]


def _cell(cell):
    kind, style = cell.get("t", "n"), int(cell.get("s", "0"))
    if len(cell) == 0:
        return None
    if kind == "inlineStr":
        text = cell.find(f"{_NS}is/{_NS}t").text or ""
        decoded = re.sub(r"_x([0-9A-Fa-f]{4})_", lambda code: chr(int(code[1], 16)), text)
        return kind, style, decoded
    return kind, style, cell.find(f"{_NS}v").text


@pytest.fixture
def bench(tmp_path):
    return Workbench(tmp_path)


@pytest.fixture
def column():
    return lambda kind, name="value": Column(name=name, type=kind)
