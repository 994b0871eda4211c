"""Draws a number over time with characters: an area of braille dots, or of `#` in ASCII."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

DOTS_UP = 4
DOTS_ACROSS = 2
_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)
"""The dots of a braille cell from the bottom up (Unicode 15, block U+2800)."""
_BRAILLE = 0x2800

Values = Sequence[float | None]


def spread(  # noqa: PLR0913 - what a time axis is
    samples: Sequence[T],
    value: Callable[[T], float],
    at: Callable[[T], float],
    *,
    since: float,
    until: float,
    count: int,
    gap_s: float,
) -> list[float | None]:
    """The greatest value in each of `count` equal spans of time, None where nothing is known.

    A value holds until the next sample, but no longer than `gap_s`: what comes after is a gap.

    Args:
        samples: By their time.
        value: What is drawn of one.
        at: Its Unix time in seconds.
        since: Where the first span begins.
        until: Where the last one ends.
        count: How many spans.
        gap_s: As said.
    """
    width = (until - since) / count
    found: list[float | None] = [None] * count
    for number, sample in enumerate(samples):
        begins = at(sample)
        ends = at(samples[number + 1]) if number + 1 < len(samples) else until
        first = int((begins - since) // width)
        last = int((min(ends, begins + max(gap_s, width)) - since) // width)
        for place in range(max(first, 0), min(max(last, first + 1), count)):
            known = found[place]
            found[place] = value(sample) if known is None else max(known, value(sample))
    return found


def top_of(values: Values, least: float) -> float:
    """A round number at least as great as all values and as `least`."""
    greatest = max((each for each in values if each is not None), default=0.0)
    wanted = max(greatest, least)
    unit = 1.0
    while unit * 10 < wanted:
        unit *= 10
    return next(unit * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if unit * step >= wanted)


def area(values: Values, top: float, height: int, *, dots: bool) -> list[str]:
    """The lines of an area from the top down.

    Args:
        values: Two for each cell with dots, else one.
        top: What fills the whole height.
        height: Lines.
        dots: Whether to draw with braille; else with `#`.
    """
    if not dots:
        full = [_filled(value, top, height) for value in values]
        return ["".join("#" if up >= line else " " for up in full) for line in range(height, 0, -1)]
    filled = [_filled(value, top, height * DOTS_UP) for value in values]
    if len(filled) % DOTS_ACROSS:
        filled.append(0)
    pairs = list(zip(filled[::2], filled[1::2], strict=True))
    return [
        "".join(_cell(left - under, right - under) for left, right in pairs)
        for under in range((height - 1) * DOTS_UP, -1, -DOTS_UP)
    ]


def _filled(value: float | None, top: float, most: int) -> int:
    """Dots from the bottom; what is not nothing has at least one."""
    if value is None or value <= 0 or top <= 0:
        return 0
    return max(1, min(round(value / top * most), most))


def _cell(left: int, right: int) -> str:
    bits = sum(_LEFT[: max(left, 0)]) + sum(_RIGHT[: max(right, 0)])
    return chr(_BRAILLE + bits) if bits else " "
