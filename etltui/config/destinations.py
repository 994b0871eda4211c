"""Where a job's rows go: destinations with their options, and targets that would meet."""

import codecs
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

from etltui.config.checks import OneOf, RefusedError, check_of, shown, text
from etltui.config.schema import default_of
from etltui.config.table import Notebook, Table
from etltui.config.templates import render, template
from etltui.domain.job import (
    OPTIONS,
    Connection,
    CsvOptions,
    Destination,
    ExcelOptions,
    FormatOptions,
    Job,
)

_LONGEST_NAME = 240  # bytes; 255 on most disks, less what `.partial` and a temporary name add
_WITH_BOM = ("utf-8", "utf-16", "utf-16-le", "utf-16-be")
# Python's codecs for names in the net, for its own sources and for one Windows machine, and those
# whose bytes depend on what came before: pieces of them cannot be put one behind the other.
_NO_CHARACTER_SETS = re.compile(
    r"charmap|hz|idna|iso2022[\w-]*|mbcs|oem|punycode|(raw-)?unicode-escape|undefined|utf-7",
)
_MODES = check_of(get_type_hints(Destination)["mode"])


def _delimiter(value: object) -> str:
    character = text(value)
    if len(character) != 1 or character in '"\r\n\0':
        raise RefusedError(
            f"{shown(character)} cannot separate fields",
            'Write one character, such as "," ";" or "\\t"; no quote, no line end',
        )
    return character


def _character_set(name: str) -> str:
    """Python's own name of a character set; ValueError or LookupError where there is none."""
    found = codecs.lookup(name).name
    "".encode(found)  # refuses what encodes no text, such as base64
    if _NO_CHARACTER_SETS.fullmatch(found.replace("_", "-")):
        raise LookupError(found)
    return found


def _encoding(value: object) -> str:
    name = text(value)
    try:
        found = _character_set(name)
    except (LookupError, ValueError):
        raise RefusedError(
            f"{shown(name)} is no encoding that is known",
            'Write "utf-8", "cp1252", "utf-16" or another of Python\'s',
        ) from None
    if found == "utf-8-sig":
        raise RefusedError(
            f"{shown(name)} would put a mark before every part",
            'Write encoding = "utf-8" and bom = true',
        )
    return name


_SPECIAL: Mapping[str, Callable[[object], Any]] = {
    "delimiter": _delimiter,
    "encoding": _encoding,
    "null": text,
}
"""Options whose type does not say all that they may be."""


def _options(table: Table, record: type[FormatOptions]) -> FormatOptions:
    hints = get_type_hints(record)
    values: dict[str, Any] = {
        each.name: table.read(
            each.name,
            _SPECIAL.get(each.name) or check_of(hints[each.name]),
            each.default,
        )
        for each in fields(record)
    }
    return record(**values)


def _check_csv(table: Table, options: CsvOptions) -> None:
    """What no single option can tell."""
    if options.bom and codecs.lookup(options.encoding).name not in _WITH_BOM:
        table.note("bom", f"{options.encoding} has no mark", "Take bom out, or write utf-8, utf-16")
    if any(character in options.null for character in f'{options.delimiter}"\r\n'):
        table.note(
            "null",
            f"{shown(options.null)} would need quotes, and NULL is never quoted",
            "Write it without delimiter, quote and line end",
        )
    try:
        f"{options.delimiter}{options.null}".encode(options.encoding)
    except UnicodeError:
        table.note(
            "encoding",
            f"{options.encoding} lacks a character of delimiter or null",
            'Write encoding = "utf-8"',
        )


def _check_ending(table: Table, path: str) -> None:
    if path and not path.casefold().endswith(".xlsx"):
        table.note("path", f"{shown(path)} is no name of a workbook", "Let it end in .xlsx")


def destination(table: Table) -> Destination:
    """A destination. Without a known type its options are left alone: nobody knows their keys."""
    types = OneOf(tuple(OPTIONS))
    type_ = table.need("type", types, "", f"Write type = one of {types.allowed}")
    path = table.need("path", template, "", 'Write path = "reports/{job}_{date}.xlsx"')
    mode = table.read("mode", _MODES, default_of(Destination, "mode"))
    options: FormatOptions = ExcelOptions()
    if type_:
        options = _options(table, OPTIONS[type_])
        table.finish()
    if isinstance(options, CsvOptions):
        _check_csv(table, options)
    elif type_:
        _check_ending(table, path)
    return Destination(type=type_, path=path, options=options, mode=mode)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """A destination's path as it may look in a run, and the key that says it."""

    key: str
    path: str


def _targets(jobs: Iterable[tuple[str, Job]]) -> list[_Target]:
    """Every destination as if all jobs had started in the same moment, each with its own run."""
    moment = datetime(2026, 11, 21, 23, 5, tzinfo=UTC)
    return [
        _Target(
            key=f"{key}.destinations[{number}].path",
            path=os.path.normpath(
                render(
                    each.path,
                    job=job.name,
                    title=job.title,
                    run=f"{moment:%Y%m%dT%H%M%SZ}-{position:04d}",
                    started=moment,
                    folder=job.folder,
                ),
            ),
        )
        for position, (key, job) in enumerate(jobs)
        for number, each in enumerate(job.destinations, start=1)
        if each.path
    ]


def check_targets(
    jobs: Sequence[tuple[str, Job]],
    connections: Iterable[Connection],
    book: Notebook,
) -> None:
    """Refuse targets that would overwrite each other or a source, and names no disk takes.

    Args:
        jobs: With the dotted key of each.
        connections: Whose files must stay what they are.
        book: Where mistakes are noted.
    """
    sources = {os.path.normpath(c.database): c.name for c in connections if c.database}
    seen: dict[str, str] = {}
    for target in _targets(jobs):
        name = Path(target.path).name
        if target.path in seen:
            book.note(
                target.key,
                f"is the same target as {seen[target.path]}",
                "Give each its own name, with {job} or {run} for instance",
            )
        elif target.path in sources:
            book.note(
                target.key,
                f"would overwrite the database of connection {shown(sources[target.path])}",
                "Write another path",
            )
        # Not os.fsencode: under an ASCII locale it raises for what the template may well hold.
        length = len(name.encode("utf-8", "surrogateescape"))
        if length > _LONGEST_NAME:
            book.note(
                target.key,
                f"gives a file name of {length} bytes",
                f"Allowed: at most {_LONGEST_NAME}. Shorten the title or the path",
            )
        seen.setdefault(target.path, target.key)
