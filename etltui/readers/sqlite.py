"""Reads SQLite files: one session on one file, never changing it."""

import os
import platform
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import ReadPolicy
from etltui.domain.server import ServerFacts
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.reader import Result
from etltui.readers.sqlite_arrow import ArrowLane, Statement, suits, wrap
from etltui.readers.sqlite_open import check_file, open_for_views, open_guarded, uri_of
from etltui.readers.sqlite_plan import Plan, plan
from etltui.readers.sqlite_rows import RowsLane
from etltui.readers.sqlite_texts import Texts

_BUSY_S = 5.0
"""Somebody else's lock is waited for so long, then the failure is `busy`, which is transient."""
_CANCEL_CHECK_STEPS = 100_000
"""Steps of SQLite's machine, a few milliseconds; catches a cancel that came between statements."""
_SNAPSHOT_TRIES = 3
_DRIVER = f"sqlite3 of Python {platform.python_version()}"
_SAMPLE_ROWS = 64
_SAMPLE_STEPS, _SAMPLE_CALLS = 1000, 200
"""The sample is given up after 200,000 steps: a query may take its whole time before a row."""


def connect(task: SessionTask) -> "SqliteReader":
    """Open a session on the file `task.database`.

    Raises:
        Failure: The file is missing, forbidden, locked or no database.
    """
    # Half of it, so that the failure says `busy` before the engine's limit says `timeout`.
    usual_s = min(_BUSY_S, task.connect_timeout_s / 2)
    busy_s = task.policy.lock_timeout_s or usual_s
    return SqliteReader(task.database, busy_s=busy_s, texts=Texts(task.policy))


class SqliteReader:
    """A session on one file.

    A cancel holds until the next `ping` or `snapshot`: a read that begins in between is cancelled
    too.
    """

    local = True

    def __init__(
        self,
        path: str,
        *,
        busy_s: float,
        texts: Texts | None = None,
    ) -> None:
        self._path = path
        self._busy_s = busy_s
        self._texts = texts or Texts(ReadPolicy())
        self._cancelled = threading.Event()
        self._misfits: dict[str, set[int]] = {}
        self._open()

    def _open(self) -> None:
        self._file = check_file(self._path)
        self._db, self._authorizer = open_guarded(self._path, busy_s=self._busy_s)
        if self._texts.own:
            # The fast lane knows UTF-8 only: where it meets anything else, it gives way to ours.
            self._db.text_factory = self._texts
        self._watch_cancel()
        self._arrow = ArrowLane(uri_of(self._path), busy_s=self._busy_s)
        self._arrow_here = True

    def _follow_file(self) -> None:
        """Open anew a file that was replaced by another of its name since the last use."""
        if check_file(self._path) != self._file:
            self.close()
            self._misfits.clear()
            self._open()

    def facts(self) -> ServerFacts:
        """What the database says of itself: nothing, a file is known by its place.

        Not by its inode or what is in it: files that are read here are replaced every night.
        """
        return ServerFacts(
            product=f"SQLite {sqlite3.sqlite_version}",
            identity=os.path.realpath(self._path),
            driver=_DRIVER,
        )

    def ping(self) -> None:
        """Prove that the file is still there and answers."""
        self._cancelled.clear()
        self._follow_file()
        with self._authorizer.watch():
            self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query, by what their tables declare; reads no rows."""
        self._follow_file()
        return self._plan(query).columns

    def explain(self, query: QueryTask) -> str:
        """What SQLite would do, a step a line, those of another below it and moved in."""
        self._plan(query)
        with self._authorizer.watch():
            steps = self._db.execute(
                f"EXPLAIN QUERY PLAN {query.sql}",
                dict(query.params),
            ).fetchall()
        depths: dict[int, int] = {}
        lines = []
        for number, parent, _, step in steps:
            depths[number] = depths.get(parent, -1) + 1
            lines.append(f"{'  ' * depths[number]}{step}")
        return "\n".join(lines)

    def _plan(self, query: QueryTask) -> Plan:
        with open_for_views(self._path, busy_s=self._busy_s) as views:
            return plan(self._db, self._authorizer, views, query)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read transaction for all queries in the block, rolled back after.

        Both lanes see the same state, or the fast lane is left out of the block.
        """
        self._cancelled.clear()
        self._follow_file()
        try:
            self._arrow_here = self._begin_both()
            yield
        finally:
            self._arrow.end()
            self._arrow_here = True
            with suppress(Failure):
                self._end()
                with self._authorizer.watch(), self._authorizer.own():
                    self._db.execute("PRAGMA shrink_memory")

    def _begin_both(self) -> bool:
        """Begin our transaction and the fast lane's; False where they may not see the same.

        The lane begins between two transactions of ours. If nobody has committed from the one to
        the other, the lane sees what they see.
        """
        for _ in range(_SNAPSHOT_TRIES):
            before = self._begin()
            if not self._arrow.begin():
                return False
            if self._begin() == before:
                return True
            self._arrow.end()
        return False

    def _begin(self) -> int:
        """Begin a transaction, the one before ended, and tell which state of the file it sees."""
        self._end()
        with self._authorizer.watch(), self._authorizer.own():
            self._db.execute("BEGIN")
            # It begins with its first read.
            self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _end(self) -> None:
        if self._db.in_transaction:
            with self._authorizer.watch(), self._authorizer.own():
                self._db.execute("ROLLBACK")

    @contextmanager
    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> Iterator[Result]:
        """Run a query; its statement begins with the first batch.

        Which columns misfit is remembered until the query is read again with `exact=False`.
        """
        self._check_cancelled()
        misfits = self._misfits.setdefault(query.sql, set())
        if not exact:
            misfits.clear()
        found = self._plan(query)
        columns = tuple(
            replace(column, type="mixed") if position in misfits else column
            for position, column in enumerate(found.columns)
        )
        statement = None
        if not exact and self._arrow_here and suits(columns, found.functions, found.opcodes):
            statement = self._wrapped(query, columns, batch_bytes())
        if statement is None:
            rows = self._rows(query, RowsLane(columns, misfits, batch_bytes))
        else:
            rows = self._arrow.batches(statement, columns, batch_bytes)
        with closing(rows), closing(self._until_cancelled(rows)) as batches:
            yield Result(columns=columns, batches=batches, notes=self._texts.notes)

    def _wrapped(
        self,
        query: QueryTask,
        columns: tuple[Column, ...],
        batch_bytes: int,
    ) -> Statement | None:
        """The fast lane's statement, None where it would not do."""
        statement = wrap(
            query.sql,
            dict(query.params),
            columns,
            row_bytes=self._sampled_row_bytes(query),
            batch_bytes=batch_bytes,
        )
        if statement is None:
            return None
        try:
            with self._authorizer.watch():
                self._db.execute(f"EXPLAIN {statement.sql}", statement.params).fetchall()
        except Failure:
            return None
        return statement

    def _sampled_row_bytes(self, query: QueryTask) -> int:
        """The average weight of the first rows, 0 where they take long to come."""
        steps = iter(range(_SAMPLE_CALLS))
        self._db.set_progress_handler(lambda: next(steps, None) is None, _SAMPLE_STEPS)
        rows = []
        try:
            with closing(self._db.execute(query.sql, dict(query.params))) as cursor:
                rows = cursor.fetchmany(_SAMPLE_ROWS)
        except sqlite3.Error:
            return 0  # out of steps, or it fails in the lane that reads it
        finally:
            self._watch_cancel()
        return sum(map(_weight, rows)) // len(rows) if rows else 0

    def _watch_cancel(self) -> None:
        self._db.set_progress_handler(self._cancelled.is_set, _CANCEL_CHECK_STEPS)

    def _rows(self, query: QueryTask, lane: RowsLane) -> Generator[pa.RecordBatch, None, None]:
        """The rows lane's batches, with its errors as failures."""
        with self._authorizer.watch(), closing(self._db.cursor()) as cursor:
            self._texts.notes.clear()
            cursor.execute(query.sql, dict(query.params))
            yield from lane.batches(cursor)

    def _until_cancelled(
        self,
        batches: Iterator[pa.RecordBatch],
    ) -> Generator[pa.RecordBatch, None, None]:
        for batch in batches:
            self._check_cancelled()
            yield batch
        # An end that a cancel has brought about is no end of rows.
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
        self._arrow.close()
        with suppress(sqlite3.Error):
            self._db.close()


def _weight(row: tuple[object, ...]) -> int:
    """Bytes of a row in Arrow, about."""
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
