"""Brings values to the type that a column has in every part, and finds those that do not fit.

A value fits where it means the same in the column's type: a number the same number, a text that
stands among numbers only where it reads exactly as that number is written.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.columns import Column, decimal_of
from etltui.extractors.arrow import arrow_type, canonical_type
from etltui.writers.text import canonical

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"

_WIDEST = 38
"""Digits of a decimal that programs which read Parquet can be trusted with."""
_WHOLE = pa.decimal128(_WIDEST, 0)
_EXACT_DIGITS = 15
"""A double holds every number of so many digits."""
_FALSE = pa.scalar(False)  # noqa: FBT003 - Arrow's own call
_DAY, _SPACE = pa.scalar("1970-01-01"), pa.scalar(" ")
_BINARY_MARK = "\\x"


def stored_type(column: Column) -> pa.DataType:
    """The type of a column in Parquet, the same for all parts of a run."""
    if column.type in {"mixed", "unknown"} or too_wide(column):
        return pa.string()
    return arrow_type(column.type)


def too_wide(column: Column) -> bool:
    """Whether it is a decimal with more digits than Parquet's readers know."""
    digits = decimal_of(column.type)
    return digits is not None and digits[0] > _WIDEST


def fitted(array: Array, kind: pa.DataType) -> tuple[Array, pa.BooleanArray | None]:
    """The values in another type, NULL for those that do not fit.

    Args:
        array: Of any type that `canonical_type` knows.
        kind: One that `stored_type` gives.

    Returns:
        The values, and which did not fit; None where all did.
    """
    if array.type == kind:
        return array, None
    text = canonical(array)
    if pa.types.is_string(kind):
        return text, None
    made = _read(text, _reader(kind))
    same = _same(array, text, made)
    if same is not None:
        made = pc.if_else(pc.fill_null(same, _FALSE), made, pa.scalar(None, kind))
    misfits = pc.and_(pc.is_valid(text), pc.is_null(made))
    return made, misfits if pc.any(misfits).as_py() else None


def numbers(array: Array) -> int:
    """How many of the values are numbers."""
    if pa.types.is_struct(array.type):
        return pc.sum(pc.struct_field(array, "number")).as_py() or 0
    kind = canonical_type(array.type)
    is_number = kind in {"int", "float"} or kind.startswith("decimal")
    return len(array) - array.null_count if is_number else 0


def _reader(kind: pa.DataType) -> Callable[[Array], Array]:
    """What makes values of a text; raises `ArrowInvalid` where one of them cannot be read."""
    if pa.types.is_integer(kind):
        # by way of a decimal, which also reads 1e+15
        return lambda text: pc.cast(pc.cast(text, _WHOLE), kind)
    if pa.types.is_binary(kind):
        return _bytes
    if pa.types.is_time(kind):
        # Arrow reads moments, but not times alone.
        return lambda text: pc.cast(pc.cast(_on_a_day(text), pa.timestamp("us")), kind)
    return lambda text: pc.cast(text, kind)


def _on_a_day(text: Array) -> Array:
    moments: Array = pc.binary_join_element_wise(_DAY, text, _SPACE)
    return moments


def _bytes(text: Array) -> Array:
    """The bytes that hexadecimal digits stand for, NULL for other texts."""
    values = text.to_pylist()
    made = [
        bytes.fromhex(value[len(_BINARY_MARK) :]) if value and _is_hex(value) else None
        for value in values
    ]
    return pa.array(made, pa.binary())


def _is_hex(text: str) -> bool:
    digits = text.removeprefix(_BINARY_MARK)
    known = digits != text and len(digits) % 2 == 0
    return known and set(digits) <= set("0123456789abcdef")


def _read(text: Array, read: Callable[[Array], Array]) -> Array:
    """Read all that can be read; halves are tried until what cannot stands alone as NULL."""
    try:
        return read(text)
    except pa.ArrowInvalid:
        if len(text) == 1:
            return read(pa.nulls(1, pa.string()))
    middle = len(text) // 2
    return pa.concat_arrays([_read(text[:middle], read), _read(text[middle:], read)])


def _same(array: Array, text: pa.StringArray, made: Array) -> "Array | None":
    """Which values mean the same as before; None where being readable is enough."""
    if pa.types.is_temporal(made.type) or pa.types.is_binary(made.type):
        return None
    written = pc.equal(canonical(made), text)
    words = _words(array)
    alike = pc.invert(words)
    if pa.types.is_floating(made.type):
        alike = pc.and_(alike, _exact(text, made))
    same: Array = pc.or_(written, alike)
    return same


def _words(array: Array) -> Array:
    """Which values were texts at their source."""
    if pa.types.is_struct(array.type):
        words: Array = pc.invert(pc.struct_field(array, "number"))
        return words
    return pa.repeat(pa.scalar(pa.types.is_string(array.type)), len(array))


def _exact(text: pa.StringArray, made: Array) -> Array:
    """Which numbers a double holds so exactly that it is written as the same number."""
    short: Array = pc.less_equal(pc.utf8_length(text), pa.scalar(_EXACT_DIGITS, pa.int32()))
    if pc.all(short).as_py() is not False:
        return short
    pairs = zip(text.to_pylist(), canonical(made).to_pylist(), strict=True)
    return pa.array([_equal(*pair) for pair in pairs], pa.bool_())


def _equal(wanted: str | None, found: str | None) -> bool:
    return wanted is not None and found is not None and Decimal(wanted) == Decimal(found)
