"""A job's queries, from a text, a file or a table, and what single connections ask instead."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from etltui.config.checks import RefusedError, filled, nearest, nearest_or_all, scalar, shown
from etltui.config.paths import located
from etltui.config.select import select
from etltui.config.table import Table
from etltui.domain.job import Connection, Query, Scalar

MAIN = "main"
"""What a job with one query calls it."""

_WAYS = ("query", "query_file", "queries")


def _from_file(value: object, folder: Path) -> str:
    path = located(filled(value), folder)
    try:
        sql = path.read_text("utf-8-sig")
    except (OSError, ValueError) as fault:  # ValueError: not UTF-8, or a NUL in the path
        reason = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
        raise RefusedError(f"{path} cannot be read: {reason}", "Check the path") from None
    if not sql.strip():
        raise RefusedError(f"{path} is empty", "Write the query there")
    return sql


def _params(table: Table) -> dict[str, Scalar]:
    """The bind values in a table's `params`."""
    values = table.table("params")
    for name in values.names():
        if not name.isidentifier():
            values.note(name, "cannot be bound", 'Write the name without ":", letters and _ only')
    return {name: values.read(name, scalar, None) for name in values.names()}


def _named(table: Table, shared: Mapping[str, Scalar]) -> tuple[Query, ...]:
    """The queries of a `queries` table: texts, or tables of `sql` and `params`."""
    found = []
    for name, entry in table.entries_or_texts("sql"):
        sql = entry.need("sql", filled, "", 'Write sql = "SELECT …"')
        found.append(Query(name=name, sql=sql, params={**shared, **_params(entry)}))
        entry.finish()
    return tuple(found)


def queries(table: Table, folder: Path) -> tuple[Query, ...]:
    """The queries of a job, by exactly one of the three ways."""
    shared = _params(table)
    ways = [way for way in _WAYS if way in table]
    here = table.read("query", filled, "")
    there = table.read("query_file", lambda value: _from_file(value, folder), "")
    several = _named(table.table("queries"), shared)
    if len(ways) != 1:
        said = f"{' and '.join(ways)} are said together" if ways else "the query is missing"
        table.note(ways[-1] if ways else "query", said, f"Write one of {', '.join(_WAYS)}")
    elif ways == ["queries"] and not several:
        table.note("queries", "is empty", f'Write {MAIN} = "SELECT …" in it')
    return several or (Query(name=MAIN, sql=here or there, params=shared),)


def _own(table: Table, name: str, names: Sequence[str]) -> dict[str, str]:
    """One connection's own SQL, by query."""
    value = table.raw(name)
    if isinstance(value, str):
        if len(names) == 1:
            return {names[0]: table.read(name, filled, "")}
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
    return {query: own.read(query, filled, "") for query in own.names()}


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
