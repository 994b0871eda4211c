"""From values to the fields of a CSV file (RFC 4180): guarded where asked, quoted where needed.

A field is quoted where it must be: it holds the delimiter, a quote or a line break, it is empty, or
it reads as the text that stands for NULL. So an unquoted NULL text is always a NULL and a quoted
one never. The options may ask for more quotes. Each field depends on its own value only.
"""

from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.job import CsvOptions
from etltui.extractors.arrow import canonical_type
from etltui.writers.csv_profile import Profile
from etltui.writers.text import canonical, content_of

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"
Flags: TypeAlias = "bool | pa.Array[Any]"
"""One for each value, or the same for all of them."""

_GUARDS = {"off": "", "quote": "'", "tab": "\t"}
_FORMULA = r"^[=+\-@\t\r]"
_EMPTY, _QUOTE = pa.scalar(""), pa.scalar('"')
"""Made once: for each new scalar Arrow looks for pandas on the whole path."""
_PRINTED = frozenset("0123456789abcdefghijklmnopqrstuvwxyzINT+-.: \\")
"""What the canonical text of anything but text and mixed is made of; a profile adds to it."""


class Fields:
    """Makes fields; counts what it had to change.

    Args:
        options: Of the destination.

    Attributes:
        guarded: Texts that a spreadsheet would have run.
    """

    def __init__(self, options: CsvOptions) -> None:
        self.guarded = 0
        self._quoting = options.quoting
        self._null = pa.scalar(options.null)
        guard = _GUARDS[options.formula_guard]
        self._guard = pa.scalar(guard) if guard else None
        delimiter = options.delimiter
        escaped = "".join(f"\\x{{{ord(character):x}}}" for character in delimiter)
        self._special = f'[\r\n"]|{escaped}'
        self._specials = tuple(special.encode() for special in (delimiter, '"', "\n", "\r"))
        self._profile = Profile(options)
        printed = _PRINTED | self._profile.characters
        self._numbers_are_plain = not any(
            text and printed.issuperset(text) for text in (delimiter, options.null)
        )

    def of(self, array: Array) -> pa.StringArray:
        """The field of every value; a NULL stays a NULL.

        Raises:
            TypeError: No reader may produce this type.
        """
        kind = canonical_type(array.type)
        text = self._profile.of(array, canonical(array), kind)
        words: Flags = kind == "text"
        if kind == "mixed":
            words = pc.invert(pc.struct_field(array, "number"))
        if self._guard and words is not False:
            text = self._guard_formulas(text, words)
        if self._quoting == "all":
            return self._quoted(text)
        if self._quoting == "text" and words is True:
            return self._quoted(text)
        if words is False and self._numbers_are_plain:
            return text
        needy = self._needy(text)
        if self._quoting == "text" and words is not False:
            needy = pc.or_(needy, words)
        return self._quoted_where(text, needy)

    def _guard_formulas(self, text: pa.StringArray, words: Flags) -> pa.StringArray:
        formulas = pc.match_substring_regex(text, _FORMULA)
        if words is not True:
            formulas = pc.and_(formulas, words)
        found = pc.sum(formulas).as_py()
        if not found:
            return text
        self.guarded += found
        guarded = pc.binary_join_element_wise(self._guard, text, _EMPTY)
        safe: pa.StringArray = pc.if_else(formulas, guarded, text)
        return safe

    def _needy(self, text: pa.StringArray) -> Array:
        """Which values must be quoted; a search through all bytes at once finds most columns clean.

        What lies behind a NULL, or across two values, may raise a false alarm and no more.
        """
        needy = pc.or_(pc.equal(text, _EMPTY), pc.equal(text, self._null))
        content = bytes(content_of(text))
        if any(special in content for special in self._specials):
            needy = pc.or_(needy, pc.match_substring_regex(text, self._special))
        flags: Array = needy
        return flags

    def _quoted_where(self, text: pa.StringArray, needy: Array) -> pa.StringArray:
        count = pc.sum(needy).as_py()
        if not count:
            return text
        quoted = self._quoted(text.filter(needy))
        whole: pa.StringArray = pc.replace_with_mask(text, needy, quoted)
        return whole

    def _quoted(self, text: pa.StringArray) -> pa.StringArray:
        if b'"' in bytes(content_of(text)):
            text = pc.replace_substring(text, '"', '""')
        quoted: pa.StringArray = pc.binary_join_element_wise(_QUOTE, text, _QUOTE, _EMPTY)
        return quoted
