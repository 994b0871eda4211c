"""A few lines of text below each other; only those that have changed are painted."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from etltui.console.cells import Cell
from etltui.console.palette import Palette
from etltui.console.widgets.line import cut


class Lines(Widget):
    """Lines of cells, cut at the right where they are too long.

    Args:
        palette: Colours.
    """

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.palette = palette
        self.mark = "…"
        self._lines: tuple[tuple[Cell, ...], ...] = ()

    def show(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Let these be the lines."""
        before, self._lines = self._lines, tuple(map(tuple, lines))
        width = self.size.width
        changed = [
            Region(0, y, width, 1)
            for y in range(max(len(before), len(self._lines)))
            if before[y : y + 1] != self._lines[y : y + 1]
        ]
        if changed:
            self.refresh(*changed)

    def look(self, palette: Palette, mark: str = "…") -> None:
        """Paint with other colours, and another sign for what is cut off."""
        self.palette, self.mark = palette, mark
        self.refresh()

    def styles_of(self, y: int) -> dict[str, Style]:
        """The styles of a line by role."""
        del y
        return self.palette.plain

    def render_line(self, y: int) -> Strip:
        """A line."""
        width, styles = self.size.width, self.styles_of(y)
        parts = cut(self._lines[y], width, self.mark) if y < len(self._lines) else []
        rest = width - sum(cell_len(text) for text, _ in parts)
        segments = [Segment(text, styles[role]) for text, role in (*parts, (" " * rest, ""))]
        return Strip([each for each in segments if each.text], width)
