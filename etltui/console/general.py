"""What the console itself can do, whatever view is in sight."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from textual.screen import Screen

from etltui.config.schema import Config
from etltui.console.anywhere import COMMANDS
from etltui.console.base import Left
from etltui.console.cells import text_of
from etltui.console.commands import Command, nearest_word, parsed
from etltui.console.desk import AppDesk
from etltui.console.look import CurrentLook
from etltui.console.model.acted import MOST, action_lines
from etltui.console.model.completing import next_words
from etltui.console.model.helping import HANG, help_lines
from etltui.console.model.keymap import Bound
from etltui.console.model.matching import Choice
from etltui.console.new_file import as_csv, why_not_written, write_new
from etltui.console.offers import offers, sources_of
from etltui.console.options import Options
from etltui.console.orders import Doer
from etltui.console.picture import of_screen
from etltui.console.prompt import Prompt
from etltui.console.registry import BY_NAME, ENTRIES
from etltui.console.remembered import remember, remembered
from etltui.console.screens.chooser import Chooser
from etltui.console.screens.page import Page
from etltui.console.view import View
from etltui.console.widgets.panel import Panel
from etltui.console.widgets.table import Table

T = TypeVar("T")


def _unknown(word: str, known: Mapping[str, Command]) -> str:
    """What to say to a word that the view in sight does not know: another may."""
    words = [*BY_NAME, *known]
    for entry in ENTRIES:
        found = [each.word for each in entry.load().COMMANDS]
        if word in found:
            key = "," if entry.digit == "comma" else entry.digit
            return f"{word} is a command of the view {entry.name}: {key} shows it"
        words += found
    near = nearest_word(word, words)
    hint = f"; did you mean {near}?" if near else ""
    return f"there is no command {word!r}{hint}"


class Whole(Protocol):
    """The app, as its own commands need it."""

    desk: AppDesk
    look: CurrentLook
    options: Options
    only_shown: bool

    @property
    def panel(self) -> Panel:
        """What floats over the views."""
        ...

    @property
    def prompt(self) -> Prompt:
        """Where the operator types."""
        ...

    @property
    def view(self) -> View | None:
        """The view in sight."""
        ...

    @property
    def config(self) -> Config:
        """What the engine works with."""
        ...

    @property
    def screen(self) -> Screen[object]:
        """What is shown."""
        ...

    def go(self, view: str, argument: str = "", *, back: bool = False) -> None:
        """Show a view."""
        ...

    def back(self) -> bool:
        """Show the view before."""
        ...

    def perform(self, name: str, doer: Doer, text: str = "") -> None:
        """Do a command."""
        ...

    def restyle(self) -> None:
        """Paint with other colours."""
        ...

    def redraw(self) -> None:
        """Paint what has changed."""
        ...

    def exit(self, result: Left | None = None) -> None:
        """End the screen."""
        ...

    def push_screen_wait(self, screen: Screen[T]) -> Awaitable[T]:
        """Lay a screen over the views until it has a result."""
        ...

    def export_screenshot(self, *, title: str | None = None) -> str:
        """The screen as SVG."""
        ...


class General:
    """Does the console's own commands.

    Args:
        app: The console.
    """

    def __init__(self, app: Whole) -> None:
        self._app = app
        self._recalling: asyncio.Task[None] | None = None

    def enabled(self, command: Command) -> bool:
        """Whether the command makes sense now."""
        del command
        return True

    def _commands(self) -> Mapping[str, Command]:
        """By word; a view's own stand before those of the console."""
        view = self._app.view
        return {each.word: each for each in (*COMMANDS, *(view.COMMANDS if view else ()))}

    async def do_line(self, text: str = "") -> None:
        """Ask for a command and do it."""
        known = self._commands()
        typed = text or await self._typed(known)
        if not typed or not typed.strip():
            return
        await self._call(*parsed(typed), known)
        if not text:
            await asyncio.to_thread(remember, self._app.desk.state, typed.strip())

    async def _call(self, word: str, rest: str, known: Mapping[str, Command]) -> None:
        """Do what a word of the `:` line says."""
        if word == "run" and rest in self._app.config.jobs:
            self._do("app.start", rest)
        elif word in BY_NAME:
            self._app.go(word, rest)
        elif word in known:
            self._do(known[word].id, rest)
        else:
            # Views that were not shown yet are loaded for it.
            self._app.desk.tell(await asyncio.to_thread(_unknown, word, known), "error")

    async def _typed(self, known: Mapping[str, Command]) -> str | None:
        app = self._app
        if self._recalling is None:
            # Meanwhile it is typed: nobody who types waits for a disk.
            self._recalling = asyncio.create_task(self._recall(), name="recall")
        sources = sources_of(app.desk, app.view, sorted(app.look.themes))

        def words(head: str) -> Sequence[str]:
            return next_words(head, list(BY_NAME), known, sources)

        return await app.desk.ask(":", choices=words)

    async def _recall(self) -> None:
        state = self._app.desk.state
        self._app.prompt.remember(":", await asyncio.to_thread(remembered, state))

    def _do(self, name: str, text: str = "") -> None:
        view = self._app.view
        doer: Doer | None = self if name.startswith("app.") else view
        if doer is not None:
            self._app.perform(name, doer, text)

    async def do_help(self, _: str = "") -> None:
        """Show what the keys do."""
        app, view = self._app, self._app.view
        if view is None:
            return
        rows = [Bound(id=name, keys=keys, title=title) for name, keys, title in Table.KEYS]
        views = [
            Bound(id=f"go.{each.name}", keys=each.digit, title=each.name, help=each.help)
            for each in ENTRIES
        ]
        lines = help_lines(
            view.TITLE,
            view.COMMANDS,
            COMMANDS,
            [("Rows", rows), ("Views", views)],
            chosen=app.config.console.keys,
            unicode=app.look.glyphs.dots,
        )
        await app.push_screen_wait(Page(app.desk, f"Help {view.TITLE}", lines, hang=HANG))

    async def do_palette(self, _: str = "") -> None:
        """Find something by a part of its name and do it."""
        view = self._app.view
        choices: list[Choice] = offers(
            self._app.desk,
            [*(view.COMMANDS if view else ()), *COMMANDS],
            unicode=self._app.look.glyphs.dots,
        )
        chosen = await self._app.push_screen_wait(Chooser(self._app.look, "Palette", choices))
        kind, _, what = chosen.partition(" ")
        doing: Mapping[str, Callable[[], None]] = {
            "do": lambda: self._do(what),
            "view": lambda: self._app.go(what),
            "job": lambda: self._do("app.start", what),
            "run": lambda: self._app.go("run", what),
        }
        if kind in doing:
            doing[kind]()

    async def do_start(self, text: str = "") -> None:
        """Run a job now."""
        desk = self._app.desk
        jobs = sorted(self._app.config.jobs)
        wanted = text or await desk.ask("run which job? ", choices=jobs)
        if not wanted:
            return
        if wanted not in jobs:
            near = nearest_word(wanted, jobs)
            hint = f"; did you mean {near}?" if near else ""
            desk.tell(f"there is no job {wanted!r}{hint}", "error")
        elif await desk.order("submit", job=wanted):
            desk.tell(f"{desk.title_of(wanted)} is queued")

    async def do_actions(self, _: str = "") -> None:
        """Show who did what to the engine, and when."""
        desk = self._app.desk
        found = await desk.reads.once("actions", 0.0, MOST)
        if found is not None:
            desk.page("Actions", action_lines(found, desk.look.timezone))

    async def do_back(self, _: str = "") -> None:
        """Take the filter away, or go back to the view before."""
        view = self._app.view
        if view is None or not view.taken_back():
            self._app.back()

    async def do_undo(self, _: str = "") -> None:
        """Keep what was to be deleted."""
        kept = self._app.desk.undoing.undo()
        self._app.desk.tell(f"kept: {kept}" if kept else "there is nothing to undo")

    async def do_panel(self, text: str = "") -> None:
        """Give the panel its next shape, or a named one."""
        if said := self._app.panel.reshape(text):
            self._app.desk.tell(said)
        self._app.redraw()

    async def do_theme(self, text: str = "") -> None:
        """Draw with another theme; it is shown while it is chosen."""
        look, before = self._app.look, self._app.look.theme.name
        names = sorted(look.themes)
        at = names.index(before) + 1

        def preview(name: str) -> None:
            if name in look.themes and name != look.theme.name:
                look.use(name)
                self._app.restyle()
                self._app.redraw()

        wanted = text or await self._app.desk.ask(
            "theme, tab for the next: ", choices=names[at:] + names[:at], changed=preview
        )
        if wanted is not None and wanted in look.themes:
            preview(wanted)
            return
        preview(before)
        if wanted:
            known = ", ".join(names)
            self._app.desk.tell(f"there is no theme {wanted!r}; there are {known}", "error")

    async def do_screenshot(self, text: str = "") -> None:
        """Write the screen into a file."""
        app = self._app
        name = app.view.NAME if app.view else "screen"
        place = Path(text or f"etltui-{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.svg")
        made = of_screen(app, svg=place.suffix.lower() != ".txt")
        await self._write(place, made, "the screen is")

    async def do_export(self, text: str = "") -> None:
        """Write the rows of the view into a file."""
        app = self._app
        tables = list(app.view.query(Table)) if app.view else []
        if not tables:
            app.desk.tell("this view has no rows to write", "warning")
            return
        path = text or await app.desk.ask("write to: ", text=f"{tables[0].id or 'rows'}.csv")
        if not path:
            return
        rows = [row for row in tables[0].rows if not row.heading]
        lines = [[text_of(cell).strip() for cell in row.cells] for row in rows]
        made = as_csv([each.id for each in tables[0].columns], lines)
        await self._write(Path(path), made, f"{len(rows):,} rows are")

    async def _write(self, path: Path, text: str, what: str) -> None:
        try:
            place = await asyncio.to_thread(write_new, path, text)
        except OSError as error:
            self._app.desk.tell(why_not_written(path, error), "error")
        else:
            self._app.desk.tell(f"{what} in {place}")

    async def do_read_only(self, text: str = "") -> None:
        """Change nothing from here any more, or again."""
        app = self._app
        if text not in ("", "on", "off"):
            app.desk.tell("write :read-only on or :read-only off", "error")
            return
        wanted = text != "off"
        if not wanted and app.only_shown:
            app.desk.tell("this console was opened to show only; open another one", "warning")
            return
        app.options = replace(app.options, read_only=wanted)
        app.desk.read_only = wanted
        app.desk.tell("nothing is changed from here now" if wanted else "orders are given again")
        app.redraw()

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
