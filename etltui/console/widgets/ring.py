"""A window on thousands of lines that grow at the end: only what is in sight is ever made."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from etltui.console.cells import Cell, Column, fitted, places, role_of, text_of
from etltui.console.glyphs import Glyphs
from etltui.console.palette import Palette
from etltui.console.widgets.table import Table

_WHEEL = 3
_ACTIONS = ("move(-1)", "move(1)", "page(-1)", "page(1)", "edge(-1)", "edge(1)")


class Lines(Protocol):
    """Lines with numbers that stay, of which some are shown."""

    def __len__(self) -> int:
        """How many are shown."""
        ...

    def number(self, place: int) -> int:
        """The number of the line at a place."""
        ...

    def place(self, number: int) -> int:
        """The place of a line, or of the next one after it."""
        ...


class RingView(Widget, can_focus=True):
    """Shows lines; the newest while it follows, else those around the cursor.

    Args:
        lines: What is shown.
        cells: The cells of a line by its number.
        columns: How they are laid out.
        palette: Colours.
        glyphs: Signs.
    """

    DEFAULT_CSS = "RingView { height: 1fr; width: 1fr; }"
    # The keys of rows, and named alike: who changes them changes both.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, title, show=False, id=name)
        for (name, keys, title), action in zip(Table.KEYS, _ACTIONS, strict=False)
    ]

    class Moved(Message, bubble=True):
        """The cursor is on another line, or it follows no more, or again."""

    class Opened(Message, bubble=True):
        """A line was clicked twice."""

    def __init__(
        self,
        lines: Lines,
        cells: Callable[[int], tuple[Cell, ...]],
        columns: Sequence[Column],
        palette: Palette,
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self.lines = lines
        self.columns = tuple(columns)
        self.palette = palette
        self.glyphs = glyphs
        self.following = True
        self.empty: Sequence[str] = ()
        self._cells = cells
        self._cursor = 0
        self._top = 0
        self._painted: tuple[object, ...] = ()

    @property
    def number(self) -> int:
        """The number of the line under the cursor; -1 for none."""
        place = self._place
        return self.lines.number(place) if place >= 0 else -1

    @property
    def _place(self) -> int:
        count = len(self.lines)
        if not count:
            return -1
        return count - 1 if self.following else min(self.lines.place(self._cursor), count - 1)

    @property
    def _height(self) -> int:
        return max(self.size.height - 1, 1)

    def width_of(self, column: str) -> int:
        """How many cells a column has now; 0 where it is hidden."""
        where = places(self.columns, self.size.width)
        return next((each.width for each in where if self.columns[each.column].id == column), 0)

    def look(self, palette: Palette, glyphs: Glyphs) -> None:
        """Paint with other colours and signs."""
        self.palette, self.glyphs = palette, glyphs
        self._painted = ()
        self.refresh()

    def show(self) -> None:
        """Paint if what is in sight has changed."""
        top = self._scrolled()
        count = len(self.lines)
        in_sight = range(top, min(top + self._height, count))
        now = (*map(self.lines.number, in_sight), "at", self._place - top, tuple(self.empty))
        if now != self._painted:
            self._painted = now
            self.refresh()

    def _scrolled(self) -> int:
        """The place of the first line in sight."""
        count, place = len(self.lines), self._place
        top = max(count - self._height, 0) if self.following else self.lines.place(self._top)
        top = min(max(top, place - self._height + 1, 0), max(place, 0))
        return min(top, max(count - self._height, 0))

    def render_line(self, y: int) -> Strip:
        """A line of the picture: the head, a line, or nothing."""
        width = self.size.width
        if y == 0:
            return Strip([Segment(self._head(width), self.palette.head)], width)
        if not len(self.lines):
            text = self.empty[y - 1] if y <= len(self.empty) else ""
            return Strip([Segment(fitted(f"  {text}", width), self.palette.plain["muted"])], width)
        place = self._scrolled() + y - 1
        if place >= len(self.lines):
            return Strip.blank(width, self.palette.plain[""])
        return self._line(self.lines.number(place), width, at_cursor=place == self._place)

    def _head(self, width: int) -> str:
        text, x = "", 0
        for place in places(self.columns, width):
            column = self.columns[place.column]
            text += " " * (place.x - x) + fitted(column.title, place.width, column.align)
            x = place.x + place.width
        return fitted(text, width)

    def _line(self, number: int, width: int, *, at_cursor: bool) -> Strip:
        styles = self.palette.chosen if at_cursor else self.palette.plain
        cells = self._cells(number)
        segments, x = [], 0
        for place in places(self.columns, width):
            column, cell = self.columns[place.column], cells[place.column]
            shown = fitted(
                text_of(cell), place.width, column.align, column.cut, self.glyphs.ellipsis
            )
            segments.append(Segment(" " * (place.x - x) + shown, styles[role_of(cell)]))
            x = place.x + place.width
        segments.append(Segment(" " * (width - x), styles[""]))
        return Strip(segments, width)

    def go_to(self, number: int) -> None:
        """Put the cursor on a line; at the last one it follows what comes."""
        count = len(self.lines)
        if not count:
            return
        place = min(self.lines.place(number), count - 1)
        before = (self._place, self.following)
        top = self._scrolled()
        self._top = self.lines.number(min(top, count - 1))
        self._cursor = self.lines.number(place)
        self.following = place == count - 1
        if not self.following:
            self._keep_in_sight(place, top)
        if before != (self._place, self.following):
            self._paint_move(before[0], top)
            self.post_message(self.Moved())

    def _keep_in_sight(self, place: int, top: int) -> None:
        if place < top:
            self._top = self.lines.number(place)
        elif place >= top + self._height:
            self._top = self.lines.number(place - self._height + 1)

    def _paint_move(self, before: int, top: int) -> None:
        """Paint two lines where nothing else has moved."""
        self._painted = ()
        if self._scrolled() != top:
            self.refresh()
            return
        rows = [place - top + 1 for place in (before, self._place)]
        self.refresh(*(Region(0, row, self.size.width, 1) for row in rows if row > 0))

    def stay(self) -> None:
        """Follow no more; the cursor stays on the line that is the last now."""
        if self.following and len(self.lines):
            self._cursor = self.number
            self._top = self.lines.number(self._scrolled())
            self.following = False
            self.post_message(self.Moved())

    def follow(self) -> None:
        """Follow what comes."""
        if not self.following:
            self.following = True
            self.show()
            self.post_message(self.Moved())

    def on_resize(self, _: events.Resize) -> None:
        """Paint anew."""
        self._painted = ()

    def _go_by(self, step: int) -> None:
        count = len(self.lines)
        if count:
            place = min(max(self._place + step, 0), count - 1)
            self.go_to(self.lines.number(place))

    def action_move(self, step: int) -> None:
        """Move the cursor by so many lines."""
        self._go_by(step)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a page."""
        self._go_by(direction * max(self._height - 1, 1))

    def action_edge(self, direction: int) -> None:
        """Move the cursor to the first or the last line."""
        self._go_by(direction * len(self.lines))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move on."""
        event.stop()
        self._go_by(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move back."""
        event.stop()
        self._go_by(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; a second click opens the line."""
        place = self._scrolled() + event.y - 1
        if event.y == 0 or place >= len(self.lines):
            return
        self.go_to(self.lines.number(place))
        if event.chain > 1:
            self.post_message(self.Opened())
