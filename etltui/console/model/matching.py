"""Finds what is meant by a few letters of it: `gsl` is `GST sales`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SEPARATORS = " _-./:"
_JUMP = 10
"""What a letter costs that neither goes on nor begins a word."""
_WORD = 2
_DETAIL = 500
"""What it costs to be found in the words behind the name only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Something to choose.

    Attributes:
        key: Tells it from all others.
        text: Its name.
        detail: More words, searched too but after the names.
        sign: Its key or kind, shown at the right.
    """

    key: str
    text: str
    detail: str = ""
    sign: str = ""


def cost(wanted: str, text: str) -> int | None:
    """How far a text is from the letters that are wanted, in their order; None: not all there."""
    low, letters = text.lower(), wanted.lower()
    starts = [at for at, letter in enumerate(low) if letter == letters[:1]]
    costs = [found for at in starts if (found := _from(letters, low, at)) is not None]
    return min(costs, default=0 if not letters else None)


def _from(letters: str, text: str, start: int) -> int | None:
    """The cost where the first letter is taken at a place."""
    total = _step(text, start, -2) + start
    at = start
    for letter in letters[1:]:
        found = _nearest(letter, text, at + 1)
        if found < 0:
            return None
        total += _step(text, found, at)
        at = found
    # Of two that are as near the shorter one is meant.
    return total * 4 + (len(text) - len(letters)) // 4


def _nearest(letter: str, text: str, start: int) -> int:
    """The next place of a letter: where it goes on, else where it begins a word, else the next."""
    first = text.find(letter, start)
    if first in (-1, start):
        return first
    at = first
    while at >= 0 and text[at - 1] not in _SEPARATORS:
        at = text.find(letter, at + 1)
    return at if at >= 0 else first


def _step(text: str, at: int, before: int) -> int:
    if at == before + 1:
        return 0
    return _WORD if at == 0 or text[at - 1] in _SEPARATORS else _JUMP


def _of(words: Sequence[str], choice: Choice) -> int | None:
    total = 0
    for word in words:
        found = cost(word, choice.text)
        if found is None:
            # Words behind the name are many letters: they must be there as they are typed.
            found = _DETAIL if word.lower() in choice.detail.lower() else None
        if found is None:
            return None
        total += found
    return total


def best(wanted: str, choices: Iterable[Choice]) -> list[Choice]:
    """The choices in which every word that is typed is found, the nearest first.

    Those that are as near as each other keep their order; without a word all are there.
    """
    words = wanted.split()
    found = [(far, each) for each in choices if (far := _of(words, each)) is not None]
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]
