"""The views that have been shown, and the way back from one to the other."""

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import AwaitMount

from etltui.console.registry import BY_NAME
from etltui.console.view import Desk, View


class Gallery(Container):
    """One view at a time; the others keep their state and paint nothing.

    Args:
        desk: The console around them.
    """

    DEFAULT_CSS = """
    Gallery { height: 1fr; }
    Gallery > * { display: none; }
    Gallery > .current { display: block; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._made: dict[str, View] = {}
        self._trail: list[tuple[str, str]] = []
        self.view: View | None = None
        self._mounting: AwaitMount | None = None

    def compose(self) -> ComposeResult:
        """Nothing until a view is asked for."""
        yield from ()

    def show(self, name: str, argument: str, *, back: bool = False) -> View:
        """Put a view into sight, about something of its own; loaded when it is first shown.

        Args:
            name: Of the view.
            argument: What it is about; empty for what it showed before.
            back: Whether this is the way back, which is not remembered.
        """
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = BY_NAME[name].load()(self._desk)
            self._mounting = self.mount(made)
        if self.view is not None and self.view is not made:
            self.view.remove_class("current")
            if not back:
                self._trail.append((self.view.NAME, self.view.argument))
        made.add_class("current")
        self.view = made
        made.enter(argument)
        return made

    async def mounted(self) -> None:
        """Wait until the view that was shown last can have the keyboard."""
        if self._mounting is not None:
            await self._mounting

    def before(self) -> tuple[str, str] | None:
        """The view and argument to go back to, taken off the way; None at its beginning."""
        return self._trail.pop() if self._trail else None

    def restyle(self) -> None:
        """Let all views paint with the colours and signs of the desk."""
        for view in self._made.values():
            view.restyle()
