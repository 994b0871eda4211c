"""The console: one view at a time between a status line and a footer, painted at its own pace."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.dom import DOMNode

from etltui.config.reading import Reading
from etltui.config.schema import Config
from etltui.console.after_crash import after_crash
from etltui.console.anywhere import COMMANDS
from etltui.console.base import ScreenApp
from etltui.console.bridge import Bridge, Link, Moment
from etltui.console.cells import Cell, Styled
from etltui.console.commands import Command, bindings
from etltui.console.desk import AppDesk
from etltui.console.frame import gauges, key_name
from etltui.console.general import General
from etltui.console.key_check import key_mistakes
from etltui.console.look import CurrentLook
from etltui.console.model.panel import Shape, fading
from etltui.console.model.toasts import Toasts
from etltui.console.options import Options
from etltui.console.orders import Doer, done, told, why_not
from etltui.console.palette import screen_theme
from etltui.console.prompt import Prompt
from etltui.console.rate import next_interval
from etltui.console.reads import Reads
from etltui.console.registry import BY_NAME, ENTRIES
from etltui.console.theme_watch import ThemeWatch
from etltui.console.view import View
from etltui.console.widgets.footer import Footer
from etltui.console.widgets.line import Line
from etltui.console.widgets.panel import Panel
from etltui.console.widgets.table import Table
from etltui.domain.errors import ConfigError, EtltuiError
from etltui.domain.events import Event, RunFinished, RunQueued, RunStarted
from etltui.domain.ports import History

__all__ = ["ConsoleApp", "Options"]

WIDE = 100
"""Columns from which a view may stand beside its details."""


class ConsoleApp(ScreenApp):
    """Shows an engine and takes orders for it.

    Args:
        link: The engine.
        history: Its store, for reading.
        config: What the engine works with.
        look: How things are drawn.
        state: The state folder.
        options: How it was opened.
        wait: Waits so many seconds; tests turn the clock.
    """

    CSS = """
    Screen { background: $background; color: $foreground; layers: base float; }
    #views { height: 1fr; }
    #views > * { display: none; }
    #views > .current { display: block; }
    ToastRack { dock: top; align: right top; margin-top: 1; margin-bottom: 0; }
    Toast { padding: 0 1; margin-top: 0; width: auto; max-width: 60; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(COMMANDS),
        *(
            Binding(entry.digit, f"go('{entry.name}')", show=False, id=f"go.{entry.name}")
            for entry in ENTRIES
        ),
    ]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    INLINE_PADDING = 0

    def __init__(  # noqa: PLR0913 - what a console is made of
        self,
        link: Link,
        history: History,
        config: Config,
        *,
        look: CurrentLook,
        state: Path,
        options: Options,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.look = look
        super().__init__(look.terminal)
        self.config = config
        self.options = options
        self.only_shown = options.read_only
        self.bridge = Bridge(link, self.told)
        self._reading = Reading(config, os.environ)
        self._wait = wait
        self._reads = Reads(history, self.redraw, self._unread)
        self.desk = AppDesk(
            self,
            reads=self._reads,
            look=self.look,
            state=state,
            read_only=options.read_only,
            wait=wait,
        )
        self.general = General(self)
        self._theme_watch = ThemeWatch(look.folders, self._themes_changed, wait)
        self.prompt = Prompt(self.look.palette)
        self._status = Line(self.look.palette, id="status")
        self._hint = Line(self.look.palette, bar=False, id="hint")
        self._footer = Footer(self.look.palette, id="footer")
        self._place = Container(id="views")
        self.panel = Panel(self.look, _shape(config))
        self._toasts = Toasts()
        self._spoken_of: Moment | None = None
        self._views: dict[str, View] = {}
        self._trail: list[tuple[str, str]] = []
        self.view: View | None = None
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        """Status line, view, hint, prompt, footer."""
        yield self._status
        yield self._place
        yield self._hint
        yield self.prompt
        yield self._footer
        yield self.panel

    async def on_mount(self) -> None:
        """Look at the engine and begin to paint."""
        self.restyle()
        self.set_keymap(dict(self.config.console.keys))
        await self.bridge.open()
        self.run_worker(self.bridge.listen(), name="listen")
        self.go(
            self.options.start if self.options.start in BY_NAME else "monitor",
            self.options.argument,
        )
        self.run_worker(self._paint(), name="paint")
        self.run_worker(self._theme_watch.watch(), name="themes")
        self.run_worker(self._check_keys(), name="keys")
        self.run_worker(after_crash(self.desk, self.push_screen), name="after crash")

    async def _paint(self) -> None:
        """Show moments for as long as the console runs."""
        moment = self.desk.moment
        while True:
            started = time.monotonic()
            moment = await self.bridge.next(busy=bool(moment.at_work) or fading(moment))
            while self.waiting_bytes:
                # The terminal is still busy with the last picture: a new one would only wait.
                await self._wait(0.02)
            self.redraw()
            base = 1 / self.config.console.rate_hz
            pause = next_interval(base, self.drained_s)
            await self._wait(max(pause - (time.monotonic() - started), 0.01))

    def _unread(self, error: EtltuiError) -> None:
        self.desk.tell(told(error), "error")

    def told(self, event: Event) -> None:
        """Take an event in that is more than progress."""
        if isinstance(event, RunQueued | RunStarted | RunFinished):
            self._reads.stale()

    def redraw(self) -> None:
        """Let the view in sight and the lines around it show how things are."""
        view = self.view
        if view is None or not view.is_mounted or self._exit:
            return
        moment = self.desk.moment
        view.show(moment)
        self._around(view, moment)
        self._float(view, moment)
        self._speak(moment)

    def _float(self, view: View, moment: Moment) -> None:
        """Lay the panel over the view, off the line of the cursor."""
        tables = list(view.query(Table))
        table = next((each for each in tables if each.has_focus), next(iter(tables), None))
        cursor = table.cursor_line if table is not None else -1
        self.panel.key = key_name(self.config.console.keys.get("app.panel", "p"))
        self.panel.follow(moment, view, view.free(), cursor)

    def _speak(self, moment: Moment) -> None:
        """Say in passing what has become of runs."""
        if moment is not self._spoken_of:
            self._spoken_of = moment
            for toast in self._toasts.take(moment, all_of_it=self.config.console.toasts):
                self.desk.tell(toast.text, toast.severity)

    def on_table_moved(self) -> None:
        """Let the panel make way."""
        if self.view is not None and self.view.is_mounted:
            self._float(self.view, self.desk.moment)

    def on_panel_changed(self) -> None:
        """Draw the panel anew."""
        self.on_table_moved()

    def on_panel_left(self) -> None:
        """Give the keyboard back to the view."""
        if self.view is not None:
            self.view.focus_default()

    def _around(self, view: View, moment: Moment) -> None:
        crumbs = f" {self.look.glyphs.crumb} ".join(view.crumbs())
        left, right = view.status(moment)
        facts = [*right, *(["  "] if right else []), *gauges(moment)]
        if moment.gone:
            facts = [Styled("the engine has ended", "bad")]
        title: Cell = Styled(crumbs, "accent")
        self._status.show([title, "  ", *left], facts)
        self._hint.show(*view.hint())
        shown = [
            command
            for command in (*view.COMMANDS, *COMMANDS)
            if command.footer
            and not why_not(
                command, read_only=self.options.read_only, enabled=self._enabled(command, view)
            )
        ]
        self._footer.show_keys(
            shown,
            keys=self.config.console.keys,
            unicode=self.look.glyphs.dots,
            width=self.size.width,
        )

    def _enabled(self, command: Command, view: View) -> bool:
        doer: Doer = self.general if command.id.startswith("app.") else view
        return doer.enabled(command)

    def on_resize(self) -> None:
        """Let the footer show as many keys as there is room for."""
        self.call_after_refresh(self.redraw)

    def go(self, view: str, argument: str = "", *, back: bool = False) -> None:
        """Show a view, about something of its own."""
        made = self._views.get(view)
        if made is None:
            made = self._views[view] = BY_NAME[view].load()(self.desk)
            self._mounting = self._place.mount(made)
        if self.view is not None and self.view is not made:
            self.view.remove_class("current")
            if not back:
                self._trail.append((self.view.NAME, self.view.argument))
        made.add_class("current")
        self.view = made
        made.enter(argument)
        self.call_after_refresh(self._arrive, made)

    def _arrive(self, view: View) -> None:
        if not view.is_mounted:
            self.call_after_refresh(self._arrive, view)
            return
        if self.view is view and not self.prompt.open:
            view.focus_default()
        self.redraw()

    def back(self) -> bool:
        """Show the view that was in sight before; whether there was one."""
        if not self._trail:
            return False
        self.go(*self._trail.pop(), back=True)
        return True

    def restyle(self) -> None:
        """Paint everything with the colours and signs of the look."""
        theme = screen_theme(self.look.theme)
        self.register_theme(theme)
        self.theme = theme.name
        self.prompt.look(self.look.palette)
        for line in (self._status, self._hint, self._footer):
            line.look(self.look.palette, self.look.glyphs.ellipsis)
        self.panel.use(self.look)
        for view in self._views.values():
            view.restyle()
        self.refresh()

    def action_go(self, view: str) -> None:
        """Show a view."""
        self.go(view)

    def action_command(self, command: str) -> None:
        """Do a command of the console itself."""
        self.perform(command, self.general)

    def perform(self, name: str, doer: Doer, text: str = "") -> None:
        """Do a command, unless it may not be done."""
        known = {each.id: each for each in (*COMMANDS, *(self.view.COMMANDS if self.view else ()))}
        command = known[name]
        refused = why_not(command, read_only=self.options.read_only, enabled=doer.enabled(command))
        if refused:
            self.desk.tell(refused, "warning")
            return
        work = done(command, doer, self.desk, text=text, confirm=self.config.console.confirm)
        self.run_worker(work, name=name, group="commands")

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """Leave it to the check of all keys, which names each clash once."""
        del clashed_bindings, node

    async def _check_keys(self) -> None:
        """Name what is wrong with the chosen keys; it loads every view, so not before a picture."""
        keys = self.config.console.keys
        for sentence in await asyncio.to_thread(key_mistakes, keys) if keys else ():
            self.desk.tell(sentence, "warning")

    async def _themes_changed(self) -> None:
        """Draw with the theme as its file is now."""
        name = self.look.theme.name
        if await asyncio.to_thread(self.look.reload):
            self.look.use(name)
            self.restyle()
            self.redraw()
        for mistake in self.look.mistakes:
            self.desk.tell(f"{mistake.where}: {mistake.key}: {mistake.problem}", "warning")

    async def on_event(self, event: events.Event) -> None:
        """Know that somebody is there."""
        if isinstance(event, events.Key | events.MouseDown):
            self._theme_watch.stir()
        await super().on_event(event)

    def on_footer_clicked(self, message: Footer.Clicked) -> None:
        """Do what was clicked."""
        view = self.view
        if view is not None:
            doer: Doer = self.general if message.command.startswith("app.") else view
            self.perform(message.command, doer)

    def send(self, sequence: str) -> None:
        """Write to the terminal as it is."""
        if self._driver is not None:
            self._driver.write(sequence)

    async def on_unmount(self) -> None:
        """Do what was held back, and read no more."""
        await self.desk.undoing.aclose()
        await self._reads.aclose()

    async def reread(self, console: Collection[str] = ()) -> None:
        """Work with the configuration as its files are now; what was said of the look stays.

        Args:
            console: Settings of the console itself that hold from now on, too.
        """
        try:
            found = await asyncio.to_thread(self._reading)
        except ConfigError as error:
            self.desk.tell(told(error), "error")
            return
        own = replace(
            self.config.console, **{name: getattr(found.console, name) for name in console}
        )
        await self.reload(replace(found, console=own))
        if "read_only" in console and not self.only_shown:
            self.options = replace(self.options, read_only=own.read_only)
            self.desk.read_only = own.read_only
        if "glyphs" in console:
            self.look.draw(own.glyphs)
        if "theme" in console:
            self.look.use(own.theme)
        if {"glyphs", "theme"} & {*console}:
            self.restyle()
        self.redraw()

    async def reload(self, config: Config) -> None:
        """Work with another reading of the configuration."""
        if config.console.panel is not self.config.console.panel:
            self.panel.shape = _shape(config)
        self.config = config
        self.set_keymap(dict(config.console.keys))


def _shape(config: Config) -> Shape:
    """How much of the panel is there until the operator says otherwise."""
    return Shape.FULL if config.console.panel else Shape.CLOSED
