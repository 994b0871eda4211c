"""Types of results: what the server describes, and what becomes of it."""

import struct

import pytest

from etltui.readers.postgresql_types import Field, modifiers


def described(*columns):
    """A RowDescription message of (name, type modifier)."""
    fields = b"".join(
        name.encode() + b"\0" + struct.pack(">IhIhih", 7, 1, 1700, -1, modifier, 0)
        for name, modifier in columns
    )
    return message(b"T", struct.pack(">h", len(columns)) + fields)


def message(kind, body=b""):
    return kind + struct.pack(">I", 4 + len(body)) + body


def numeric(digits, scale):
    return ((digits << 16) | (scale & 0x7FF)) + 4


@pytest.mark.parametrize(
    ("modifier", "kind"),
    [
        (numeric(12, 2), "decimal(12,2)"),
        (numeric(38, 10), "decimal(38,10)"),
        (numeric(5, 0), "decimal(5,0)"),
        (numeric(5, 5), "decimal(5,5)"),
        (-1, "mixed"),
        (numeric(39, 2), "mixed"),
        (numeric(1000, 1000), "mixed"),
        (numeric(3, -2), "mixed"),
        (numeric(2, 5), "mixed"),
    ],
)
def test_a_numeric_is_a_decimal_where_it_is_declared(modifier, kind):
    assert Field(name="n", oid=1700, modifier=modifier).column.type == kind


@pytest.mark.parametrize(
    ("oid", "kind"),
    [(16, "bool"), (17, "binary"), (21, "int"), (23, "int"), (20, "int"), (26, "int"),
     (700, "float"), (701, "float"), (1082, "date"), (1083, "time"), (1114, "timestamp"),
     (1184, "timestamptz"), (25, "text"), (1043, "text"), (2950, "text"), (114, "text"),
     (1266, "text"), (1186, "text"), (790, "text"), (1231, "text"), (99999, "text")],
)  # fmt: skip
def test_a_type_has_its_canonical_one(oid, kind):
    assert Field(name="c", oid=oid).column.type == kind


def test_modifiers_are_heard_among_other_messages():
    heard = (
        message(b"1")
        + message(b"t", b"\0\1\0\0\0\x17")
        + described(("é", numeric(12, 2)), ("", -1), ("c", numeric(3, 0)))
        + described(("later", 5))
    )
    assert modifiers(heard) == [numeric(12, 2), -1, numeric(3, 0)]


@pytest.mark.parametrize("heard", [b"", b"1", message(b"1") + message(b"n"), described()])
def test_no_result_has_no_modifiers(heard):
    assert modifiers(heard) == []
