"""What MySQL's types are as canonical ones, and how their values come from the server."""

from dataclasses import dataclass, replace
from typing import Any

from pymysql.constants import FIELD_TYPE

from etltui.domain.columns import Column

_UNSIGNED = 32
"""A flag of a column, as protocol 4.1 numbers them."""
_BINARY = 63
"""The character set of what is no text."""

_INTEGERS = {
    FIELD_TYPE.TINY: 1,
    FIELD_TYPE.SHORT: 2,
    FIELD_TYPE.YEAR: 2,
    FIELD_TYPE.LONG: 4,
    FIELD_TYPE.INT24: 4,
    FIELD_TYPE.LONGLONG: 8,
}
_FLOATS = {FIELD_TYPE.FLOAT: 4, FIELD_TYPE.DOUBLE: 8}
_MOMENTS = {
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.DATETIME: "timestamp",
    FIELD_TYPE.TIMESTAMP: "timestamptz",
    FIELD_TYPE.TIME: "time",
}
_DECIMALS = frozenset({FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL})
_TEXTS = frozenset({FIELD_TYPE.JSON, FIELD_TYPE.GEOMETRY, FIELD_TYPE.NULL, FIELD_TYPE.ENUM,
                    FIELD_TYPE.SET})  # fmt: skip
"""Texts whatever their character set is said to be: MySQL says of JSON that it is binary."""
_VECTOR = 242
_MOST_DIGITS = 65


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column of a result, as the server describes it.

    Attributes:
        code: Its type's number in the protocol.
        length: Characters or bytes at most that its text takes.
        decimals: Of the digits those behind the point.
        unsigned: Whether it holds no negative numbers.
        binary: Whether its bytes are no text.
    """

    name: str
    code: int
    length: int = 0
    decimals: int = 0
    unsigned: bool = False
    binary: bool = False

    @property
    def column(self) -> Column:
        """As a canonical column; a claim where not every value of the type fits.

        There is no boolean but TINYINT(1), which holds other numbers too; a BIGINT UNSIGNED may be
        larger than any int, and a moment no moment (0000-00-00).
        """
        return Column(name=self.name, type=self._type())

    def _type(self) -> str:
        code = self.code
        if self.is_truth or (self.is_bits and self.length == 1):
            return "bool"
        if code in _INTEGERS or self.is_bits:
            return "int"
        if code in _FLOATS:
            return "float"
        if code in _DECIMALS:
            return self._decimal()
        if code in _MOMENTS:
            return _MOMENTS[code]
        return "binary" if self.binary and code not in _TEXTS else "text"

    @property
    def is_truth(self) -> bool:
        """Whether it is declared TINYINT(1), which is what BOOLEAN stands for."""
        return self.code == FIELD_TYPE.TINY and self.length == 1

    @property
    def is_bits(self) -> bool:
        """Whether its values are bits; a single one is a truth."""
        return self.code == FIELD_TYPE.BIT

    @property
    def is_geometry(self) -> bool:
        """Whether its values are shapes, which come as the server keeps them."""
        return self.code == FIELD_TYPE.GEOMETRY

    def _decimal(self) -> str:
        # The text's length counts a sign and a point.
        digits = self.length - (self.decimals > 0) - (not self.unsigned)
        if not 1 <= digits <= _MOST_DIGITS or self.decimals > digits:
            return "mixed"
        return f"decimal({digits},{self.decimals})"

    @property
    def width(self) -> int:
        """Bytes of each value, 0 where the value's length stands before it."""
        return _INTEGERS.get(self.code) or _FLOATS.get(self.code, 0)

    @property
    def reading(self) -> tuple[Column, int, bool, bool, bool]:
        """All that decides how its values are read.

        Of the rest servers say one thing of a statement and another of its rows: MariaDB of the
        length and decimals of a text in a UNION.
        """
        return self.column, self.width, self.unsigned, self.is_bits, self.is_geometry

    @property
    def is_moment(self) -> bool:
        """Whether a value is made of the parts of a calendar or clock."""
        return self.code in _MOMENTS

    @property
    def misfit(self) -> Column:
        """The same column where not every value fits its type.

        Of the same family or of none: whoever joins this column with others takes no truth for a
        number.
        """
        column = self.column
        return replace(column, type="decimal(20,0)" if column.type == "int" else "mixed")


def field_of(described: Any) -> Field:
    """A column as PyMySQL has taken its description apart."""
    return Field(
        name=described.name,
        code=described.type_code,
        length=described.length,
        decimals=described.scale,
        unsigned=bool(described.flags & _UNSIGNED),
        binary=described.charsetnr == _BINARY or described.type_code == _VECTOR,
    )
