"""What the console itself can do, whatever view is in sight."""

from typing import Any, Protocol

from etltui.console.base import Left
from etltui.console.commands import Command, nearest_word, parsed
from etltui.console.registry import BY_NAME
from etltui.console.view import View

COMMANDS = (
    Command(id="app.line", keys="colon", title="command", help="Type a command; tab completes it."),
    Command(id="app.help", keys="question_mark", title="help", help="Keys and what they do."),
    Command(
        id="app.palette",
        keys="ctrl+p",
        title="palette",
        help="Find a command, a view or a job by a part of its name.",
        footer=False,
    ),
    Command(
        id="app.back",
        keys="escape,backspace",
        title="back",
        help="Back to the view before.",
        footer=False,
    ),
    Command(
        id="app.undo",
        keys="u",
        title="undo",
        help="Keep what was to be deleted.",
        footer=False,
    ),
    Command(
        id="app.theme",
        keys="",
        title="theme",
        help="Draw with another theme.",
        takes="THEME",
        footer=False,
    ),
    Command(
        id="app.screenshot",
        keys="ctrl+s",
        title="screenshot",
        help="Write the screen into an .svg or .txt file.",
        takes="FILE",
        footer=False,
    ),
    Command(
        id="app.detach",
        keys="d",
        title="detach",
        help="Leave the screen; the engine goes on, and etltui attaches again.",
        footer=False,
    ),
    Command(
        id="app.quit",
        keys="q,ctrl+q",
        title="quit",
        help="End the console; asks first where runs are at work.",
        footer=False,
    ),
)


class Whole(Protocol):
    """The app, as its own commands need it."""

    desk: Any
    view: View | None


class General:
    """Does the console's own commands.

    Args:
        app: The console.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def enabled(self, command: Command) -> bool:
        """Whether the command makes sense now."""
        del command
        return True

    async def do_line(self, text: str = "") -> None:
        """Ask for a command and do it."""
        view: View | None = self._app.view
        known = {each.word: each for each in (*COMMANDS, *(view.COMMANDS if view else ()))}
        words = [*BY_NAME, *known]
        typed = text or await self._app.desk.ask(":", choices=words)
        if not typed:
            return
        word, rest = parsed(typed)
        if word in BY_NAME:
            self._app.go(word, rest)
        elif word in known:
            command = known[word]
            doer = self if command.id.startswith("app.") else view
            self._app.perform(command.id, doer, rest)
        else:
            near = nearest_word(word, words)
            hint = f"; did you mean {near}?" if near else ""
            self._app.desk.tell(f"there is no command {word!r}{hint}", "error")

    async def do_back(self, _: str = "") -> None:
        """Back to the view before."""
        self._app.back()

    async def do_undo(self, _: str = "") -> None:
        """Keep what was to be deleted."""
        kept = self._app.desk.undoing.undo()
        self._app.desk.tell(f"kept: {kept}" if kept else "there is nothing to undo")

    async def do_theme(self, text: str = "") -> None:
        """Draw with another theme."""
        look = self._app.look
        wanted = text or await self._app.desk.ask("theme: ", choices=sorted(look.themes))
        if not wanted:
            return
        if wanted not in look.themes:
            known = ", ".join(sorted(look.themes))
            self._app.desk.tell(f"there is no theme {wanted!r}; there are {known}", "error")
            return
        look.use(wanted)
        self._app.restyle()
        self._app.redraw()

    async def do_quit(self, _: str = "") -> None:
        """End the console."""
        at_work = self._app.desk.moment.at_work
        if at_work and self._app.options.embedded:
            question = (
                f"{len(at_work)} at work will be stopped and can be resumed. Quit? (d detaches)"
            )
            if not await self._app.desk.confirm(question):
                return
        self._app.exit(Left.QUIT)

    async def do_detach(self, _: str = "") -> None:
        """Leave the screen; the engine goes on."""
        self._app.exit(Left.DETACH)
