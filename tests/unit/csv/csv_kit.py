"""Makes CSV parts and targets in a folder, for tests."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.job import CsvOptions
from etltui.domain.task import ExtractTask, PublishEntry, PublishTask, WriterTask
from etltui.domain.variants import text_variant
from etltui.extractors.arrow import canonical_type
from etltui.writers import csv
from etltui.writers.writer import PartTask


def columns_of(schema):
    return tuple(Column(name=f.name, type=canonical_type(f.type)) for f in schema)


def batch(**columns):
    return pa.record_batch(columns)


@dataclass
class Kit:
    """One destination of one run below a folder."""

    root: Path
    target: str = "out.csv"
    options: dict = field(default_factory=dict)

    @property
    def folder(self):
        return self.root / "parts"

    @property
    def temporary(self):
        return self.root / f".{self.target}.tmp"

    def part_task(self, schema, connection="B1", number=0, query=0):
        writer = WriterTask(
            destination=0,
            type="csv",
            folder=str(self.folder / "0"),
            options=asdict(CsvOptions(**self.options)),
            variant=text_variant(self.target),
        )
        (self.folder / "0").mkdir(parents=True, exist_ok=True)
        extract = ExtractTask(
            run="r",
            connection=connection,
            number=number,
            attempt=1,
            queries=(),
            writers=(writer,),
            plan_hash="p",
            connection_hash="c",
        )
        columns = columns_of(schema)
        return PartTask(extract=extract, writer=writer, query=query, columns=columns, found=columns)

    def part(self, batches, schema=None, **where):
        writer = csv.part_writer(self.part_task(schema or batches[0].schema, **where))
        for each in batches:
            writer.write(each)
        (receipt,) = writer.close()
        return receipt

    def payload(self, receipt):
        return (self.folder / receipt.path).read_bytes()[: receipt.bytes]

    def task(self, receipts, **changes):
        entries = tuple(
            PublishEntry(connection=r.connection, status="completed", rows=r.rows, receipts=(r,))
            for r in receipts
        )
        facts = {
            "destination": 0,
            "type": "csv",
            "parts": str(self.folder),
            "temporary": str(self.temporary),
            "target": str(self.root / self.target),
            "options": asdict(CsvOptions(**self.options)),
            "queries": ("main",),
            "columns": tuple(receipt.columns for receipt in receipts[:1]),
            "entries": entries,
        }
        return PublishTask(**(facts | changes))

    def assembled(self, receipts, **changes):
        """What was published, and the bytes."""
        published = csv.assemble(self.task(receipts, **changes))
        return published, self.temporary.read_bytes()
