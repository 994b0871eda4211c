"""Choosing from many things by typing a part of the name."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from etltui.console.cells import Column, Row, Styled
from etltui.console.model.matching import Choice, best
from etltui.console.view import Look
from etltui.console.widgets.line import Line
from etltui.console.widgets.table import Table
from etltui.console.widgets.typed import Typed

COLUMNS = (
    Column(id="text", title="", width=24, flexible=True),
    Column(id="detail", title="", width=30, flexible=True, below=60),
    Column(id="sign", title="", width=10, align="right"),
)


class Chooser(ModalScreen[str]):
    """Asks for one of many; its result is the key of the choice, empty where they left.

    Args:
        look: How things are drawn.
        title: What is chosen.
        choices: What there is, in the order in which it is offered before anything is typed.
        moved: Called with the key under the cursor, whenever it is another one.
    """

    DEFAULT_CSS = """
    Chooser Input { height: 1; border: none; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", show=False, id="chooser.leave"),
        Binding("enter", "take", show=False, priority=True, id="chooser.take"),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True, id="chooser.up"),
        Binding("down,ctrl+n,tab", "move(1)", show=False, priority=True, id="chooser.down"),
        Binding("pageup", "page(-1)", show=False, priority=True, id="chooser.page_up"),
        Binding("pagedown", "page(1)", show=False, priority=True, id="chooser.page_down"),
    ]

    def __init__(
        self,
        look: Look,
        title: str,
        choices: Sequence[Choice],
        moved: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._moved = moved
        self._status = Line(look.palette)
        self._typing = Typed(compact=True)
        self._typing.cursor_blink = False
        self.table = Table(COLUMNS, look.palette, look.glyphs)
        self.table.empty = ("", "Nothing has these letters in its name.")
        self._keys = Line(look.palette)

    def compose(self) -> ComposeResult:
        """Title, what is typed, what fits, keys."""
        yield self._status
        yield self._typing
        yield self.table
        yield self._keys

    def on_mount(self) -> None:
        """Offer everything."""
        self._keys.show(["enter choose  esc back"])
        self.table.can_focus = False
        self._offer("")
        self._typing.focus()

    def _offer(self, typed: str) -> None:
        found = best(typed, self._choices)
        self._status.show([Styled(self._title, "accent")], [f"{len(found)}/{len(self._choices)}"])
        self.table.show(
            [
                Row(
                    key=each.key,
                    cells=(each.text, Styled(each.detail, "muted"), Styled(each.sign, "accent")),
                )
                for each in found
            ]
        )
        self.table.action_edge(-1)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what fits, the nearest under the cursor."""
        event.stop()
        self._offer(event.value)

    def on_table_moved(self) -> None:
        """Tell what is under the cursor."""
        if self._moved is not None and self.table.key:
            self._moved(self.table.key)

    async def on_table_opened(self) -> None:
        """Take what was clicked twice."""
        await self.action_take()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self.table.action_move(step)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a page."""
        self.table.action_page(direction)

    async def action_take(self) -> None:
        """Choose what is under the cursor."""
        if self.table.key:
            await self.action_dismiss(self.table.key)
