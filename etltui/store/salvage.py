"""Takes over from a damaged database the rows that can be read and prove themselves."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from etltui.store.database import ERRORS, Value
from etltui.store.health import has_sums, look_into, version_of
from etltui.store.rows import SUMMED, intact, named_row
from etltui.store.sums import row_sum

_PASSED_OVER = frozenset({"live"})
"""Tells of an engine that has ended."""


@dataclass(kw_only=True, slots=True)
class Salvaged:
    """What was not taken over.

    Attributes:
        damaged: Rows that could be read and do not match their sum.
        unreadable: Tables of which a part could not be read.
        nothing: Whether nothing could be read at all.
    """

    damaged: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    nothing: bool = False


def salvage(path: Path, made: sqlite3.Connection, steps: Sequence[str]) -> Salvaged:
    """Make the tables of a new database and copy the rows into them.

    Args:
        path: The damaged one; it is only read, and need not be there.
        made: The new one, empty.
        steps: The migrations that make the schema; those that the damaged one has not seen come
            after the copying.
    """
    made.create_function("row_sum", -1, row_sum)
    found, version = Salvaged(), len(steps)
    with ExitStack() as stack:
        old = None
        with suppress(*ERRORS):
            old = stack.enter_context(closing(look_into(path)))
            version = version_of(old, steps)
        for step in steps[:version]:
            made.executescript(step)
        if old is not None:
            made.execute("BEGIN")
            for table in _tables(made):
                _copy(old, made, table, found)
            made.execute("COMMIT")
    for step in steps[version:]:
        made.executescript(step)
    made.execute(f"PRAGMA user_version = {len(steps)}")
    found.nothing = not made.execute("SELECT count(*) FROM runs").fetchone()[0]
    return found


def _tables(made: sqlite3.Connection) -> list[str]:
    """In the order in which they were made: parents first."""
    rows = made.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    names = [str(row[0]) for row in rows]
    return [n for n in names if not n.startswith("sqlite_") and n not in _PASSED_OVER]


def _copy(old: sqlite3.Connection, made: sqlite3.Connection, table: str, found: Salvaged) -> None:
    try:
        summed = table in SUMMED and has_sums(old, table)
        theirs = {str(column[1]) for column in old.execute(f"PRAGMA table_info({table})")}
        columns = made.execute(f"PRAGMA table_info({table})").fetchall()
    except ERRORS:
        found.unreadable.append(table)
        return
    names = [str(column[1]) for column in columns if column[1] in theirs]
    # Of such a table the key is the row's number; given twice, triggers would not see it.
    numbered = any(column[2] == "INTEGER" and column[5] for column in columns)
    if not names:
        return
    for row in _rows(old, table, found):
        values = {name: value for name, value in row.items() if name in theirs}
        if summed and not intact(values):
            found.damaged.append(named_row(table, values))
            continue
        given = [*names, *(["rowid"] if "rowid" in row and not numbered else [])]
        places = ", ".join("?" * len(given))
        try:
            made.execute(
                f"INSERT INTO {table} ({', '.join(given)}) VALUES ({places})",  # noqa: S608
                [row[name] for name in given],
            )
        except (sqlite3.Error, UnicodeError):
            found.damaged.append(f"a row of {table}")


def _rows(old: sqlite3.Connection, table: str, found: Salvaged) -> Iterator[dict[str, Value]]:
    """All that can be read: from the front up to the damage, then from the back down to it."""
    last: Value = None
    try:
        for row in old.execute(f"SELECT rowid AS rowid, * FROM {table} ORDER BY rowid"):  # noqa: S608
            values = dict(row)
            last = values["rowid"]
            yield values
    except ERRORS as error:
        if "no such column" in str(error):
            yield from _keyed(old, table, found)
            return
        found.unreadable.append(table)
        rest: list[dict[str, Value]] = []
        with suppress(*ERRORS):
            rest.extend(
                dict(row)
                for row in old.execute(
                    f"SELECT rowid AS rowid, * FROM {table} "  # noqa: S608
                    "WHERE :last IS NULL OR rowid > :last ORDER BY rowid DESC",
                    {"last": last},
                )
            )
        yield from reversed(rest)


def _keyed(old: sqlite3.Connection, table: str, found: Salvaged) -> Iterator[dict[str, Value]]:
    """Of a table without row numbers, from the front up to the damage."""
    try:
        for row in old.execute(f"SELECT * FROM {table}"):  # noqa: S608
            yield dict(row)
    except ERRORS:
        found.unreadable.append(table)
