"""What SQLite's ODBC driver would not keep: digits, bytes, texts behind a NUL, what is wider."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import pyarrow as pa

from etltui.domain.job import Scalar
from etltui.extractors.arrow import MIXED
from etltui.readers import odbc_api as api
from etltui.readers import odbc_sql, sqlite_sql
from etltui.readers.odbc_batches import Found, canonical
from etltui.readers.odbc_blocks import MOMENTS, Form, UnfitError, form_of
from etltui.readers.sqlite_values import float_text

Array: TypeAlias = "pa.Array[Any]"

SPELLED = MOMENTS | {"bool", "int", "float"}
_MIXED = frozenset({"mixed", "unknown"})
_BYTES = _MIXED | {"text"}
_REAL = "printf('%!.20g', {c})"
"""Of seventeen digits SQLite does not always print the last as it is."""
_ANY = (
    "CASE typeof({c}) WHEN 'integer' THEN 'i' || {c} WHEN 'real' THEN 'r' || "
    + _REAL
    + " WHEN 'blob' THEN 't\\x' || lower(hex({c})) WHEN 'text' THEN 't' || {c} END"
)
"""What a value is stands before it."""
_PLAIN = (
    "CASE typeof({c}) WHEN 'real' THEN "
    + _REAL
    + " WHEN 'blob' THEN '\\x' || lower(hex({c})) ELSE CAST({c} AS TEXT) END"
)
_WIDE = re.compile("[\U00010000-\U0010ffff]")


def kind_of(found: api.Field) -> str:
    """By what the column was declared as; of an expression SQLite tells nothing."""
    named = found.type_name.casefold()
    if named in {"decimal", "numeric"}:
        return "mixed"
    kind = canonical(found)
    return "mixed" if kind == "text" and (named, found.size) == ("varchar", 255) else kind


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The tokens of a statement, its texts as the driver can pass them on."""
    for kind, text in sqlite_sql.tokens(sql):
        yield kind, _narrow(text) if text.startswith("'") else text


def literal(value: Scalar) -> str:
    """A value as it is written into a statement."""
    return _narrow(odbc_sql.literal(value))


def _narrow(text: str) -> str:
    """Of a character beyond U+FFFF the driver makes two others."""
    if not _WIDE.search(text):
        return text
    narrow = _WIDE.sub(lambda found: f"'||char({ord(found[0])})||'", text)
    return f"({narrow})"


def wrapped(sql: str, found: Sequence[Found], misfits: Collection[int]) -> str:
    """The query with each value spelled out."""
    wanted = []
    for number, each in enumerate(found):
        column, kind = f"c{number + 1}", "mixed" if number in misfits else each.column.type
        if kind != "binary":
            column = (_ANY if kind in _MIXED else _PLAIN).replace("{c}", column)
        if kind in _BYTES:
            # The driver ends a text at its first NUL, bytes it does not.
            column = f"CAST({column} AS BLOB)"
        name = each.column.name.replace('"', '""')
        wanted.append(f'{column} AS "{name}"')
    names = ", ".join(f"c{number + 1}" for number in range(len(found)))
    # The query is the operator's own, and names are quoted.
    return f"WITH q({names}) AS (SELECT * FROM ({sql}\n)) SELECT {', '.join(wanted)} FROM q"  # noqa: S608


def formed(found: Found) -> Found:
    """The column with the form in which its values come."""
    return replace(found, form=partial(_form, found.field.size))


def _form(size: int, kind: str, met: int) -> Form:
    if kind not in _BYTES:
        return form_of(kind, size, bytes_=met, spelled=SPELLED)
    octets = form_of("binary", 0, bytes_=met)

    def made(data: Any, lengths: Any, count: int) -> Array:
        try:
            texts = octets.made(data, lengths, count).cast(pa.string())
        except pa.ArrowInvalid as error:
            raise UnfitError from error
        return texts if kind == "text" else _mixed(texts)

    return replace(octets, made=made)


def _mixed(told: Array) -> Array:
    """Values, of each of which is told what it is."""
    values = told.to_pylist()
    texts = [None if value is None else _text(value) for value in values]
    numbers = [value is not None and value[0] != "t" and value[-1] != "f" for value in values]
    return pa.StructArray.from_arrays(
        [pa.array(texts, pa.string()), pa.array(numbers, pa.bool_())],
        fields=list(MIXED),
        mask=told.is_null(),
    )


def _text(told: str) -> str:
    return float_text(float(told[1:])) if told[0] == "r" else told[1:]
