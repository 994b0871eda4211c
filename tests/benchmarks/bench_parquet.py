"""Our Parquet and JSON part writers against DuckDB's COPY and json.dumps, from the same Arrow rows.

Run it with `python tests/benchmarks/bench_parquet.py`; it prints medians of five, on one core, and
the ratio of processor time to DuckDB's for the same format. Ours are synced, checksummed parts;
putting ten of them together under one footer is timed beside that. DuckDB proves and syncs nothing.
"""

import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bench_csv import ROWS, table
from etltui.domain.columns import Column
from etltui.domain.job import OPTIONS
from etltui.domain.task import ExtractTask, PublishEntry, PublishTask, WriterTask
from etltui.extractors.arrow import canonical_type
from etltui.writers.registry import format_of
from etltui.writers.writer import PartTask

ROUNDS, BATCH_ROWS, PARTS = 5, 50_000, 10
ENDINGS = {"parquet": "FORMAT parquet, COMPRESSION zstd", "jsonl": "FORMAT json"}


def part_task(kind, rows, folder, number):
    columns = tuple(Column(name=f.name, type=canonical_type(f.type)) for f in rows.schema)
    writer = WriterTask(
        destination=0,
        type=kind,
        folder=str(folder),
        options=asdict(OPTIONS[kind]()),
    )
    extract = ExtractTask(
        run="bench",
        connection=f"B{number}",
        number=number,
        attempt=1,
        queries=(),
        writers=(writer,),
        plan_hash="",
        connection_hash="",
    )
    return PartTask(extract=extract, writer=writer, query=0, columns=columns, found=columns)


def ours(kind, rows, folder):
    task = part_task(kind, rows, folder, 0)
    part = format_of(kind).part_writer(task)
    for batch in rows.to_batches(BATCH_ROWS):
        part.write(batch)
    part.close()


def duck(kind, rows, folder):
    with duckdb.connect(config={"threads": 1}) as db:
        db.register("rows", rows)
        path = folder / "duck"
        db.execute(f"COPY (SELECT 'B0' AS connection, * FROM rows) TO '{path}' ({ENDINGS[kind]})")


def dumps(rows, folder):
    with (folder / "dumps").open("w") as file:
        for batch in rows.to_batches(BATCH_ROWS):
            for row in batch.to_pylist():
                file.write(json.dumps(row, default=str, ensure_ascii=False))
                file.write("\n")


def publish(rows, folder):
    """Parts first, which is not what is timed here; seconds to put them together."""
    (folder / "0").mkdir()
    entries = []
    for number in range(PARTS):
        task = part_task("parquet", rows, folder / "0", number)
        part = format_of("parquet").part_writer(task)
        part.write(rows.slice(0, ROWS // PARTS).combine_chunks().to_batches()[0])
        entries.append(
            PublishEntry(connection=f"B{number}", status="completed", receipts=part.close())
        )
    begun = time.perf_counter()
    made = format_of("parquet").assemble(
        PublishTask(
            destination=0,
            type="parquet",
            parts=str(folder),
            temporary=str(folder / "made"),
            target=str(folder / "made.parquet"),
            options=task.writer.options,
            queries=("main",),
            columns=(task.columns,),
            entries=tuple(entries),
        ),
    )
    return made.bytes, time.perf_counter() - begun


def timed(work, rows):
    """Median processor seconds, and the bytes of what was written."""
    spent, size = [], 0
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            cpu = time.process_time()
            work(rows, Path(folder))
            spent.append(time.process_time() - cpu)
            size = sum(file.stat().st_size for file in Path(folder).iterdir())
    return statistics.median(spent), size


def main():
    pa.set_cpu_count(1)
    rows = table()
    for kind in ENDINGS:
        works = {"DuckDB": partial(duck, kind), "ours": partial(ours, kind)}
        if kind == "jsonl":
            works["json.dumps"] = dumps
        spent = {name: timed(work, rows) for name, work in works.items()}
        least, _ = spent["DuckDB"]
        for name, (cpu, size) in spent.items():
            speed = ROWS / cpu / 1e6
            print(
                f"{kind:<8} {name:<11}{cpu:6.2f} s CPU {speed:6.2f} M rows/s "
                f"{size / 1e6:7.1f} MB  x{cpu / least:.2f}",
            )
    with tempfile.TemporaryDirectory() as folder:
        size, took = publish(rows, Path(folder))
    print(f"parquet  {PARTS} parts of {size / 1e6:.1f} MB in one file: {took:.2f} s")


if __name__ == "__main__":
    main()
