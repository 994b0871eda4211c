"""A whole run of one connection from a warm extractor beside `sqlite3 -csv`: 1 M rows × 12 columns.

    python tests/benchmarks/bench_run.py [--rows 1000000] [--times 3]

Both write a CSV of the same table on the same disk in the same minute. Ours also syncs, checks,
records and assembles; the ratio is of wall seconds, median of so many times, below 1 is faster.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from etltui.bootstrap import engine
from etltui.cli.demo_data import make
from etltui.config.load import load

CONFIG = """
[connections.branch_001]
url = "sqlite:///data/branch_001.db"
[jobs.bench]
connections = ["branch_001"]
query = "SELECT * FROM sales"
[[jobs.bench.destinations]]
type = "csv"
path = "output/bench.csv"
"""


def reference(folder: Path) -> float:
    """Seconds of `sqlite3 -csv`."""
    started = time.monotonic()
    with (folder / "reference.csv").open("wb") as out:
        command = ["sqlite3", "-csv", "-header", str(folder / "data/branch_001.db")]
        subprocess.run([*command, "SELECT * FROM sales"], stdout=out, check=True)
    return time.monotonic() - started


async def measured(folder: Path, times: int) -> tuple[list[float], list[float], dict[str, float]]:
    """Seconds of runs in one engine, and of the reference between them."""
    config = load(folder / "config.toml", environ={})
    ours, theirs, parts = [], [], {}
    async with engine(config, folder / "state", environ=os.environ) as running:
        for turn in range(times + 1):
            started = time.monotonic()
            result = await (await running.submit("bench")).wait()
            seconds = time.monotonic() - started
            assert str(result.status) == "completed", result
            if turn:  # the first warms the extractor up
                ours.append(seconds)
                parts = dict(result.connections[0].seconds)
                theirs.append(await asyncio.to_thread(reference, folder))
    return ours, theirs, parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, branches=1, rows=asked.rows, seed=1)
        (folder / "config.toml").write_text(CONFIG)
        ours, theirs, parts = asyncio.run(measured(folder, asked.times))
        size = (folder / "output/bench.csv").stat().st_size
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"{asked.rows:,} rows × 12, {size / 1e6:.0f} MB, median of {asked.times}")
    print(f"etltui run  {mine:6.2f} s  {asked.rows / mine:10,.0f} rows/s  {parts}")
    print(f"sqlite3 -csv{other:6.2f} s  {asked.rows / other:10,.0f} rows/s")
    print(f"ratio {mine / other:.2f}")


if __name__ == "__main__":
    main()
