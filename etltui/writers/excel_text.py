"""Makes text fit for a cell: legal XML, not too long, and never read as anything but text."""

import re
from collections import Counter
from typing import Any

import pyarrow as pa
from pyarrow import compute

from etltui.domain.naming import utf16_cut
from etltui.writers.notes import REMOVED, cut_note

pc: Any = compute
"""Untyped, since the stubs refuse Python's numbers and texts as operands."""

_ILLEGAL = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff"
"""What XML 1.0 cannot hold in any spelling; surrogates aside, which no Arrow text holds."""
_ILLEGAL_ONES = re.compile(f"[{_ILLEGAL}]")
_CODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ODD = f"[{_ILLEGAL}]|_x[0-9A-Fa-f]{{4}}_"
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r"))
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
"""The ampersand first. A bare CR would be read as LF."""


def cell_text(text: str, units: int, notes: Counter[str] | None = None) -> str:
    """One text as a cell holds it, before XML's own escapes.

    Characters that XML cannot hold are removed, the rest is cut to so many UTF-16 units, and what
    Excel would read as a coded character (`_x000D_`) is coded itself. Both losses are counted.
    """
    kept = _ILLEGAL_ONES.sub("", text)
    cut = utf16_cut(kept, units)
    if notes is not None:
        if kept != text:
            notes[REMOVED] += len(text) - len(kept)
        if cut != kept:
            notes[cut_note(units)] += 1
    return _CODED.sub("_x005F_", cut)


def xml_text(text: str) -> str:
    """One text with XML's own escapes."""
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text


def xml_texts(texts: pa.StringArray, units: int, notes: Counter[str]) -> pa.StringArray:
    """A column of text as cells hold it, NULL staying NULL.

    Most columns need nothing: a look at their bytes, at the speed of memory, proves it.
    """
    if not len(texts) - texts.null_count:
        return texts
    content = _content(texts)
    if _may_be_odd(content) or _longest(texts) > units:
        texts = _mended(texts, units, notes)
        content = _content(texts)
    for character, escape in _ESCAPES:
        if character.encode() in content:
            texts = pc.replace_substring(texts, character, escape)
    return texts


def _content(texts: pa.StringArray) -> bytes:
    """The bytes of all texts behind each other; those of NULLs, if there are any, among them."""
    _, offsets, content = texts.buffers()
    if offsets is None or content is None:
        return b""
    bounds = memoryview(offsets).cast("i")
    first, last = bounds[texts.offset], bounds[texts.offset + len(texts)]
    return content.slice(first, last - first).to_pybytes()


def _may_be_odd(content: bytes) -> bool:
    if b"_x" in content or any(one in content for one in _NONCHARACTERS):
        return True
    # the smallest byte is found many times faster than one of 29
    octets = pa.Array.from_buffers(pa.uint8(), len(content), [None, pa.py_buffer(content)])
    smallest = pc.min(octets).as_py()
    if smallest is None or smallest >= 0x20:
        return False
    return len(content.translate(None, _CONTROLS)) < len(content)


def _longest(texts: pa.StringArray) -> int:
    """In bytes, of which UTF-8 never has fewer than UTF-16 has units."""
    longest: int = pc.max(pc.binary_length(texts)).as_py()
    return longest


def _mended(texts: pa.StringArray, units: int, notes: Counter[str]) -> pa.StringArray:
    odd = pc.or_(
        pc.match_substring_regex(texts, _ODD),
        pc.greater(pc.binary_length(texts), units),
    )
    odd = pc.fill_null(odd, fill_value=False)
    mended = [cell_text(str(text), units, notes) for text in texts.filter(odd).to_pylist()]
    whole: pa.StringArray = pc.replace_with_mask(texts, odd, pa.array(mended, pa.string()))
    return whole
