"""Databases into files: a whole run of ours beside what one would use instead, in turns.

    python tests/benchmarks/compare.py [--source postgresql …] [--shape narrow …] [--to csv …]
        [--turns 5] [--rows N] [--peers FOLDER]

Wants local servers. Ours is one run of an engine whose extractor is warm, from its submission to
the synced target; native clients are whole programs, followed by a sync. With `--peers` an
environment is made in that folder once, from tests/benchmarks/peers.txt, and what is in it joins.
Every target's rows are counted before its time is believed. Figures of earlier times are kept in
.benchmarks/compare.jsonl, and what changed is said.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

import mysql_kit
import postgresql_kit
from benchmarks.race import Book, Sample, UnfitError, once, race
from benchmarks.shapes import MYSQL, POSTGRESQL, ROWS, sqlite_file, table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFIG = """
[settings]
state_dir = "state"
[connections.branch]
url = "{url}"
{credential}
{jobs}
"""
JOB = """
[jobs.{name}]
connections = ["branch"]
query = "SELECT * FROM {table} {limit}"
[[jobs.{name}.destinations]]
type = "{kind}"
path = "{name}{ending}"
{options}
"""
CREDENTIAL = """
credential = "reader"
[credentials.reader]
user = "{user}"
password = "env:BENCH_PASSWORD"
"""
USERS = {"postgresql": postgresql_kit.USER, "mysql": mysql_kit.USER}
ENDINGS = {"csv": ".csv", "parquet": ".parquet", "excel": ".xlsx"}
OPTIONS = {"csv": "", "parquet": "", "excel": 'sheets = "each"'}
PEERS = {
    "csv": ("duckdb", "connectorx", "pandas", "fetch_all", "dlt", "sling"),
    "parquet": ("duckdb", "connectorx", "pandas", "dlt"),  # sling fetches a program for it
    "excel": (),
}


@contextmanager
def source(kind: str, shape: str, rows: int, folder: Path) -> Iterator[tuple[str, str]]:
    """A database with the table of a shape; its address for ours, and for the others."""
    if kind == "sqlite":
        path = folder / "branch.db"
        sqlite_file(str(path), shape, rows)
        yield f"sqlite:///{path}", f"sqlite:///{path}"
        return
    kit, dialect = {
        "postgresql": (postgresql_kit, POSTGRESQL),
        "mysql": (mysql_kit, MYSQL),
    }[kind]
    server = kit.Server() if kind == "postgresql" else kit.MysqlServer()
    try:
        database = server.database(*table(dialect, shape, rows))
        where = f"{kit.HOST}:{kit.PORT}/{database}"
        yield f"{kind}://{where}?sslmode=disable", f"{kind}://{kit.USER}@{where}"
    finally:
        server.clear()


def synced(target: Path, run: Callable[[], Sample]) -> Sample:
    """A program that does not sync its file, and the sync after it."""
    sample = run()
    begun = time.perf_counter()
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    more = time.perf_counter() - begun
    return Sample(sample.seconds + more, sample.start_s, sample.cpu_s, sample.peak_mb)


def native(kind: str, url: str, shape: str, target: Path) -> tuple[str, Callable[[], Sample]]:
    """The database's own program, and how to run it; CSV alone."""
    database = url.rpartition("/")[2]
    sql = f"SELECT * FROM {shape}"
    if kind == "postgresql":
        kit = postgresql_kit
        words = ["psql", "-qX", "-h", kit.HOST, "-p", str(kit.PORT), "-U", kit.USER]
        words += ["-d", database, "-c", f"\\copy ({sql}) to '{target}' (format csv, header)"]
        return "psql \\copy", partial(synced, target, partial(once, words))
    if kind == "mysql":
        kit = mysql_kit
        words = ["mariadb", "-h", kit.HOST, "-P", str(kit.PORT), "-u", kit.USER, "--batch"]
        words += ["--quick", "--default-character-set=utf8mb4", database, "-e", sql]
        shell = ["sh", "-c", 'exec "$@" > "$0"', str(target), *words]
        return "mariadb --batch --quick", partial(synced, target, partial(once, shell))
    words = ["sqlite3", "-csv", "-header", url.removeprefix("sqlite:///"), sql]
    shell = ["sh", "-c", 'exec "$@" > "$0"', str(target), *words]
    return "sqlite3 -csv", partial(synced, target, partial(once, shell))


def our_run(config: Path) -> Sample:
    environ = {"PYTHONPATH": str(ROOT), "BENCH_PASSWORD": "not asked for"}
    command = [sys.executable, str(HERE / "ours.py"), str(config), "warm", "job"]
    return once(command, environ)


def counted(target: Path, rows: int, run: Callable[[], Sample]) -> Sample:
    """A turn whose target holds all rows.

    Raises:
        UnfitError: It does not, or the program failed.
    """
    target.unlink(missing_ok=True)
    sample = run()
    found = count(target)
    if found != rows:
        raise UnfitError(f"{found:,} of {rows:,} rows arrived")
    return sample


def count(target: Path) -> int:
    """Rows in a target."""
    if target.suffix == ".parquet":
        return pq.read_metadata(target).num_rows
    if target.suffix == ".xlsx":
        import fastexcel

        return fastexcel.read_excel(target).load_sheet("branch").total_height
    if target.suffix == ".tsv":
        with target.open("rb") as file:
            return sum(1 for _ in file) - 1
    with target.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def peers(folder: Path) -> Path:
    """The interpreter of the peers' environment, which is made where there is none."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        wanted = HERE / "peers.txt"
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", wanted], check=True)
    return python


def cell(kind: str, shape: str, to: str, rows: int, asked: argparse.Namespace, book: Book) -> None:
    with tempfile.TemporaryDirectory(prefix="compare-") as name:
        folder = Path(name)
        with source(kind, shape, rows, folder) as (address, theirs):
            config = folder / "config.toml"
            config.write_text(
                CONFIG.format(
                    url=address,
                    credential="" if kind == "sqlite" else CREDENTIAL.format(user=USERS[kind]),
                    jobs="".join(
                        JOB.format(
                            name=job,
                            table=shape,
                            limit=limit,
                            kind=to,
                            ending=ENDINGS[to],
                            options=OPTIONS[to],
                        )
                        for job, limit in (("warm", "LIMIT 1000"), ("job", ""))
                    ),
                ),
            )
            target = folder / f"job{ENDINGS[to]}"
            ways = {"etltui": partial(counted, target, rows, partial(our_run, config))}
            if to == "csv":
                out = folder / ("native.tsv" if kind == "mysql" else "native.csv")
                way, run = native(kind, theirs, shape, out)
                ways[way] = partial(counted, out, rows, run)
            for peer in PEERS[to] if asked.peers else ():
                out = folder / f"{peer}{ENDINGS[to]}"
                command = [str(peers(asked.peers)), str(HERE / "peers.py"), peer, theirs, shape]
                ways[peer] = partial(counted, out, rows, partial(once, [*command, str(out)]))
            medians, unfit = race(ways, asked.turns)
    title = f"{kind} {shape} → {to}, {rows:,} rows"
    print(title)
    if "etltui" in medians:
        print("\n".join(book.add(title, "etltui", medians)))
    for way, why in unfit.items():
        print(f"  {way:<28}unfit: {why}")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", nargs="+", default=["sqlite", "postgresql", "mysql"])
    parser.add_argument("--shape", nargs="+", default=["narrow"], choices=ROWS)
    parser.add_argument("--to", nargs="+", default=["csv", "parquet"], choices=ENDINGS)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--rows", type=int, default=0, help="instead of each shape's own number")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environment")
    asked = parser.parse_args()
    book = Book(ROOT / ".benchmarks" / "compare.jsonl")
    for kind in asked.source:
        for shape in asked.shape:
            for to in asked.to:
                cell(kind, shape, to, asked.rows or ROWS[shape], asked, book)
    book.close()


if __name__ == "__main__":
    main()
