"""Reads SQL Server through ODBC: one session, rolled back after each use, that only queries."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from etltui.domain.columns import Column
from etltui.domain.errors import Failure
from etltui.domain.job import Scalar
from etltui.domain.server import ServerFacts, ServerReading
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.mssql_check import QUESTIONS
from etltui.readers.mssql_open import Opened, connected, open_session
from etltui.readers.mssql_settings import apart, held
from etltui.readers.mssql_sql import bare, check_reading, declared, gently, numbered
from etltui.readers.mssql_types import canonical_type, formed
from etltui.readers.odbc_batches import Blocks, Found, Learnt, described
from etltui.readers.reader import Result
from etltui.readers.server_check import checked
from etltui.readers.waits import ANSWER_S, PATIENCE, PING_S

_FIRST_LOOK = "SELECT TOP (1) object_id FROM sys.objects"
"""A snapshot is of the moment when its transaction first reads of the database."""
_KILL_AFTER_S = 1.5
"""A cancelled query has so long to end; then its session is ended at the server."""


def connect(task: SessionTask) -> "MssqlReader":
    """Open a session.

    Raises:
        Failure: With the class that says why.
    """
    return MssqlReader(task, open_session(task))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Statement:
    """A query as the driver takes it, what it gives, and what it sets before."""

    sql: str
    values: tuple[Scalar, ...]
    found: tuple[Found, ...]
    settings: tuple[str, ...]


class MssqlReader:
    """A session; a cancel holds until the next `ping` or `snapshot`."""

    local = False

    def __init__(self, task: SessionTask, opened: Opened) -> None:
        self._task = task
        self._opened = opened
        self._line = opened.line
        self._learnt: dict[str, Learnt] = {}
        self._known: dict[str, tuple[Found, ...]] | None = None
        """Within a snapshot, by the statement."""
        self._busy = threading.Event()

    def facts(self) -> ServerFacts:
        """What the database says of itself, learnt when the session was opened."""
        return self._opened.facts

    def ping(self) -> None:
        """Prove that the server answers."""
        self._line.forget_cancel()
        self._line.check()
        self._line.rows("SELECT 1", seconds=PING_S)

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query as the server parses it; executes nothing."""
        return tuple(each.column for each in self._statement(query).found)

    def explain(self, query: QueryTask) -> str:
        """The server's plan with its estimates, for the query's own values."""
        self._statement(query)
        _, sql = apart(bare(query.sql))
        asked = declared(bare(sql), query.params)
        self._line.rows("SET SHOWPLAN_TEXT ON", seconds=ANSWER_S)
        try:
            steps = self._line.rows(asked, seconds=ANSWER_S)
        finally:
            self._line.rows("SET SHOWPLAN_TEXT OFF", seconds=ANSWER_S)
        return "\n".join(str(step[0]).rstrip() for step in steps).strip("\n")

    def server_check(self) -> tuple[ServerReading, ...]:
        """Sessions, their limit and waits, as far as this user may see them."""
        return checked(QUESTIONS, lambda sql: self._line.rows(sql, seconds=ANSWER_S))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One transaction, undone after; it sees one state where the database allows snapshots."""
        self._line.forget_cancel()
        self._line.check()
        self._known = {}
        try:
            self._line.autocommit(on=False)
            self._line.rows(_FIRST_LOOK, seconds=ANSWER_S)
            yield
        finally:
            self._known = None
            self._line.undo()

    @contextmanager
    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> Iterator[Result]:
        """Run a query; its statement begins with the first batch.

        What reading it has taught is remembered until it is read again with `exact=False`.
        """
        self._line.check()
        if not exact:
            self._learnt.pop(query.sql, None)
        learnt = self._learnt.setdefault(query.sql, Learnt())
        statement = self._statement(query)
        blocks = Blocks(
            self._line,
            gently(statement.sql, self._task.policy.maxdop),
            statement.values,
            found=statement.found,
            learnt=learnt,
        )
        rows = blocks.batches(batch_bytes, limit_s=round(query.limit_s * PATIENCE))
        self._busy.set()
        try:
            with held(self._line, statement.settings), closing(rows) as batches:
                yield Result(columns=blocks.columns, batches=batches)
        finally:
            self._busy.clear()

    def _statement(self, query: QueryTask) -> _Statement:
        """The query, parsed by the server."""
        self._line.check()
        settings, rest = apart(bare(query.sql))
        sql = bare(rest)
        check_reading(sql, query.procedures)
        asked, values = numbered(sql, query.params)
        found = self._columns(asked, values)
        return _Statement(sql=asked, values=values, found=found, settings=settings)

    def _columns(self, sql: str, values: tuple[Scalar, ...]) -> tuple[Found, ...]:
        """What a statement gives."""
        key = repr((sql, values))
        if self._known is not None and key in self._known:
            return self._known[key]
        asked = described(self._line, sql, values, canonical_type, seconds=ANSWER_S)
        iso = not self._opened.driver.is_freetds
        found = tuple(formed(each, iso=iso) for each in asked)
        if self._known is not None:
            self._known[key] = found
        return found

    def cancel(self) -> None:
        """Interrupt what runs; the flag stops what is just about to run."""
        self._line.cancel()
        if self._busy.is_set() and self._opened.number:
            threading.Thread(target=self._kill_late, name="kill", daemon=True).start()

    def _kill_late(self) -> None:
        """End the session at the server should the query outlive its cancel; needs the right to."""
        until = threading.Event()
        for _ in range(round(_KILL_AFTER_S * 10)):
            until.wait(0.1)
            if not self._busy.is_set():
                return
        with suppress(Failure):
            side = connected(self._task, self._opened.driver, self._task.connect_timeout_s)
            try:
                if self._busy.is_set():
                    side.rows(f"KILL {self._opened.number}", seconds=ANSWER_S)
            finally:
                side.close()

    def close(self) -> None:
        """End the session."""
        self._line.close()
