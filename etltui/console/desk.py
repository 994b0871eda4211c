"""What views may ask of the console, done by the app."""

import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from etltui.config.schema import Config
from etltui.console.bridge import Bridge, Moment
from etltui.console.cells import Cell
from etltui.console.clipboard import osc52
from etltui.console.commands import Choices
from etltui.console.look import CurrentLook
from etltui.console.orders import UNDO_S, Undo, agreed, told
from etltui.console.prompt import Prompt
from etltui.console.reads import Reads
from etltui.console.screens.page import Page
from etltui.console.screens.question import Question
from etltui.console.view import Desk, Severity, Text
from etltui.domain.errors import EtltuiError
from etltui.domain.safe_text import safe_text


class Stage(Protocol):
    """The app, as the desk needs it."""

    bridge: Bridge
    config: Config

    @property
    def prompt(self) -> Prompt:
        """Where the operator types."""
        ...

    def go(self, view: str, argument: str = "", *, back: bool = False) -> None:
        """Show a view."""
        ...

    def redraw(self) -> None:
        """Paint what has changed."""
        ...

    def notify(self, message: str, *, severity: Severity, markup: bool) -> None:
        """Say something in passing."""
        ...

    def push_screen(self, screen: Any) -> Any:
        """Lay a screen over the views."""
        ...

    async def push_screen_wait(self, screen: Any) -> Any:
        """Lay a screen over the views; what it is left with."""
        ...

    async def reread(self, console: Collection[str] = ()) -> None:
        """Work with the configuration as its files are now."""
        ...

    def send(self, sequence: str) -> None:
        """Write to the terminal as it is."""
        ...


class AppDesk(Desk):
    """The desk of a console.

    Args:
        stage: The app.
        reads: Answers of the store.
        look: How things are drawn.
        state: The state folder.
        read_only: Whether nothing may be changed.
        wait: Waits so many seconds.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        reads: Reads,
        look: CurrentLook,
        state: Path,
        read_only: bool,
        wait: Callable[[float], Awaitable[object]],
    ) -> None:
        self._stage = stage
        self.reads = reads
        self.look = look
        self.state = state
        self.read_only = read_only
        self.undoing = Undo(wait)

    @property
    def moment(self) -> Moment:  # type: ignore[override]  # there is one before a view is made
        """What is shown now."""
        moment = self._stage.bridge.moment
        if moment is None:
            raise RuntimeError("no view is made before the engine has answered")
        return moment

    @property
    def config(self) -> Config:
        """What may be run."""
        return self._stage.config

    async def order(self, name: str, /, **arguments: Any) -> Any:
        """Call the engine; None where it refused, which the operator was told."""
        try:
            return await self._stage.bridge.link.call(name, **arguments)
        except EtltuiError as error:
            self.tell(told(error), "error")
            return None
        finally:
            self._stage.bridge.hurry()
            self.reads.stale()

    async def attempt(self, name: str, /, **arguments: Any) -> bool:
        """Call the engine for what has no result; whether it did it."""
        try:
            await self._stage.bridge.link.call(name, **arguments)
        except EtltuiError as error:
            self.tell(told(error), "error")
            return False
        finally:
            self._stage.bridge.hurry()
            self.reads.stale()
        return True

    async def inquire(self, name: str, /, **arguments: Any) -> Any:
        """Ask the engine for what changes nothing."""
        try:
            return await self._stage.bridge.link.call(name, **arguments)
        except EtltuiError as error:
            self.tell(told(error), "error")
            return None

    async def ask(
        self,
        question: str,
        *,
        text: str = "",
        changed: Callable[[str], None] | None = None,
        choices: Choices = (),
    ) -> str | None:
        """What the operator types in one line; None where they left."""
        return await self._stage.prompt.ask(question, text=text, changed=changed, choices=choices)

    async def confirm(self, question: str) -> bool:
        """Whether the operator says yes."""
        return agreed(await self.ask(f"{question} y/n, then enter "))

    def tell(self, text: str, severity: Severity = "information") -> None:
        """Say something in passing."""
        # A toast has lines of its own; everything else in it is one line's text.
        safe = "\n".join(map(safe_text, text.split("\n")))
        self._stage.notify(safe, severity=severity, markup=False)

    def go(self, view: str, argument: str = "") -> None:
        """Show a view, about something of its own."""
        self._stage.go(view, argument)

    def page(self, title: str, lines: Sequence[Cell]) -> Text:
        """Show text over the whole screen."""
        page = Page(self, title, lines)
        self._stage.push_screen(page)
        return page

    async def choose(self, title: str, lines: Sequence[Cell], answers: Mapping[str, str]) -> str:
        """Show text over the whole screen until a key answers it; empty where they left."""
        screen = Question(self.look, title, lines, answers)
        key: str | None = await self._stage.push_screen_wait(screen)
        return key or ""

    async def reread(self, console: Collection[str] = ()) -> None:
        """Work with the configuration as its files are now."""
        await self._stage.reread(console)

    def later(self, what: str, action: Callable[[], Awaitable[object]]) -> None:
        """Do something in ten seconds unless the operator undoes it."""
        self.undoing.later(what, action)
        self.tell(f"{what} in {UNDO_S:.0f} s; u keeps it")

    def redraw(self) -> None:
        """Have the view in sight paint what has changed."""
        self._stage.redraw()

    def copy(self, text: str) -> None:
        """Put text into the clipboard of the operator's terminal."""
        sequence, cut = osc52(text, os.environ)
        self._stage.send(sequence)
        lines = len(text.splitlines())
        said = f"{lines:,} lines copied" if lines != 1 else "copied"
        self.tell(f"{said}, cut to what a terminal takes" if cut else said)

    def title_of(self, job: str) -> str:
        """What a job is called on the screen."""
        found = self.config.jobs.get(job)
        return found.title if found else job

    def contact_of(self, connection: str) -> str:
        """Whom to call about a connection."""
        found = (each.contact for each in self.config.connections if each.name == connection)
        return next(found, "")
