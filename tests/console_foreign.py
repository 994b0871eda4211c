"""Text from elsewhere that would steer a terminal, mislead a reader or break a layout."""

import random
import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len

PIECES = (
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    "\x1b[2J",
    "\x1b[31;5m",
    "\x1b[?1049l",
    "\x1b[6n",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]52;c;cm0gLXJmIC8=\x1b\\",
    "\x9d52;c;cm0gLXJmIC8=\x9c",
    "\x1b]0;title\x07",
    "\x1b]8;;https://example.org\x1b\\here\x1b]8;;\x1b\\",
    "\x1bP$q\x1b\\",
    "\x90q\x9c",
    "\x9b2J",
    "\x1b_G\x1b\\",
    "\x1bc",
    "\r\n",
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad\u2028\u2029\ufff9\U000e0041\U000e007f",
    *"\ud800\udfff\udc1b",
    "[red]",
    "[link=https://example.org]",
    "[@click=app.quit]",
    "[/]",
    "[bold",
    "\\[",
    "👩‍👩‍👧‍👦",
    "❤️",
    "🇮🇳",
    "支店",
    "한국",
    "ﷺ",
    "é",
    "e\u0301",
    "\u0301",
    "\u20dd",
    "z" + "\u0336\u0353" * 40,
    "नमस्ते",
    "שלום",
    "\u115f",
    "\ue000",
    "\U0010ffff",
    "{}",
    "%s",
    "$(reboot)",
    "…",
    "─" * 30,
    "Branch_017",
    "password refused",
    " " * 20,
    "",
)
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters of which none may reach a terminal by itself."""


class Foreign:
    """A well of such texts, always the same ones for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.given = 0

    def __call__(self) -> str:
        """Another one; every hundredth has 10 kB."""
        self.given += 1
        count = self._random.randint(1, 6)
        text = "".join(self._random.choice(PIECES) for _ in range(count))
        return (text or "\x1b") * (10_000 // len(text or "\x1b")) if self.given % 100 == 0 else text

    def own(self) -> str:
        """One that no other is like."""
        return f"{self()}{self.given}"

    def many(self, count: int) -> Iterator[str]:
        """So many."""
        return (self() for _ in range(count))


def hidden_in(text: str) -> set[str]:
    """The characters of a text that may not reach a terminal."""
    return {each for each in text if unicodedata.category(each) in HIDDEN}


def assert_harmless(strips, width: int) -> None:
    """Fail where lines hold what steers a terminal, a link, or another number of cells."""
    for strip in strips:
        assert not hidden_in(strip.text), repr(strip.text)
        assert cell_len(strip.text) == strip.cell_length == width, repr(strip.text)
        for segment in strip:
            assert segment.control is None
            assert segment.style is None or not segment.style.link
