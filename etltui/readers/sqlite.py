"""Reads SQLite files: one session on one file, never changing it."""

import re
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.reader import Result
from etltui.readers.sqlite_open import check_file, check_query, open_guarded
from etltui.readers.sqlite_rows import RowsLane
from etltui.readers.sqlite_sql import bare, without_parameters
from etltui.readers.sqlite_types import canonical

_BUSY_S = 5.0
"""Somebody else's lock is waited for so long, then the failure is `busy`, which is transient."""
_CANCEL_CHECK_STEPS = 100_000
"""Steps of SQLite's machine, a few milliseconds; catches a cancel that came between statements."""
_COPY_NUMBER = re.compile(r":\d+$")


def connect(task: SessionTask) -> "SqliteReader":
    """Open a session on the file `task.database`.

    Raises:
        Failure: The file is missing, forbidden, locked or no database.
    """
    return SqliteReader(task.database, busy_s=min(_BUSY_S, task.connect_timeout_s))


class SqliteReader:
    """A session on one file.

    A cancel holds until the next `ping` or `snapshot`: a read that begins in between is cancelled
    too.
    """

    local = True

    def __init__(self, path: str, *, busy_s: float) -> None:
        self._path = path
        self._busy_s = busy_s
        self._cancelled = threading.Event()
        self._misfits: dict[str, set[int]] = {}
        self._db, self._authorizer = open_guarded(path, busy_s=busy_s)
        self._db.set_progress_handler(self._cancelled.is_set, _CANCEL_CHECK_STEPS)

    def ping(self) -> None:
        """Prove that the file is still there and answers."""
        self._cancelled.clear()
        check_file(self._path)
        with self._authorizer.watch():
            self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query, by what their tables declare; reads no rows.

        The types come from a temporary view of the query, which lives in memory on a connection
        of its own: Python's sqlite3 does not tell what a result's columns are declared as.
        """
        with self._authorizer.watch():
            self._db.execute(f"EXPLAIN {query.sql}", dict(query.params)).fetchall()
            check_query(query.sql)
            inner = f"SELECT * FROM (\n{bare(query.sql)}\n) LIMIT 0"  # noqa: S608 - running it is the task
            found = self._db.execute(inner, dict(query.params)).description
        names = _own_names([str(column[0]) for column in found])
        declared = self._declared(query.sql)
        if len(declared) != len(names):
            declared = [""] * len(names)
        return tuple(
            Column(name=name, type=canonical(kind))
            for name, kind in zip(names, declared, strict=True)
        )

    def _declared(self, sql: str) -> list[str]:
        """The declared types of a query's columns, empty where there is no way to tell."""
        db, authorizer = open_guarded(self._path, busy_s=self._busy_s, views=True)
        with closing(db):
            try:
                db.execute(f"CREATE TEMP VIEW etltui_query AS {without_parameters(bare(sql))}")
                with authorizer.own():
                    rows = db.execute("PRAGMA table_xinfo(etltui_query)").fetchall()
            except sqlite3.Error:
                return []
        return [str(row[2]) for row in rows]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read transaction for all queries in the block, rolled back after."""
        self._cancelled.clear()
        self._own("BEGIN")
        try:
            with self._authorizer.watch():
                # A transaction begins with its first read.
                self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            yield
        finally:
            with suppress(Failure):
                self._own("ROLLBACK")

    def _own(self, sql: str) -> None:
        with self._authorizer.watch(), self._authorizer.own():
            self._db.execute(sql)

    @contextmanager
    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> Iterator[Result]:
        """Run a query; its statement begins with the first batch."""
        self._check_cancelled()
        misfits = self._misfits.setdefault(query.sql, set())
        if not exact:
            misfits.clear()
        columns = tuple(
            replace(column, type="mixed") if position in misfits else column
            for position, column in enumerate(self.describe(query))
        )
        lane = RowsLane(columns, misfits, batch_bytes)
        with closing(self._rows(query, lane)) as batches:
            yield Result(columns=columns, batches=batches)

    def _rows(self, query: QueryTask, lane: RowsLane) -> Generator[pa.RecordBatch, None, None]:
        """The rows lane's batches, with its errors as failures."""
        with self._authorizer.watch(), closing(self._db.cursor()) as cursor:
            cursor.execute(query.sql, dict(query.params))
            for batch in lane.batches(cursor):
                yield batch
                self._check_cancelled()

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Failure(ErrorClass.CANCELLED, "cancelled")

    def cancel(self) -> None:
        """Interrupt what runs; the flag stops what is just about to run."""
        self._cancelled.set()
        with suppress(sqlite3.Error):
            self._db.interrupt()

    def close(self) -> None:
        """End the session."""
        with suppress(sqlite3.Error):
            self._db.close()


def _own_names(names: list[str]) -> list[str]:
    """The names as the query has them: a subquery's second `id` is called `id:1`."""
    seen: set[str] = set()
    own = []
    for name in names:
        base = _COPY_NUMBER.sub("", name)
        own.append(base if base != name and base.casefold() in seen else name)
        seen.add(own[-1].casefold())
    return own
