"""A million rows × 12 columns from PostgreSQL into a CSV part, beside `psql \\copy`, in turns.

Run it by hand with a local server: python tests/benchmarks/bench_postgresql.py [rows]. It prints
medians of five and their ratio to psql, then what a reading process weighs at its peak for a
quarter of the rows and for all of them: it must be the same.
"""

import statistics
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from etltui.domain.job import CsvOptions, ExcelOptions
from etltui.domain.task import ExtractTask, QueryTask, WriterTask
from etltui.extractors.child import _lean_memory
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import Gate
from etltui.readers.registry import connect
from postgresql_kit import HOST, PORT, USER, Server, session_task

TURNS = 5
SALES = """
    CREATE TABLE sales AS SELECT
        g::int AS id,
        'INV-' || lpad(g::text, 7, '0') AS code,
        date '2025-01-01' + (g % 365)::int AS day,
        timestamp '2025-01-01' + (g * 7919 % 10000000) * interval '1 s' AS at,
        (g * 7919 % 100000000 / 100.0)::numeric(12,2) AS amount,
        (g * 104729 % 1000000 / 100.0)::numeric(12,2) AS tax,
        (g * 15485863 % 10000000000 / 10000.0)::numeric(18,4) AS total,
        (ARRAY['Asha Rao', 'Łukasz Żółć', '山田太郎', 'Иван', 'O''Brien, Pat', 'The "Best" Co',
               'محمد'])[1 + g % 7] AS name,
        (ARRAY['Pune', 'Mumbai', 'Nagpur'])[1 + g % 3] AS city,
        CASE WHEN g % 10 > 2 THEN 'note ' || g % 999983 || ' on it' END AS note,
        g % 2 = 0 AS ok,
        random() * 1000 AS ratio
    FROM generate_series(1::bigint, {rows}) AS g
"""
SQL = "SELECT * FROM sales"
LINES = WriterTask(destination=0, type="csv", folder="", options=asdict(CsvOptions()))
VALUES = replace(LINES, options=asdict(CsvOptions(null="NULL")))
"""What the server cannot print is made of values."""
EXCEL = WriterTask(
    destination=0, type="excel", folder="", options=asdict(ExcelOptions()), variant="sheets"
)


def read(database, writer, sql=SQL):
    """Rows into a part, through a session that is open and warm; seconds."""
    with TemporaryDirectory() as folder, closing(connect(session_task(database))) as reader:
        query = QueryTask(name="q", sql=sql)
        query = replace(query, columns=reader.describe(query))
        task = ExtractTask(
            run="bench",
            connection="B1",
            number=1,
            attempt=1,
            queries=(query,),
            writers=(replace(writer, folder=folder),),
            plan_hash="",
            connection_hash="",
        )
        started = time.perf_counter()
        extract(reader, task, Gate(2), Watch())
        return time.perf_counter() - started


def psql(database):
    """The same rows by PostgreSQL's own program."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out.csv"
        copy = f"\\copy ({SQL}) to '{out}' (format csv)"
        command = ["psql", "-qX", "-h", HOST, "-p", str(PORT), "-U", USER, "-d", database]
        started = time.perf_counter()
        subprocess.run([*command, "-c", copy], check=True)
        return time.perf_counter() - started


def peak_mb(database, lane, rows):
    """What a process of its own weighs at most that reads so many rows."""
    command = [sys.executable, __file__, "peak", database, lane, str(rows)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


LANES = {"lines": LINES, "values": VALUES, "excel": EXCEL}


def peak(database, lane, rows):
    _lean_memory()
    read(database, LANES[lane], f"{SQL} LIMIT {rows}")
    # Not getrusage: that also knows what the process weighed before it was this program.
    status = Path("/proc/self/status").read_text()
    print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)


def main(rows):
    server = Server()
    try:
        database = server.database(SALES.format(rows=rows), "VACUUM ANALYZE sales")
        ways = {
            "psql \\copy": lambda: psql(database),
            "lines": lambda: read(database, LINES),
            "values": lambda: read(database, VALUES),
        }
        read(database, LINES)
        spent = {way: [] for way in ways}
        for _ in range(TURNS):
            for way, work in ways.items():
                spent[way].append(work())
        least = statistics.median(spent["psql \\copy"])
        for way, seconds in spent.items():
            median = statistics.median(seconds)
            speed = rows / median / 1e6
            print(f"{way:<12}{median:6.2f} s {speed:5.2f} M rows/s x{median / least:.2f}")
        for lane in LANES:
            quarter, whole = (peak_mb(database, lane, size) for size in (rows // 4, rows))
            print(f"{lane:<12}peak {quarter} MB of a quarter, {whole} MB of all")
    finally:
        server.clear()


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        peak(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
