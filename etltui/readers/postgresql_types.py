"""What PostgreSQL's types are as canonical ones, and what a read must prove of them."""

import struct
from dataclasses import dataclass, replace

from etltui.domain.columns import Column

_KINDS = {
    16: "bool",
    17: "binary",
    20: "int",
    21: "int",
    23: "int",
    26: "int",  # oid
    700: "float",
    701: "float",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
}
"""By the number that a type has in every server (pg_type.dat); what is not here is text."""
REAL, NUMERIC = 700, 1700
_TEXT = "text"
_MIXED = "mixed"
_MOST_DIGITS = 38
"""Of Arrow's decimal128; Arrow's CSV reader knows no wider one."""
_HEAD = struct.Struct(">cI")
_FIELD = struct.Struct(">IhIhih")
"""Table, column of the table, type, size, modifier, format: protocol 3, RowDescription."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column of a result.

    Attributes:
        oid: Its type's number; that of the base type where it is a domain.
        modifier: What the type is declared with, -1 for nothing.
    """

    name: str
    oid: int
    modifier: int = -1

    @property
    def column(self) -> Column:
        """As a canonical column.

        A numeric without a declared scale has as many digits as each value needs: `mixed`.
        """
        if self.oid == NUMERIC:
            return Column(name=self.name, type=_decimal(self.modifier))
        return Column(name=self.name, type=_KINDS.get(self.oid, _TEXT))


def misfitting(column: Column) -> Column:
    """The same column where not every value fits its type."""
    return replace(column, type=_MIXED)


def _decimal(modifier: int) -> str:
    digits, scale = (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF
    scale = (scale ^ 1024) - 1024  # signed, with 11 bits
    if modifier < 0 or digits > _MOST_DIGITS or not 0 <= scale <= digits:
        return _MIXED
    return f"decimal({digits},{scale})"


def modifiers(heard: bytes) -> list[int]:
    """The type modifiers of the first result that the server has described; empty for none.

    Args:
        heard: Whole messages of the server, as they came.
    """
    position = 0
    while position + _HEAD.size <= len(heard):
        kind, length = _HEAD.unpack_from(heard, position)
        if kind == b"T":
            return _row_description(heard[position + _HEAD.size : position + 1 + length])
        position += 1 + length
    return []


def _row_description(body: bytes) -> list[int]:
    found, position = [], 2
    while position < len(body):
        position = body.index(0, position) + 1
        found.append(int(_FIELD.unpack_from(body, position)[4]))
        position += _FIELD.size
    return found
