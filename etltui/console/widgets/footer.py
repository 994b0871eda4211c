"""The line of keys: read, pressed or clicked."""

from collections.abc import Iterable, Mapping

from textual import events
from textual.message import Message

from etltui.console.commands import Command
from etltui.console.frame import footer, key_at, shown_keys
from etltui.console.widgets.line import Line


class Footer(Line):
    """Shows keys; a click does what the key does."""

    class Clicked(Message, bubble=True):
        """A command was clicked.

        Args:
            command: Its id.
        """

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command

    _shown: tuple[tuple[str, Command], ...] = ()

    def show_keys(
        self, commands: Iterable[Command], *, keys: Mapping[str, str], unicode: bool, width: int
    ) -> None:
        """Let these commands stand there, as many as there is room for."""
        found = tuple(commands)
        self._shown = tuple(shown_keys(found, keys=keys, unicode=unicode, width=width))
        self.show(footer(found, keys=keys, unicode=unicode, width=width))

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        event.stop()
        command = key_at(self._shown, event.x - 1)
        if command is not None:
            self.post_message(self.Clicked(command.id))
