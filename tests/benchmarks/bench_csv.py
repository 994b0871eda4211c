"""Our CSV part writer against pyarrow's own CSV writer: 1 M rows, 12 columns, one core.

Run it with `python tests/benchmarks/bench_csv.py`; it prints medians of five, and the ratio of
processor time. pyarrow quotes every text, leaves fractions at six digits, proves and syncs nothing.
"""

import random
import statistics
import tempfile
import time
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrows

from etltui.domain.columns import Column
from etltui.domain.job import CsvOptions
from etltui.domain.task import ExtractTask, WriterTask
from etltui.extractors.arrow import canonical_type
from etltui.writers import csv
from etltui.writers.writer import PartTask

ROWS, ROUNDS, BATCH_ROWS = 1_000_000, 5, 50_000
_DISTINCT = 10_000
_NAMES = ["Asha Rao", "Łukasz Żółć", "山田太郎", "Иван", "O'Brien, Pat", 'The "Best" Co', "محمد"]


def table():
    rng = random.Random(1)

    def many(make, kind):
        values = [make() for _ in range(_DISTINCT)]
        return pa.array(values * (ROWS // _DISTINCT), kind)

    def decimal(digits, places):
        return lambda: Decimal(rng.randrange(10**digits)).scaleb(-places)

    start = datetime(2025, 1, 1)  # noqa: DTZ001 - a timestamp without a zone is what is measured
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "code": pa.array([f"INV-{n:07d}" for n in range(ROWS)]),
            "day": many(lambda: date(2025, 1, 1) + timedelta(rng.randrange(365)), pa.date32()),
            "at": many(lambda: start + timedelta(seconds=rng.randrange(10**7)), pa.timestamp("us")),
            "amount": many(decimal(8, 2), pa.decimal128(12, 2)),
            "tax": many(decimal(6, 2), pa.decimal128(12, 2)),
            "total": many(decimal(10, 4), pa.decimal128(18, 4)),
            "name": many(lambda: rng.choice(_NAMES), pa.string()),
            "city": many(lambda: rng.choice(["Pune", "Mumbai", "Nagpur"]), pa.string()),
            "note": many(
                lambda: None if rng.random() < 0.3 else f"note {rng.randrange(10**6)} on it",
                pa.string(),
            ),
            "ok": many(lambda: rng.random() < 0.5, pa.bool_()),
            "ratio": many(lambda: rng.random() * 1000, pa.float64()),
        },
    )


def ours(rows, folder, number, variant=""):
    columns = tuple(Column(name=f.name, type=canonical_type(f.type)) for f in rows.schema)
    writer = WriterTask(
        destination=0,
        type="csv",
        folder=str(folder),
        options=asdict(CsvOptions()),
        variant=variant,
    )
    extract = ExtractTask(
        run="bench",
        connection="B1",
        number=number,
        attempt=1,
        queries=(),
        writers=(writer,),
        plan_hash="",
        connection_hash="",
    )
    part = csv.part_writer(
        PartTask(extract=extract, writer=writer, query=0, columns=columns, found=columns),
    )
    for batch in rows.to_batches(BATCH_ROWS):
        part.write(batch)
    part.close()


def theirs(rows, folder, number):
    arrows.write_csv(rows, folder / f"{number}.csv")


def timed(works, rows):
    """Median wall and processor seconds of each, taken in turns so that a busy hour hits all."""
    spent = {name: [] for name in works}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            for name, work in works.items():
                wall, cpu = time.perf_counter(), time.process_time()
                work(rows, Path(folder), number)
                spent[name].append((time.perf_counter() - wall, time.process_time() - cpu))
                for file in Path(folder).iterdir():
                    file.unlink()
    return {name: [statistics.median(c) for c in zip(*s, strict=True)] for name, s in spent.items()}


def main():
    pa.set_cpu_count(1)
    gzipped = partial(ours, variant="gzip")
    works = {"pyarrow write_csv": theirs, "our part": ours, "our part, gzip": gzipped}
    spent = timed(works, table())
    _, least = spent["pyarrow write_csv"]
    for name, (wall, cpu) in spent.items():
        speed = ROWS / cpu / 1e6
        print(f"{name:<18}{wall:6.2f} s {cpu:6.2f} s CPU {speed:5.2f} M rows/s x{cpu / least:.2f}")


if __name__ == "__main__":
    main()
