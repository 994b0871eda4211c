"""Numbers, dates and times of a CSV file as a country writes them: `1.23,45`, `31/12/2026`.

Every value is turned from its canonical text, digit by digit, so that it is exact: no number is
computed on its way. Text, booleans, binary values and times of day are never touched.
"""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.job import CsvOptions
from etltui.domain.moments import pieces

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"
Shape: TypeAlias = Callable[[pa.StringArray], pa.StringArray]

_DAY = r"(-?\d{4,})-(\d\d)-(\d\d)"
_CLOCK = r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(\+00)?"
_GROUPS = {"%Y": r"\1", "%m": r"\2", "%d": r"\3", "%H": r"\4", "%M": r"\5", "%z": r"\8"}
_FRACTION = r"^[^.]*\.\d"
_INDIAN = "indian"


class Profile:
    """What becomes of the canonical text of values.

    Args:
        options: Of the destination.

    Attributes:
        is_canonical: Whether nothing is changed at all.
        characters: What may come into a value that is not in its canonical text.
    """

    def __init__(self, options: CsvOptions) -> None:
        self._decimal = options.decimal
        self._separator = "," if options.thousands == _INDIAN else options.thousands
        self._group = 2 if options.thousands == _INDIAN else 3
        self._shapes = self._made(options)
        self.is_canonical = not self._shapes
        formats = f"{options.date_format}{options.timestamp_format}"
        self.characters = frozenset(f"{self._decimal}{self._separator}{formats}") - {"%"}

    def of(self, array: Array, text: pa.StringArray, kind: str) -> pa.StringArray:
        """The text of values in this profile.

        Args:
            array: The values.
            text: Their canonical text; a NULL stays a NULL.
            kind: Their canonical type.
        """
        shape = self._shapes.get(kind.partition("(")[0])
        if shape is None:
            return text
        if kind != "mixed":
            return shape(text)
        numbers: pa.StringArray = pc.if_else(pc.struct_field(array, "number"), shape(text), text)
        return numbers

    def _made(self, options: CsvOptions) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {}
        if self._decimal != "." or self._separator:
            shapes |= dict.fromkeys(("int", "float", "decimal", "mixed"), self._number)
        if options.date_format:
            shapes["date"] = self._day(options.date_format)
        if options.timestamp_format:
            shapes |= dict.fromkeys(
                ("timestamp", "timestamptz"),
                self._moment(options.timestamp_format),
            )
        return shapes

    def _number(self, text: pa.StringArray) -> pa.StringArray:
        """Of finite numbers, the others have no digits; one with an exponent gets no groups."""
        if self._decimal != ".":
            text = pc.replace_substring(text, ".", self._decimal, max_replacements=1)
        if self._separator:
            text = self._grouped(text)
        return text

    def _grouped(self, text: pa.StringArray) -> pa.StringArray:
        """A separator goes before the last three digits, then before those ahead of the first."""
        mark = self._separator
        ahead, parted = r"^(-?\d+)(\d{3})", rf"\1{mark}\2"
        while pc.any(pc.match_substring_regex(text, ahead)).as_py():
            text = pc.replace_substring_regex(text, ahead, parted)
            ahead = rf"^(-?\d+)(\d{{{self._group}}}){re.escape(mark)}"
            parted = rf"\1{mark}\2{mark}"
        return text

    def _day(self, wanted: str) -> Shape:
        form = "".join(_GROUPS.get(piece, piece) for piece in pieces(wanted))

        def shape(text: pa.StringArray) -> pa.StringArray:
            shaped: pa.StringArray = pc.replace_substring_regex(text, f"^{_DAY}$", form)
            return shaped

        return shape

    def _moment(self, wanted: str) -> Shape:
        """Seconds carry their fraction, where there is one, behind the decimal sign."""
        whole = "".join({**_GROUPS, "%S": r"\6"}.get(piece, piece) for piece in pieces(wanted))
        exact = "".join(
            {**_GROUPS, "%S": rf"\6{self._decimal}\7"}.get(piece, piece) for piece in pieces(wanted)
        )
        pattern = f"^{_DAY} {_CLOCK}$"

        def shape(text: pa.StringArray) -> pa.StringArray:
            fractions = pc.match_substring_regex(text, _FRACTION)
            shaped: pa.StringArray = pc.replace_substring_regex(text, pattern, whole)
            if pc.any(fractions).as_py():
                finer = pc.replace_substring_regex(text, pattern, exact)
                shaped = pc.if_else(fractions, finer, shaped)
            return shaped

        return shape
