"""A question with something to read: answered by a key, or left."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from etltui.console.cells import Cell, Column, Row, Styled, folded, role_of, text_of
from etltui.console.frame import key_name
from etltui.console.view import Look
from etltui.console.widgets.line import Line
from etltui.console.widgets.table import Table


class Question(ModalScreen[str]):
    """Asks for a key; its result is that key, empty where the operator left.

    Args:
        look: How things are drawn.
        title: What is asked.
        lines: What there is to read before; long ones are folded.
        answers: From each key to what it does, in a word or two.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace,left", "dismiss('')", show=False, id="question.leave"),
    ]

    def __init__(
        self, look: Look, title: str, lines: Sequence[Cell], answers: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._answers = answers
        self._unicode = look.glyphs.dots
        self._status = Line(look.palette)
        column = Column(id="text", title="", width=20, flexible=True)
        self._table = Table((column,), look.palette, look.glyphs)
        self._keys = Line(look.palette)

    def compose(self) -> ComposeResult:
        """Question, text, keys."""
        yield self._status
        yield self._table
        yield self._keys

    def on_mount(self) -> None:
        """Fill it."""
        self._status.show([Styled(self._title, "accent")])
        keys: list[Cell] = []
        for key, title in {**self._answers, "escape": "leave"}.items():
            keys += [Styled(key_name(key, unicode=self._unicode), "accent"), f" {title}  "]
        self._keys.show(keys)
        self._fold()
        self._table.focus()

    def on_resize(self) -> None:
        """Fold anew."""
        self._fold()

    def _fold(self) -> None:
        width = max(self.app.size.width - 3, 20)
        self._table.show(
            [
                Row(key=f"{number}.{part}", cells=(Styled(text, role_of(line)),))
                for number, line in enumerate(self._lines)
                for part, text in enumerate(folded(text_of(line), width))
            ]
        )

    def on_key(self, event: events.Key) -> None:
        """Answer."""
        if event.key in self._answers:
            event.stop()
            _ = self.dismiss(event.key)
