"""Turns columns of SQLite values into Arrow arrays, or says that a value would not survive it.

Both lanes end here, so a value looks the same whichever way it came. Every conversion is proved:
what comes out is what went in, or `MisfitError` is raised and the column is read as `mixed`.
"""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation, localcontext
from functools import cache
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.columns import decimal_of
from etltui.extractors.arrow import mixed_array

pc: Any = compute
"""Untyped, since the stubs refuse Python's numbers and texts as operands."""
Array: TypeAlias = "pa.Array[Any]"
Values: TypeAlias = Sequence[Any]

_EXACT_INTEGERS = 2.0**53
"""From here on a double no longer tells two neighbouring integers apart."""

_PROVABLE_DIGITS = 15
"""Any two decimals of so many digits have different nearest doubles, so one proves the other."""
_PLAIN_BELOW = 1e15
_DECIMAL_DIGITS = 60
_TIMESTAMP_LENGTHS = (19, 21, 26)
_TIME_LENGTHS = (8, 10, 15)
_YEAR_1 = -62_135_596_800_000_000
"""0001-01-01 in microseconds since 1970; before it no two programs agree on a calendar."""
_YEAR_1_DAYS = -719_162
_NONE = type(None)


class MisfitError(Exception):
    """A value does not fit its column's type."""


@cache
def _scalar(value: float) -> Any:
    """A number for Arrow's functions; made once, for each making looks for pandas anew."""
    return pa.scalar(value)


def _must(fits: bool | None) -> None:  # noqa: FBT001 - the answer of an aggregate, None if empty
    """Raise unless all fit; an empty column's aggregate is None and fits."""
    if fits is False:
        raise MisfitError


def _parsed(array: Array, kind: "pa.DataType") -> Array:
    try:
        return array.cast(kind)
    except pa.ArrowInvalid as error:
        raise MisfitError from error


def texts(array: Array) -> Array:
    """Strings whose bytes are proved to be UTF-8."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        raise MisfitError from error
    return array


def bools(array: Array) -> Array:
    """Integers that are 0 or 1."""
    _between(array, 0, 1)
    return array.cast(pa.bool_())


def floats(array: Array) -> Array:
    """Doubles that are finite."""
    _must(pc.all(pc.is_finite(array)).as_py())
    return array


def dates(array: Array) -> Array:
    """Strings `YYYY-MM-DD`; Arrow takes no other form of a date."""
    found = _parsed(array, pa.date32())
    _between(found.view(pa.int32()), _YEAR_1_DAYS, math.inf)
    return found


def timestamps(array: Array) -> Array:
    """Strings `YYYY-MM-DD HH:MM:SS[.f]`, a T for the space allowed, without a zone.

    Arrow also takes shorter forms; their lengths give them away.
    """
    _measured(array, _TIMESTAMP_LENGTHS)
    found = _parsed(array, pa.timestamp("us"))
    _between(found.view(pa.int64()), _YEAR_1, math.inf)
    return found


def times(array: Array) -> Array:
    """Strings `HH:MM:SS[.f]`."""
    _measured(array, _TIME_LENGTHS)
    on_a_day = pc.binary_join_element_wise("1970-01-01", array, " ")
    return _parsed(on_a_day, pa.timestamp("us")).cast(pa.time64("us"))


def _measured(array: Array, lengths: tuple[int, int, int]) -> None:
    """Every text has the first length, or one from the second to the third."""
    plain, shortest, longest = lengths
    length = pc.binary_length(array)
    if _bounds(length) == (plain, plain):
        return
    fraction = pc.and_(
        pc.greater_equal(length, _scalar(shortest)),
        pc.less_equal(length, _scalar(longest)),
    )
    _must(pc.all(pc.or_(pc.equal(length, _scalar(plain)), fraction)).as_py())


def decimals(array: Array, precision: int, scale: int) -> Array:
    """Integers or doubles that are exactly decimals of so many digits.

    A double is the decimal `n / 10^scale` if it is the double nearest to it and `n` has at most
    15 digits: no other decimal of 15 digits is nearest to it. Correctly rounded division proves
    the nearness. Wider ones are for `decimals_one_by_one`.
    """
    if scale > _PROVABLE_DIGITS:
        raise MisfitError
    power = 10**scale
    digits = min(precision, _PROVABLE_DIGITS)
    if pa.types.is_integer(array.type):
        _between(array, -(10 ** max(0, digits - scale)) + 1, 10 ** max(0, digits - scale) - 1)
        units = pc.multiply(array, _scalar(power))
    else:
        units = pc.round(pc.multiply(array, _scalar(float(power))))
        _between(units, 1.0 - 10.0**digits, 10.0**digits - 1.0)
        _must(pc.all(pc.equal(pc.divide(units, _scalar(float(power))), array)).as_py())
        units = units.cast(pa.int64())
    whole = units.cast(pa.decimal128(19, 0))
    return pa.Array.from_buffers(
        pa.decimal128(precision, scale),
        len(whole),
        whole.buffers(),
        offset=whole.offset,
    )


def _bounds(array: Array) -> tuple[Any, Any]:
    """The least and the greatest, None where there is none."""
    bounds = pc.min_max(array)
    return bounds["min"].as_py(), bounds["max"].as_py()


def _between(array: Array, least: float, greatest: float) -> None:
    """Every number lies between, both included."""
    low, high = _bounds(array)
    if low is not None and (low < least or high > greatest):
        raise MisfitError


def decimals_one_by_one(values: Values, precision: int, scale: int) -> Array:
    """Integers, doubles (by their shortest form) and plain numeric text, exactly."""
    made = [None if value is None else _decimal(value, precision, scale) for value in values]
    return pa.array(made, pa.decimal128(precision, scale))


def _decimal(value: Any, precision: int, scale: int) -> Decimal:
    text = repr(value) if isinstance(value, float) else str(value)
    with localcontext() as context:
        context.prec = _DECIMAL_DIGITS
        try:
            number = Decimal(text)
            fixed = number.quantize(Decimal(1).scaleb(-scale))
            fits = fixed == number and abs(fixed) < Decimal(10) ** (precision - scale)
        except InvalidOperation as error:
            raise MisfitError from error
    # Text with a form of its own (leading zeros, spaces, -0, exponents) stays text.
    own_form = isinstance(value, str) and (f"{number:f}" != text or (not number and "-" in text))
    if not fits or own_form:
        raise MisfitError
    return fixed


def mixed(values: Values) -> Array:
    """Whatever each value is: its canonical text, and whether it was a number."""
    text = pa.array([_text(value) for value in values], pa.string())
    number = pa.array([_is_number(value) for value in values], pa.bool_())
    made: Array = mixed_array(text, number)
    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return None if value is None else str(value)


def float_text(value: float) -> str:
    """The fewest digits that read back as the same number, with an exponent from 1e15 on."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(value).removesuffix(".0")
    plain = abs(value) < _PLAIN_BELOW or "e" in text
    return text if plain else f"{Decimal(text).normalize():e}"


def _python(
    allowed: frozenset[type],
    kind: "pa.DataType",
    prove: Callable[[Array], Array],
) -> Callable[[Values], Array]:
    """A conversion of Python values whose types are all allowed."""

    def convert(values: Values) -> Array:
        if not allowed.issuperset(map(type, values)):
            raise MisfitError
        try:
            return prove(pa.array(values, kind))
        except (pa.ArrowInvalid, OverflowError) as error:
            raise MisfitError from error

    return convert


def _as_is(array: Array) -> Array:
    return array


_INTEGERS: frozenset[type] = frozenset({int, _NONE})
_NUMBERS: frozenset[type] = frozenset({int, float, _NONE})
_STRINGS: frozenset[type] = frozenset({str, _NONE})
_BYTES: frozenset[type] = frozenset({bytes, _NONE})

_FROM_PYTHON: dict[str, Callable[[Values], Array]] = {
    "int": _python(_INTEGERS, pa.int64(), _as_is),
    "bool": _python(_INTEGERS, pa.int64(), bools),
    "float": _python(_NUMBERS, pa.float64(), floats),
    "text": _python(_STRINGS, pa.string(), _as_is),
    "binary": _python(_BYTES, pa.binary(), _as_is),
    "date": _python(_STRINGS, pa.string(), dates),
    "time": _python(_STRINGS, pa.string(), times),
    "timestamp": _python(_STRINGS, pa.string(), timestamps),
    "mixed": mixed,
}


def from_python(kind: str) -> Callable[[Values], Array]:
    """How values of the sqlite3 module become an array of a canonical type.

    The conversion raises `MisfitError` where a value does not fit.
    """
    if (found := decimal_of(kind)) is None:
        return _FROM_PYTHON[kind]
    precision, scale = found

    def convert(values: Values) -> Array:
        seen = set(map(type, values)) - {_NONE}
        if str not in seen:
            try:
                number = pa.int64() if float not in seen else pa.float64()
                return decimals(pa.array(values, number), precision, scale)
            except (MisfitError, pa.ArrowInvalid):
                pass  # too wide for the quick proof, or truly a misfit: decided one by one
        return decimals_one_by_one(values, precision, scale)

    return convert


def from_adbc(kind: str, array: Array) -> Array:
    """ADBC's array of a column as an array of its canonical type.

    ADBC's doubles may have been integers: from 2^53 on they prove nothing.

    Raises:
        MisfitError: A value is not proved to fit.
    """
    if (found := decimal_of(kind)) is not None:
        _of(pa.float64(), array)
        return decimals(array, *found)
    storage, prove = _FROM_ADBC[kind]
    _of(storage, array)
    return prove(array)


def _of(storage: "pa.DataType", array: Array) -> None:
    if array.type != storage:
        raise MisfitError


def _safe_floats(array: Array) -> Array:
    _between(array, 1 - _EXACT_INTEGERS, _EXACT_INTEGERS - 1)
    return array


_FROM_ADBC: dict[str, tuple["pa.DataType", Callable[[Array], Array]]] = {
    "int": (pa.int64(), _as_is),
    "bool": (pa.int64(), bools),
    "float": (pa.float64(), _safe_floats),
    "text": (pa.string(), texts),
    "binary": (pa.binary(), _as_is),
    "date": (pa.string(), dates),
    "time": (pa.string(), times),
    "timestamp": (pa.string(), timestamps),
}
