"""Looks at a job's targets each millisecond over many runs: each must be whole, old or new.

    python tests/faults/watched.py --runs 200

A workbook, a CSV and a Parquet file are opened as a reader opens them whenever one has changed:
the zip's checksums, the rows of each sheet, the rows of the CSV, the Parquet's footer and rows.
The rows of the source grow from run to run, so that an old file is told from a new one.
"""

import argparse
import csv
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import openpyxl
import pyarrow.parquet

LIMIT_S = 300
FIRST = 50
"""Rows of each connection in the first run; each further run has one more."""
BRANCHES = ("North", "South")
CONFIG = """\
[settings]
state_dir = "state"
extractors = 1

[connections.North]
url = "sqlite:///{folder}/branch.db"

[connections.South]
url = "sqlite:///{folder}/branch.db"

[jobs.sales]
title = "Sales"
connections = ["*"]
query = "SELECT id, name FROM sales ORDER BY id"
destinations = [
    {{ type = "excel", path = "out/sales.xlsx" }},
    {{ type = "csv", path = "out/sales.csv" }},
    {{ type = "parquet", path = "out/sales.parquet" }},
]
"""


def rows_of_xlsx(path: Path) -> int:
    with zipfile.ZipFile(path) as book:
        if (bad := book.testzip()) is not None:
            raise ValueError(f"{bad} is damaged")
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        # Each sheet of a connection has its head.
        return sum(sum(1 for _ in book[name].iter_rows()) - 1 for name in BRANCHES)
    finally:
        book.close()


def rows_of_csv(path: Path) -> int:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = list(csv.reader(file))
    if len({len(line) for line in lines}) != 1:
        raise ValueError("a line is cut")
    return len(lines) - 1


def rows_of_parquet(path: Path) -> int:
    with path.open("rb") as file:
        table = pyarrow.parquet.read_table(file)
    return table.num_rows


CHECKS: dict[str, Callable[[Path], int]] = {
    "sales.xlsx": rows_of_xlsx,
    "sales.csv": rows_of_csv,
    "sales.parquet": rows_of_parquet,
}


@dataclass
class Watcher:
    """Looks at the targets; what it finds must hold the rows of a run that has begun."""

    output: Path
    begun: int = 0
    """Runs that have begun."""
    looks: int = 0
    files: dict[str, int] = field(default_factory=dict)
    """How many different files it has seen under each name."""
    wrong: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        known: dict[str, tuple[int, int, int]] = {}
        while not self._stop.wait(0.001):
            self.looks += 1
            for name in CHECKS:
                self._look(name, known)

    def _look(self, name: str, known: dict[str, tuple[int, int, int]]) -> None:
        path = self.output / name
        try:
            stat = path.stat()
        except FileNotFoundError:
            if name in known:
                self.wrong.append(f"{name} was not there")
            return
        mark = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if known.get(name) == mark:
            return
        known[name] = mark
        self.files[name] = self.files.get(name, 0) + 1
        try:
            rows = CHECKS[name](path)
        except Exception as error:  # noqa: BLE001 - whatever a reader meets
            self.wrong.append(f"{name} is torn: {error}")
            return
        whole = {len(BRANCHES) * (FIRST + run) for run in range(self.begun)}
        if rows not in whole:
            self.wrong.append(f"{name} has {rows} rows, no run has")

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def watch(folder: Path, *, runs: int) -> Watcher:
    """So many runs under a watcher's eyes."""
    (folder / "config.toml").write_text(CONFIG.format(folder=folder), encoding="utf-8")
    database = sqlite3.connect(folder / "branch.db")
    database.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, name TEXT)")
    database.executemany("INSERT INTO sales (name) VALUES (?)", [("x" * 200,)] * FIRST)
    database.commit()
    with Watcher(output=folder / "out") as watcher:
        for run in range(runs):
            watcher.begun = run + 1
            ended = once(folder)
            if ended:
                watcher.wrong.append(f"run {run + 1}: {ended}")
                break
            database.execute("INSERT INTO sales (name) VALUES ('y')")
            database.commit()
    database.close()
    left = {path.name for path in folder.glob("out/*")} - CHECKS.keys()
    watcher.wrong += [f"{name} was left" for name in sorted(left)]
    return watcher


def once(folder: Path) -> str:
    """One run; empty where all went well."""
    config = str(folder / "config.toml")
    ended = subprocess.run(
        [sys.executable, "-m", "etltui", "run", "sales", "--config", config, "--json"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env={k: v for k, v in os.environ.items() if not k.startswith("ETLTUI_")},
        check=False,
    )
    if ended.returncode:
        return f"exit code {ended.returncode}: {ended.stderr.strip()}"
    finished = json.loads(ended.stdout.splitlines()[-1])
    return "" if finished["status"] == "completed" else str(finished)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        watcher = watch(Path(folder), runs=asked.runs)
    print(f"{asked.runs} runs, {watcher.looks:,} looks, files seen: {watcher.files}")
    print(*watcher.wrong, sep="\n")
    return 1 if watcher.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
