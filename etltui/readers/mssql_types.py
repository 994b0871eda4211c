"""What SQL Server's types are as canonical ones, and how texts of them become values."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.readers import odbc_api as api
from etltui.readers.odbc_batches import Found, canonical
from etltui.readers.odbc_blocks import Form, UnfitError, form_of, mixed_of, texts_form

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"

VARIANT, UDT, XML, TIME2, OFFSET = -150, -151, -152, -154, -155
"""SQL types of SQL Server's own, as its drivers number them."""
_KINDS = {
    VARIANT: "text",
    UDT: "binary",
    XML: "text",
    TIME2: "time",
    OFFSET: "timestamptz",
}
_DIGITS = 6
"""Of a fraction of a second that Arrow's microseconds hold."""
_LENGTH = 40
"""Of the longest text of a date, a time and a zone, with room to spare."""
_ZEROS, _ZONE = r"(\.\d*?)0+( |$)", r"^(.{19}(?:\.\d{1,6})?) ?([+-]\d\d:\d\d)$"
_SHORT_YEAR, _LONG_YEAR = r"^(\d{1,3})-", r"^0*(\d{4})-"
_YEAR_1 = -62_135_596_800_000_000
"""0001-01-01 in microseconds since 1970; before it no two programs agree on a calendar."""


def canonical_type(field: api.Field) -> str:
    """The canonical type of a column."""
    return _KINDS.get(field.sql_type) or canonical(field)


def formed(found: Found, *, iso: bool) -> Found:
    """The column with the form that its type needs beyond what ODBC says of it.

    Args:
        found: As ODBC describes it.
        iso: Whether the driver spells every date as ISO 8601 does; that is read quicker than
            ODBC's structures.
    """
    sql_type, digits = found.field.sql_type, found.field.digits
    if sql_type in {TIME2, OFFSET, api.TIMESTAMP, api.DATE}:
        spelled = iso and digits <= _DIGITS
        return replace(found, form=partial(_moments, spelled=spelled))
    return replace(found, form=_identifiers) if sql_type == api.GUID else found


def _moments(kind: str, met: int, *, spelled: bool) -> Form:
    """Dates and times: as texts where these are quicker or say more."""
    if kind in {"timestamp", "date"}:
        return form_of(kind, 0, spelled={kind} if spelled else ())
    read = {"time": _times, "timestamptz": _instants}.get(kind, _texts)
    return texts_form(_LENGTH, met, read)


def _identifiers(_kind: str, met: int) -> Form:
    """Globally unique identifiers, in small letters as all other databases give them."""
    made: Callable[[Array], Array] = pc.utf8_lower
    return texts_form(_LENGTH, met, made)


def _shortest(texts: Array) -> Array:
    """Years of four digits, and without zeros that end a fraction of a second."""
    if pc.any(pc.match_substring_regex(texts, _SHORT_YEAR)).as_py():
        # FreeTDS writes the year 1 as 1.
        padded = pc.replace_substring_regex(texts, _SHORT_YEAR, r"000\1-")
        texts = pc.replace_substring_regex(padded, _LONG_YEAR, r"\1-")
    if not pc.any(pc.match_substring(texts, ".")).as_py():
        return texts
    short = pc.replace_substring_regex(texts, _ZEROS, r"\1\2")
    made: Array = pc.replace_substring_regex(short, r"\.( |$)", r"\1")
    return made


def _texts(texts: Array) -> Array:
    """Values that no type of ours holds, such as times of 100 ns."""
    return mixed_of(_shortest(texts))


def _times(texts: Array) -> Array:
    on_a_day = pc.binary_join_element_wise("1970-01-01", _shortest(texts), " ")
    return _cast(on_a_day, pa.timestamp("us")).cast(pa.time64("us"))


def _instants(texts: Array) -> Array:
    """Moments with a distance from UTC: each is the same instant in UTC."""
    short = _shortest(texts)
    joined = pc.replace_substring_regex(short, _ZONE, r"\1\2")
    instants = _cast(joined, pa.timestamp("us", tz="UTC"))
    least = pc.min(instants.view(pa.int64())).as_py()
    if least is not None and least < _YEAR_1:
        raise UnfitError
    return instants


def _cast(texts: Array, kind: "pa.DataType") -> Array:
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid as error:
        raise UnfitError from error
