"""From the memory that a driver filled, column by column, to Arrow; each conversion is proved."""

import ctypes
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.columns import decimal_of
from etltui.extractors.arrow import arrow_type, mixed_array, shortest
from etltui.readers import odbc_api as api

pc: Any = compute
_views: Any = pa.ListViewArray
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"

LONG = 1024
"""Bytes kept for a text or binary without a useful length; more where longer ones were met."""
_NARROW = 256
"""Up to here it is quicker to look where a text ends than to go by its length."""
_UTF8 = 4
_SHORT_WIDTH = 48
_ROOM = 8
"""Beside a decimal's digits: sign, point, zeros that need not be there, the end."""
_FEWEST_DIGITS = 20
_DOUBLE_DIGITS = 15
"""So many digits a spreadsheet's number keeps; a longer exact one stays text there."""
_DAYS_BEFORE_1970 = 719_163
_FIRST_YEAR, _LAST_YEAR = 1, 9999
_LENGTHS_DATE, _LENGTHS_TIMESTAMP, _LENGTHS_TIME = (10, 10, 10), (19, 21, 26), (8, 10, 15)

_ZERO = pa.array([0], pa.int32())
_NULL, _NOTHING, _ONE = (pa.scalar(number, pa.int64()) for number in (api.NULL, 0, 1))
_SIXTY, _DAY_HOURS, _MILLION, _THOUSAND = (
    pa.scalar(number, pa.int64()) for number in (60, 24, 1_000_000, 1000)
)
_YEAR = pa.scalar(12, pa.int64())
_DIGITS = pa.scalar(_DOUBLE_DIGITS, pa.int32())
_FALSE = pa.scalar(value=False)
"""Made once: for each new scalar Arrow looks for pandas on the whole path."""


class UnfitError(Exception):
    """A value does not fit the type of its column."""


class CutError(Exception):
    """A value did not fit the memory of its column.

    Args:
        size: Bytes that the longest needs; 0 where the driver does not tell.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(size)


Made: TypeAlias = Callable[[Any, Any, int], Array]
"""Arrow's array of so many values, from memory and lengths."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """How a column's values stand in memory.

    Attributes:
        c_type: As which the driver gives them.
        width: Bytes for each.
        cleared: Whether the memory must be zero before the driver fills it.
    """

    c_type: int
    width: int
    made: Made
    cleared: bool = False


MOMENTS = frozenset({"date", "time", "timestamp", "timestamptz"})


def form_of(
    kind: str,
    size: int,
    *,
    bytes_: int = 0,
    spelled: Container[str] = frozenset(),
) -> Form:
    """How to read a column of a canonical type.

    Args:
        kind: What the batches shall hold.
        size: Characters, digits or bytes that its values have at most; 0: not known.
        bytes_: Of the longest value that is known to have been there; 0 for none.
        spelled: Canonical types that the driver is to spell out, dates and times as ISO 8601 does;
            ODBC's own structures take most drivers longer.
    """
    if found := decimal_of(kind):
        return texts_form(max(found[0], _FEWEST_DIGITS) + _ROOM, bytes_, _cast(arrow_type(kind)))
    if kind == "time" or (kind in _SPELLED and kind in spelled):
        return texts_form(_SHORT_WIDTH, bytes_, _SPELLED[kind])
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "binary":
        width = max(bytes_, size if 0 < size <= LONG else LONG)
        return Form(c_type=api.C_BINARY, width=width, made=_long(width, width, pa.binary()))
    made = mixed_of if kind in {"mixed", "unknown"} else _same
    return texts_form(size * _UTF8 if 0 < size * _UTF8 <= LONG else LONG, bytes_, made)


def texts_form(most: int, met: int, made: Callable[[Array], Array]) -> Form:
    """Texts of at most so many bytes, or of what was met, made into something else."""
    width = max(most, met) + 1
    narrow = width <= _NARROW
    texts = _short(width) if narrow else _long(width, width - 1, pa.string())

    def from_texts(data: Any, lengths: Any, count: int) -> Array:
        return made(texts(data, lengths, count))

    return Form(c_type=api.C_CHAR, width=width, made=from_texts, cleared=narrow)


def _same(texts: Array) -> Array:
    return texts


def _sizes(lengths: Any, count: int) -> Array:
    """The lengths that the driver told."""
    told = pa.py_buffer(ctypes.string_at(lengths, 8 * count))
    return pa.Array.from_buffers(pa.int64(), count, [None, told])


def _bitmap(sizes: Array) -> "pa.Buffer | None":
    """Which values are there; None for all."""
    there = pc.not_equal(sizes, _NULL)
    return None if there.true_count == len(there) else there.buffers()[1]


def _fixed(kind: "pa.DataType", width: int) -> Made:
    """Values that stand in memory as Arrow has them."""

    def made(data: Any, lengths: Any, count: int) -> Array:
        values = pa.py_buffer(ctypes.string_at(data, width * count))
        return pa.Array.from_buffers(kind, count, [_bitmap(_sizes(lengths, count)), values])

    return made


def _bools(data: Any, lengths: Any, count: int) -> Array:
    return _fixed(pa.uint8(), 1)(data, lengths, count).cast(pa.bool_())


def _uncut(sizes: Array, most: int) -> int:
    """Bytes of all values together, each of which has come whole."""
    bounds = pc.min_max(sizes)
    if bounds["min"].as_py() < api.NULL:
        raise CutError(0)
    if (longest := bounds["max"].as_py()) > most:
        raise CutError(longest)
    return int(pc.sum(pc.max_element_wise(sizes, _NOTHING)).as_py())


def _short(width: int) -> Made:
    """Texts in memory that was zero before."""
    whole = _long(width, width - 1, pa.string())

    def made(data: Any, lengths: Any, count: int) -> Array:
        sizes = _sizes(lengths, count)
        total = _uncut(sizes, width - 1)
        memory = pa.foreign_buffer(ctypes.addressof(data), width * count, data)
        padded = pa.Array.from_buffers(pa.binary(width), count, [None, memory])
        _, ends, values = padded.cast(pa.binary()).buffers()
        texts = pc.ascii_rtrim(
            pa.Array.from_buffers(pa.string(), count, [None, ends, values]),
            characters="\0",
        )
        _, ends, values = texts.buffers()
        if memoryview(ends).cast("i")[count] != total:
            # Some end with zeros of their own.
            return whole(data, lengths, count)
        found = pa.Array.from_buffers(pa.string(), count, [_bitmap(sizes), ends, values])
        return _proved(found)

    return made


def _long(stride: int, most: int, kind: "pa.DataType") -> Made:
    """Texts or bytes, each with room of its own of which it needs a part.

    Args:
        stride: Bytes from one to the next.
        most: Bytes that a whole value may have; whatever is longer was cut by the driver.
        kind: Arrow's `string` or `binary`.
    """

    def made(data: Any, lengths: Any, count: int) -> Array:
        sizes = _sizes(lengths, count)
        _uncut(sizes, most)
        lasting = pc.max_element_wise(sizes, _NOTHING).cast(pa.int32())
        memory = pa.Array.from_buffers(
            pa.uint8(),
            stride * count,
            [None, pa.foreign_buffer(ctypes.addressof(data), stride * count, data)],
        )
        starts = _starts(stride, count)
        packed = _views.from_arrays(starts, lasting, memory).flatten()
        ends = pa.concat_arrays([_ZERO, pc.cumulative_sum(lasting)])
        # Copied: a single value Arrow leaves where the driver puts the next block.
        held = packed.buffers()[1].slice(packed.offset, len(packed)) if len(packed) else b""
        values = pa.py_buffer(bytes(memoryview(held)))
        found = pa.Array.from_buffers(kind, count, [_bitmap(sizes), ends.buffers()[1], values])
        return _proved(found) if kind == pa.string() else found

    return made


@cache
def _starts(stride: int, count: int) -> Array:
    """Where each value begins."""
    return pa.array(range(0, stride * count, stride), pa.int32())


def _proved(texts: Array) -> Array:
    """Texts whose bytes are proved to be UTF-8."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnfitError from error
    return texts


def _cast(kind: "pa.DataType") -> Callable[[Array], Array]:
    """Values that the driver spells out."""

    def made(texts: Array) -> Array:
        try:
            return texts.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UnfitError from error

    return made


def _measured(kind: "pa.DataType", lengths: tuple[int, int, int]) -> Callable[[Array], Array]:
    """Dates and times of the lengths that ISO's forms have; Arrow also takes shorter ones."""
    plain, shortest, longest = lengths
    cast = _cast(kind)

    def made(texts: Array) -> Array:
        bounds = pc.min_max(pc.binary_length(texts))
        least, most = bounds["min"].as_py(), bounds["max"].as_py()
        if least is not None and (least < plain or most > longest or plain < most < shortest):
            raise UnfitError
        return cast(texts)

    return made


def _spelled_times(texts: Array) -> Array:
    """Times of a day; ODBC's own structure has no fractions of a second."""
    on_a_day = pc.binary_join_element_wise("1970-01-01", texts, " ")
    return _on_a_day(on_a_day).cast(pa.time64("us"))


def _in_utc(values: Array) -> Array:
    """Timestamps that the session gives in UTC."""
    return values.cast(pa.timestamp("us", tz="UTC"))


_instants = _measured(pa.timestamp("us"), _LENGTHS_TIMESTAMP)
_on_a_day = _measured(
    pa.timestamp("us"),
    tuple(len("1970-01-01 ") + each for each in _LENGTHS_TIME),  # type: ignore[arg-type]
)
_SPELLED: dict[str, Callable[[Array], Array]] = {
    "date": _measured(pa.date32(), _LENGTHS_DATE),
    "time": _spelled_times,
    "timestamp": _instants,
    "timestamptz": lambda texts: _in_utc(_instants(texts)),
    "bool": _cast(pa.bool_()),
    "int": _cast(pa.int64()),
    "float": _cast(pa.float64()),
}


def mixed_of(texts: Array) -> Array:
    """Values with a type of their own: numbers where a spreadsheet keeps them, text otherwise."""
    plain = pc.match_substring_regex(texts, r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$")
    digits = pc.replace_substring_regex(texts, r"^[-0.]+|\.|0+$", "")
    short = pc.less_equal(pc.utf8_length(digits), _DIGITS)
    number = pc.fill_null(pc.and_(plain, short), _FALSE)
    mixed: Array = mixed_array(texts, number)
    return mixed


@cache
def _month_starts() -> Array:
    """Days since 1970 of each month's first, from the year 0 on; the year 0 is none."""
    months = [0] * 12 + [
        date(year, month, 1).toordinal() - _DAYS_BEFORE_1970
        for year in range(_FIRST_YEAR, _LAST_YEAR + 1)
        for month in range(1, 13)
    ]
    return pa.array(months, pa.int64())


class _Moments:
    """ODBC's structures of dates and timestamps, taken apart into numbers.

    Args:
        words: How many 16-bit words each has.
    """

    def __init__(self, data: Any, lengths: Any, count: int, words: int) -> None:
        self._count = count
        self._memory = pa.py_buffer(ctypes.string_at(data, 2 * words * count))
        self._words = words
        self.bitmap = _bitmap(_sizes(lengths, count))

    def part(self, number: int, kind: "pa.DataType") -> Array:
        """One member of each structure; NULL where there is none."""
        wide = kind.bit_width // 8
        each = 2 * self._words // wide
        flat = pa.Array.from_buffers(kind, each * self._count, [None, self._memory])
        column = pc.list_element(pa.FixedSizeListArray.from_arrays(flat, each), number)
        column = column.cast(pa.int64())
        buffers = [self.bitmap, column.buffers()[1]]
        return pa.Array.from_buffers(pa.int64(), self._count, buffers)

    def days(self) -> Array:
        """Days since 1970."""
        year = self.part(0, pa.int16())
        month, day = self.part(1, pa.uint16()), self.part(2, pa.uint16())
        bounds = pc.min_max(year)
        if bounds["min"].as_py() is not None and not (
            bounds["min"].as_py() >= _FIRST_YEAR and bounds["max"].as_py() <= _LAST_YEAR
        ):
            raise UnfitError
        number = pc.subtract(pc.add(pc.multiply(year, _YEAR), month), _ONE)
        try:
            starts = pc.take(_month_starts(), number)
        except pa.ArrowIndexError as error:
            raise UnfitError from error
        days: Array = pc.subtract(pc.add(starts, day), _ONE)
        return days


def _dates(data: Any, lengths: Any, count: int) -> Array:
    return _Moments(data, lengths, count, 3).days().cast(pa.int32()).cast(pa.date32())


def _timestamps(data: Any, lengths: Any, count: int) -> Array:
    moments = _Moments(data, lengths, count, 8)
    total = moments.days()
    for number, each in ((3, _DAY_HOURS), (4, _SIXTY), (5, _SIXTY)):
        total = pc.add(pc.multiply(total, each), moments.part(number, pa.uint16()))
    billionths = moments.part(3, pa.uint32())
    millionths = pc.divide(billionths, _THOUSAND)
    if pc.all(pc.equal(pc.multiply(millionths, _THOUSAND), billionths)).as_py() is False:
        raise UnfitError
    instants: Array = pc.add(pc.multiply(total, _MILLION), millionths).cast(pa.timestamp("us"))
    return instants


def _structured_in_utc(data: Any, lengths: Any, count: int) -> Array:
    return _in_utc(_timestamps(data, lengths, count))


def _reals(data: Any, lengths: Any, count: int) -> Array:
    """Numbers of single precision.

    Asked for as doubles: MariaDB's driver makes 0 of 3.4e38 where it is asked for a float.
    """
    doubles = _fixed(pa.float64(), 8)(data, lengths, count)
    made: Array = shortest(doubles)
    return made


_FIXED = {
    "bool": Form(c_type=api.C_BIT, width=1, made=_bools),
    "int": Form(c_type=api.C_BIGINT, width=8, made=_fixed(pa.int64(), 8)),
    "float": Form(c_type=api.C_DOUBLE, width=8, made=_fixed(pa.float64(), 8)),
    "date": Form(c_type=api.C_DATE, width=6, made=_dates),
    "timestamp": Form(c_type=api.C_TIMESTAMP, width=16, made=_timestamps),
    "timestamptz": Form(c_type=api.C_TIMESTAMP, width=16, made=_structured_in_utc),
}
"""By canonical type; texts, bytes and decimals have a width of their own."""
REALS = Form(c_type=api.C_DOUBLE, width=8, made=_reals)
