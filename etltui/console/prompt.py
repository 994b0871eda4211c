"""The line where the operator types: filters, `:` commands, answers, yes or no."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from etltui.console.commands import Choices, completed
from etltui.console.palette import Palette
from etltui.console.widgets.line import Line
from etltui.console.widgets.typed import Typed
from etltui.domain.safe_text import safe_text

REMEMBERED = 100
"""Lines of each kind of question that up and down give back."""
_AT_ONCE = {
    key.strip(): each.action
    for each in Input.BINDINGS
    if isinstance(each, Binding)
    for key in each.key.split(",")
}
"""From the keys that edit a line, and end it, to what they do."""


class Typing(Typed):
    """The part that is typed into."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False, id="prompt.leave"),
        Binding("tab", "complete", show=False, id="prompt.complete"),
        Binding("up", "older(1)", show=False, id="prompt.older"),
        Binding("down", "older(-1)", show=False, id="prompt.newer"),
    ]

    async def on_key(self, event: events.Key) -> None:
        """Do what a key of the line itself does at once.

        Otherwise letters that come with it, of a quick hand or on a slow link, overtake it: enter
        would answer with what was typed for the next question.
        """
        action = _AT_ONCE.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)

    def action_leave(self) -> None:
        """Leave without an answer."""
        self._prompt.answer(None)

    def action_complete(self) -> None:
        """Write the rest of the word, or the next word that fits."""
        self._prompt.complete()

    def action_older(self, step: int) -> None:
        """Take back what was typed before."""
        self._prompt.older(step)

    @property
    def _prompt(self) -> "Prompt":
        prompt = self.parent
        assert isinstance(prompt, Prompt)  # noqa: S101 - it is made nowhere else
        return prompt


class Prompt(Horizontal):
    """Asks one question at a time.

    Args:
        palette: Colours.
    """

    DEFAULT_CSS = """
    Prompt { height: 1; display: none; }
    Prompt Line { width: auto; }
    Prompt Typing { height: 1; border: none; padding: 0; width: 1fr; background: $surface; }
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._label = Line(palette)
        self._typing = Typing(compact=True, select_on_focus=False)
        self._typing.cursor_blink = False
        self._answer: asyncio.Future[str | None] | None = None
        self._changed: Callable[[str], None] | None = None
        self._choices: Choices = ()
        self._offered: list[str] = []
        self._past: dict[str, list[str]] = {}
        self._question = ""
        self._back = 0
        self._before: Widget | None = None
        self._has_keyboard = False

    def compose(self) -> ComposeResult:
        """The question and the place for the answer."""
        yield self._label
        yield self._typing

    @property
    def open(self) -> bool:
        """Whether it asks something now."""
        return self._answer is not None

    def look(self, palette: Palette) -> None:
        """Paint with other colours."""
        self._label.look(palette)

    async def ask(
        self,
        question: str,
        *,
        text: str = "",
        changed: Callable[[str], None] | None = None,
        choices: Choices = (),
    ) -> str | None:
        """What is typed; None where the operator leaves. A question that is open is left."""
        self._has_keyboard = self.open
        self.answer(None)
        if self.screen.focused is not self._typing:
            self._before = self.screen.focused
        self._question, self._changed, self._choices = question, changed, choices
        self._offered, self._back = [], 0
        self._label.styles.width = len(safe_text(question)) + 2
        self._label.show([question])
        with self._typing.prevent(Input.Changed):
            self._typing.value = text
        self._typing.cursor_position = len(text)
        self.display = True
        # At once: what is typed next belongs here.
        self.screen.set_focus(self._typing)
        mine = self._answer = asyncio.get_running_loop().create_future()
        try:
            answered: str | None = await mine
            return answered
        finally:
            if self._answer is mine:
                self._answer = None
                self.display = False
                if self._before is not None and self._before.is_attached:
                    # At once: later it would take the keyboard from the question that follows.
                    self.screen.set_focus(self._before)

    def answer(self, text: str | None) -> None:
        """End the question with an answer."""
        if self._answer is not None and not self._answer.done():
            if text:
                past = self._past.setdefault(self._question, [])
                past[:] = [*(each for each in past if each != text), text][-REMEMBERED:]
            self._answer.set_result(text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the answer."""
        event.stop()
        self.answer(event.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell what has been typed so far."""
        event.stop()
        if event.value not in self._offered:
            self._offered = []
        if self._changed is not None and self.open:
            self._changed(event.value)

    def on_descendant_blur(self, _: events.DescendantBlur) -> None:
        """Leave when the keyboard goes elsewhere, by a click."""
        # What the question before has lost is told late: this one has not had it yet.
        if self._has_keyboard:
            self.answer(None)

    def on_descendant_focus(self, _: events.DescendantFocus) -> None:
        """From now on the keyboard can be lost."""
        self._has_keyboard = True

    def complete(self) -> None:
        """Write the rest of the last word, or the next one that fits."""
        head, space, word = self._typing.value.rpartition(" ")
        choices = self._choices(head) if callable(self._choices) else self._choices
        if not choices:
            return
        if word in self._offered:
            words = self._offered
            found = words[(words.index(word) + 1) % len(words)]
        else:
            words = completed(word, choices)
            found = words[0] if words else ""
        if found:
            self._offered = words
            with self._typing.prevent(Input.Changed):
                self._typing.value = f"{head}{space}{found}"
            self._typing.cursor_position = len(self._typing.value)
            if self._changed is not None:
                self._changed(self._typing.value)

    def remember(self, question: str, lines: Sequence[str]) -> None:
        """Have up and down give back what was answered to a question in former sessions."""
        self._past.setdefault(question, [])[:0] = lines[-REMEMBERED:]

    def forget(self) -> None:
        """Give back nothing of what was answered to the last question: it may be a secret."""
        self._past.pop(self._question, None)

    def older(self, step: int) -> None:
        """Write what was answered before."""
        past = self._past.get(self._question, [])
        self._back = min(max(self._back + step, 0), len(past))
        text = past[-self._back] if self._back else ""
        self._typing.value = text
        self._typing.cursor_position = len(text)
