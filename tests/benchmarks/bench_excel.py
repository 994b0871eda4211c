"""How fast rows become a workbook, beside XlsxWriter and openpyxl in the same process.

Run as `python tests/benchmarks/bench_excel.py [rows] [rounds]`. Each writer takes the same 12
columns from memory: ours Arrow batches, the others tuples made beforehand, which is to their
advantage. Ours is part writer and assembly together. Peaks are beyond what was held before.
"""

import random
import statistics
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import xlsxwriter

from etltui.domain.columns import Column
from etltui.domain.task import ExtractTask, PublishEntry, PublishTask, WriterTask
from etltui.extractors.arrow import arrow_schema
from etltui.writers.excel import assemble, part_writer
from etltui.writers.writer import PartTask

COLUMNS = tuple(
    Column(name=name, type=kind)
    for name, kind in (
        ("id", "int"),
        ("invoice", "text"),
        ("day", "date"),
        ("at", "timestamp"),
        ("taxable", "decimal(12,2)"),
        ("cgst", "decimal(12,2)"),
        ("sgst", "decimal(12,2)"),
        ("customer", "text"),
        ("city", "text"),
        ("remark", "text"),
        ("paid", "bool"),
        ("rate", "float"),
    )
)
NAMES = ("Amit Sharma", "Łukasz Żółć", "王小明", "अनिता देसाई", "Ravi & Sons", "محمد", "Σωκράτης")
CITIES = ("Delhi", "मुंबई", "Chennai", "Köln")
BATCH = 50_000


def rows_of(count):
    """Rows as a branch's bills look."""
    dice = random.Random(7)
    for n in range(count):
        yield (
            n + 1,
            f"INV-{dice.randrange(10**8):08d}",
            date(2020, 1, 1) + timedelta(days=dice.randrange(2_500)),
            datetime(2024, 1, 1) + timedelta(seconds=dice.randrange(9 * 10**7)),  # noqa: DTZ001
            Decimal(dice.randrange(10**7)).scaleb(-2),
            Decimal(dice.randrange(10**6)).scaleb(-2),
            Decimal(dice.randrange(10**6)).scaleb(-2),
            f"{dice.choice(NAMES)} {dice.randrange(5_000)}",
            dice.choice(CITIES),
            "paid in cash" if dice.random() < 0.4 else None,
            dice.random() < 0.5,
            dice.random() * 100,
        )


def table_of(rows):
    schema = arrow_schema(COLUMNS)
    values = zip(*rows, strict=True)
    return pa.table(
        [pa.array(v, field.type) for v, field in zip(values, schema, strict=True)],
        schema=schema,
    )


def ours(folder, table, compression="auto"):
    extract = ExtractTask(
        run="r",
        connection="Branch_001",
        number=1,
        attempt=1,
        queries=(),
        writers=(),
        plan_hash="",
        connection_hash="",
    )
    options = {"compression": compression}
    parts = folder / "0"
    parts.mkdir(exist_ok=True)
    task = WriterTask(
        destination=0,
        type="excel",
        folder=str(parts),
        options=options,
        variant="sheets",
    )
    writer = part_writer(
        PartTask(extract=extract, writer=task, query=0, columns=COLUMNS, found=COLUMNS),
    )
    for batch in table.to_batches(max_chunksize=BATCH):
        writer.write(batch)
    receipts = writer.close()
    book = folder / "ours.xlsx"
    entry = PublishEntry(
        connection="Branch_001",
        status="completed",
        rows=table.num_rows,
        receipts=receipts,
    )
    assemble(
        PublishTask(
            destination=0,
            type="excel",
            parts=str(folder),
            temporary=str(book),
            target=str(book),
            options=options,
            queries=("main",),
            columns=(COLUMNS,),
            entries=(entry,),
        ),
    )
    writer.abandon()
    return book


def ours_with_zlib(folder, table):
    return ours(folder, table, "zlib")


def with_xlsxwriter(folder, rows):
    book = folder / "xlsxwriter.xlsx"
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(book, options)
    day = workbook.add_format({"num_format": "yyyy-mm-dd"})
    moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    money = workbook.add_format({"num_format": "0.00"})
    formats = [None, None, day, moment, money, money, money, None, None, None, None, None]
    sheet = workbook.add_worksheet("Branch_001")
    sheet.write_row(0, 0, [column.name for column in COLUMNS])
    for number, row in enumerate(rows, 1):
        for place, (value, look) in enumerate(zip(row, formats, strict=True)):
            sheet.write(number, place, value, look)
    workbook.close()
    return book


def with_openpyxl(folder, rows):
    book = folder / "openpyxl.xlsx"
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Branch_001")
    sheet.append([column.name for column in COLUMNS])
    for row in rows:
        sheet.append(row)
    workbook.save(book)
    return book


WRITERS = {
    "etltui, isal": (ours, True),
    "etltui, zlib": (ours_with_zlib, True),
    "XlsxWriter constant_memory": (with_xlsxwriter, False),
    "openpyxl write-only": (with_openpyxl, False),
}


def kept_mb(field):
    """`VmRSS` or `VmHWM` of this process, as Linux tells it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def measured(name, count, rounds):
    """Seconds of the middle round, bytes of the file, MB at the peak."""
    write, arrow = WRITERS[name]
    rows = list(rows_of(count))
    source = table_of(rows) if arrow else rows
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        before = kept_mb("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        for _ in range(rounds):
            begun = time.perf_counter()
            book = write(Path(folder), source)
            seconds.append(time.perf_counter() - begun)
        peak = kept_mb("VmHWM") - before
        return statistics.median(seconds), book.stat().st_size, peak


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"{count:,} rows x {len(COLUMNS)} columns, middle of {rounds} rounds")
    figures = {name: measured(name, count, rounds) for name in WRITERS}
    base = figures["XlsxWriter constant_memory"][0]
    for name, (seconds, size, peak) in figures.items():
        print(
            f"{name:28} {seconds:7.2f} s {count / seconds:>10,.0f} rows/s"
            f" {base / seconds:6.1f} x {size / 1e6:6.1f} MB  +{peak:.0f} MB at the peak",
        )


if __name__ == "__main__":
    main()
