"""The console: one view at a time between a status line and a footer, painted at its own pace."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.widgets import Input

from etltui.config.schema import Config
from etltui.console.after_crash import after_crash
from etltui.console.anywhere import COMMANDS
from etltui.console.around import Around, refusal
from etltui.console.base import Left, ScreenApp
from etltui.console.bridge import Bridge, Link, Moment
from etltui.console.commands import bindings
from etltui.console.desk import AppDesk
from etltui.console.gallery import Gallery
from etltui.console.general import General
from etltui.console.look import CurrentLook
from etltui.console.model.panel import fading
from etltui.console.model.toasts import Toasts
from etltui.console.options import Options
from etltui.console.orders import Doer, done, told, why_not
from etltui.console.palette import screen_theme
from etltui.console.prompt import Prompt
from etltui.console.rate import next_interval
from etltui.console.reads import Reads
from etltui.console.registry import BY_NAME, ENTRIES
from etltui.console.rereading import Rereading
from etltui.console.theme_watch import ThemeWatch
from etltui.console.view import View
from etltui.console.widgets.footer import Footer
from etltui.console.widgets.panel import Panel
from etltui.domain.errors import EtltuiError
from etltui.domain.events import Event, RunFinished, RunQueued, RunStarted
from etltui.domain.ports import History

__all__ = ["ConsoleApp", "Options"]


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
    TITLE = "etltui"
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
        super().__init__(look.terminal)
        self.look = look
        self.config = config
        self.options = options
        self.only_shown = options.read_only
        self.bridge = Bridge(link, self.told)
        self._wait = wait
        self._reads = Reads(history, self.redraw, self._unread)
        self.desk = AppDesk(
            self,
            reads=self._reads,
            look=look,
            state=state,
            read_only=options.read_only,
            wait=wait,
        )
        self.general = General(self)
        self.around = Around(look, config)
        self._gallery = Gallery(self.desk)
        self._rereading = Rereading(self, config)
        self._theme_watch = ThemeWatch(look.folders, self._rereading.themes, wait)
        self._toasts = Toasts(look.timezone, look.glyphs.about)
        self._spoken_of: Moment | None = None
        self.animation_level = "none"

    @property
    def view(self) -> View | None:
        """What is in sight; None until the engine has answered."""
        return self._gallery.view

    @property
    def prompt(self) -> Prompt:
        """Where the operator types."""
        return self.around.prompt

    @property
    def panel(self) -> Panel:
        """What floats over the views."""
        return self.around.panel

    def compose(self) -> ComposeResult:
        """Status line, view, and what is below it."""
        yield self.around.status
        yield self._gallery
        yield from self.around.below()

    def on_mount(self) -> None:
        """Show that it opens; the engine takes a moment longer."""
        self.restyle()
        self.use_keys()
        self.around.opening()
        self.run_worker(self._open(), name="open")

    async def _open(self) -> None:
        """Look at the engine and begin to paint."""
        await self.bridge.open()
        self.run_worker(self.bridge.listen(), name="listen")
        start = self.options.start
        self.go(start if start in BY_NAME else "monitor", self.options.argument)
        self.run_worker(self._paint(), name="paint")
        self.run_worker(self._theme_watch.watch(), name="themes")
        self.run_worker(self._rereading.keys(), name="keys")
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
        read_only = self.options.read_only
        self.around.show(
            view,
            moment,
            (*view.COMMANDS, *COMMANDS),
            keys=self.config.console.keys,
            refused=refusal(view, self.general, read_only=read_only),
        )
        self._speak(moment)

    def _speak(self, moment: Moment) -> None:
        """Say in passing what has become of runs."""
        if moment is not self._spoken_of:
            self._spoken_of = moment
            for toast in self._toasts.take(moment, all_of_it=self.config.console.toasts):
                self.desk.tell(toast.text, toast.severity)

    def on_table_moved(self) -> None:
        """Let the panel make way."""
        if self.view is not None and self.view.is_mounted:
            self.around.float(self.view, self.desk.moment)

    def on_panel_changed(self) -> None:
        """Draw the panel anew."""
        self.on_table_moved()

    def on_panel_left(self) -> None:
        """Give the keyboard back to the view."""
        if self.view is not None:
            self.view.focus_default()

    def go(self, view: str, argument: str = "", *, back: bool = False) -> None:
        """Show a view, about something of its own."""
        self.call_after_refresh(self._arrive, self._gallery.show(view, argument, back=back))

    def _arrive(self, view: View) -> None:
        if not view.is_mounted:
            self.call_after_refresh(self._arrive, view)
            return
        if self.view is view and not self.around.prompt.open:
            view.focus_default()
        self.redraw()

    def back(self) -> bool:
        """Show the view that was in sight before; whether there was one."""
        before = self._gallery.before()
        if before is None:
            return False
        self.go(*before, back=True)
        return True

    def restyle(self) -> None:
        """Paint everything with the colours and signs of the look."""
        theme = screen_theme(self.look.theme)
        self.register_theme(theme)
        self.theme = theme.name
        self.around.restyle()
        self._gallery.restyle()
        self.refresh()

    def use_keys(self) -> None:
        """Let the keys of the configuration hold."""
        self.set_keymap(dict(self.config.console.keys))

    async def action_go(self, view: str) -> None:
        """Show a view, and give it the next key."""
        if self.view is not None:
            self.go(view)
            await self._gallery.mounted()
            self.view.focus_default()

    def action_command(self, command: str) -> None:
        """Do a command of the console itself."""
        if self.view is not None:
            self.perform(command, self.general)
        elif command == "app.quit":
            # There is nothing yet that could be asked about.
            self.exit(Left.QUIT)

    def perform(self, name: str, doer: Doer, text: str = "") -> None:
        """Do a command, unless it may not be done."""
        known = {each.id: each for each in (*COMMANDS, *(self.view.COMMANDS if self.view else ()))}
        command = known.get(name)
        if command is None:
            # A key that came before the view in sight had the keyboard: it was not meant for
            # what was in sight before.
            return
        refused = why_not(command, read_only=self.options.read_only, enabled=doer.enabled(command))
        if refused:
            self.desk.tell(refused, "warning")
            return
        work = done(command, doer, self.desk, text=text, confirm=self.config.console.confirm)
        self.run_worker(work, name=name, group="commands")

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """Leave it to the check of all keys, which names each clash once."""
        del clashed_bindings, node

    async def on_event(self, event: events.Event) -> None:
        """Know that somebody is there."""
        if isinstance(event, events.Key | events.MouseDown):
            self._theme_watch.stir()
        if isinstance(event, events.Key) and await self._did(event):
            return
        await super().on_event(event)

    async def _did(self, event: events.Key) -> bool:
        """Do what a key stands for before the next one is looked at; whether it stands for any.

        On its way through the widgets the next one would overtake it: what is typed quickly behind
        `:` would be done key by key instead of being written.
        """
        typing = isinstance(self.focused, Input) or len(self.screen_stack) > 1
        if event.is_forwarded or typing or not await self._check_bindings(event.key):
            return False
        await asyncio.sleep(0)  # what it began asks its question now
        return True

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

    async def reread(self, console: Collection[str] = ()) -> None:
        """Work with the configuration as its files are now.

        Args:
            console: Settings of the console itself that hold from now on, too.
        """
        await self._rereading.configuration(console)

    async def on_unmount(self) -> None:
        """Do what was held back, and read no more."""
        await self.desk.undoing.aclose()
        await self._reads.aclose()
