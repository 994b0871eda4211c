"""Reads any database that has an ODBC driver: one session, in which nothing can be written."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Scalar
from etltui.domain.policy import ReadPolicy
from etltui.domain.server import ServerFacts, skew
from etltui.domain.task import QueryTask, SessionTask
from etltui.readers import odbc_sql
from etltui.readers.mssql_settings import held
from etltui.readers.odbc_batches import Blocks, Found, Learnt, described
from etltui.readers.odbc_dialects import Dialect, dialect_of
from etltui.readers.odbc_line import OdbcLine
from etltui.readers.odbc_open import open_line
from etltui.readers.reader import Result
from etltui.readers.waits import ANSWER_S, PATIENCE, PING_S

_MOST_S = 2**31 // 1000 - 1
_DBMS_NAME, _DBMS_VERSION, _DRIVER_NAME, _DRIVER_VERSION = 17, 18, 6, 7


def connect(task: SessionTask) -> "OdbcReader":
    """Open a session.

    Raises:
        Failure: With the class that says why.
    """
    line = open_line(task)
    try:
        return OdbcReader(line, task.policy)
    except BaseException:
        line.close()
        raise


class OdbcReader:
    """A session; a cancel holds until the next `ping` or `snapshot`.

    There is one lane: what a read finds too long for its room, or of no type, is learnt, and read
    so the next time.
    """

    local = False

    def __init__(self, line: OdbcLine, policy: ReadPolicy) -> None:
        self._line = line
        self._policy = policy
        self._learnt: dict[str, Learnt] = {}
        self._known: dict[str, tuple[Found, ...]] | None = None
        """Within a snapshot, by the statement."""
        self._limit_s = 0
        self._about = line.call(self._told, seconds=ANSWER_S)
        self._dialect: Dialect = dialect_of(self._about[_DBMS_NAME])
        for statement in self._dialect.opening(policy):
            line.rows(statement, seconds=ANSWER_S)

    def _told(self) -> dict[int, str]:
        """What driver and database call themselves; asked on the session's thread."""
        wanted = (_DBMS_NAME, _DBMS_VERSION, _DRIVER_NAME, _DRIVER_VERSION)
        return {number: str(self._line.raw.getinfo(number) or "") for number in wanted}

    def facts(self) -> ServerFacts:
        """What the database says of itself; what this user may not see stays empty."""
        about = self._about
        product = f"{about[_DBMS_NAME]} {about[_DBMS_VERSION]}".strip()
        driver = f"{about[_DRIVER_NAME]} {about[_DRIVER_VERSION]}".strip()
        for query in self._dialect.facts:
            with suppress(Failure):
                return self._asked(query, ServerFacts(product=product, driver=driver))
        return ServerFacts(product=product, driver=driver)

    def _asked(self, query: str, facts: ServerFacts) -> ServerFacts:
        before = time.time()
        ((identity, clock, started, encrypted),) = self._line.rows(query, seconds=PING_S)
        after = time.time()
        return replace(
            facts,
            identity=str(identity or ""),
            started=str(started or ""),
            skew_s=None if clock is None else skew(float(clock), before, after),
            encrypted=None if encrypted is None else str(encrypted) in {"1", "t", "True"},
        )

    def ping(self) -> None:
        """Prove that the server answers."""
        self._line.forget_cancel()
        self._line.check()
        if not self._line.rows(self._dialect.alive, seconds=PING_S):
            raise Failure(ErrorClass.NO_DATABASE, "the database is not there any more")

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query as the driver describes it when it is prepared; runs nothing."""
        sql, values = self._statement(query)
        return tuple(each.column for each in self._columns(sql, values))

    def explain(self, query: QueryTask) -> str:
        """The database's plan, a row a line; empty where it is not known how to ask."""
        sql, values = self._statement(query)
        self._columns(sql, values)
        if not self._dialect.explain:
            return ""
        rows = self._line.rows(f"{self._dialect.explain}{sql}", *values, seconds=ANSWER_S)
        return "\n".join(
            "  ".join(str(value) for value in row if value is not None) for row in rows
        )

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read-only transaction, of one state where the database can; rolled back after."""
        self._line.forget_cancel()
        self._line.check()
        self._known = {}
        try:
            if not self._dialect.end:
                self._line.autocommit(on=False)
            for statement in self._dialect.begin.get(self._policy.isolation, ()):
                self._line.rows(statement, seconds=ANSWER_S)
            yield
        finally:
            self._known = None
            self._limit_s = 0  # undone with the transaction, or soon set again
            self._line.undo(self._dialect.end)

    @contextmanager
    def read(
        self,
        query: QueryTask,
        *,
        batch_bytes: Callable[[], int],
        exact: bool,
    ) -> Iterator[Result]:
        """Run a query; its statement begins with the first batch.

        What its values need is remembered until the query is read again with `exact=False`.
        """
        self._line.check()
        sql, values = self._statement(query)
        learnt = self._learnt.setdefault(sql, Learnt())
        if not exact:
            learnt.misfits.clear()
        found = self._columns(sql, values)
        self._limit(query)
        blocks = Blocks(
            self._line,
            self._dialect.wrapped(sql, found, learnt.misfits),
            values,
            found=found,
            learnt=learnt,
            spelled=self._dialect.spelled,
        )
        settings, _ = self._dialect.apart(query.sql)
        with held(self._line, settings), closing(blocks.batches(batch_bytes)) as batches:
            yield Result(columns=blocks.columns, batches=batches)

    def _statement(self, query: QueryTask) -> tuple[str, tuple[Scalar, ...]]:
        """The query as the driver takes it, once it is sure that it only reads."""
        split = self._dialect.tokens
        _, asked = self._dialect.apart(query.sql)
        sql = odbc_sql.bare(asked, split)
        self._dialect.check(sql)
        return odbc_sql.positional(sql, query.params, split, written=self._dialect.literal)

    def _columns(self, sql: str, values: tuple[Scalar, ...]) -> tuple[Found, ...]:
        if self._known is not None and sql in self._known:
            return self._known[sql]
        told = described(self._line, sql, values, self._dialect.kind_of, seconds=ANSWER_S)
        found = tuple(map(self._dialect.formed, told))
        if self._known is not None:
            self._known[sql] = found
        return found

    def _limit(self, query: QueryTask) -> None:
        """Have the server end the query should nobody be left who does."""
        limit_s = min(int(query.limit_s * PATIENCE), _MOST_S)
        if limit_s != self._limit_s and self._dialect.limit:
            words = self._dialect.limit.format(ms=limit_s * 1000, seconds=limit_s)
            self._line.rows(words, seconds=ANSWER_S)
            self._limit_s = limit_s

    def cancel(self) -> None:
        """Interrupt what runs; the flag stops what is just about to run."""
        self._line.cancel()

    def close(self) -> None:
        """End the session."""
        self._line.close()
