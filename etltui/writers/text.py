r"""The one text form of every value, whatever the source and whatever the format.

| type        | form                                                                               |
|-------------|------------------------------------------------------------------------------------|
| bool        | `true`, `false`                                                                    |
| int         | digits                                                                             |
| float       | the fewest digits that read back as the same number: `1`, `0.1`, `-0`; below 1e-4  |
|             | and from 1e15 with an exponent of two digits or more: `1.5e-07`, `1e+15`;          |
|             | `NaN`, `Infinity`, `-Infinity`                                                     |
| decimal     | exact, with all digits of its scale, never an exponent                             |
| date        | `YYYY-MM-DD`                                                                       |
| time        | `HH:MM:SS[.ffffff]`                                                                |
| timestamp   | `YYYY-MM-DD HH:MM:SS[.ffffff]`                                                     |
| timestamptz | the same in UTC, and `+00`                                                         |
| text        | as it is                                                                           |
| binary      | `\x` and lower-case hexadecimal digits                                             |
| mixed       | the text that its reader made in these forms                                       |

A fraction has no trailing zeros and is left out where it is zero. Years have at least four digits;
a year before 0001 is counted as in ISO 8601, so 1 BC is `0000` and 2 BC `-0001`. These are the
forms that PostgreSQL prints (ISO dates, UTC, shortest floats), so that rows it has printed itself
are the same bytes; only its booleans (`t`, `f`) and its years before 0001 look otherwise.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.extractors.arrow import canonical_type

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"

# Operands are made once: for each new one Arrow looks for pandas on the whole path, which took
# a quarter of the time of a batch of 8,192 rows.
_ZERO, _SMALL, _LARGE = pa.scalar(0.0), pa.scalar(1e-4), pa.scalar(1e10)
"""From `_SMALL` up to `_LARGE` Arrow prints floats as the table above wants them."""
_TWO = pa.scalar(2, pa.int32())
_NO_BYTES, _NO_TEXT = pa.scalar(b""), pa.scalar(None, pa.string())
_EMPTY, _UTC, _HEX = pa.scalar(""), pa.scalar("+00"), pa.scalar("\\x")
_FALSE = pa.array([False])[0]
_PLAIN_EXPONENTS = range(-4, 15)
_ARROW_SCALE = 6
"""Up to this scale Arrow prints decimals without an exponent."""
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 in days since 1970-01-01."""
_DAY_S = 86_400
_CYCLE_DAYS, _CYCLE_YEARS = 146_097, 400
"""The Gregorian calendar repeats."""
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def canonical(array: Array) -> pa.StringArray:
    """The text of every value; a NULL stays a NULL.

    Args:
        array: Of any type that `canonical_type` knows.

    Raises:
        TypeError: No reader may produce this type.
    """
    return _FORMS[canonical_type(array.type).partition("(")[0]](array)


def _text(array: Array) -> pa.StringArray:
    text: pa.StringArray = pc.cast(array, pa.string())
    return text


def _float(array: Array) -> pa.StringArray:
    if pa.types.is_float16(array.type):
        array = pc.cast(array, pa.float32())
    text = _text(array)
    size = pc.abs(array)
    plain = pc.or_(
        pc.equal(size, _ZERO),
        pc.and_(pc.greater_equal(size, _SMALL), pc.less(size, _LARGE)),
    )
    return _mended(text, pc.invert(plain), text, _float_text)


def _float_text(arrows: str) -> str:
    """A float in canonical form from Arrow's; from its text, so that it serves every width."""
    number = Decimal(arrows)
    if number.is_nan():
        return "NaN"
    if number.is_infinite():
        return str(number)
    number = number.normalize()
    if number.adjusted() in _PLAIN_EXPONENTS:
        return f"{number:f}"
    digits, exponent = f"{number:e}".split("e")
    return f"{digits}e{int(exponent):+03d}"


def _decimal(array: Array) -> pa.StringArray:
    text = _text(array)
    if array.type.scale <= _ARROW_SCALE:
        return text
    return _mended(text, pc.match_substring(text, "E"), text, _decimal_text)


def _decimal_text(arrows: str) -> str:
    """A decimal without an exponent; Arrow's text tells the scale, also of 0."""
    return f"{Decimal(arrows):f}"


def _date(array: Array) -> pa.StringArray:
    days = pc.cast(array, pa.date32())
    numbers = days.view(pa.int32())
    return _mended(_text(days), _outside(numbers, _FIRST_DAY, _LAST_DAY), numbers, _date_text)


def _date_text(days: int) -> str:
    """A day of any year."""
    cycles, day = divmod(days - _FIRST_DAY, _CYCLE_DAYS)
    known = date.fromordinal(day + 1)
    year = known.year + cycles * _CYCLE_YEARS
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{known.month:02d}-{known.day:02d}"


def _time(array: Array) -> pa.StringArray:
    text = _text(array)
    return text if array.type.unit == "s" else _trimmed(text)


def _timestamp(array: Array) -> pa.StringArray:
    unit, zoned = array.type.unit, array.type.tz is not None
    moments = pc.cast(array, pa.timestamp(unit)) if zoned else array
    numbers, per_s = moments.view(pa.int64()), _UNITS[unit]
    try:
        text = _text(pc.cast(moments, pa.timestamp("s")))  # refuses to lose a fraction
    except pa.ArrowInvalid:
        text = _trimmed(_text(moments))

    def moment_text(number: int) -> str:
        seconds, fraction = divmod(number, per_s)
        day, second = divmod(seconds, _DAY_S)
        minute, second = divmod(second, 60)
        digits = f"{fraction + per_s}"[1:].rstrip("0")
        clock = f"{minute // 60:02d}:{minute % 60:02d}:{second:02d}"
        return f"{_date_text(day)} {clock}{'.' if digits else ''}{digits}"

    end = (_LAST_DAY + 1) * _DAY_S * per_s
    odd = _outside(numbers, _FIRST_DAY * _DAY_S * per_s, end - 1)
    text = _mended(text, odd, numbers, moment_text)
    return pc.binary_join_element_wise(text, _UTC, _EMPTY) if zoned else text


def _binary(array: Array) -> pa.StringArray:
    """All values are turned at once: hexadecimal digits are two for each byte."""
    whole: Array = pc.fill_null(pc.cast(array, pa.binary()), _NO_BYTES)
    _, offsets, content = whole.buffers()
    bounds = pa.Array.from_buffers(
        pa.int32(),
        len(whole) + 1,
        [None, offsets],
        offset=whole.offset,
    )
    first, last = bounds[0].as_py(), bounds[-1].as_py()
    digits = memoryview(content)[first:last].hex() if content else ""
    # both operands 32 bits wide, or the offsets would become 64 bits wide
    doubled = pc.multiply_checked(pc.subtract(bounds, bounds[0]), _TWO)
    text = pa.Array.from_buffers(
        pa.string(),
        len(whole),
        [None, doubled.buffers()[1], pa.py_buffer(digits.encode())],
        offset=doubled.offset,
    )
    prefixed = pc.binary_join_element_wise(_HEX, text, _EMPTY)
    values: pa.StringArray = pc.if_else(array.is_valid(), prefixed, _NO_TEXT)
    return values


def _mixed(array: Array) -> pa.StringArray:
    return _text(pc.struct_field(array, "text"))


def _trimmed(text: pa.StringArray) -> pa.StringArray:
    """Without the trailing zeros of a fraction that every value has."""
    short: pa.StringArray = pc.ascii_rtrim(pc.ascii_rtrim(text, characters="0"), characters=".")
    return short


def _outside(numbers: Array, first: int, last: int) -> pa.BooleanArray | None:
    """Which numbers are outside, None where none is."""
    ends = pc.min_max(numbers).as_py()
    if ends["min"] is None or (first <= ends["min"] and ends["max"] <= last):
        return None
    odd: pa.BooleanArray = pc.or_(pc.less(numbers, first), pc.greater(numbers, last))
    return odd


def _mended(
    text: pa.StringArray,
    odd: pa.BooleanArray | None,
    source: Array,
    mend: Callable[..., str],
) -> pa.StringArray:
    """The text with the odd values, of which there are few or none, made one by one from source."""
    if odd is None or not pc.any(odd).as_py():
        return text
    odd = pc.fill_null(odd, _FALSE)
    mended = [mend(value) for value in source.filter(odd).to_pylist()]
    whole: pa.StringArray = pc.replace_with_mask(text, odd, pa.array(mended, pa.string()))
    return whole


_FORMS: dict[str, Callable[[Array], pa.StringArray]] = {
    "bool": _text,
    "int": _text,
    "float": _float,
    "decimal": _decimal,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "text": _text,
    "binary": _binary,
    "mixed": _mixed,
}


def content_of(text: pa.StringArray) -> memoryview:
    """The bytes of all values behind each other, without a copy."""
    _, offsets, content = text.buffers()
    if offsets is None or content is None or not len(text):
        return memoryview(b"")
    bounds = memoryview(offsets).cast("i")
    return memoryview(content)[bounds[text.offset] : bounds[text.offset + len(text)]]
