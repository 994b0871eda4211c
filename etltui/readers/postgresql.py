"""Reads PostgreSQL: one session at the server, in which nothing can be written."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.policy import Isolation
from etltui.domain.server import ServerFacts, ServerReading
from etltui.domain.task import QueryTask, SessionTask
from etltui.extractors.lines import LineForm
from etltui.readers.postgresql_check import QUESTIONS
from etltui.readers.postgresql_copy import Copy
from etltui.readers.postgresql_facts import facts_of
from etltui.readers.postgresql_lines import lines
from etltui.readers.postgresql_open import open_session
from etltui.readers.postgresql_print import lines_select, quoted_columns, values_select
from etltui.readers.postgresql_session import LEVELS
from etltui.readers.postgresql_sql import bare, bound, check_reading, identifier, literal, numbered
from etltui.readers.postgresql_types import Field, modifiers
from etltui.readers.postgresql_values import Values
from etltui.readers.postgresql_wire import Wire
from etltui.readers.reader import Result
from etltui.readers.server_check import checked
from etltui.readers.waits import ANSWER_S, PATIENCE, PING_S

_MOST_MS = 2**31 - 1


def connect(task: SessionTask) -> "PostgresqlReader":
    """Open a session.

    Raises:
        Failure: With the class that says why.
    """
    return PostgresqlReader(open_session(task), task.policy.isolation)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Statement:
    """A query as COPY takes it, and what it gives."""

    sql: str
    fields: tuple[Field, ...]


_Parsed = tuple[Sequence[asyncpg.Attribute], Sequence[asyncpg.Type]]
"""The columns of a statement and the types of its parameters."""


class PostgresqlReader:
    """A session; a cancel holds until the next `ping` or `snapshot`."""

    local = False

    def __init__(self, wire: Wire, isolation: Isolation = "") -> None:
        self._wire = wire
        # With a first query: only with it is the state chosen that all others see.
        self._begin = f"BEGIN ISOLATION LEVEL {LEVELS[isolation]} READ ONLY; SELECT 1"
        self._misfits: dict[str, set[int]] = {}
        self._prepared: dict[str, _Statement] | None = None
        """Within a snapshot, by the statement with its values."""
        self._limit_ms = 0

    def facts(self) -> ServerFacts:
        """What the database says of itself."""
        return facts_of(self._wire)

    def ping(self) -> None:
        """Prove that the server answers."""
        self._wire.forget_cancel()
        self._execute("SELECT 1", PING_S)

    def describe(self, query: QueryTask) -> tuple[Column, ...]:
        """The columns of a query as the server parses it; executes nothing."""
        try:
            statement = self._statement(query, seconds=ANSWER_S)
            return tuple(field.column for field in statement.fields)
        finally:
            if self._prepared is None:
                # asyncpg does not end what it began to parse in, and the server keeps its locks.
                self._wire.settle()

    def explain(self, query: QueryTask) -> str:
        """The server's plan with its estimates, for the query's own values."""
        statement = self._statement(query, seconds=ANSWER_S)
        asked = self._wire.connection.fetch(f"EXPLAIN {statement.sql}")
        return "\n".join(str(step[0]) for step in self._wire.run(asked, ANSWER_S))

    def server_check(self) -> tuple[ServerReading, ...]:
        """Sessions, their limit and waits, as far as this user may see them."""
        return checked(QUESTIONS, self._ask)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read-only transaction, of one state unless the policy asks for less; undone after."""
        self._wire.forget_cancel()
        self._execute(self._begin, ANSWER_S)
        self._prepared = {}
        try:
            yield
        finally:
            self._prepared = None
            self._limit_ms = 0  # undone with the transaction
            self._wire.settle()

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
        self._wire.check()
        misfits = self._misfits.setdefault(query.sql, set())
        if not exact:
            misfits.clear()
        statement = self._statement(query)
        values = Values(statement.fields, misfits)
        self._limit(query)
        copy = Copy(self._wire, values_select(statement.sql, statement.fields, misfits))
        with closing(copy), closing(values.batches(copy, batch_bytes)) as batches:
            yield Result(columns=values.columns, batches=batches)

    @contextmanager
    def lines(
        self,
        query: QueryTask,
        *,
        form: LineForm,
        batch_bytes: Callable[[], int],
    ) -> Iterator[Result | None]:
        """Run a query whose rows the server prints as lines of this form; see `LinePrinter`."""
        self._wire.check()
        misfits = self._misfits.setdefault(query.sql, set())
        misfits.clear()
        statement = self._statement(query)
        version = self._wire.connection.get_server_version().major
        sql = lines_select(statement.sql, statement.fields, form, version=version)
        if sql is None:
            yield None
            return
        self._limit(query)
        copy = Copy(
            self._wire,
            sql,
            delimiter=form.delimiter,
            force_quote=quoted_columns(statement.fields, form),
        )
        printed = lines(copy, statement.fields, form, misfits, batch_bytes)
        columns = tuple(field.column for field in statement.fields)
        with closing(copy), closing(printed) as batches:
            yield Result(columns=columns, batches=batches)

    def _statement(self, query: QueryTask, seconds: float | None = None) -> _Statement:
        """The query, parsed by the server."""
        sql = bare(query.sql)
        asked, names = numbered(sql, query.params)
        key = repr((sql, sorted(query.params.items())))
        if self._prepared is not None and key in self._prepared:
            return self._prepared[key]
        with self._wire.listening() as heard:
            attributes, wanted = self._wire.run(self._parsed(asked), seconds)
        check_reading(sql)
        if not attributes:
            raise Failure(ErrorClass.SYNTAX, "the query gives no columns")
        literals = {
            name: literal(query.params[name], _type_name(kind.schema, kind.name))
            for name, kind in zip(names, wanted, strict=True)
        }
        statement = _Statement(
            sql=bound(sql, literals, query.params),
            fields=_fields(attributes, modifiers(bytes(heard))),
        )
        if self._prepared is not None:
            self._prepared[key] = statement
        return statement

    async def _parsed(self, asked: str) -> _Parsed:
        """What the server says of a query."""
        statement = await self._wire.connection.prepare(asked, name="")
        # Asked for while the wire waits: the session may have ended behind the answer.
        return statement.get_attributes(), statement.get_parameters()

    def _limit(self, query: QueryTask) -> None:
        """Have the server end the query should nobody be left who does."""
        limit_ms = min(int(query.limit_s * PATIENCE * 1000), _MOST_MS)
        if limit_ms != self._limit_ms:
            self._execute(f"SET statement_timeout = {limit_ms}")
            self._limit_ms = limit_ms

    def _ask(self, sql: str) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in self._wire.run(self._wire.connection.fetch(sql), ANSWER_S)]

    def _execute(self, sql: str, seconds: float | None = None) -> None:
        self._wire.run(self._wire.connection.execute(sql), seconds)

    def cancel(self) -> None:
        """Interrupt what runs; the flag stops what is just about to run."""
        self._wire.cancel()

    def close(self) -> None:
        """End the session."""
        self._wire.close()


def _fields(
    attributes: Sequence[asyncpg.Attribute],
    declared: Sequence[int],
) -> tuple[Field, ...]:
    """The columns of a result; a type says less where its modifier was not heard."""
    if len(declared) != len(attributes):
        declared = [-1] * len(attributes)
    return tuple(
        Field(name=attribute.name, oid=attribute.type.oid, modifier=modifier)
        for attribute, modifier in zip(attributes, declared, strict=True)
    )


def _type_name(schema: str, name: str) -> str:
    """A type as SQL names it; asyncpg calls arrays `name[]`."""
    if name.endswith("[]"):
        name = f"_{name.removesuffix('[]')}"
    return f"{identifier(schema)}.{identifier(name)}"
