"""How long a million rows take from SQLite to Arrow, beside `sqlite3 -csv` in the same minute.

Run it by hand: python tests/benchmarks/bench_sqlite_reader.py [rows]
"""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from etltui.cli.demo_data import make
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.registry import connect

SQL = "SELECT * FROM sales"
TURNS = 5


def read(path: Path, *, exact: bool) -> int:
    """All rows by one lane, batch by batch, nothing kept."""
    task = SessionTask(
        connection="bench",
        kind="sqlite",
        host="",
        port=0,
        database=str(path),
        user="",
        password="",
    )
    query = QueryTask(name="sales", sql=SQL)
    with (
        closing(connect(task)) as reader,
        reader.snapshot(),
        reader.read(query, batch_bytes=lambda: 8 << 20, exact=exact) as result,
    ):
        return sum(batch.num_rows for batch in result.batches)


def print_csv(path: Path) -> int:
    """The same rows by SQLite's own program."""
    with (path.parent / "out.csv").open("wb") as out:
        subprocess.run(["sqlite3", "-csv", str(path), SQL], stdout=out, check=True)
    return 0


def main() -> None:
    """Make the rows, then time the ways in turns, so that a busy minute meets them all."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        make(folder, branches=1, rows=rows, seed=1)
        print(f"demo data: {rows:,} rows made in {time.perf_counter() - started:.2f} s")
        path = folder / "data" / "branch_001.db"
        ways: dict[str, Callable[[], int]] = {
            "fast lane": lambda: read(path, exact=False),
            "rows lane": lambda: read(path, exact=True),
        }
        if shutil.which("sqlite3"):
            ways["sqlite3 -csv"] = lambda: print_csv(path)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(TURNS):
            for way, run in ways.items():
                started = time.perf_counter()
                count = run()
                taken[way].append(time.perf_counter() - started)
                if count not in {0, rows}:
                    raise SystemExit(f"{way} read {count:,} of {rows:,} rows")
        for way, seconds in taken.items():
            print(
                f"{way:>14}: best {min(seconds):.2f} s, median {statistics.median(seconds):.2f} s"
            )


if __name__ == "__main__":
    main()
