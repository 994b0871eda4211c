"""Makes foreign text harmless for a terminal: no escape, no hidden direction, one line."""

import unicodedata
from collections.abc import Iterator

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)}
_PICTURES[0x7F] = "\N{SYMBOL FOR DELETE}"
_HIDDEN = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u061c")

_FACES = frozenset(map(chr, range(0xFE00, 0xFE10)))
"""They choose how the character before looks; terminals differ in how wide that makes it."""
_MARKS = 8
"""Marks that one character may carry; more are no letter of any script."""


def _hides(character: str) -> bool:
    return character in _HIDDEN or unicodedata.category(character) in {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    }


def _harmless(character: str) -> str:
    code = ord(character)
    if code in _PICTURES:
        return _PICTURES[code]
    if character in _FACES:
        return ""
    return f"<U+{code:04X}>" if _hides(character) else character


def _heaps(text: str) -> Iterator[tuple[str, int]]:
    """Each character with how many marks are heaped up by then, itself among them."""
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        yield character, marks


def safe_text(text: str) -> str:
    """The text with every control, direction and zero-width character made visible.

    Of marks heaped up on one character no more are drawn than a script has, and what makes it
    wider or narrower on some terminals is left out. Database values, names, errors and log lines
    pass through here before they reach a terminal.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"<U+{ord(character):04X}>" if marks > _MARKS else _harmless(character)
        for character, marks in _heaps(text)
    )


def signs_of(text: str) -> str:
    """The text with one visible sign for each character that `safe_text` would spell out.

    For text that is edited: every character keeps its place.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _PICTURES.get(ord(character), "\N{REPLACEMENT CHARACTER}")
        if marks > _MARKS or _harmless(character) != character
        else character
        for character, marks in _heaps(text)
    )


def middle_cut(text: str, width: int) -> str:
    """At most `width` characters, an ellipsis in the middle where something was cut."""
    if len(text) <= width:
        return text
    left = (width - 1) // 2
    return f"{text[:left]}…{text[len(text) - (width - 1 - left) :]}" if width > 1 else text[:width]
