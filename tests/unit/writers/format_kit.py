"""Makes parts and targets of any format in a folder, for tests."""

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.job import OPTIONS
from etltui.domain.task import ExtractTask, PublishEntry, PublishTask, WriterTask
from etltui.extractors.arrow import MIXED, canonical_type
from etltui.writers.registry import format_of
from etltui.writers.writer import PartTask

ROWS = pa.record_batch(
    {
        "id": pa.array([1, 2, None]),
        "name": pa.array(["Łukasz, 山田", '=1+"2"\\', ""]),
        "note, long": pa.array(["two\nlines\x01", None, " NULL "]),
        "amount": pa.array([Decimal("-1.50"), None, Decimal(0)], pa.decimal128(12, 2)),
        "ratio": pa.array([0.1, float("nan"), 1e15]),
        "on": pa.array([True, None, False]),
        "day": pa.array([0, 20_000, None], pa.date32()),
        "clock": pa.array([0, None, 1], pa.time64("us")),
        "at": pa.array([0, 1_500_000, None], pa.timestamp("us")),
        "seen": pa.array([0, None, 1], pa.timestamp("us", tz="UTC")),
        "raw": pa.array([b"\x00\xff", None, b""]),
        "any": pa.array(
            [{"text": "-5", "number": True}, {"text": "-x", "number": False}, None],
            MIXED,
        ),
    },
)
"""Every type, with what is hard about it and a NULL."""


def columns_of(schema):
    return tuple(Column(name=f.name, type=canonical_type(f.type)) for f in schema)


class Kit:
    """One destination of one run below a folder."""

    def __init__(self, root, kind="parquet", target=None, **options):
        self.root = root
        self.kind = kind
        self.target = target or f"out.{kind}"
        self.options = asdict(OPTIONS[kind](**options))
        self.variant = "gzip" if self.target.endswith(".gz") else ""
        self.made = 0
        (self.folder / "0").mkdir(parents=True, exist_ok=True)

    @property
    def folder(self):
        return self.root / "parts"

    @property
    def temporary(self):
        return self.root / f".{self.target}.tmp"

    def part_task(self, schema, *, connection="B1", columns=None, query=0):
        writer = WriterTask(
            destination=0,
            type=self.kind,
            folder=str(self.folder / "0"),
            options=self.options,
            variant=self.variant,
        )
        self.made += 1
        extract = ExtractTask(
            run="r",
            connection=connection,
            number=self.made,
            attempt=1,
            queries=(),
            writers=(writer,),
            plan_hash="p",
            connection_hash="c",
        )
        found = columns_of(schema)
        return PartTask(
            extract=extract, writer=writer, query=query, columns=columns or found, found=found
        )

    def part(self, *batches, schema=None, **where):
        writer = format_of(self.kind).part_writer(
            self.part_task(schema or batches[0].schema, **where)
        )
        try:
            for each in batches:
                writer.write(each)
            (receipt,) = writer.close()
        except BaseException:
            writer.abandon()
            raise
        return receipt

    def payload(self, receipt):
        return (self.folder / receipt.path).read_bytes()[: receipt.bytes]

    def task(self, receipts, *, columns=None, missing=()):
        entries = tuple(
            PublishEntry(connection=r.connection, status="completed", rows=r.rows, receipts=(r,))
            for r in receipts
        )
        fixed = columns if columns is not None else receipts[0].columns if receipts else None
        return PublishTask(
            destination=0,
            type=self.kind,
            parts=str(self.folder),
            temporary=str(self.temporary),
            target=str(self.root / self.target),
            options=self.options,
            queries=("main",),
            columns=() if fixed is None else (fixed,),
            entries=(*entries, *(PublishEntry(connection=m, status="failed") for m in missing)),
        )

    def assemble(self, receipts, **more):
        """What was published; it stands at `temporary`."""
        return format_of(self.kind).assemble(self.task(receipts, **more))


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
