"""Makes foreign text harmless for a terminal: no escape, no hidden direction, one line."""

import unicodedata

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)}
_PICTURES[0x7F] = "\N{SYMBOL FOR DELETE}"
_HIDDEN = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u061c")


def _harmless(character: str) -> str:
    code = ord(character)
    if code in _PICTURES:
        return _PICTURES[code]
    if character in _HIDDEN or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return f"<U+{code:04X}>"
    return character


def safe_text(text: str) -> str:
    """The text with every control, direction and zero-width character made visible.

    Database values, names, errors and log lines pass through here before they reach a terminal.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(character) for character in text)


def middle_cut(text: str, width: int) -> str:
    """At most `width` characters, an ellipsis in the middle where something was cut."""
    if len(text) <= width:
        return text
    left = (width - 1) // 2
    return f"{text[:left]}…{text[len(text) - (width - 1 - left) :]}" if width > 1 else text[:width]
