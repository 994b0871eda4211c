"""Reads SQLite files: one session on one file, never changing it."""

import re
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace

import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.reader import Result
from etltui.readers.sqlite_arrow import ArrowLane, Statement, suits, wrap
from etltui.readers.sqlite_open import check_file, check_query, open_guarded, uri_of
from etltui.readers.sqlite_rows import RowsLane
from etltui.readers.sqlite_sql import bare, without_parameters
from etltui.readers.sqlite_types import canonical

_BUSY_S = 5.0
"""Somebody else's lock is waited for so long, then the failure is `busy`, which is transient."""
_CANCEL_CHECK_STEPS = 100_000
"""Steps of SQLite's machine, a few milliseconds; catches a cancel that came between statements."""
_SNAPSHOT_TRIES = 3
_SAMPLE_ROWS = 64
_SAMPLE_STEPS, _SAMPLE_CALLS = 1000, 200
"""The sample is given up after 200,000 steps: a query may take its whole time before a row."""
_COPY_NUMBER = re.compile(r":\d+$")


def connect(task: SessionTask) -> "SqliteReader":
    """Open a session on the file `task.database`.

    Raises:
        Failure: The file is missing, forbidden, locked or no database.
    """
    return SqliteReader(task.database, busy_s=min(_BUSY_S, task.connect_timeout_s))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """What compiling a query told."""

    columns: tuple[Column, ...]
    functions: set[str]
    opcodes: set[str]


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
        self._watch_cancel()
        self._arrow = ArrowLane(uri_of(path), busy_s=busy_s)
        self._arrow_here = True

    def ping(self) -> None:
        """Prove that the file is still there and answers."""
        self._cancelled.clear()
        check_file(self._path)
        with self._authorizer.watch():
            self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query, by what their tables declare; reads no rows."""
        return self._plan(query).columns

    def _plan(self, query: QueryTask) -> "_Plan":
        """Compile the query under the authorizer, so that what is wrong shows before any row."""
        params = dict(query.params)
        with self._authorizer.watch() as seen:
            steps = self._db.execute(f"EXPLAIN {query.sql}", params).fetchall()
            check_query(query.sql)
            inner = f"SELECT * FROM (\n{bare(query.sql)}\n) LIMIT 0"  # noqa: S608 - see describe
            found = self._db.execute(inner, params).description
            functions = set(seen.functions)
        names = _own_names([str(column[0]) for column in found])
        declared = self._declared(query.sql)
        if len(declared) != len(names):
            declared = [""] * len(names)
        return _Plan(
            columns=tuple(
                Column(name=name, type=canonical(kind))
                for name, kind in zip(names, declared, strict=True)
            ),
            functions=functions,
            opcodes={str(step[1]) for step in steps},
        )

    def _declared(self, sql: str) -> list[str]:
        """The declared types of a query's columns, empty where there is no way to tell.

        They come from a temporary view of the query, which lives in memory on a connection of its
        own: Python's sqlite3 does not tell what a result's columns are declared as.
        """
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
        """One read transaction for all queries in the block, rolled back after.

        Both lanes see the same state, or the fast lane is left out of the block.
        """
        self._cancelled.clear()
        self._begin()
        try:
            self._arrow_here = self._begin_arrow()
            yield
        finally:
            self._arrow.end()
            self._arrow_here = True
            with suppress(Failure):
                self._own("ROLLBACK")

    def _begin(self) -> int:
        """Begin a transaction and tell which state of the file it sees."""
        self._own("BEGIN")
        with self._authorizer.watch():
            # It begins with its first read.
            self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _begin_arrow(self) -> bool:
        """Begin a transaction of the fast lane between two of our own that see the same state."""
        for _ in range(_SNAPSHOT_TRIES):
            self._own("ROLLBACK")
            before = self._begin()
            if not self._arrow.begin():
                return False
            self._own("ROLLBACK")
            if self._begin() == before:
                return True
            self._arrow.end()
        return False

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
        """Run a query; its statement begins with the first batch.

        Which columns misfit is remembered until the query is read again with `exact=False`.
        """
        self._check_cancelled()
        misfits = self._misfits.setdefault(query.sql, set())
        if not exact:
            misfits.clear()
        plan = self._plan(query)
        columns = tuple(
            replace(column, type="mixed") if position in misfits else column
            for position, column in enumerate(plan.columns)
        )
        statement = None
        if not exact and self._arrow_here and suits(columns, plan.functions, plan.opcodes):
            statement = self._wrapped(query, columns, batch_bytes())
        if statement is None:
            found = self._rows(query, RowsLane(columns, misfits, batch_bytes))
        else:
            found = self._arrow.batches(statement, columns, misfits, batch_bytes)
        with closing(found), closing(self._until_cancelled(found)) as batches:
            yield Result(columns=columns, batches=batches)

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
            cursor.execute(query.sql, dict(query.params))
            yield from lane.batches(cursor)

    def _until_cancelled(
        self,
        batches: Iterator[pa.RecordBatch],
    ) -> Generator[pa.RecordBatch, None, None]:
        for batch in batches:
            self._check_cancelled()
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
        self._arrow.close()
        with suppress(sqlite3.Error):
            self._db.close()


def _weight(row: tuple[object, ...]) -> int:
    """Bytes of a row in Arrow, about."""
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)


def _own_names(names: list[str]) -> list[str]:
    """The names as the query has them: a subquery's second `id` is called `id:1`."""
    seen: set[str] = set()
    own = []
    for name in names:
        base = _COPY_NUMBER.sub("", name)
        own.append(base if base != name and base.casefold() in seen else name)
        seen.add(own[-1].casefold())
    return own
