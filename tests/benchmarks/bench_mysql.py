"""A million rows × 12 columns from MariaDB into a CSV part, beside `mariadb --batch`, in turns.

Run it by hand with a local server: python tests/benchmarks/bench_mysql.py [rows]. It prints
medians of five and their ratio to the server's own program, then what a reading process weighs at
its peak for a quarter of the rows and for all of them: it must be the same.
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
from mysql_kit import HOST, PORT, USER, MysqlServer, mysql_task

TURNS = 5
MAKE = """
    CREATE TABLE sales (id INT NOT NULL, code VARCHAR(20), day DATE, at DATETIME,
        amount DECIMAL(12,2), tax DECIMAL(12,2), total DECIMAL(18,4), name VARCHAR(50),
        city VARCHAR(20), note VARCHAR(60), ok BOOLEAN, ratio DOUBLE)
"""
FILL = """
    INSERT INTO sales SELECT
        seq,
        CONCAT('INV-', LPAD(seq, 7, '0')),
        CAST('2025-01-01' AS DATE) + INTERVAL seq % 365 DAY,
        CAST('2025-01-01' AS DATETIME) + INTERVAL (seq * 7919 % 10000000) SECOND,
        seq * 7919 % 100000000 / 100,
        seq * 104729 % 1000000 / 100,
        seq * 15485863 % 10000000000 / 10000,
        ELT(1 + seq % 7, 'Asha Rao', 'Łukasz Żółć', '山田太郎', 'Иван', 'O''Brien, Pat',
            'The "Best" Co', 'محمد'),
        ELT(1 + seq % 3, 'Pune', 'Mumbai', 'Nagpur'),
        IF(seq % 10 > 2, CONCAT('note ', seq % 999983, ' on it'), NULL),
        seq % 2 = 0,
        RAND(1) * 1000
    FROM seq_1_to_{rows}
"""
SQL = "SELECT * FROM sales"
CSV = WriterTask(destination=0, type="csv", folder="", options=asdict(CsvOptions()))
EXCEL = WriterTask(
    destination=0, type="excel", folder="", options=asdict(ExcelOptions()), variant="sheets"
)


def read(database, writer, sql=SQL):
    """Rows into a part, through a session that is open and warm; seconds."""
    with TemporaryDirectory() as folder, closing(connect(mysql_task(database))) as reader:
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


def batch(database):
    """The same rows by MariaDB's own program, which does not gather them first."""
    with TemporaryDirectory() as folder:
        command = ["mariadb", "-h", HOST, "-P", str(PORT), "-u", USER, "--batch", "--quick"]
        command += ["--default-character-set=utf8mb4", database, "-e", SQL]
        started = time.perf_counter()
        with (Path(folder) / "out.tsv").open("wb") as out:
            subprocess.run(command, check=True, stdout=out)
        return time.perf_counter() - started


def peak_mb(database, lane, rows):
    """What a process of its own weighs at most that reads so many rows."""
    command = [sys.executable, __file__, "peak", database, lane, str(rows)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


LANES = {"csv": CSV, "excel": EXCEL}


def peak(database, lane, rows):
    _lean_memory()
    read(database, LANES[lane], f"{SQL} LIMIT {rows}")
    # Not getrusage: that also knows what the process weighed before it was this program.
    status = Path("/proc/self/status").read_text()
    print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)


def main(rows):
    server = MysqlServer()
    try:
        database = server.database(MAKE, FILL.format(rows=rows), "ANALYZE TABLE sales")
        ways = {
            "mariadb": lambda: batch(database),
            "csv": lambda: read(database, CSV),
        }
        read(database, CSV)
        spent = {way: [] for way in ways}
        for _ in range(TURNS):
            for way, work in ways.items():
                spent[way].append(work())
        least = statistics.median(spent["mariadb"])
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
