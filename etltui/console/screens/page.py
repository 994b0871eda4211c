"""Text over the whole screen: scrolled, searched, copied, left."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from etltui.console.cells import Cell, Column, Row, Styled, folded, role_of, text_of
from etltui.console.registry import ENTRIES
from etltui.console.view import Desk
from etltui.console.widgets.line import Line
from etltui.console.widgets.table import Table
from etltui.console.widgets.typed import Typed


class Page(ModalScreen[None]):
    """A page of text.

    Args:
        desk: The console around it.
        title: What it is about.
        lines: Its lines; long ones are folded.
        hang: How far the folded rest of a line is moved in.
    """

    DEFAULT_CSS = """
    Page Input { height: 1; border: none; padding: 0 1; background: $surface; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,left", "dismiss", show=False, id="page.leave"),
        Binding("y", "copy", show=False, id="page.copy"),
        Binding("slash", "search", show=False, id="page.search"),
        Binding("n", "next(1)", show=False, id="page.next"),
        Binding("N", "next(-1)", show=False, id="page.previous"),
        *(
            Binding(entry.digit, f"go('{entry.name}')", show=False, id=f"go.{entry.name}")
            for entry in ENTRIES
        ),
    ]

    def __init__(self, desk: Desk, title: str, lines: Sequence[Cell], hang: int = 0) -> None:
        super().__init__()
        self._hang = hang
        self._wanted = ""
        self._typing = Typed(compact=True, placeholder="search")
        self._typing.cursor_blink = False
        self._desk = desk
        self._title = title
        self._lines = lines
        look = desk.look
        self._status = Line(look.palette)
        self._table = Table(
            (Column(id="text", title="", width=20, flexible=True),), look.palette, look.glyphs
        )
        self._keys = Line(look.palette)

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        yield self._status
        yield self._table
        yield self._typing
        yield self._keys

    def on_mount(self) -> None:
        """Fill it."""
        self._status.show([self._title])
        self._keys.show(["esc back  / search  n next  y copy"])
        self._fold()
        self._table.focus()

    def on_resize(self) -> None:
        """Fold anew."""
        self._fold()

    def show(self, lines: Sequence[Cell]) -> None:
        """Let these be the lines from now on."""
        if self._lines != lines:
            self._lines = lines
            self._fold()

    def _fold(self) -> None:
        width = max(self.app.size.width - 3, 20)
        rows = [
            Row(key=f"{number}.{part}", cells=(Styled(text, role_of(line)),))
            for number, line in enumerate(self._lines)
            for part, text in enumerate(folded(text_of(line), width, self._hang))
        ]
        self._table.show(rows)

    def on_key(self, event: events.Key) -> None:
        """Leave the line that is typed into, not the page."""
        if event.key == "escape" and self._typing.has_focus:
            event.stop()
            event.prevent_default()
            self._search("")

    def action_go(self, view: str) -> None:
        """Leave it for a view."""
        _ = self.dismiss()
        self._desk.go(view)

    def action_search(self) -> None:
        """Ask what to look for."""
        self._typing.display = True
        self._typing.value = ""
        self._typing.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look for it."""
        event.stop()
        self._search(event.value)

    def _search(self, wanted: str) -> None:
        self._typing.display = False
        self._table.focus()
        if wanted:
            self._wanted = wanted
            self.action_next(1)

    def action_next(self, step: int) -> None:
        """Put the cursor on the next line that holds what was looked for."""
        rows = self._table.rows
        at = next((n for n, row in enumerate(rows) if row.key == self._table.key), 0)
        found = found_at([text_of(row.cells[0]) for row in rows], self._wanted, at, step)
        if found >= 0 and self._wanted:
            self._table.go_to(rows[found].key)
            self._status.show([self._title], [f"/{self._wanted}"])
        elif self._wanted:
            self._status.show([self._title], [Styled(f"/{self._wanted}: not here", "warn")])

    def action_copy(self) -> None:
        """Copy the whole page."""
        self._desk.copy("\n".join(map(text_of, self._lines)))


def found_at(lines: Sequence[str], wanted: str, at: int, step: int) -> int:
    """The next line that holds a text, from one on in a direction and round; -1 for none."""
    count = len(lines)
    order = ((at + step * n) % count for n in range(1, count + 1))
    return next((n for n in order if wanted.lower() in lines[n].lower()), -1)
