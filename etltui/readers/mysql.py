"""Reads MySQL and MariaDB: one session at the server, in which nothing can be written."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.server import ServerFacts, ServerReading
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers.mysql_check import questions
from etltui.readers.mysql_facts import facts_of
from etltui.readers.mysql_line import Statement
from etltui.readers.mysql_open import open_session
from etltui.readers.mysql_rows import Rows
from etltui.readers.mysql_session import begin
from etltui.readers.mysql_sql import bare, bound, check_reading
from etltui.readers.mysql_values import Values
from etltui.readers.mysql_wire import Wire
from etltui.readers.reader import Result
from etltui.readers.server_check import checked
from etltui.readers.waits import ANSWER_S, PATIENCE, PING_S

_MOST_S = 2_000_000.0


def connect(task: SessionTask) -> "MysqlReader":
    """Open a session.

    Raises:
        Failure: With the class that says why.
    """
    return MysqlReader(open_session(task), task)


class MysqlReader:
    """A session; a cancel holds until the next `ping` or `snapshot`."""

    local = False

    def __init__(self, wire: Wire, task: SessionTask) -> None:
        self._wire = wire
        self._policy = task.policy
        self._misfits: dict[str, set[int]] = {}
        self._limit_s = 0.0

    def facts(self) -> ServerFacts:
        """What the database says of itself."""
        return facts_of(self._wire)

    def ping(self) -> None:
        """Prove that the server answers, and that the database is still there."""
        self._wire.forget_cancel()
        self._wire.run(self._wire.line.touch, PING_S)

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query as the server parses it; executes nothing."""
        with self._prepared(query, ANSWER_S) as statement:
            return tuple(field.column for field in statement.fields)

    def explain(self, query: QueryTask) -> str:
        """The server's plan with its estimates, for the query's own values."""
        with self._prepared(query, ANSWER_S):
            asked = f"EXPLAIN {bound(bare(query.sql), query.params)}"
        steps = self._wire.run(lambda: self._wire.line.ask_named(asked), ANSWER_S)
        return "\n".join(
            ", ".join(f"{name} {value}" for name, value in step.items() if value is not None)
            for step in steps
        )

    def server_check(self) -> tuple[ServerReading, ...]:
        """Sessions, their limit and waits, as far as this user may see them."""
        return checked(questions(is_mariadb=self._wire.line.is_mariadb), self._ask)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read-only transaction, of one state unless the policy asks for less; undone after."""
        self._wire.forget_cancel()
        self._execute(begin(self._policy.isolation), ANSWER_S)
        try:
            yield
        finally:
            self._wire.undo()

    @contextmanager
    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> Iterator[Result]:
        """Run a query; its statement begins with the first batch.

        There is one lane, which is exact. Which columns misfit is remembered until the query is
        read again with `exact=False`.
        """
        self._wire.check()
        misfits = self._misfits.setdefault(query.sql, set())
        if not exact:
            misfits.clear()
        with self._prepared(query) as statement:
            limit_s = self._limit(query)
            values = Values(statement.fields, misfits, self._policy)
            rows = Rows(self._wire, statement, limit_s)
            with closing(rows), closing(values.batches(rows, batch_bytes)) as batches:
                yield Result(columns=values.columns, batches=batches, notes=values.notes)

    @contextmanager
    def _prepared(self, query: QueryTask, seconds: float | None = None) -> Iterator[Statement]:
        """The query, parsed by the server."""
        check_reading(query.sql)
        sql = bound(bare(query.sql), query.params)
        statement = self._wire.run(lambda: self._wire.line.prepare(sql), seconds)
        try:
            if not statement.fields:
                raise Failure(ErrorClass.SYNTAX, "the query gives no columns")
            yield statement
        finally:
            with suppress(Failure):
                self._wire.line.forget(statement)

    def _limit(self, query: QueryTask) -> float:
        """Have the server end the query should nobody be left who does; in seconds, 0 for never."""
        limit_s = min(query.limit_s * PATIENCE, _MOST_S)
        setting = self._wire.line.limit_setting(limit_s)
        if not setting:
            return 0.0
        if limit_s != self._limit_s:
            self._execute(setting, ANSWER_S)
            self._limit_s = limit_s
        return limit_s

    def _execute(self, sql: str, seconds: float) -> None:
        self._wire.run(lambda: self._wire.line.ask(sql), seconds)

    def _ask(self, sql: str) -> Sequence[Sequence[Any]]:
        return self._wire.run(lambda: self._wire.line.ask(sql), ANSWER_S)

    def cancel(self) -> None:
        """Interrupt what runs; the flag stops what is just about to run."""
        self._wire.cancel()

    def close(self) -> None:
        """End the session."""
        self._wire.close()
