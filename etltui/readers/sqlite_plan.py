"""What a SQLite query's columns are, found without reading a row."""

import re
import sqlite3
from dataclasses import dataclass

from etltui.domain.columns import Column
from etltui.domain.task import QueryTask
from etltui.readers.sqlite_open import Authorizer, check_query
from etltui.readers.sqlite_sql import bare, without_parameters
from etltui.readers.sqlite_types import canonical

_COPY_NUMBER = re.compile(r":\d+$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What compiling a query told.

    Attributes:
        functions: Lower-case names of what it calls, also through views.
        opcodes: Of SQLite's machine that would run it.
    """

    columns: tuple[Column, ...]
    functions: frozenset[str]
    opcodes: frozenset[str]


def plan(
    db: sqlite3.Connection,
    authorizer: Authorizer,
    views: sqlite3.Connection,
    query: QueryTask,
) -> Plan:
    """Compile a query under the authorizer, so that what is wrong shows before any row.

    Args:
        db: Guarded by the authorizer.
        authorizer: Of `db`.
        views: Another connection to the file, on which temporary views may be made.
        query: Not run.

    Raises:
        Failure: The query is refused or not understood.
    """
    params = dict(query.params)
    with authorizer.watch() as seen:
        steps = db.execute(f"EXPLAIN {query.sql}", params).fetchall()
        check_query(query.sql)
        inner = f"SELECT * FROM (\n{bare(query.sql)}\n) LIMIT 0"  # noqa: S608 - the task's own
        described = db.execute(inner, params).description
        functions = frozenset(seen.functions)
    names = _own_names([str(column[0]) for column in described])
    types = _declared(views, query.sql)
    if len(types) != len(names):
        types = [""] * len(names)
    return Plan(
        columns=tuple(
            Column(name=name, type=canonical(declared))
            for name, declared in zip(names, types, strict=True)
        ),
        functions=functions,
        opcodes=frozenset(str(step[1]) for step in steps),
    )


def _declared(views: sqlite3.Connection, sql: str) -> list[str]:
    """The declared types of a query's columns, none where there is no way to tell.

    They come from a temporary view of the query, which lives in memory: Python's sqlite3 does not
    tell what a result's columns are declared as.
    """
    try:
        views.execute(f"CREATE TEMP VIEW etltui_query AS {without_parameters(bare(sql))}")
        rows = views.execute("PRAGMA table_xinfo(etltui_query)").fetchall()
    except sqlite3.Error:
        return []
    return [str(row[2]) for row in rows]


def _own_names(names: list[str]) -> list[str]:
    """The names as the query has them: a subquery's second `id` is called `id:1`."""
    seen: set[str] = set()
    own = []
    for name in names:
        base = _COPY_NUMBER.sub("", name)
        own.append(base if base != name and base.casefold() in seen else name)
        seen.add(own[-1].casefold())
    return own
