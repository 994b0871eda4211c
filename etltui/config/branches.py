"""Connections from a CSV file: a line each, so that 500 branches can be kept in a spreadsheet."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from etltui.config.checks import RefusedError, check_name, nearest_or_all, shown
from etltui.config.connections import connection
from etltui.config.listing import Line, Listing, place, read_csv
from etltui.config.table import Notebook, Table, joined
from etltui.config.tags import CHECKS, WHOLE, Traits
from etltui.domain.errors import Mistake
from etltui.domain.job import Connection

COLUMNS = ("name", "url", "credential", "tags", "opened", "closed", "contact")
"""The columns of the file, of which name and url are needed."""
ALL_COLUMNS = (*COLUMNS, *CHECKS, "identity")
"""With those that most files do without."""

_TAGS = re.compile(r"\s*[;|]\s*")


def _header_mistakes(where: str, header: Collection[str]) -> tuple[Mistake, ...]:
    unknown = [
        Mistake(
            where=where,
            key=place(1, name),
            problem="is not a known column",
            way_out=nearest_or_all(name, ALL_COLUMNS),
        )
        for name in header
        if name not in ALL_COLUMNS
    ]
    missing = [
        Mistake(
            where=where,
            key=place(1, name),
            problem="the column is missing",
            way_out=f"Begin the file with {','.join(COLUMNS)}",
        )
        for name in COLUMNS[:2]
        if name not in header
    ]
    return (*unknown, *missing)


def _name_problem(name: str, taken: Mapping[str, str]) -> str:
    """Why a name cannot be a connection's, empty where it can."""
    if name in taken:
        return f"{shown(name)} is the name of {taken[name]} too. Give each its own name"
    try:
        check_name(name)
    except RefusedError as refused:
        return str(refused)
    return ""


def of_line(
    line: Line,
    where: str,
    credentials: Collection[str],
    folder: Path,
    traits: Traits | None = None,
) -> tuple[Connection, list[Mistake]]:
    """The connection that a line says, and what is wrong with it.

    Args:
        line: Of known columns only.
        where: The file.
        credentials: Their names.
        folder: Where relative paths start.
        traits: Gather how the connection is read.
    """
    book = Notebook(lambda _: where)
    values: dict[str, Any] = {**line.values}
    name = values.pop("name", "")
    if "tags" in values:
        values["tags"] = [tag for tag in _TAGS.split(values["tags"]) if tag]
    for column in WHOLE & {*values}:
        if values[column].isdecimal():
            values[column] = int(values[column])
    found = connection(name, Table(values, "", book), credentials, folder, traits)
    return found, [replace(each, key=place(line.number, each.key)) for each in book.mistakes]


def of_listing(
    found: Listing,
    where: str,
    named: Collection[str],
    credentials: Collection[str],
    folder: Path,
    traits: Traits | None = None,
) -> tuple[tuple[Connection, ...], tuple[Mistake, ...]]:
    """The connections of a listing, and every mistake in it."""
    if not found.header:
        return (), found.mistakes
    unfit = _header_mistakes(where, found.header)
    if unfit:
        return (), unfit
    mistakes = list(found.mistakes)
    taken = {name: f"[{joined('connections', name)}]" for name in named}
    made: list[Connection] = []
    for line in found.lines:
        each, wrong = of_line(line, where, credentials, folder, traits)
        made.append(each)
        mistakes.extend(wrong)
        problem = _name_problem(each.name, taken)
        if problem:
            mistakes.append(
                Mistake(where=where, key=place(line.number, "name"), problem=problem),
            )
        taken.setdefault(each.name, place(line.number))
    return tuple(made), tuple(mistakes)


def connections(
    path: Path,
    named: Collection[str],
    credentials: Collection[str],
    folder: Path,
    traits: Traits | None = None,
) -> tuple[tuple[Connection, ...], tuple[Mistake, ...]]:
    """The connections of a CSV file, in its order, and every mistake in it.

    Args:
        path: The file.
        named: The connections of the configuration itself.
        credentials: The names of those there are.
        folder: Where relative paths start: the configuration's, as for connections there.
        traits: Gather how they are read.
    """
    return of_listing(read_csv(path), str(path), named, credentials, folder, traits)
