"""A table that paints only the spans of lines that have changed.

One widget whatever the number of rows: Textual's own tables paint all visible rows for each change
of one, which costs six to twelve times as much with 500 rows.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from etltui.console.cells import (
    Column,
    Place,
    Row,
    changed_spans,
    fitted,
    places,
    role_of,
    text_of,
)
from etltui.console.glyphs import Glyphs
from etltui.console.palette import Palette
from etltui.console.widgets.segments import merged

_WHEEL = 3
"""Rows that a notch of the wheel moves."""


def nearest(rows: Sequence[Row], index: int, step: int = 1) -> int:
    """The row nearest to an index that can be chosen, looking first in a direction; -1 for none."""
    for direction in (step, -step):
        at = min(max(index, 0), len(rows) - 1)
        while 0 <= at < len(rows):
            if not rows[at].heading:
                return at
            at += direction
    return -1


class Table(Widget, can_focus=True):
    """Rows under a head, one of them under the cursor, some of them chosen.

    The cursor stays on its row's key when rows move, appear or go.

    Args:
        columns: How rows are laid out.
        palette: Colours.
        glyphs: Signs.
    """

    DEFAULT_CSS = "Table { height: 1fr; width: 1fr; }"
    KEYS: ClassVar[Sequence[tuple[str, str, str]]] = (
        ("table.up", "up,k", "up"),
        ("table.down", "down,j", "down"),
        ("table.page_up", "pageup,ctrl+b", "page up"),
        ("table.page_down", "pagedown,ctrl+f", "page down"),
        ("table.first", "home,g", "first"),
        ("table.last", "end,G", "last"),
        ("table.select", "space", "select"),
        ("table.select_range", "V", "select to here"),
        ("table.select_all", "asterisk", "select all"),
    )
    """Ids, keys and titles, for help and for whoever changes keys."""
    _ACTIONS: ClassVar[Sequence[str]] = (
        "move(-1)",
        "move(1)",
        "page(-1)",
        "page(1)",
        "edge(-1)",
        "edge(1)",
        "choose",
        "choose_range",
        "choose_all",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, title, show=False, id=name)
        for (name, keys, title), action in zip(KEYS, _ACTIONS, strict=True)
    ]

    class Moved(Message, bubble=True):
        """The cursor is on another row."""

    class Headed(Message, bubble=True):
        """The head of a column was clicked.

        Args:
            column: Its id.
        """

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    class Opened(Message, bubble=True):
        """The row under the cursor was clicked twice."""

    def __init__(self, columns: Sequence[Column], palette: Palette, glyphs: Glyphs) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.palette = palette
        self.glyphs = glyphs
        self.sorted_by = ""
        self.descending = False
        self.chosen: set[str] = set()
        self._rows: tuple[Row, ...] = ()
        self._top = 0
        self._cursor = -1
        self._anchor = ""
        self._empty: tuple[str, ...] = ()

    @property
    def empty(self) -> Sequence[str]:
        """What stands there where there are no rows."""
        return self._empty

    @empty.setter
    def empty(self, lines: Sequence[str]) -> None:
        if tuple(lines) != self._empty:
            self._empty = tuple(lines)
            if not self._rows:
                self.refresh()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they are shown."""
        return self._rows

    @property
    def key(self) -> str:
        """The key under the cursor, empty for none."""
        return self._rows[self._cursor].key if 0 <= self._cursor < len(self._rows) else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The chosen keys in the order of the rows, or the one under the cursor."""
        found = tuple(row.key for row in self._rows if row.key in self.chosen)
        return found or ((self.key,) if self.key else ())

    @property
    def position(self) -> str:
        """Which of how many rows the cursor is on, empty where all are in sight."""
        if len(self._rows) <= self._height:
            return ""
        return f"{self._cursor + 1}/{len(self._rows)}"

    @property
    def _height(self) -> int:
        """Rows in sight."""
        return max(self.size.height - 1, 0)

    def width_of(self, column: str) -> int:
        """How many cells a column has now; 0 where it is hidden."""
        where = {self.columns[place.column].id: place.width for place in self._where()}
        return where.get(column, 0)

    @property
    def cursor_line(self) -> int:
        """The line of the screen that the cursor is on; -1 for none."""
        line = self._cursor - self._top + 1
        return self.region.y + line if self._cursor >= 0 and line < self.size.height else -1

    def _where(self) -> tuple[Place, ...]:
        return places(self.columns, self.size.width)

    def show(self, rows: Sequence[Row]) -> None:
        """Let these be the rows; only what differs in sight is painted."""
        before, self._rows = self._rows, tuple(rows)
        old_top, old_cursor = self._top, self._cursor
        key = before[old_cursor].key if 0 <= old_cursor < len(before) else ""
        self._place_cursor(key)
        if self._top != old_top or bool(before) != bool(self._rows):
            self.refresh()
        else:
            self._paint_changes(before, old_cursor)
        if self.key != key:
            self.post_message(self.Moved())

    def _place_cursor(self, key: str) -> None:
        """Put the cursor on the row of this key, else near where it was."""
        rows = self._rows
        if not (0 <= self._cursor < len(rows) and rows[self._cursor].key == key and key):
            found = next((n for n, row in enumerate(rows) if row.key == key), -1) if key else -1
            self._cursor = found if found >= 0 else nearest(rows, max(self._cursor, 0))
        self._top = self._scrolled()

    def _scrolled(self) -> int:
        """The first row in sight, so that the cursor is in sight and no line is wasted."""
        most = max(len(self._rows) - self._height, 0)
        top = min(max(self._top, 0), most)
        if self._cursor < 0 or not self._height:
            return top
        at = self._cursor
        # What heads a group is seen with its first row.
        if at < top:
            return at - 1 if at and self._rows[at - 1].heading and self._height > 1 else at
        if at >= top + self._height:
            return min(at - self._height + 1, most)
        return 0 if at == 1 and top == 1 and self._rows[0].heading else top

    def _paint_changes(self, before: Sequence[Row], old_cursor: int) -> None:
        where, width = self._where(), self.size.width
        regions: list[Region] = []
        for line in range(self._height):
            index = self._top + line
            old = before[index] if index < len(before) else None
            new = self._rows[index] if index < len(self._rows) else None
            if old is new:
                spans: list[tuple[int, int]] = []
            elif old is None or new is None:
                spans = [(0, width)]
            else:
                spans = list(changed_spans(old, new, where, width))
            if (index == old_cursor) is not (index == self._cursor):
                spans = [(0, width)]
            regions.extend(Region(x, line + 1, end - x, 1) for x, end in spans)
        if regions:
            self.refresh(*regions)

    def _paint_line(self, index: int) -> None:
        if self._top <= index < self._top + self._height:
            self.refresh(Region(0, index - self._top + 1, self.size.width, 1))

    def look(self, palette: Palette, glyphs: Glyphs) -> None:
        """Paint with other colours and signs."""
        self.palette, self.glyphs = palette, glyphs
        self.refresh()

    def lay_out(
        self, columns: Sequence[Column], sorted_by: str = "", *, down: bool = False
    ) -> None:
        """Let these be the columns, and mark the one that rows are sorted by."""
        wanted = (tuple(columns), sorted_by, down)
        if wanted != (self.columns, self.sorted_by, self.descending):
            self.columns, self.sorted_by, self.descending = wanted
            self.refresh()

    def go_to(self, key: str) -> bool:
        """Put the cursor on the row of a key; whether there is one."""
        index = next((n for n, row in enumerate(self._rows) if row.key == key), -1)
        if index >= 0:
            self._move_to(index, 1)
        return index >= 0

    def render_line(self, y: int) -> Strip:
        """A line of the picture: the head, a row, or nothing."""
        width = self.size.width
        if y == 0:
            return Strip(self._head(width), width)
        if not self._rows:
            return self._nothing(y - 1, width)
        index = self._top + y - 1
        if index >= len(self._rows):
            return Strip.blank(width, self.palette.plain[""])
        return Strip(self._line(index, width), width)

    def _nothing(self, line: int, width: int) -> Strip:
        text = self.empty[line] if line < len(self.empty) else ""
        return Strip([Segment(fitted(f"  {text}", width), self.palette.plain["muted"])], width)

    def _head(self, width: int) -> list[Segment]:
        text, x = "", 0
        for place in self._where():
            column = self.columns[place.column]
            title = column.title
            if column.id == self.sorted_by:
                title += "-" if self.descending else "+"
            text += " " * (place.x - x) + fitted(title, place.width, column.align)
            x = place.x + place.width
        return [Segment(fitted(text, width), self.palette.head)]

    def _line(self, index: int, width: int) -> list[Segment]:
        row = self._rows[index]
        at_cursor = index == self._cursor
        styles = self.palette.chosen if at_cursor else self.palette.plain
        if row.heading:
            return self._heading(row, width)
        mark = self.glyphs.arrow[-1] if row.key in self.chosen else " "
        parts: list[tuple[str, Style]] = [(mark, styles["accent"])]
        x = 1
        for place in self._where():
            column = self.columns[place.column]
            cell = row.cells[place.column]
            text = text_of(cell)
            shown = fitted(text, place.width, column.align, column.cut, self.glyphs.ellipsis)
            if place.x > x:
                parts.append((" " * (place.x - x), styles[""]))
            parts.append((shown, styles[role_of(cell)]))
            x = place.x + place.width
        if x < width:
            parts.append((" " * (width - x), styles[""]))
        return list(merged(parts))

    def _heading(self, row: Row, width: int) -> list[Segment]:
        cell = row.cells[0]
        text = f" {text_of(cell)} "
        text += self.glyphs.rule * max(width - len(text) - 1, 0)
        return [Segment(fitted(text, width), self.palette.plain[role_of(cell) or "muted"])]

    def on_resize(self, _: events.Resize) -> None:
        """Keep the cursor in sight."""
        before, self._top = self._top, self._scrolled()
        if self._top != before:
            # The picture of the new size may have been made already, from where it was.
            self.refresh()

    def _move_to(self, index: int, step: int) -> None:
        found = nearest(self._rows, index, step)
        if found == self._cursor or found < 0:
            return
        before, top = self._cursor, self._top
        self._cursor = found
        self._top = self._scrolled()
        if self._top != top:
            self.refresh()
        else:
            self._paint_line(before)
            self._paint_line(found)
        self.post_message(self.Moved())

    def action_move(self, step: int) -> None:
        """Move the cursor by so many rows."""
        self._move_to(self._cursor + step, 1 if step > 0 else -1)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a page."""
        self.action_move(direction * max(self._height - 1, 1))

    def action_edge(self, direction: int) -> None:
        """Move the cursor to the first or the last row."""
        self._move_to(0 if direction < 0 else len(self._rows) - 1, -direction)

    def action_choose(self) -> None:
        """Choose the row under the cursor, or let it go."""
        if self.key:
            self.chosen ^= {self.key}
            self._anchor = self.key
            self._paint_line(self._cursor)
            self.action_move(1)
            self.post_message(self.Moved())

    def action_choose_range(self) -> None:
        """Choose all rows from the last one that was chosen to the cursor."""
        keys = [row.key for row in self._rows if not row.heading]
        if self._anchor in keys and self.key:
            first, last = sorted((keys.index(self._anchor), keys.index(self.key)))
            self.chosen |= set(keys[first : last + 1])
            self.refresh()
            self.post_message(self.Moved())

    def action_choose_all(self) -> None:
        """Choose all rows, or none where all are chosen."""
        keys = {row.key for row in self._rows if not row.heading}
        self.chosen = set() if keys <= self.chosen else keys
        self.refresh()
        self.post_message(self.Moved())

    def choose_none(self) -> None:
        """Choose no row any more: what was to be done to them is done."""
        if self.chosen:
            self.chosen = set()
            self.refresh()
            self.post_message(self.Moved())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move on."""
        event.stop()
        self.action_move(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move back."""
        event.stop()
        self.action_move(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; a second click opens the row, one on the head names a column."""
        if event.y == 0:
            self._click_head(event.x)
            return
        index = self._top + event.y - 1
        if index >= len(self._rows) or self._rows[index].heading:
            return
        self._move_to(index, 1)
        if event.chain > 1:
            self.post_message(self.Opened())

    def _click_head(self, x: int) -> None:
        found = (each for each in self._where() if each.x <= x < each.x + each.width)
        for place in found:
            self.post_message(self.Headed(self.columns[place.column].id))
