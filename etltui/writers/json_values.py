"""From values to JSON (RFC 8259): exact numbers, and texts with nothing escaped but what must be.

| type                     | form                                                              |
|--------------------------|-------------------------------------------------------------------|
| bool                     | `true`, `false`                                                   |
| int, float, decimal      | a number with all its digits, or a text where the options say so  |
| NaN and the infinities   | `null` or a text, by the options                                  |
| binary                   | a text: base64 or hexadecimal digits, by the options              |
| mixed                    | a number or a text, value by value                                |
| everything else          | a text in canonical form                                          |
"""

from base64 import b64encode
from json.encoder import encode_basestring as quoted_text
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.job import JsonOptions
from etltui.extractors.arrow import canonical_type
from etltui.writers.text import canonical, content_of

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"

_EMPTY, _QUOTE, _NO_TEXT = pa.scalar(""), pa.scalar('"'), pa.scalar(None, pa.string())
"""Made once: for each new scalar Arrow looks for pandas on the whole path."""
_SAFE, _LOWEST = pa.scalar(1 << 53), pa.scalar(-(1 << 53))
"""Up to here every whole number has a double of its own."""
_SAFE_DIGITS = pa.scalar(15, pa.int32())
_SPECIAL = bytes(range(0x20)) + b'"\\'
_SPECIALS = r'["\\\x00-\x1f]'
_PREFIX = len("\\x")


class Values:
    """Makes JSON of columns; counts what it had to change.

    Args:
        options: Of the destination.

    Attributes:
        not_finite: NaNs and infinities.
        long: Numbers that were written as texts.
    """

    def __init__(self, options: JsonOptions) -> None:
        self.not_finite = 0
        self.long = 0
        self._options = options

    def of(self, array: Array) -> tuple[pa.StringArray, bool]:
        """The JSON of every value; a NULL stays a NULL.

        Returns:
            The values, and whether the quotes around each are left out: there is no NULL then, and
            whoever puts the values together saves a copy.

        Raises:
            pa.ArrowInvalid: A text is not valid UTF-8.
            TypeError: No reader may produce this type.
        """
        kind = canonical_type(array.type).partition("(")[0]
        if kind == "bool":
            return canonical(array), False
        if kind in {"int", "float", "decimal"}:
            return self._number(array, kind), False
        if kind == "mixed":
            return self._mixed(array), False
        text = self._binary(array) if kind == "binary" else canonical(array)
        if kind == "text":
            text = _escaped(text)
        return (_quoted(text), False) if text.null_count else (text, True)

    def _number(self, array: Array, kind: str) -> pa.StringArray:
        text = canonical(array)
        if kind == "float":
            return self._finite(array, text)
        if self._options.big_numbers == "number":
            return text
        if kind == "int":
            return self._shortened(text, pc.or_(pc.greater(array, _SAFE), pc.less(array, _LOWEST)))
        return self._shortened(text, _many_digits(text))

    def _finite(self, array: Array, text: pa.StringArray) -> pa.StringArray:
        odd = pc.invert(pc.is_finite(array))
        count = pc.sum(odd).as_py()
        if not count:
            return text
        self.not_finite += count
        instead = _quoted(text) if self._options.not_finite == "text" else _NO_TEXT
        finite: pa.StringArray = pc.if_else(odd, instead, text)
        return finite

    def _shortened(self, text: pa.StringArray, long: Array) -> pa.StringArray:
        """The numbers, long ones as texts."""
        count = pc.sum(long).as_py()
        if not count:
            return text
        self.long += count
        short: pa.StringArray = pc.if_else(long, _quoted(text), text)
        return short

    def _mixed(self, array: Array) -> pa.StringArray:
        text, number = canonical(array), pc.struct_field(array, "number")
        if self._options.big_numbers == "text":
            long = pc.and_(number, _many_digits(text))
            self.long += pc.sum(long).as_py() or 0
            number = pc.and_(number, pc.invert(long))
        values: pa.StringArray = pc.if_else(number, text, _quoted(_escaped(text)))
        return values

    def _binary(self, array: Array) -> pa.StringArray:
        if self._options.binary == "hex":
            digits: pa.StringArray = pc.utf8_slice_codeunits(canonical(array), _PREFIX)
            return digits
        return pa.array(
            [None if value is None else b64encode(value).decode() for value in array.to_pylist()],
            pa.string(),
        )


def _quoted(text: pa.StringArray) -> pa.StringArray:
    quoted: pa.StringArray = pc.binary_join_element_wise(_QUOTE, text, _QUOTE, _EMPTY)
    return quoted


def _escaped(text: pa.StringArray) -> pa.StringArray:
    """The texts with what must be escaped; a look through all bytes finds most columns clean.

    What lies behind a NULL may raise a false alarm and no more.
    """
    text.validate(full=True)
    content = bytes(content_of(text))
    if len(content.translate(None, _SPECIAL)) == len(content):
        return text
    odd = pc.fill_null(pc.match_substring_regex(text, _SPECIALS), pa.scalar(value=False))
    values = [quoted_text(str(value))[1:-1] for value in text.filter(odd).to_pylist()]
    whole: pa.StringArray = pc.replace_with_mask(text, odd, pa.array(values, pa.string()))
    return whole


def _many_digits(text: pa.StringArray) -> Array:
    """Which numbers have more digits than every double keeps; zeros in front do not count."""
    plain = pc.replace_substring_regex(text, r"^-?[0.]*|e.*$", "")
    digits = pc.utf8_length(pc.replace_substring(plain, ".", ""))
    long: Array = pc.greater(digits, _SAFE_DIGITS)
    return long
