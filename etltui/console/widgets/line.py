"""One line of text that is painted only when it has changed: status, hint, footer."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from etltui.console.cells import Cell, fitted, role_of, text_of
from etltui.console.palette import Palette
from etltui.domain.safe_text import safe_text


class Line(Widget):
    """A line: something at the left, something at the right, which wins where both do not fit.

    Args:
        palette: Colours.
        bar: Whether it has the background of bars.
    """

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, palette: Palette, *, bar: bool = True, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.palette = palette
        self.mark = "…"
        self._bar = bar
        self._left: tuple[Cell, ...] = ()
        self._right: tuple[Cell, ...] = ()

    @property
    def text(self) -> str:
        """What stands there, for tests and screen readers."""
        return "".join(map(text_of, self._left)) + "  " + "".join(map(text_of, self._right))

    def show(self, left: Sequence[Cell], right: Sequence[Cell] = ()) -> None:
        """Let this stand there."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def look(self, palette: Palette, mark: str = "…") -> None:
        """Paint with other colours, and another sign for what is cut off."""
        self.palette, self.mark = palette, mark
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        styles = self.palette.bar if self._bar else self.palette.plain
        if y:
            return Strip.blank(width, styles[""])
        right = cut(self._right, width - 2, self.mark)
        length = sum(cell_len(text) for text, _ in right)
        left = cut(self._left, width - 2 - (length + 1 if length else 0), self.mark)
        gap = width - 2 - length - sum(cell_len(text) for text, _ in left)
        parts = [(" ", ""), *left, (" " * gap, ""), *right, (" ", "")]
        segments = [Segment(text, styles[role]) for text, role in parts if text]
        return Strip(segments).adjust_cell_length(width, styles[""])


def cut(cells: Sequence[Cell], room: int, mark: str = "…") -> list[tuple[str, str]]:
    """Harmless texts with their roles, as many as there is room for."""
    found: list[tuple[str, str]] = []
    for cell in cells:
        text = safe_text(text_of(cell))
        if room <= 0:
            break
        take = min(cell_len(text), room)
        found.append((fitted(text, take, mark=mark), role_of(cell)))
        room -= take
    return found
