"""Reads any database that SQLAlchemy has a dialect for; DuckDB by Arrow, the others by rows."""

import os
import platform
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import metadata

import pyarrow as pa
import sqlalchemy as sa

from etltui.domain.columns import Column
from etltui.domain.dialect import FILES
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.server import ServerFacts
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.reader import Result
from etltui.readers.sqlalchemy_duckdb import DuckdbLane
from etltui.readers.sqlalchemy_errors import told
from etltui.readers.sqlalchemy_open import DUCKDB, Opened, open_connection
from etltui.readers.sqlalchemy_rows import RowsOfAny
from etltui.readers.sqlite_open import check_file

_PINGS = {"oracle": "SELECT 1 FROM dual", "db2": "VALUES 1", "hana": "SELECT 1 FROM dummy"}
_PING = "SELECT 1"
_INSIST_S, _AGAIN_S = 1.5, 0.02


def connect(task: SessionTask) -> "SqlalchemyReader":
    """Open a session with the dialect that the task's options name.

    Raises:
        Failure: With the class that says why; `driver` where something has to be installed.
    """
    return SqlalchemyReader(open_connection(task), task)


class SqlalchemyReader:
    """A session; a cancel holds until the next `ping` or `snapshot`."""

    def __init__(self, opened: Opened, task: SessionTask) -> None:
        self._opened = opened
        self._connection = opened.connection
        self._password = task.password
        self._cancelled = threading.Event()
        self._at_work = threading.Event()
        self._path = task.database if opened.dialect in FILES else ""
        self._file = check_file(self._path) if self._path else None
        self.local = bool(self._path)
        self._lane: DuckdbLane | RowsOfAny
        if opened.dialect == DUCKDB:
            self._lane = DuckdbLane(opened.driver)
        else:
            self._lane = RowsOfAny(opened)

    def facts(self) -> ServerFacts:
        """Product and driver; what else a database would tell differs with each."""
        dialect = self._connection.dialect
        version = ".".join(map(str, getattr(dialect, "server_version_info", None) or ()))
        product = f"{dialect.name} {version}".rstrip()
        if self._opened.dialect == DUCKDB:
            product = f"DuckDB {metadata.version('duckdb')}"
        return ServerFacts(
            product=product,
            identity=os.path.realpath(self._path) if self._path else "",
            driver=f"SQLAlchemy {sa.__version__}, {dialect.driver}, "
            f"Python {platform.python_version()}",
        )

    def ping(self) -> None:
        """Prove that the database answers, and that its file is still the one that was opened."""
        self._cancelled.clear()
        if self._path and check_file(self._path) != self._file:
            raise Failure(ErrorClass.LOST, f"{self._path} was replaced by another file")
        with told(self._password):
            asked = _PINGS.get(self._opened.dialect, _PING)
            self._connection.exec_driver_sql(asked).fetchall()
            self._connection.rollback()

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query."""
        within = self._connection.in_transaction()
        try:
            with self._driving():
                return self._lane.describe(query)
        finally:
            if not within:
                self._undo()

    def explain(self, query: QueryTask) -> str:
        """The database's plan; empty where its dialect has no EXPLAIN."""
        with self._driving():
            return self._lane.explain(query)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One transaction for all queries in the block, rolled back after.

        Whether they see one state is the database's affair: its isolation is asked for.
        """
        self._cancelled.clear()
        try:
            with told(self._password):
                self._undo()
                self._connection.begin()
                self._lane.begin()
            yield
        finally:
            self._lane.finish()
            self._undo()

    @contextmanager
    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> Iterator[Result]:
        """Run a query.

        Which columns misfit is remembered until the query is read again with `exact=False`.
        """
        self._check_cancelled()
        within = self._connection.in_transaction()
        try:
            columns, rows = self._begun(query, batch_bytes, exact=exact)
            with closing(rows), closing(self._until_cancelled(rows)) as batches:
                yield Result(columns=columns, batches=batches)
        finally:
            self._lane.finish()
            if not within:
                self._undo()

    def _begun(
        self,
        query: QueryTask,
        batch_bytes: Callable[[], int],
        *,
        exact: bool,
    ) -> tuple[tuple[Column, ...], Generator[pa.RecordBatch, None, None]]:
        """A query's columns, and its batches to come; an end that a cancel has brought is that."""
        try:
            with self._driving():
                return self._lane.read(query, batch_bytes=batch_bytes, exact=exact)
        finally:
            self._check_cancelled()

    def _until_cancelled(
        self,
        batches: Iterator[pa.RecordBatch],
    ) -> Generator[pa.RecordBatch, None, None]:
        while (batch := self._next(batches)) is not None:
            yield batch

    def _next(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        """The next batch; None at the end of rows, which is none that a cancel has brought."""
        try:
            with self._driving():
                return next(batches, None)
        finally:
            # What a driver says when it is interrupted differs with each.
            self._check_cancelled()

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Failure(ErrorClass.CANCELLED, "cancelled")

    def _undo(self) -> None:
        """End the transaction, if there is one; never commits."""
        with suppress(Exception):
            self._connection.rollback()

    @contextmanager
    def _driving(self) -> Iterator[None]:
        """While the driver is at work, a cancel may have to be said more than once."""
        self._at_work.set()
        try:
            yield
        finally:
            self._at_work.clear()

    def cancel(self) -> None:
        """Interrupt what runs; the flag stops what is just about to run.

        Said again until the driver comes back: one that is just about to begin does not hear it.
        """
        self._cancelled.set()
        deadline = time.monotonic() + _INSIST_S
        while True:
            with suppress(Exception):
                self._lane.interrupt()
            if not self._at_work.is_set() or time.monotonic() > deadline:
                return
            time.sleep(_AGAIN_S)

    def close(self) -> None:
        """End the session."""
        with suppress(Exception):
            self._connection.close()
        with suppress(Exception):
            self._opened.engine.dispose()
