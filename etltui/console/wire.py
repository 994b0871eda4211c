"""The bytes of a picture: as few as there can be.

Textual writes each segment with its style before and a reset behind it, and each changed span from
the left edge of its widget on. Here a style is written where it changes, a span from where it
begins: less than half of the bytes.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from etltui.console.terminal import Colour

RESET: Final = "\x1b[0m"
SYSTEMS: Final = {
    "truecolor": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "16": ColorSystem.STANDARD,
    "none": ColorSystem.STANDARD,
}
Piece = tuple[int, int, Strip]
"""Column, line, and what stands there."""


def _changed(update: ChopsUpdate) -> Iterator[Piece]:
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            left, right = max(x, first), min(end, last)
            if strip is not None and left < right:
                yield left, y, strip.crop(left - x, right - x)


def _whole(update: LayoutUpdate) -> Iterator[Piece]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield x, y, strip
            x += strip.cell_length


def written(pieces: Iterable[Piece], system: ColorSystem) -> str:
    """What a terminal draws the pieces from; it ends without a style, and begins with none."""
    out: list[str] = []
    style_now = ""
    at = (-1, -1)
    for x, y, strip in pieces:
        if (x, y) != at:
            out.append(f"\x1b[{y + 1};{x + 1}H")
        for text, style, control in strip:
            if control or not text:
                continue
            wanted = Strip.render_ansi(style, system) if style is not None else ""
            if wanted != style_now:
                out.append(f"\x1b[0;{wanted}m" if wanted and style_now else f"\x1b[{wanted or 0}m")
                style_now = wanted
            out.append(text)
        at = (x + strip.cell_length, y)
    if style_now:
        out.append(RESET)
    return "".join(out)


class Slim(CompositorUpdate):
    """An update of the screen that is written with few bytes.

    Args:
        update: As the compositor has made it.
        colour: The most that the terminal shows.
    """

    def __init__(self, update: ChopsUpdate | LayoutUpdate, colour: Colour) -> None:
        self._update = update
        self._system = SYSTEMS[colour]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._update.__rich_console__(console, options)

    def render_segments(self, console: Console) -> str:
        """The bytes, as text."""
        del console
        update = self._update
        pieces = _whole(update) if isinstance(update, LayoutUpdate) else _changed(update)
        return written(pieces, self._system)


def slim(update: RenderableType | None, colour: Colour) -> RenderableType | None:
    """An update that is written with few bytes; anything else as it is."""
    if isinstance(update, ChopsUpdate | LayoutUpdate):
        return Slim(update, colour)
    return update
