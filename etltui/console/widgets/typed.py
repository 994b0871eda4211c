"""A line that is typed into, and shows nothing that could steer a terminal."""

from rich.text import Text
from textual.widgets import Input

from etltui.domain.safe_text import signs_of


class Typed(Input):
    """An input that draws a sign for each character that is none to be drawn.

    Names of connections, remembered lines and what is pasted stand there, too.
    """

    @property
    def _value(self) -> Text:
        return Text(signs_of(self.value), no_wrap=True, overflow="ignore", end="")
