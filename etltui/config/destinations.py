"""Where a job's rows go: destinations with their options."""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from etltui.config.checks import OneOf, RefusedError, check_of, shown, text
from etltui.config.rule import default_of
from etltui.config.table import Table
from etltui.config.templates import template
from etltui.config.webhook import SPECIAL, check_webhook
from etltui.domain import moments
from etltui.domain.job import (
    OPTIONS,
    CsvOptions,
    Destination,
    ExcelOptions,
    FormatOptions,
    WebhookOptions,
)

_WITH_BOM = ("utf-8", "utf-16", "utf-16-le", "utf-16-be")
# Python's codecs for names in the net, for its own sources and for one Windows machine, and those
# whose bytes depend on what came before: pieces of them cannot be put one behind the other.
_NO_CHARACTER_SETS = re.compile(
    r"charmap|hz|idna|iso2022[\w-]*|mbcs|oem|punycode|(raw-)?unicode-escape|undefined|utf-7",
)
_ENDINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "excel": ("a workbook", (".xlsx",)),
    "parquet": ("a Parquet file", (".parquet",)),
    "jsonl": ("a file of JSON lines", (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")),
    "json": ("a JSON file", (".json", ".json.gz")),
    "webhook": ("a record of deliveries", (".jsonl", ".ndjson")),
}
"""What a target of a type is called, and how its name ends."""
RECORD = "deliveries/{job}_{run}.jsonl"
"""Where a webhook's record of deliveries goes, unsaid: each run has its own."""
_ENDING = re.compile(r"\.[a-z]\w*$")
"""Of a file, in a casefolded path; dates may have dots too."""
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


def _moments(*, clock: bool) -> Callable[[object], str]:
    """A check of a format of dates, with a time of day or without; the empty one is canonical."""
    example = "%d/%m/%Y %H:%M:%S" if clock else "%d/%m/%Y"

    def check(value: object) -> str:
        found = text(value)
        if found and (problem := moments.trouble(found, clock=clock)):
            raise RefusedError(
                f"{shown(found)} {problem}",
                f'Write it like "{example}": each token once, with - / . : , T or spaces between',
            )
        return found

    return check


_SPECIAL: Mapping[str, Callable[[object], Any]] = {
    "delimiter": _delimiter,
    "encoding": _encoding,
    "null": text,
    "date_format": _moments(clock=False),
    "timestamp_format": _moments(clock=True),
    **SPECIAL,
}
"""Options whose type does not say all that they may be."""


def _options(table: Table, record: type[FormatOptions]) -> FormatOptions:
    hints = get_type_hints(record)
    values: dict[str, Any] = {
        each.name: table.read(
            each.name,
            _SPECIAL.get(each.name) or check_of(hints[each.name]),
            default_of(record, each.name),
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


def _check_profile(table: Table, options: CsvOptions) -> None:
    """Whether the signs in numbers can be told from each other and from the delimiter."""
    thousands = "," if options.thousands == "indian" else options.thousands
    if thousands == options.decimal:
        table.note(
            "thousands",
            f"{shown(thousands)} is the decimal sign, too",
            'Write decimal = "," or another thousands',
        )
    for name, sign in (("decimal", options.decimal), ("thousands", thousands)):
        if sign == options.delimiter and options.quoting != "all":
            table.note(
                name,
                f"{shown(sign)} is the delimiter, too: some numbers would be quoted, others not",
                'Write delimiter = ";" or quoting = "all"',
            )


def _check_path(table: Table, found: Destination) -> None:
    """Whether a target's name says what it is; any name will do for a CSV."""
    path, rule = found.path.casefold(), _ENDINGS.get(found.type)
    if found.is_folder:
        if _ENDING.search(path):
            table.note(
                "path", f"{shown(found.path)} is no name of a folder", "Leave out the ending"
            )
    elif path and rule and not path.endswith(rule[1]):
        table.note("path", f"{shown(found.path)} is no name of {rule[0]}", _way_out(rule[1]))


def _way_out(endings: tuple[str, ...]) -> str:
    return f"Let it end in {' or '.join(endings)}"


def _path(table: Table, kind: str) -> str:
    """Where the target stands; a record of deliveries has a place of its own."""
    if kind == "webhook":
        return table.read("path", template, RECORD)
    return table.need("path", template, "", 'Write path = "reports/{job}_{date}.xlsx"')


def destination(table: Table) -> Destination:
    """A destination. Without a known type its options are left alone: nobody knows their keys."""
    types = OneOf(tuple(OPTIONS))
    type_ = table.need("type", types, "", f"Write type = one of {types.allowed}")
    path = _path(table, type_)
    mode = table.read("mode", _MODES, default_of(Destination, "mode"))
    options: FormatOptions = ExcelOptions()
    if type_:
        options = _options(table, OPTIONS[type_])
        table.finish()
    if isinstance(options, CsvOptions):
        _check_csv(table, options)
        _check_profile(table, options)
    if isinstance(options, WebhookOptions):
        check_webhook(table, options)
    found = Destination(type=type_, path=path, options=options, mode=mode)
    _check_path(table, found)
    return found
