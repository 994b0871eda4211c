"""Turns columns of values into columns of worksheet cells, a whole column at a time.

A cell's XML is a function of its value and its column's type alone, so that it does not matter how
rows come in batches. Cells carry no reference (`r`): Excel counts them itself.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.columns import Column, decimal_of
from etltui.domain.limits import Limits
from etltui.writers.excel_styles import (
    DATE,
    TEXT,
    TIME,
    TIME_MS,
    TIMESTAMP,
    TIMESTAMP_MS,
    decimal_style,
)
from etltui.writers.excel_text import cell_text, xml_text, xml_texts
from etltui.writers.notes import BINARY, CLOCK_CUT, LONG_NUMBER, NOT_FINITE, OUTSIDE_CALENDAR
from etltui.writers.text import canonical

pc: Any = compute
"""Untyped, since the stubs refuse Python's numbers and texts as operands."""
Array: TypeAlias = "pa.Array[Any]"

Piece: TypeAlias = "str | Array"
"""XML that is the same in every row, or a text for each row without NULL."""
Render: TypeAlias = "Callable[[Array, Counter[str]], list[Piece]]"
"""The pieces of a column's cells; what could not be kept as it was is counted."""

_NULL = "<c/>"
_TRUE, _FALSE = '<c t="b"><v>1</v></c>', '<c t="b"><v>0</v></c>'
_NUMBER = ("<c><v>", "</v></c>")


_EPOCH = 25_569
"""1970-01-01 as Excel counts days. It counts a 1900-02-29 that never was, so its days are only
right from 1900-03-01 on."""
_FIRST_DAY, _LAST_DAY = 61 - _EPOCH, 2_958_465 - _EPOCH
_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_LAST_OF_DAY = _DAY_US - 1_000
"""Spreadsheets round to milliseconds. What is later would be the next day: of a time 1.0, a whole
day; of 9999-12-31 a date that is an error."""
_NOT_FINITE_TEXTS = pa.array(["NaN", "Infinity", "-Infinity"])
_HEX_TEXT = r"^\\x([0-9a-f]{2})*$"


def _text_wrap(style: int) -> tuple[str, str]:
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">', "</t></is></c>"


_TEXT = _text_wrap(TEXT)


def renderer(column: Column, *, as_text: bool, limits: Limits) -> Render:
    """How a column's cells are made.

    Args:
        column: With the type that its arrays have.
        as_text: Every value is text in canonical form, whatever its type.
        limits: Of the sheet.
    """
    kinds = _Kinds(limits)
    if as_text:
        return kinds.text
    if found := decimal_of(column.type):
        return kinds.decimal(*found)
    renders: dict[str, Render] = {
        "bool": _bool,
        "int": kinds.integer,
        "float": kinds.double,
        "date": kinds.date,
        "time": kinds.time,
        "timestamp": kinds.timestamp,
        "timestamptz": kinds.timestamp,
        "binary": kinds.binary,
        "mixed": kinds.mixed,
        "unknown": kinds.mixed,
    }
    return renders.get(column.type, kinds.text)


def text_cell(text: str, limits: Limits, style: int = TEXT) -> str:
    """One text cell."""
    before, after = _text_wrap(style)
    return f"{before}{xml_text(cell_text(text, limits.text))}{after}"


def _bool(array: Array, _notes: Counter[str]) -> list[Piece]:
    return [pc.fill_null(pc.if_else(array, _TRUE, _FALSE), _NULL)]


class _Kinds:
    """A renderer for each kind of value within one sheet's limits."""

    def __init__(self, limits: Limits) -> None:
        self._units = limits.text
        self._digits = limits.digits
        self._too_long = 10**limits.digits

    def text(self, array: Array, notes: Counter[str]) -> list[Piece]:
        return _wrapped(xml_texts(canonical(array), self._units, notes), _TEXT)

    def integer(self, array: Array, notes: Counter[str]) -> list[Piece]:
        bounds = pc.min_max(array).as_py()
        end = self._too_long
        if bounds["min"] is None or -end < bounds["min"] <= bounds["max"] < end:
            return _wrapped(canonical(array), _NUMBER)
        plain = pc.and_(pc.greater(array, -end), pc.less(array, end))
        return self._number_or_text(plain, canonical(array), _NUMBER, notes, LONG_NUMBER)

    def double(self, array: Array, notes: Counter[str]) -> list[Piece]:
        finite = pc.is_finite(array)
        return self._number_or_text(finite, canonical(array), _NUMBER, notes, NOT_FINITE)

    def decimal(self, precision: int, scale: int) -> Render:
        """A number where a spreadsheet keeps every digit, otherwise text."""
        wrap = _styled(decimal_style(scale))

        def render(array: Array, notes: Counter[str]) -> list[Piece]:
            text = canonical(array)
            if precision <= self._digits:
                return _wrapped(text, wrap)
            exact = self._exact(text)
            return self._number_or_text(exact, text, wrap, notes, LONG_NUMBER)

        return render

    def date(self, array: Array, notes: Counter[str]) -> list[Piece]:
        days = array.view(pa.int32())
        known = _between(days, _FIRST_DAY, _LAST_DAY)
        serials = pc.cast(pc.add(pc.cast(days, pa.int64()), _EPOCH), pa.string())
        if _all(known):
            return _wrapped(serials, _styled(DATE))
        texts = _join(canonical(array), _TEXT)
        notes[OUTSIDE_CALENDAR] += _unset(known)
        return [_either(known, _join(serials, _styled(DATE)), texts)]

    def timestamp(self, array: Array, notes: Counter[str]) -> list[Piece]:
        moments = array.view(pa.int64())
        known = _between(moments, _FIRST_DAY * _DAY_US, _LAST_DAY * _DAY_US + _LAST_OF_DAY)
        if _all(known):
            return _serials(moments, _EPOCH, TIMESTAMP, TIMESTAMP_MS)
        shown = _joined(_serials(pc.if_else(known, moments, 0), _EPOCH, TIMESTAMP, TIMESTAMP_MS))
        texts = _join(canonical(array), _TEXT)
        notes[OUTSIDE_CALENDAR] += _unset(known)
        return [_either(known, shown, texts)]

    def time(self, array: Array, notes: Counter[str]) -> list[Piece]:
        moments = array.view(pa.int64())
        early = pc.less_equal(moments, _LAST_OF_DAY)
        if not _all(early):
            notes[CLOCK_CUT] += _unset(early)
            moments = pc.if_else(early, moments, _LAST_OF_DAY)
        return _serials(moments, 0, TIME, TIME_MS)

    def binary(self, array: Array, notes: Counter[str]) -> list[Piece]:
        if known := len(array) - array.null_count:
            notes[BINARY] += known
        return self.text(array, notes)

    def mixed(self, array: Array, notes: Counter[str]) -> list[Piece]:
        """Each value as what it is. A number with a point or an exponent was a double before.

        Blobs and infinities come as their canonical text, and are counted by it.
        """
        text = canonical(array)
        number = pc.struct_field(array, "number")
        digits = pc.utf8_length(pc.utf8_ltrim(text, characters="-"))
        short = pc.or_(pc.less_equal(digits, self._digits), pc.match_substring_regex(text, "[.eE]"))
        if long := pc.sum(pc.and_not(number, short)).as_py():
            notes[LONG_NUMBER] += long
        words = text.filter(pc.invert(number))
        for what, flags in (
            (NOT_FINITE, pc.is_in(words, value_set=_NOT_FINITE_TEXTS)),
            (BINARY, pc.match_substring_regex(words, _HEX_TEXT)),
        ):
            if count := pc.sum(flags).as_py():
                notes[what] += count
        plain = pc.and_(number, short)
        return self._number_or_text(plain, text, _NUMBER, notes)

    def _exact(self, text: Array) -> Array:
        """Whether a decimal has so few digits, zeros at its ends aside, that a double holds it."""
        unsigned = pc.ascii_ltrim(text, characters="-")
        whole = pc.utf8_length(pc.replace_substring_regex(unsigned, "[.].*", ""))
        digits = pc.replace_substring(unsigned, ".", "")
        significant = pc.utf8_length(pc.ascii_trim(digits, characters="0"))
        exact: Array = pc.and_(
            pc.less_equal(whole, self._digits),
            pc.less_equal(significant, self._digits),
        )
        return exact

    def _number_or_text(
        self,
        plain: Array,
        text: pa.StringArray,
        wrap: tuple[str, str],
        notes: Counter[str],
        what: str = "",
    ) -> list[Piece]:
        """A number cell where `plain` says so, a text cell where not."""
        if _all(plain):
            return _wrapped(text, wrap)
        if what:
            notes[what] += _unset(plain)
        escaped = xml_texts(text, self._units, notes)
        return [_either(plain, _join(text, wrap), _join(escaped, _TEXT))]


def _styled(style: int) -> tuple[str, str]:
    return f'<c s="{style}"><v>', "</v></c>"


def _serials(moments: Array, epoch: int, style: int, fine_style: int) -> list[Piece]:
    """Cells of microseconds since a day that Excel counts as `epoch`, NULL cells among them."""
    days = pc.divide(
        pc.cast(pc.add(moments, epoch * _DAY_US), pa.float64(), safe=False),
        float(_DAY_US),
    )
    text = pc.cast(days, pa.string())
    seconds = pc.multiply(pc.divide(moments, _SECOND_US), _SECOND_US)
    coarse = pc.equal(seconds, moments)
    if _all(coarse):
        return _wrapped(text, _styled(style))
    cells = pc.if_else(coarse, _join(text, _styled(style)), _join(text, _styled(fine_style)))
    return [pc.fill_null(cells, _NULL)]


def _between(numbers: Array, first: int, last: int) -> Array:
    inside: Array = pc.and_(pc.greater_equal(numbers, first), pc.less_equal(numbers, last))
    return inside


def _all(flags: Array) -> bool:
    """Whether every flag that is not NULL is set."""
    return pc.all(flags).as_py() is not False


def _unset(flags: Array) -> int:
    """How many flags are not set, NULL aside."""
    found: int = pc.sum(pc.invert(flags)).as_py() or 0
    return found


def _either(flags: Array, cells: Array, others: Array) -> Array:
    """The one cell where the flag is set, the other where not, an empty one where it is NULL."""
    chosen: Array = pc.fill_null(pc.if_else(flags, cells, others), _NULL)
    return chosen


def _join(text: Array, wrap: tuple[str, str]) -> Array:
    cells: Array = pc.binary_join_element_wise(wrap[0], text, wrap[1], "")
    return cells


def _joined(pieces: list[Piece]) -> Array:
    cells: Array = pc.binary_join_element_wise(*pieces, "")
    return cells


def _wrapped(text: Array, wrap: tuple[str, str]) -> list[Piece]:
    """Cells around texts; without NULLs there is nothing to copy yet."""
    if text.null_count:
        return [pc.fill_null(_join(text, wrap), _NULL)]
    return [wrap[0], text, wrap[1]]
