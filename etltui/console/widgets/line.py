"""One line of text that is painted only when it has changed: status, hint, footer."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from etltui.console.cells import Cell, role_of, text_of
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
    """Harmless texts with their roles, as many as there is room for; a mark where more was."""
    parts = [(safe_text(text_of(cell)), role_of(cell)) for cell in cells]
    marked = cell_len("".join(text for text, _ in parts).rstrip()) > room > len(mark)
    room -= len(mark) if marked else 0
    found: list[tuple[str, str]] = []
    for text, role in parts:
        take = min(cell_len(text), room)
        if take > 0:
            found.append((set_cell_size(text, take), role))
            room -= take
    if marked:
        text, role = found.pop()
        found.append((text + mark, role))
    return found
