"""Between the canonical column types and Arrow: what a batch may hold.

A `mixed` column, whose values each have a type of their own (SQLite), is a struct of the value's
canonical text and whether it is a number, so that every writer can do right by every value.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from etltui.domain.columns import Column, decimal_of

MIXED = pa.struct([pa.field("text", pa.string()), pa.field("number", pa.bool_())])
"""A null struct is NULL; otherwise `text` is never null. `number`: the text is a finite JSON-like
number in canonical form, stored as INTEGER or REAL at the source."""

_ARROW: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "text": pa.string(),
    "binary": pa.binary(),
    "mixed": MIXED,
    "unknown": MIXED,
}

_CANONICAL: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_integer, "int"),
    (pa.types.is_floating, "float"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_large_binary, "binary"),
    (pa.types.is_struct, "mixed"),
)


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type of a canonical one."""
    if found := decimal_of(kind):
        precision, scale = found
        wide = precision > pa.decimal128(38).precision
        return pa.decimal256(precision, scale) if wide else pa.decimal128(precision, scale)
    return _ARROW[kind]


def mixed_array(text: Any, number: Any) -> Any:
    """A `mixed` column: NULL where there is no text.

    Args:
        text: An array of canonical texts.
        number: As long; which of them are numbers.
    """
    return pa.StructArray.from_arrays([text, number], fields=list(MIXED), mask=text.is_null())


def shortest(numbers: Any) -> Any:
    """Numbers of single precision as the doubles that they are written as: 0.1 is 0.1.

    The fewest digits that tell one from its neighbours, not the 0.10000000149011612 of its bits.
    """
    return numbers.cast(pa.float32()).cast(pa.string()).cast(pa.float64())


def canonical_type(kind: pa.DataType) -> str:
    """The canonical type of an Arrow one.

    Raises:
        TypeError: No reader may produce it.
    """
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    for test, name in _CANONICAL:
        if test(kind):
            return name
    raise TypeError(f"no canonical type for Arrow's {kind}")


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The schema of batches that hold these columns."""
    return pa.schema([pa.field(c.name, arrow_type(c.type)) for c in columns])
