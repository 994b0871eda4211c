"""Turns what a driver gives for a value into Arrow, by types that the first rows claim.

Drivers hardly ever tell what a result's columns are, and each tells it in another way. So the
first rows claim a type, every value has to keep it, and a column that breaks its claim is `mixed`.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa

from etltui.domain.columns import decimal_of
from etltui.extractors.arrow import arrow_type, mixed_array
from etltui.readers.sqlite_values import MisfitError, float_text

Array: TypeAlias = "pa.Array[Any]"
Values: TypeAlias = Sequence[Any]

_CLAIMS: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    bytes: "binary",
    bytearray: "binary",
    memoryview: "binary",
    date: "date",
    time: "time",
}
_MOST_DIGITS = 38
_NONE = type(None)
_TYPES: dict[str, frozenset[type]] = {
    "bool": frozenset({bool, _NONE}),
    "int": frozenset({int, _NONE}),
    "float": frozenset({float, _NONE}),
    "binary": frozenset({bytes, bytearray, memoryview, _NONE}),
    "date": frozenset({date, _NONE}),
}


def claim(values: Iterable[Any]) -> str:
    """The type that some values have in common; `unknown` where there is none to see."""
    present = [value for value in values if value is not None]
    kinds = {_kind(value) for value in present}
    if kinds in ({"decimal"}, {"decimal", "int"}):
        return _decimal_claim(present)
    return (kinds or {"unknown"}).pop() if len(kinds) < 2 else "mixed"


def _kind(value: Any) -> str:
    if isinstance(value, Decimal):
        return "decimal"
    if isinstance(value, datetime):
        return "timestamp" if value.tzinfo is None else "timestamptz"
    if isinstance(value, time) and value.tzinfo is not None:
        return "text"
    return _CLAIMS.get(type(value), "text")


def _decimal_claim(values: Values) -> str:
    """As many digits behind the point as any value has."""
    scale = 0
    for value in values:
        exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
        if not isinstance(exponent, int):
            return "mixed"  # NaN, infinity
        scale = max(scale, -exponent)
    return f"decimal({_MOST_DIGITS},{scale})" if scale <= _MOST_DIGITS else "mixed"


def converter(kind: str) -> Callable[[Values], Array]:
    """How a driver's values become an array of a canonical type.

    The conversion raises `MisfitError` where a value is not of the type.
    """
    if kind in {"mixed", "unknown"}:
        return mixed
    wanted = arrow_type(kind)

    def convert(values: Values) -> Array:
        if kind == "text":
            values = [value if value is None else _plain_text(value) for value in values]
        elif not all(_fits(value, kind) for value in values):
            raise MisfitError
        elif kind == "binary":
            values = [value if value is None else bytes(value) for value in values]
        try:
            return pa.array(values, wanted)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError) as error:
            raise MisfitError from error

    return convert


def _fits(value: Any, kind: str) -> bool:
    """Whether a value is of the type that its column claims; Arrow would bend some that are not."""
    if value is None:
        return True
    if kind in _TYPES:
        return type(value) in _TYPES[kind]
    if decimal_of(kind) is not None:
        return type(value) in {Decimal, int}
    if kind == "time":
        return isinstance(value, time) and value.tzinfo is None
    return _kind(value) == kind


def _plain_text(value: Any) -> str:
    """The text of what is one, or is told as one: a UUID, an interval, a list.

    Raises:
        MisfitError: It has a type of its own.
    """
    if isinstance(value, str):
        return value
    if _kind(value) != "text":
        raise MisfitError
    return _text(value)


def mixed(values: Values) -> Array:
    """Whatever each value is: its canonical text, and whether it was a number."""
    text = pa.array([None if value is None else _text(value) for value in values], pa.string())
    number = pa.array([_is_number(value) for value in values], pa.bool_())
    made: Array = mixed_array(text, number)
    return made


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or (isinstance(value, float) and abs(value) < float("inf"))


def _text(value: Any) -> str:
    """The canonical text of any value."""
    return next((tell(value) for kinds, tell in _TEXTS if isinstance(value, kinds)), str(value))


def _float(value: float) -> str:
    return "NaN" if math.isnan(value) else float_text(value)


def _nested(value: Any) -> str:
    items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
    return json.dumps(items, ensure_ascii=False, default=_text)


def _moment(value: datetime | time) -> str:
    if isinstance(value, time):
        return _trimmed(value.isoformat())
    if value.tzinfo is None:
        return _trimmed(value.isoformat(" "))
    return _trimmed(value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")) + "+00"


def _trimmed(text: str) -> str:
    """Without the trailing zeros of a fraction."""
    head, point, fraction = text.partition(".")
    return text if not point or not fraction.isdigit() else f"{head}.{fraction.rstrip('0')}"


_TEXTS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (bool, lambda value: str(value).lower()),
    (float, _float),
    (Decimal, lambda value: f"{value:f}"),
    ((bytes, bytearray, memoryview), lambda value: f"\\x{bytes(value).hex()}"),
    ((datetime, time), _moment),
    ((list, tuple, dict, set, frozenset), _nested),
)
"""The first that fits: a bool is an int, too; whatever is not here is as it prints itself."""
