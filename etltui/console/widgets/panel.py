"""The floating panel: the runs at work, over whatever view is in sight."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from etltui.console.bridge import Moment
from etltui.console.cells import Cell, Styled
from etltui.console.model.panel import (
    PanelLine,
    Shape,
    badge,
    length,
    panel_box,
    panel_lines,
    panel_runs,
    panel_width,
)
from etltui.console.view import Look, View
from etltui.console.widgets.lines import Lines


class Panel(Lines, can_focus=True):
    """Shows the runs at work but those that the view in sight shows by itself.

    It never covers the line of the cursor, and is away when there is nothing to show.

    Args:
        look: How things are drawn.
        shape: How much of it is there at first.
    """

    DEFAULT_CSS = "Panel { layer: float; position: absolute; display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="panel.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="panel.down"),
        Binding("enter,space,left,right", "fold", "Open", show=False, id="panel.fold"),
        Binding("escape", "leave", "Leave", show=False, id="panel.leave"),
    ]

    class Left(Message, bubble=True):
        """The keyboard goes back to the view."""

    class Changed(Message, bubble=True):
        """It wants to be drawn anew."""

    def __init__(self, look: Look, shape: Shape = Shape.FULL) -> None:
        super().__init__(look.palette, id="panel")
        self.shape = shape
        self.key = "p"
        """The key that gives it another shape, as the operator has it."""
        self._look = look
        self._opened: set[str] = set()
        self._all: list[PanelLine] = []
        self._shown: list[PanelLine] = []
        self._cursor = ""
        self._top = 0

    def follow(self, moment: Moment, view: View, within: Region, cursor: int) -> None:
        """Show how far the runs are, out of the way of the cursor.

        Args:
            moment: What there is to show.
            view: What is in sight.
            within: What of the screen the panel may cover.
            cursor: The line of the screen that it may not cover; -1 for none.
        """
        runs = [run for run in panel_runs(moment) if not view.shows(run)]
        if self.shape is Shape.CLOSED or not runs or within.height < 1:
            self._hide()
            return
        glyphs = self._look.glyphs
        said = badge(runs, glyphs)
        screen = (self.app.size.width, self.app.size.height)
        if self.shape is Shape.BADGE:
            self._all = []
            lines: list[Sequence[Cell]] = [[f" {glyphs.shut} ", *said, " "]]
            width = length(lines[0])
        else:
            width = panel_width(screen[0])
            self._all = panel_lines(
                moment, runs, opened=self._opened, glyphs=glyphs, width=width - 2
            )
            lines = []
        box = panel_box(
            len(self._all) + 1,
            width,
            screen=screen,
            top=within.y + min(1, within.height - 1),
            bottom=within.bottom,
            cursor=cursor,
        )
        if not lines:
            lines = self._window(said, box.height, width)
        self._stand(box.x, box.y, box.width, box.height)
        self.show(lines)

    def _window(self, said: Sequence[Cell], height: int, width: int) -> list[Sequence[Cell]]:
        """The first line, and below it those around the cursor."""
        edge = Styled(f"{self._look.glyphs.upright} ", "muted")
        keys = [each.key for each in self._all]
        if not self._cursor or self._cursor not in keys:
            self._cursor = next((key for key in keys if key), "")
        room = max(height - 1, 0)
        at = keys.index(self._cursor) if self._cursor else 0
        # What the cursor is on is seen with what is inside of it.
        self._top = min(at, max(len(self._all) - room, 0)) if len(self._all) > room else 0
        self._shown = self._all[self._top : self._top + room]
        hidden = len(self._all) - self._top - room
        right: list[Cell] = [Styled("esc" if self.has_focus else self.key, "accent")]
        more = Styled(f"{hidden} more  ", "muted")
        if hidden > 0 and length([edge, *said, " ", more, *right]) <= width:
            right.insert(0, more)
        gap = " " * max(width - length([edge, *said, *right]), 0)
        first = [edge, *said, gap, *right]
        return [first, *([edge, *each.cells] for each in self._shown)]

    def _stand(self, x: int, y: int, width: int, height: int) -> None:
        wanted = (x, y, width, height)
        if not self.display or wanted != self._place:
            self._place = wanted
            self.styles.offset = (x, y)
            self.styles.width, self.styles.height = width, height
            self.display = True

    _place: tuple[int, int, int, int] = (0, 0, 0, 0)

    def _hide(self) -> None:
        if self.display:
            if self.has_focus:
                self.post_message(self.Left())
            self.display = False

    def reshape(self, wanted: str = "") -> str:
        """Take the next shape, or a named one; what to tell the operator of it, if anything."""
        if wanted and wanted not in tuple(Shape):
            return f"the panel can be {', '.join(Shape)}; not {wanted}"
        self.shape = Shape(wanted) if wanted else self.shape.next
        closed = self.shape is Shape.CLOSED
        return f"the panel is closed; {self.key} shows it again" if closed else ""

    def use(self, look: Look) -> None:
        """Draw with the colours and signs of a look."""
        self._look = look
        self.look(look.palette, look.glyphs.ellipsis)

    def styles_of(self, y: int) -> dict[str, Style]:
        """The line of the cursor stands out while the panel has the keyboard."""
        line = self._shown[y - 1] if 1 <= y <= len(self._shown) else None
        chosen = self.has_focus and line is not None and line.key and line.key == self._cursor
        return self.palette.chosen if chosen else self.palette.bar

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()
        self.post_message(self.Changed())

    def on_blur(self) -> None:
        """Show no cursor."""
        self.refresh()
        self.post_message(self.Changed())

    def action_move(self, step: int) -> None:
        """Put the cursor on the next run."""
        keys = [each.key for each in self._all if each.key]
        if self._cursor in keys:
            at = min(max(keys.index(self._cursor) + step, 0), len(keys) - 1)
            self._cursor = keys[at]
            self.refresh()
            self.post_message(self.Changed())

    def action_fold(self) -> None:
        """Show or hide the connections of the run under the cursor."""
        if self._cursor:
            self._opened ^= {self._cursor}
            self.post_message(self.Changed())

    def action_leave(self) -> None:
        """Give the keyboard back."""
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        """Make it small or large by its first line, open a run by its own."""
        event.stop()
        if event.y == 0:
            self.shape = Shape.FULL if self.shape is Shape.BADGE else Shape.BADGE
            self.post_message(self.Left())
        elif event.y <= len(self._shown) and (key := self._shown[event.y - 1].key):
            self._cursor = key
            self._opened ^= {key}
        self.post_message(self.Changed())
