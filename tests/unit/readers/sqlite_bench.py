"""A SQLite file for tests, its reader, and the ways to read it."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pyarrow as pa

from etltui.domain.task import QueryTask, SessionTask
from etltui.extractors.arrow import arrow_schema
from etltui.readers.reader import RereadError
from etltui.readers.sqlite import SqliteReader, connect


def task_of(path: Path) -> SessionTask:
    return SessionTask(
        connection="c",
        kind="sqlite",
        host="",
        port=0,
        database=str(path),
        user="",
        password="",
        connect_timeout_s=0.05,
    )


class Bench:
    """One file, its reader, and the ways to read it."""

    def __init__(self, path: Path, closes: ExitStack) -> None:
        self.path = path
        self._closes = closes
        self._reader: SqliteReader | None = None

    @property
    def reader(self) -> SqliteReader:
        if self._reader is None:
            self._reader = connect(task_of(self.path))
            self._closes.callback(self._reader.close)
        return self._reader

    def write(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    def insert(self, table: str, rows: list[tuple]) -> None:
        with closing(sqlite3.connect(self.path)) as db:
            holes = ", ".join("?" * len(rows[0]))
            db.executemany(f"INSERT INTO {table} VALUES ({holes})", rows)
            db.commit()

    def read(self, sql: str, *, exact: bool, size: int = 1 << 20, **params) -> pa.Table:
        query = QueryTask(name="q", sql=sql, params=params)
        with self.reader.read(query, batch_bytes=lambda: size, exact=exact) as result:
            batches = list(result.batches)
            return pa.Table.from_batches(batches, schema=arrow_schema(result.columns))

    def reread(self, sql: str) -> tuple[pa.Table, int]:
        """As the caller reads, and how often it had to."""
        for tries in range(4):
            try:
                return self.read(sql, exact=tries > 0), tries + 1
            except RereadError:
                continue
        raise AssertionError("reading again does not converge")
