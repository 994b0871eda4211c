"""Text over the whole screen: scrolled, searched, copied, left."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from etltui.console.cells import Cell, Column, Row, Styled, role_of, text_of
from etltui.console.view import Desk
from etltui.console.widgets.line import Line
from etltui.console.widgets.table import Table


class Page(ModalScreen[None]):
    """A page of text.

    Args:
        desk: The console around it.
        title: What it is about.
        lines: Its lines; long ones are folded.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,left", "dismiss", show=False, id="page.leave"),
        Binding("y", "copy", show=False, id="page.copy"),
    ]

    def __init__(self, desk: Desk, title: str, lines: Sequence[Cell]) -> None:
        super().__init__()
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
        yield self._keys

    def on_mount(self) -> None:
        """Fill it."""
        self._status.show([self._title])
        self._keys.show(["esc back  y copy"])
        self._fold()
        self._table.focus()

    def on_resize(self) -> None:
        """Fold anew."""
        self._fold()

    def _fold(self) -> None:
        width = max(self.app.size.width - 3, 20)
        rows = [
            Row(key=f"{number}.{part}", cells=(Styled(text, role_of(line)),))
            for number, line in enumerate(self._lines)
            for part, text in enumerate(folded(text_of(line), width))
        ]
        self._table.show(rows)

    def action_copy(self) -> None:
        """Copy the whole page."""
        self._desk.copy("\n".join(map(text_of, self._lines)))


def folded(text: str, width: int) -> list[str]:
    """A text in lines of a width, broken at blanks where it can be."""
    lines: list[str] = []
    for part in text.split("\n"):
        rest = part
        while len(rest) > width:
            at = rest.rfind(" ", 1, width + 1)
            cut = at if at > width // 2 else width
            lines.append(rest[:cut])
            rest = rest[cut:].lstrip(" ") if at > width // 2 else rest[cut:]
        lines.append(rest)
    return lines
