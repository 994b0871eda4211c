"""A chart that paints its own lines, and only when its picture has changed."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from etltui.console.cells import fitted
from etltui.console.glyphs import Glyphs
from etltui.console.model.chart import DOTS_ACROSS, Values, area
from etltui.console.palette import Palette

AXIS = 6
"""Cells of the numbers at the left, the axis among them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What a chart shows.

    Attributes:
        said: At the right of the head.
        top: The number at the top of the axis, in words.
        greatest: What the top is.
        cursor: The cell that the time cursor is in, -1 for none.
        role: Of the colour of the area.
    """

    title: str = ""
    said: str = ""
    top: str = ""
    greatest: float = 1.0
    values: Values = ()
    cursor: int = -1
    role: str = "busy"


class Chart(Widget):
    """One number over time: a head, an area, an axis.

    Args:
        palette: Colours.
        glyphs: Signs.
    """

    DEFAULT_CSS = "Chart { height: 1fr; width: 1fr; min-height: 5; }"

    def __init__(self, palette: Palette, glyphs: Glyphs) -> None:
        super().__init__()
        self._palette = palette
        self._glyphs = glyphs
        self._drawn = Drawn()

    @property
    def across(self) -> int:
        """How many values it has room for."""
        cells = max(self.size.width - AXIS - 1, 1)
        return cells * DOTS_ACROSS if self._glyphs.dots else cells

    def show(self, drawn: Drawn) -> None:
        """Show this."""
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()

    def look(self, palette: Palette, glyphs: Glyphs) -> None:
        """Paint with other colours and signs."""
        self._palette, self._glyphs = palette, glyphs
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Head, area, axis."""
        width, height = self.size.width, self.size.height
        drawn, styles = self._drawn, self._palette.plain
        if y == 0:
            said = fitted(drawn.said, min(cell_len(drawn.said), width // 2))
            title = fitted(f" {drawn.title}", max(width - cell_len(said) - 2, 0))
            parts = [Segment(title, styles["muted"]), Segment(f"{said}  ", styles[""])]
            return Strip(parts).adjust_cell_length(width, styles[""])
        lines = max(height - 2, 1)
        if y > lines:
            return self._axis(width)
        picture = area(drawn.values, drawn.greatest, lines, dots=self._glyphs.dots)
        label = drawn.top if y == 1 else ""
        edge = fitted(label, AXIS - 1, "right") + self._glyphs.upright
        body = fitted(picture[y - 1], max(width - AXIS, 0))
        return self._with_cursor(edge, body, width)

    def _with_cursor(self, edge: str, body: str, width: int) -> Strip:
        styles = self._palette.plain
        colour, at = styles[self._drawn.role], self._drawn.cursor
        parts = [Segment(edge, styles["muted"])]
        if 0 <= at < len(body):
            mark = body[at] if body[at] != " " else self._glyphs.cursor
            parts += [
                Segment(body[:at], colour),
                Segment(mark, styles["accent"]),
                Segment(body[at + 1 :], colour),
            ]
        else:
            parts.append(Segment(body, colour))
        return Strip(parts).adjust_cell_length(width, styles[""])

    def _axis(self, width: int) -> Strip:
        styles = self._palette.plain
        line = list(self._glyphs.rule * max(width - AXIS, 0))
        if 0 <= self._drawn.cursor < len(line):
            line[self._drawn.cursor] = self._glyphs.cursor
        text = fitted("0", AXIS - 1, "right") + self._glyphs.upright + "".join(line)
        return Strip([Segment(text, styles["muted"])]).adjust_cell_length(width, styles[""])
