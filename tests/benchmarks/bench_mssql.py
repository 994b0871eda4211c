"""Reading SQL Server against plain pyodbc rows, at a double that sends its rows again and again.

    python tests/benchmarks/bench_mssql.py [ROWS]

The double runs in a process of its own and has its rows ready in bytes, so that the reading side
is what is measured. It is no SQL Server: only the ratio means something.
"""

import csv
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyodbc
from pyarrow import csv as arrow_csv

sys.path.insert(0, str(Path(__file__).parents[1]))

from etltui.domain.task import QueryTask
from etltui.readers.mssql_drivers import chosen, keys
from etltui.readers.odbc_line import connection_string
from etltui.readers.registry import connect
from mssql_kit import DRIVERS, serving, session_task
from tds.kinds import kind
from tds.scripts import Canned

SQL = "SELECT * FROM sales"
TYPES = {
    "id": "int",
    "code": "varchar(20)",
    "day": "date",
    "at": "datetime2(3)",
    "price": "decimal(12,2)",
    "rate": "decimal(9,4)",
    "total": "money",
    "customer": "nvarchar(40)",
    "town": "nvarchar(40)",
    "note": "nvarchar(40)",
    "paid": "bit",
    "weight": "float",
}
CHUNK = 1000


def row(number):
    return (
        number,
        f"code {number:06d}",
        f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}",
        f"2026-11-{1 + number % 28:02d} 10:11:{number % 60:02d}.125",
        f"{number}.{number % 100:02d}",
        f"{number % 90}.1250",
        f"{number}.9900",
        f"Customer {number}",
        ("Paris", "München", "पुणे", "Łódź")[number % 4],
        None if number % 3 else f"note {number}",
        number % 2,
        number / 7,
    )


class Port:
    """What `session_task` asks of a server."""

    def __init__(self, port):
        self.port = port


def serve(pipe, rows):
    with serving(Path(tempfile.mkdtemp(prefix="bench-tds-"))) as server:
        server.database("shop")
        server.canned[SQL] = Canned(
            names=list(TYPES),
            kinds=[kind(spoken) for spoken in TYPES.values()],
            rows=[row(number) for number in range(CHUNK)],
            repeat=rows // CHUNK,
        )
        pipe.send(server.port)
        pipe.recv()


def plain(task):
    """Rows by pyodbc, as CSV lines that go nowhere."""
    made = keys(chosen(task.options["driver"], pyodbc.drivers()), task, 10)
    with closing(pyodbc.connect(connection_string(made), autocommit=True)) as connection:
        cursor = connection.execute(SQL)
        count = 0
        with Path(os.devnull).open("w", newline="") as file:
            writer = csv.writer(file)
            while rows := cursor.fetchmany(CHUNK):
                writer.writerows(rows)
                count += len(rows)
    return count


def ours(task):
    """Arrow batches by the reader, as CSV lines that go nowhere."""
    query = QueryTask(name="q", sql=SQL)
    with (
        closing(connect(task)) as reader,
        reader.snapshot(),
        reader.read(query, batch_bytes=lambda: 8 << 20, exact=False) as result,
    ):
        count = 0
        with pa.OSFile(os.devnull, "wb") as file:
            for batch in result.batches:
                arrow_csv.write_csv(batch, file)
                count += batch.num_rows
        return count


def timed(read, task, rows):
    best = (float("inf"), float("inf"))
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        assert read(task) == rows
        best = min(best, (time.perf_counter() - wall, time.process_time() - cpu))
    return best


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    near, far = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(far, rows))
    server.start()
    try:
        port = Port(near.recv())
        for name in sorted(DRIVERS):
            task = session_task(port, "shop", DRIVERS[name]())
            slow, fast = timed(plain, task, rows), timed(ours, task, rows)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{name}: pyodbc {rows / slow[0]:,.0f} rows/s ({slow[1]:.2f} s CPU), "
                f"etltui {rows / fast[0]:,.0f} rows/s ({fast[1]:.2f} s CPU), "
                f"ratio {slow[0] / fast[0]:.1f} (CPU {slow[1] / fast[1]:.1f}), peak {peak} MB",
            )
    finally:
        near.send("end")
        server.join()


if __name__ == "__main__":
    main()
