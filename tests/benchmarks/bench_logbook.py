"""How long a screen waits for trends and for the history of connections.

Run it with `python tests/benchmarks/bench_logbook.py`; it prints the best of five of each read, on
a week of samples (121,000) and 400 runs of 500 connections, one run a day.
"""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.engine.clock import SystemClock
from etltui.store.folder import DATABASE
from etltui.store.history import open_history
from etltui.store.rows import seal
from etltui.store.sqlite import SqliteStore

START = 1_800_000_000
DAY = 86_400
RUNS, CONNECTIONS, SAMPLES, ROUNDS = 400, 500, 121_000, 5


def runs():
    for number in range(RUNS):
        yield seal(
            {
                "run": f"20270115T0000{number:02d}Z-{number:04d}",
                "job": f"job_{number % 6}",
                "title": "A job",
                "status": str(RunStatus.COMPLETED),
                "plan_hash": "h",
                "attempt": 1,
                "total": CONNECTIONS,
                "started": float(START + number * DAY),
                "ended": float(START + number * DAY + 60),
                "reason": "",
            }
        )


def outcomes(rows):
    for number, row in enumerate(rows):
        for connection in range(CONNECTIONS):
            bad = (number + connection) % 17 == 0
            yield (
                row["run"],
                f"Branch_{connection:03d}",
                row["job"],
                row["started"] + connection / 10,
                str(ConnectionStatus.FAILED if bad else ConnectionStatus.COMPLETED),
                0 if bad else 2000,
                1.5,
                "",
                "timeout" if bad else "",
            )


def fill(path):
    made = list(runs())
    with closing(sqlite3.connect(path)) as connection:
        names = ", ".join(made[0])
        values = ", ".join(f":{name}" for name in made[0])
        connection.executemany(f"INSERT INTO runs ({names}) VALUES ({values})", made)
        connection.executemany(
            "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", outcomes(made)
        )
        marks = ", ".join("?" * 16)
        for table, seconds, count in (("samples", 5, SAMPLES), ("minutes", 60, SAMPLES // 12)):
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})",
                ((START + seconds * n, *[float(n % 100)] * 15) for n in range(count)),
            )
        connection.commit()


async def timed(name, read):
    best, found = float("inf"), ()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        found = await read()
        best = min(best, time.perf_counter() - begun)
    print(f"{name:<44}{len(found):>7} {best * 1000:8.1f} ms")


async def main():
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        async with await SqliteStore.open(state, clock=SystemClock()):
            pass
        fill(state / DATABASE)
        end, last = START + 7 * DAY, START + (RUNS - 28) * DAY
        async with await open_history(state) as history:
            await timed("samples of 7 days", lambda: history.samples(START, end))
            await timed("samples of a day", lambda: history.samples(end - DAY, end))
            await timed("samples of an hour", lambda: history.samples(START, START + 3600))
            await timed("outcomes of 28 days", lambda: history.outcomes(last))
            await timed("a connection", lambda: history.connection_history("Branch_017"))
            await timed("the newest run of each job", history.last_by_job)
            await timed("400 runs", lambda: history.runs(limit=-1))


if __name__ == "__main__":
    asyncio.run(main())
