"""Days and clocks as the server sends them: a length, then year to microsecond as far as needed."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.readers.mysql_layout import Cells, number, spans

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"

_I32, _I64 = pa.int32(), pa.int64()
_DAY_US, _HOUR_US, _MINUTE_US, _SECOND_US = (
    pa.scalar(seconds * 1_000_000, _I64) for seconds in (86_400, 3600, 60, 1)
)
_ZERO, _ZERO_I32, _NO_NUMBER = pa.scalar(0, _I64), pa.scalar(0, _I32), pa.scalar(None, _I32)
_NO_CLOCK = pa.scalar(None, _I64)
_EPOCH = date(1970, 1, 1).toordinal()
_CLOCK_FROM, _FRACTION_FROM = 4, 7
"""Bytes of a day, and of a day with a clock; the microseconds are four more."""
_LATE, _DAYS, _TIME_CLOCK, _TIME_FRACTION = 0, 1, 5, 8
"""Where the parts of a TIME begin: whether it is negative, days, hour, microseconds."""


class MisfitError(Exception):
    """A value is none of the column's type."""


def fixed(cells: Cells, kind: pa.DataType, offset: int = 0, least: int = 0) -> Array:
    """Numbers that stand in the values in their own width; NULL where a value is too short.

    Args:
        cells: Of the column.
        kind: The type of the numbers.
        offset: Where in a value its number begins.
        least: Values that are no longer than this lack it.
    """
    rows, width = len(cells.start), kind.bit_width // 8
    has = pc.greater(cells.size, number(least))
    size = pc.if_else(has, number(width), _ZERO_I32)
    start = pc.add(cells.start, pc.if_else(has, number(offset), _ZERO_I32))
    content = spans(cells.octets, start, size).buffers()[2]
    found = pc.sum(has).as_py() or 0
    numbers: Array = pa.Array.from_buffers(kind, found, [None, content])
    if found == rows:
        return numbers
    place = pc.subtract(pc.cumulative_sum(has.cast(_I32)), number(1))
    return numbers.take(pc.if_else(has, place, _NO_NUMBER))


def dates(cells: Cells) -> Array:
    """Days.

    Raises:
        MisfitError: One is no day of the calendar, as 0000-00-00.
    """
    days: Array = _days(cells).cast(pa.date32())
    return days


def timestamps(cells: Cells) -> Array:
    """Microseconds since 1970-01-01.

    Raises:
        MisfitError: One is no day of the calendar.
    """
    moments = pc.multiply(_days(cells).cast(_I64), _DAY_US)
    longest = pc.max(cells.size).as_py() or 0
    if longest > _CLOCK_FROM:
        moments = pc.add(moments, _clock(cells, _CLOCK_FROM))
    if longest > _FRACTION_FROM:
        moments = pc.add(moments, _fraction(cells, _FRACTION_FROM))
    whole: Array = moments.cast(pa.timestamp("us"))
    return whole


def times(cells: Cells) -> Array:
    """Times of a day.

    Raises:
        MisfitError: One is a span of time: negative, or a day and more.
    """
    early = fixed(cells, pa.uint8(), _LATE)
    days = fixed(cells, pa.uint32(), _DAYS)
    if (pc.max(early).as_py() or 0) or (pc.max(days).as_py() or 0):
        raise MisfitError
    clock = pc.add(_clock(cells, _TIME_CLOCK), _fraction(cells, _TIME_FRACTION))
    if cells.present is not None:
        clock = pc.if_else(cells.present, clock, _NO_CLOCK)
    whole: Array = clock.cast(pa.time64("us"))
    return whole


def _days(cells: Cells) -> Array:
    """Days since 1970-01-01: each that is met is made once, and there are few."""
    if cells.present is None:
        empty = pc.min(cells.size).as_py() == 0
    else:
        empty = pc.any(pc.and_(cells.present, pc.equal(cells.size, _ZERO_I32))).as_py()
    if empty:
        raise MisfitError
    known: Any = fixed(cells, _I32).dictionary_encode()
    days = pa.array([_day(parts) for parts in known.dictionary.to_pylist()], _I32)
    return days.take(known.indices)


def _day(parts: int) -> int:
    """Year, month and day in their bytes; MariaDB keeps 2026-00-12, too."""
    try:
        return date(parts & 0xFFFF, parts >> 16 & 0xFF, parts >> 24 & 0xFF).toordinal() - _EPOCH
    except ValueError as error:
        raise MisfitError from error


def _clock(cells: Cells, offset: int) -> Array:
    """Microseconds of hour, minute and second; 0 where there are none."""
    parts = (
        pc.multiply(_filled(cells, pa.uint8(), offset + step, offset), unit)
        for step, unit in enumerate((_HOUR_US, _MINUTE_US, _SECOND_US))
    )
    total: Array = next(parts)
    for part in parts:
        total = pc.add(total, part)
    return total


def _fraction(cells: Cells, offset: int) -> Array:
    return _filled(cells, _I32, offset, offset)


def _filled(cells: Cells, kind: pa.DataType, offset: int, least: int) -> Array:
    filled: Array = pc.fill_null(fixed(cells, kind, offset, least).cast(_I64), _ZERO)
    return filled


def day_text(value: bytes) -> str:
    """A day or moment as the server writes it, whatever it is; no zeros behind a fraction."""
    year, month, day = int.from_bytes(value[:2], "little"), *(value[2:4] or b"\0\0")
    return f"{year:04d}-{month:02d}-{day:02d}"


def moment_text(value: bytes) -> str:
    """A moment as the server writes it, but without zeros behind a fraction."""
    clock = value[_CLOCK_FROM:_FRACTION_FROM] or b"\0\0\0"
    return f"{day_text(value)} {_clock_text(clock, value[_FRACTION_FROM:])}"


def zoned_text(value: bytes) -> str:
    """A moment in UTC; what is no moment has no zone."""
    text = moment_text(value)
    return f"{text}+00" if value else text


def time_text(value: bytes) -> str:
    """A span of time: hours may be many, and less than none."""
    if not value:
        return "00:00:00"
    days = int.from_bytes(value[_DAYS:_TIME_CLOCK], "little")
    hour, minute, second = value[_TIME_CLOCK:_TIME_FRACTION]
    clock = _clock_text((days * 24 + hour, minute, second), value[_TIME_FRACTION:])
    return f"-{clock}" if value[_LATE] else clock


def _clock_text(clock: Any, fraction: bytes) -> str:
    hour, minute, second = clock
    micros = int.from_bytes(fraction, "little")
    digits = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{hour:02d}:{minute:02d}:{second:02d}{digits}"


TEXTS: dict[str, Callable[[bytes], str]] = {
    "date": day_text,
    "timestamp": moment_text,
    "timestamptz": zoned_text,
    "time": time_text,
}
"""The canonical text of values that make a column mixed, by the type that it claims."""
