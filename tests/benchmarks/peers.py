"""What else people use to get a table into a file, each as its documentation shows it.

    python tests/benchmarks/peers.py WAY URL TABLE TARGET

Runs in an environment of its own that holds the peers (`tests/benchmarks/peers.txt`), not this
project. Imports and the line to the database come before the clock starts; the file is synced
before it stops, because ours is.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

Work = Callable[[], object]


def pandas(url: str, table: str, target: str) -> Work:
    """In chunks to CSV, at once to Parquet: it has no other way."""
    import pandas as pd
    import sqlalchemy

    line = sqlalchemy.create_engine(_sqlalchemy(url)).connect()
    sql = sqlalchemy.text(f"SELECT * FROM {table}")

    def work() -> None:
        if target.endswith(".parquet"):
            pd.read_sql(sql, line).to_parquet(target, index=False)
            return
        streamed = line.execution_options(stream_results=True)
        with Path(target).open("w", encoding="utf-8", newline="") as file:
            for n, chunk in enumerate(pd.read_sql(sql, streamed, chunksize=50_000)):
                chunk.to_csv(file, index=False, header=n == 0)

    return work


def fetch_all(url: str, table: str, target: str) -> Work:
    """All rows in memory, then to the file."""
    import pandas as pd
    import sqlalchemy

    line = sqlalchemy.create_engine(_sqlalchemy(url)).connect()
    sql = sqlalchemy.text(f"SELECT * FROM {table}")
    return lambda: pd.read_sql(sql, line).to_csv(target, index=False)


def duckdb(url: str, table: str, target: str) -> Work:
    """Its scanner of the database, and COPY."""
    import duckdb

    parts = urlsplit(url)
    kind = {"postgresql": "postgres"}.get(parts.scheme, parts.scheme)
    where = parts.path if kind == "sqlite" else _words(url)
    line = duckdb.connect()
    line.execute(f"LOAD '{_extension(f'{kind}_scanner')}'")
    line.execute(f"ATTACH '{where}' AS far (TYPE {kind}, READ_ONLY)")
    options = "(FORMAT parquet)" if target.endswith(".parquet") else "(FORMAT csv, HEADER)"
    source = f"far.{table}" if kind == "sqlite" else f"far.{_schema(url)}.{table}"
    return lambda: line.execute(f"COPY (SELECT * FROM {source}) TO '{target}' {options}")


def connectorx(url: str, table: str, target: str) -> Work:
    """Into Arrow, and Arrow's writer."""
    import connectorx
    from pyarrow import csv, parquet

    def work() -> None:
        found = connectorx.read_sql(url, f"SELECT * FROM {table}", return_type="arrow")
        write = parquet.write_table if target.endswith(".parquet") else csv.write_csv
        write(found, target)

    return work


def dlt(url: str, table: str, target: str) -> Work:
    """Its SQL source by Arrow, and a folder of files."""
    folder = Path(target).parent
    os.environ["DLT_DATA_DIR"] = str(folder / "dlt")
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    import dlt
    from dlt.sources.sql_database import sql_table

    kind = "parquet" if target.endswith(".parquet") else "csv"
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.filesystem(f"file://{folder}/lake"),
        dataset_name="lake",
    )

    def work() -> None:
        rows = sql_table(
            _sqlalchemy(url), table, backend="pyarrow", chunk_size=50_000, reflection_level="full"
        )
        pipeline.run(rows, loader_file_format=kind, write_disposition="replace")
        made = sorted((folder / "lake").rglob(f"*.{kind}"), key=lambda each: each.stat().st_size)
        Path(target).unlink(missing_ok=True)
        made[-1].rename(target)

    return work


def sling(url: str, table: str, target: str) -> Work:
    """Its program; a folder of its own keeps what it knows."""
    import sling_linux_amd64

    program = next(Path(sling_linux_amd64.__file__).parent.glob("bin/sling*"))
    environ = {**os.environ, "SLING_HOME_DIR": str(Path(target).parent / "sling")}
    environ["SLING_DISABLE_TELEMETRY"] = "TRUE"
    address = f"{url}?sslmode=disable" if url.startswith("postgresql") else url
    address = address.replace("sqlite:////", "sqlite:///")
    command = [str(program), "run", "--src-conn", address, "--src-stream", f"select * from {table}"]
    command += ["--tgt-object", f"file://{target}"]
    return lambda: subprocess.run(command, check=True, env=environ, stdout=sys.stderr)


def _sqlalchemy(url: str) -> str:
    kind, _, rest = url.partition("://")
    return {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}.get(kind, kind) + (
        f"://{rest}"
    )


def _words(url: str) -> str:
    parts = urlsplit(url)
    names = ("dbname", "database")[parts.scheme == "mysql"]
    found = {"host": parts.hostname, "port": parts.port, "user": parts.username}
    return " ".join(f"{k}={v}" for k, v in {**found, names: parts.path[1:]}.items())


def _schema(url: str) -> str:
    parts = urlsplit(url)
    return parts.path[1:] if parts.scheme == "mysql" else "public"


def _extension(name: str) -> Path:
    """Of DuckDB, as it comes in a package of its own."""
    folder = Path(find_spec(f"duckdb_extension_{name}").origin).parent
    return next(folder.rglob("*.duckdb_extension"))


WAYS = {each.__name__: each for each in (pandas, fetch_all, duckdb, connectorx, dlt, sling)}


def main() -> None:
    way, url, table, target = sys.argv[1:]
    begun = time.perf_counter()
    work = WAYS[way](url, table, target)
    started = time.perf_counter()
    work()
    with Path(target).open("rb+") as file:
        os.fsync(file.fileno())
    ended = time.perf_counter()
    print(json.dumps({"start_s": started - begun, "seconds": ended - started}))


if __name__ == "__main__":
    main()
