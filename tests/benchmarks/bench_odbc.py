"""A table of 12 columns through psqlODBC and MariaDB's driver: ours beside plain pyodbc rows.

Run it by hand with local servers: python tests/benchmarks/bench_odbc.py [rows]. Each way ends in
CSV lines that go nowhere, in turns; it prints medians of five, their ratio, and what a process
weighs at its peak for a quarter of the rows and for all of them.
"""

import csv
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

sys.path.insert(0, str(Path(__file__).parents[1]))

from etltui.domain.task import QueryTask
from etltui.readers.odbc import connect
from etltui.readers.odbc_line import connection_string
from etltui.readers.odbc_open import _completed, _family
from mysql_kit import MysqlServer
from odbc_kit import mariadb_task, missing, postgresql_task
from postgresql_kit import Server

TURNS = 5
SQL = "SELECT * FROM sales"
BATCH = 8 * 1024 * 1024
NAMES = "'Asha Rao', 'Łukasz Żółć', '山田太郎', 'Иван', 'O''Brien, Pat', 'The \"Best\" Co', 'محمد'"
POSTGRESQL = f"""
    CREATE TABLE sales AS SELECT
        g::int AS id, ('INV-' || lpad(g::text, 7, '0'))::varchar(20) AS code,
        date '2025-01-01' + (g % 365)::int AS day,
        timestamp '2025-01-01' + (g * 7919 % 10000000) * interval '1 s' AS at,
        (g * 7919 % 100000000 / 100.0)::numeric(12,2) AS amount,
        (g * 104729 % 1000000 / 100.0)::numeric(12,2) AS tax,
        (g * 15485863 % 10000000000 / 10000.0)::numeric(18,4) AS total,
        (ARRAY[{NAMES}])[1 + g % 7]::varchar(40) AS name,
        (ARRAY['Pune', 'Mumbai', 'Nagpur'])[1 + g % 3]::varchar(20) AS city,
        CASE WHEN g % 10 > 2 THEN 'note ' || g % 999983 || ' on it' END AS note,
        g % 2 = 0 AS ok, random() * 1000 AS ratio
    FROM generate_series(1::bigint, {{rows}}) AS g
"""
MARIADB = f"""
    CREATE TABLE sales AS SELECT
        cast(seq AS int) AS id, cast(concat('INV-', lpad(seq, 7, '0')) AS char(20)) AS code,
        date_add(date '2025-01-01', INTERVAL seq % 365 DAY) AS day,
        cast(date_add('2025-01-01', INTERVAL seq * 7919 % 10000000 SECOND) AS datetime) AS at,
        cast(seq * 7919 % 100000000 / 100 AS decimal(12,2)) AS amount,
        cast(seq * 104729 % 1000000 / 100 AS decimal(12,2)) AS tax,
        cast(seq * 15485863 % 10000000000 / 10000 AS decimal(18,4)) AS total,
        elt(1 + seq % 7, {NAMES}) AS name, elt(1 + seq % 3, 'Pune', 'Mumbai', 'Nagpur') AS city,
        if(seq % 10 > 2, concat('note ', seq % 999983, ' on it'), NULL) AS note,
        seq % 2 = 0 AS ok, rand() * 1000 AS ratio
    FROM seq_1_to_{{rows}}
"""


def ours(task):
    """Seconds from the query to the last line."""
    with closing(connect(task)) as reader:
        started = time.perf_counter()
        with reader.snapshot(), reader.read(
            QueryTask(name="q", sql=SQL), batch_bytes=lambda: BATCH, exact=False
        ) as result:  # fmt: skip
            writer = None
            for batch in result.batches:
                writer = writer or arrow_csv.CSVWriter(pa.OSFile(os.devnull, "wb"), batch.schema)
                writer.write_batch(batch)
        return time.perf_counter() - started


def plain(task):
    """The same as one would write it."""
    import pyodbc

    keys = dict(task.options)
    words = connection_string(_completed(keys, _family(keys), task))
    with closing(pyodbc.connect(words, autocommit=False)) as connection:
        started = time.perf_counter()
        with Path(os.devnull).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            cursor = connection.execute(SQL)
            while rows := cursor.fetchmany(1000):
                writer.writerows(rows)
        return time.perf_counter() - started


def peak(kind, database, rows):
    """MB of a process of its own that reads so many rows."""
    program = f"""
from bench_odbc import *
SQL = "SELECT * FROM sales WHERE id <= {rows}"
import bench_odbc; bench_odbc.SQL = SQL
ours({kind}_task({database!r}))
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])},
    )
    return int(done.stdout)


def main(rows):
    for kind, server, ddl, task_of in (
        ("postgresql", Server(), POSTGRESQL, postgresql_task),
        ("mariadb", MysqlServer(), MARIADB, mariadb_task),
    ):
        database = server.database(ddl.format(rows=rows))
        try:
            task = task_of(database)
            if why := missing(task.options["Driver"]):
                print(f"{kind}: {why}")
                continue
            times = [(ours(task), plain(task)) for _ in range(TURNS)]
            one, other = (statistics.median(each) for each in zip(*times, strict=True))
            print(f"{kind}: {rows:,} rows, ours {one:.2f} s, pyodbc rows {other:.2f} s", end="")
            print(f", {other / one:.1f} times as fast")
            print(f"  peak: {peak(kind, database, rows // 4)} MB for a quarter", end="")
            print(f", {peak(kind, database, rows)} MB for all")
        finally:
            server.clear()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
