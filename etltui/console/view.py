"""What every view is, and what it may ask of the console around it."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from textual.geometry import Region
from textual.widget import Widget

from etltui.config.schema import Config
from etltui.console.bridge import Moment
from etltui.console.cells import Cell
from etltui.console.commands import Choices, Command
from etltui.console.glyphs import Glyphs
from etltui.console.palette import Palette
from etltui.console.reads import Reads
from etltui.domain.job import Job
from etltui.domain.progress import RunView

Severity = Literal["information", "warning", "error"]


class Desk(Protocol):
    """The console as its views see it.

    Attributes:
        moment: What is shown now.
        reads: Answers of the store; nobody waits for them.
        read_only: Whether nothing may be changed from here.
        state: The state folder.
    """

    moment: Moment
    reads: Reads
    look: "Look"
    read_only: bool
    state: Path

    @property
    def config(self) -> Config:
        """What may be run, as the engine has it."""
        ...

    async def order(self, name: str, /, **arguments: Any) -> Any:
        """Call the engine; its result, None where it refused, which the operator was told."""
        ...

    async def attempt(self, name: str, /, **arguments: Any) -> bool:
        """Call the engine for what has no result; whether it did it."""
        ...

    async def inquire(self, name: str, /, **arguments: Any) -> Any:
        """Ask the engine for what changes nothing; None where it refused, which was told."""
        ...

    async def ask(
        self,
        question: str,
        *,
        text: str = "",
        changed: Callable[[str], None] | None = None,
        choices: Choices = (),
    ) -> str | None:
        """What the operator types in one line; None where they left."""
        ...

    async def confirm(self, question: str) -> bool:
        """Whether the operator says yes."""
        ...

    def tell(self, text: str, severity: Severity = "information") -> None:
        """Say something in passing."""
        ...

    def go(self, view: str, argument: str = "") -> None:
        """Show a view, about something of its own; `back` returns here."""
        ...

    def page(self, title: str, lines: Sequence[Cell]) -> "Text":
        """Show text over the whole screen, to be scrolled, searched, copied and left."""
        ...

    async def choose(self, title: str, lines: Sequence[Cell], answers: Mapping[str, str]) -> str:
        """Show text over the whole screen until one of some keys answers it; empty for leaving.

        Args:
            title: What is asked.
            lines: What there is to read before.
            answers: From each key to what it does, in a word or two.
        """
        ...

    async def reread(self, console: Collection[str] = ()) -> None:
        """Work with the configuration as its files are now, after a change that they keep.

        Args:
            console: Settings of the console itself to take over, too, such as `theme`; the others
                stay as they were said when it was opened.
        """
        ...

    def later(self, what: str, action: Callable[[], Awaitable[object]]) -> None:
        """Do something in ten seconds unless the operator undoes it."""
        ...

    def redraw(self) -> None:
        """Have the view in sight paint what has changed, and the lines around it."""
        ...

    def copy(self, text: str) -> None:
        """Put text into the clipboard of the operator's terminal."""
        ...

    def title_of(self, job: str) -> str:
        """What a job is called on the screen."""
        ...

    def contact_of(self, connection: str) -> str:
        """Whom to call about a connection, empty where nobody is named."""
        ...


class Text(Protocol):
    """Text over the whole screen."""

    @property
    def is_attached(self) -> bool:
        """Whether the operator has not left it."""
        ...

    def show(self, lines: Sequence[Cell]) -> None:
        """Let these be the lines from now on."""
        ...


class Look(Protocol):
    """How things are drawn now."""

    palette: Palette
    glyphs: Glyphs
    timezone: str


class View(Widget):
    """A view: fills the screen between status line and footer.

    Only the one in sight is told of moments; it keeps its state while another is.

    Args:
        desk: The console around it.
    """

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    COMMANDS: ClassVar[tuple[Command, ...]] = ()
    DEFAULT_CSS = "View { height: 1fr; width: 1fr; }"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.argument = ""

    def enter(self, argument: str) -> None:
        """Come into sight, about something; empty for what it showed before."""
        if argument:
            self.argument = argument

    @abstractmethod
    def show(self, moment: Moment) -> None:
        """Show this moment; called again with the same one when something else has changed."""

    @abstractmethod
    def restyle(self) -> None:
        """Paint with the colours and signs of `desk.look`."""

    def status(self, moment: Moment) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """What the status line says at the left, behind the title, and at the right."""
        del moment
        return (), ()

    def hint(self) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """The line above the footer: what the row under the cursor means, and what to try.

        The second half, such as whom to call, stands at the right and wins where both do not fit.
        """
        return (), ()

    def taken_back(self) -> bool:
        """Take back what narrows the view; whether something did. If not, `back` leaves it."""
        return False

    def crumbs(self) -> Sequence[str]:
        """Where the operator is, from the outside in."""
        return (self.TITLE,)

    def shows(self, run: RunView) -> bool:
        """Whether it shows by itself how far a run is: the floating panel leaves that one out."""
        del run
        return False

    def free(self) -> Region:
        """The part of the screen that the floating panel may cover."""
        return self.region

    def enabled(self, command: Command) -> bool:
        """Whether a command makes sense for what is under the cursor now."""
        del command
        return True

    def focus_default(self) -> None:
        """Give the keyboard to the part of the view that takes it first."""
        for widget in self.query("*"):
            if widget.focusable:
                self.screen.set_focus(widget)
                return

    def on_resize(self) -> None:
        """Fill the new size, of which it is told once everything has its place.

        A view that lays itself out anew has an `on_resize` of its own, which comes before this.
        """
        self.desk.redraw()

    def action_command(self, command: str) -> None:
        """Do a command of this view."""
        self.app.perform(command, self)  # type: ignore[attr-defined]  # the console's own app


def job_of(desk: Desk, name: str) -> Job | None:
    """A job by its name, None where the configuration has it no more."""
    return desk.config.jobs.get(name)
