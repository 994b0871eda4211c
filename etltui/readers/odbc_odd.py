"""Dates and times as texts, for columns in which some are none: 0000-00-00, 838:59:59, infinity."""

from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.readers.odbc_blocks import Form, mixed_of, texts_form

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"

_LENGTH = 48
"""Of the longest, with room to spare."""
_ZEROS, _POINT = r"(\.\d*?)0+$", r"\.$"
_WITHOUT_ZONE = r"^(\d*[1-9]\d*-\d\d-\d\d [\d:.]+)$"
"""What has the year 0 is no moment, and has no zone either."""


def odd_form(kind: str, met: int) -> Form:
    """How to read a column whose other values are of this type: each in its canonical text."""
    return texts_form(_LENGTH, met, _in_utc if kind == "timestamptz" else _odd)


def _odd(texts: Array) -> Array:
    return mixed_of(_shortest(texts))


def _in_utc(texts: Array) -> Array:
    zoned = pc.replace_substring_regex(_shortest(texts), _WITHOUT_ZONE, r"\1+00")
    return mixed_of(zoned)


def _shortest(texts: Array) -> Array:
    """Without the zeros that end a fraction of a second."""
    trimmed = pc.replace_substring_regex(texts, _ZEROS, r"\1")
    short: Array = pc.replace_substring_regex(trimmed, _POINT, "")
    return short
