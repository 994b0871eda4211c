"""A job's queries, from a text, a file or a table, and what single connections ask instead."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

from etltui.config.checks import (
    Number,
    RefusedError,
    check_of,
    filled,
    nearest,
    nearest_or_all,
    scalar,
    shown,
    text,
)
from etltui.config.paths import located
from etltui.config.select import select
from etltui.config.table import Table
from etltui.domain import days
from etltui.domain.job import Connection, Query, Scalar, own_control

MAIN = "main"
"""What a job with one query calls it."""

_WAYS = ("query", "query_file", "queries")
_ON_CONTROL = check_of(get_type_hints(Query)["on_control"])
_MISPLACED = re.compile(r"\{(day_\w+)\}")


def _from_file(value: object, folder: Path) -> str:
    path = located(filled(value), folder)
    try:
        sql = path.read_text("utf-8-sig")
    except (OSError, ValueError) as fault:  # ValueError: not UTF-8, or a NUL in the path
        reason = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
        raise RefusedError(f"{path} cannot be read: {reason}", "Check the path") from None
    if not sql.strip():
        raise RefusedError(f"{path} is empty", "Write the query there")
    return query_text(sql)


def query_text(value: object) -> str:
    """The text of a query."""
    sql = filled(value)
    for name in _MISPLACED.findall(sql):
        if name in days.NAMES:
            raise RefusedError(
                f"{{{name}}} stands in the query itself",
                f"Write :{name} without quotes around it: it is bound as a value",
            )
    return sql


def query_or_none(value: object) -> str:
    """The text of a query that binds nothing, or an empty text where none is to be asked."""
    return query_text(value) if text(value).strip() else ""


def _value(value: object) -> Scalar:
    """A bind value, with the business day in it or not."""
    found = scalar(value)
    if isinstance(found, str):
        for name, form in days.PLACEHOLDER.findall(found):
            _check_day(name, form)
    return found


def _check_day(name: str, form: str) -> None:
    if name not in days.NAMES:
        raise RefusedError(f"{{{name}}} is no placeholder", nearest_or_all(name, days.NAMES))
    wrong = [each for each in re.findall("%(.?)", form) if each not in (*days.DIRECTIVES, "%")]
    if wrong:
        raise RefusedError(
            f"the form {shown(form)} of {{{name}}} is not understood",
            f"Allowed: {' '.join(f'%{letter}' for letter in days.DIRECTIVES)}",
        )


def _params(table: Table) -> dict[str, Scalar]:
    """The bind values in a table's `params`."""
    values = table.table("params")
    for name in values.names():
        if not name.isidentifier():
            values.note(name, "cannot be bound", 'Write the name without ":", letters and _ only')
    return {name: values.read(name, _value, None) for name in values.names()}


def _controlled(table: Table, query: Query) -> Query:
    """The query with what a table says of its control."""
    return replace(
        query,
        control=table.read("control", query_text, query.control),
        control_tolerance=table.read("control_tolerance", Number(0, 1e15), query.control_tolerance),
        on_control=table.read("on_control", _ON_CONTROL, query.on_control),
    )


def _named(table: Table, shared: Query) -> tuple[Query, ...]:
    """The queries of a `queries` table: texts, or tables of `sql`, `params` and control."""
    found = []
    for name, entry in table.entries_or_texts("sql"):
        sql = entry.need("sql", query_text, "", 'Write sql = "SELECT …"')
        params = {**shared.params, **_params(entry)}
        found.append(_controlled(entry, replace(shared, name=name, sql=sql, params=params)))
        entry.finish()
    return tuple(found)


def queries(table: Table, folder: Path) -> tuple[Query, ...]:
    """The queries of a job, by exactly one of the three ways."""
    ways = [way for way in _WAYS if way in table]
    shared = _controlled(table, Query(name=MAIN, sql="", params=_params(table)))
    if shared.control and ways == ["queries"]:
        table.note(
            "control",
            "does not say which query it controls",
            f"Write it into [{table.path('queries')}.NAME]",
        )
    here = table.read("query", query_text, "")
    there = table.read("query_file", lambda value: _from_file(value, folder), "")
    several = _named(table.table("queries"), shared)
    if len(ways) != 1:
        said = f"{' and '.join(ways)} are said together" if ways else "the query is missing"
        table.note(ways[-1] if ways else "query", said, f"Write one of {', '.join(_WAYS)}")
    elif ways == ["queries"] and not several:
        table.note("queries", "is empty", f'Write {MAIN} = "SELECT …" in it')
    return several or (replace(shared, sql=here or there),)


def _own(table: Table, name: str, names: Sequence[str]) -> dict[str, str]:
    """One connection's own SQL, by query."""
    value = table.raw(name)
    if isinstance(value, str):
        if len(names) == 1:
            return {names[0]: table.read(name, query_text, "")}
        table.note(
            name,
            "does not say which query it stands for",
            f'Write {{ {names[0]} = "SELECT …" }}; queries: {", ".join(names)}',
        )
        return {}
    own = table.table(name)
    for query in own.names():
        if query not in names:
            own.note(query, "is no query of the job", nearest_or_all(query, names))
    found: dict[str, str] = {}
    for query, entry in own.entries_or_texts("sql"):
        found[query] = entry.need("sql", query_text, "", 'Write sql = "SELECT …"')
        if "control" in entry:
            # An empty one: this connection has none.
            found[own_control(query)] = entry.read("control", text, "")
        entry.finish()
    return found


def overrides(
    table: Table,
    connections: Sequence[Connection],
    selectors: Sequence[str],
    found: Sequence[Query],
) -> dict[str, dict[str, str]]:
    """The own SQL of single connections.

    Args:
        table: The job's.
        connections: All there are.
        selectors: The job's.
        found: The job's queries.
    """
    own = table.table("overrides")
    chosen = [each.name for each in select(connections, selectors)]
    for name in own.names():
        if name not in chosen:
            own.note(
                name,
                f"{shown(name)} is no connection of this job",
                nearest(name, chosen) or "Take it out, or select it in connections",
            )
    names = [each.name for each in found]
    return {name: _own(own, name, names) for name in own.names()}
