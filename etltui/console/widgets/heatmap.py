"""Connections down, days across: a grid of signs that paints only the lines that have changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from etltui.console.cells import Cell, fitted, role_of, text_of
from etltui.console.glyphs import Glyphs
from etltui.console.palette import Palette

WHOLE = -1
"""The place of the cursor on the name of a connection (all its days), or on the head of a day."""
_SAID = 5
_WHEEL = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatRow:
    """A line of the map.

    Attributes:
        signs: A sign and the role of its colour for each day.
        said: At the right, in at most five cells.
    """

    key: str
    signs: tuple[tuple[str, str], ...]
    said: Cell = ""


class HeatMap(Widget, can_focus=True):
    """A grid under a head of days, with a cursor on a cell, a whole line or a whole day.

    Args:
        palette: Colours.
        glyphs: Signs.
    """

    DEFAULT_CSS = "HeatMap { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, show=False, id=f"heat.{name}")
        for name, keys, action in (
            ("up", "up,k", "move(-1,0)"),
            ("down", "down,j", "move(1,0)"),
            ("left", "left,h", "move(0,-1)"),
            ("right", "right,l", "move(0,1)"),
            ("page_up", "pageup,ctrl+b", "page(-1)"),
            ("page_down", "pagedown,ctrl+f", "page(1)"),
            ("first", "home,g", "edge(-1)"),
            ("last", "end,G", "edge(1)"),
        )
    ]

    class Moved(Message, bubble=True):
        """The cursor is on another cell."""

    class Opened(Message, bubble=True):
        """The cell under the cursor was clicked twice."""

    def __init__(self, palette: Palette, glyphs: Glyphs) -> None:
        super().__init__()
        self._palette = palette
        self._glyphs = glyphs
        self._days: tuple[date, ...] = ()
        self._rows: tuple[HeatRow, ...] = ()
        self._legend: tuple[Cell, ...] = ()
        self._line = 0
        self._day = WHOLE
        self._top = 0
        self.empty: Sequence[str] = ()
        """What stands there without lines."""

    @property
    def place(self) -> tuple[str, int] | None:
        """The key of the line and the number of the day; None: there is nothing.

        An empty key stands for all lines, `WHOLE` for all days.
        """
        if not self._rows:
            return None
        return ("" if self._line == WHOLE else self._rows[self._line].key), self._day

    @property
    def position(self) -> str:
        """Which of how many lines the cursor is on, empty where all are in sight."""
        if len(self._rows) <= self._height or self._line == WHOLE:
            return ""
        return f"{self._line + 1}/{len(self._rows)}"

    @property
    def _height(self) -> int:
        """Lines between head and legend."""
        return max(self.size.height - 2, 0)

    @property
    def _name_width(self) -> int:
        """Cells of the names."""
        return max(self.size.width - len(self._days) - _SAID - 3, 1)

    def show(
        self, days: Sequence[date], rows: Sequence[HeatRow], legend: Sequence[Cell] = ()
    ) -> None:
        """Let this be the map; the cursor stays on its connection and its day."""
        before, old_line, old_top = self._rows, self._line, self._top
        key = before[old_line].key if 0 <= old_line < len(before) else ""
        all_new = tuple(days) != self._days or bool(rows) != bool(before)
        all_new |= tuple(legend) != self._legend
        if tuple(days) != self._days:
            first = not self._days
            self._day = len(days) - 1 if first or self._day != WHOLE else WHOLE
        self._days, self._rows, self._legend = tuple(days), tuple(rows), tuple(legend)
        if self._line != WHOLE:
            if key and not (old_line < len(rows) and rows[old_line].key == key):
                found = next((n for n, row in enumerate(self._rows) if row.key == key), None)
                self._line = self._line if found is None else found
            self._line = min(self._line, max(len(self._rows) - 1, 0))
        self._top = self._scrolled()
        if all_new or self._top != old_top:
            self.refresh()
        else:
            self._paint_changes(before, old_line)

    def _paint_changes(self, before: Sequence[HeatRow], old_line: int) -> None:
        regions = []
        for y in range(self._height):
            at = self._top + y
            moved = (at == old_line) is not (at == self._line)
            if moved or before[at : at + 1] != self._rows[at : at + 1]:
                regions.append(Region(0, y + 1, self.size.width, 1))
        if regions:
            self.refresh(*regions)

    def look(self, palette: Palette, glyphs: Glyphs) -> None:
        """Paint with other colours and signs."""
        self._palette, self._glyphs = palette, glyphs
        self.refresh()

    def _scrolled(self) -> int:
        most = max(len(self._rows) - self._height, 0)
        top = min(max(self._top, 0), most)
        if self._line == WHOLE or not self._height:
            return top
        return min(max(top, self._line - self._height + 1), self._line)

    def render_line(self, y: int) -> Strip:
        """The head, a connection, nothing, or the legend."""
        width, styles = self.size.width, self._palette.plain
        if y == 0:
            return self._strip(self._head())
        if y == self.size.height - 1 and self._rows:
            parts = [(text_of(cell), styles[role_of(cell)]) for cell in self._legend]
            return self._strip([(" ", styles[""]), *parts])
        if not self._rows:
            text = self.empty[y - 1] if y - 1 < len(self.empty) else ""
            return self._strip([(fitted(f"  {text}", width), styles["muted"])])
        at = self._top + y - 1
        return self._strip(self._drawn(at) if at < len(self._rows) else [])

    def _strip(self, parts: Sequence[tuple[str, Style]]) -> Strip:
        segments = [Segment(text, style) for text, style in parts if text]
        return Strip(segments).adjust_cell_length(self.size.width, self._palette.plain[""])

    def _head(self) -> list[tuple[str, Style]]:
        """The days: the numbers of the Mondays."""
        head = self._palette.head
        signs = [" "] * len(self._days)
        for n, day in enumerate(self._days):
            begin = n + 1 - len(f"{day.day}")
            if day.weekday() == 0 and begin >= 0:
                signs[begin : n + 1] = list(f"{day.day}")
        parts = [(fitted(" CONNECTION", self._name_width + 2), head)]
        chosen = self._palette.chosen["accent"]
        for n, sign in enumerate(signs):
            lit = n == self._day and self.has_focus
            parts.append((sign, chosen if lit else head))
        parts.append((fitted(" OK", _SAID + 1, "right"), head))
        return parts

    def _drawn(self, at: int) -> list[tuple[str, Style]]:
        row, here = self._rows[at], at == self._line
        plain = self._palette.plain
        lit = here and self.has_focus
        name = fitted(row.key, self._name_width, cut="middle", mark=self._glyphs.ellipsis)
        whole = lit and self._day == WHOLE
        styles = self._palette.chosen if whole else plain
        mark = self._glyphs.shut if here else " "
        parts = [
            (mark, plain["accent"]),
            (name, (self._palette.chosen if lit else plain)[""]),
            (" ", styles[""]),
        ]
        for n, (sign, role) in enumerate(row.signs):
            at_cursor = (lit or (self._line == WHOLE and self.has_focus)) and n == self._day
            parts.append((sign, (self._palette.chosen if at_cursor else styles)[role]))
        said = fitted(text_of(row.said), _SAID, "right")
        parts += [(" ", styles[""]), (said, styles[role_of(row.said)])]
        return _merged(parts)

    def on_resize(self, _: events.Resize) -> None:
        """Keep the cursor in sight."""
        self._top = self._scrolled()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Show it no more."""
        self.refresh()

    def go_to(self, line: int, day: int) -> None:
        """Put the cursor there, or as near as can be."""
        before = (self._line, self._day, self._top)
        self._line = min(max(line, WHOLE), len(self._rows) - 1)
        self._day = min(max(day, WHOLE), len(self._days) - 1)
        if self._line == WHOLE == self._day:
            # The corner would be everything there is.
            self._line, self._day = before[:2]
        self._top = self._scrolled()
        if (self._line, self._day, self._top) != before:
            self.refresh()
            self.post_message(self.Moved())

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor."""
        self.go_to(self._line + down, self._day + right)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a page."""
        self.go_to(max(self._line + direction * max(self._height - 1, 1), 0), self._day)

    def action_edge(self, direction: int) -> None:
        """Move the cursor to the first or the last connection."""
        self.go_to(0 if direction < 0 else len(self._rows) - 1, self._day)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move on."""
        event.stop()
        self.action_move(_WHEEL, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move back."""
        event.stop()
        self.go_to(max(self._line - _WHEEL, 0), self._day)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; a second click opens it."""
        line, day = self._top + event.y - 1, event.x - self._name_width - 2
        if not (event.y < self.size.height - 1 and line < len(self._rows) and self._rows):
            return
        inside = 0 <= day < len(self._days)
        self.go_to(WHOLE if event.y == 0 else line, day if inside else WHOLE)
        if event.chain > 1:
            self.post_message(self.Opened())


def _merged(parts: Sequence[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """Neighbours of one style in one: each costs an escape sequence."""
    found: list[tuple[str, Style]] = []
    for text, style in parts:
        if found and found[-1][1] is style:
            found[-1] = (found[-1][0] + text, style)
        else:
            found.append((text, style))
    return found
