"""What every screen of the console stands on: how it ends, and that it never tells secrets."""

import os
from enum import StrEnum
from typing import Any, ClassVar

from rich.console import RenderableType
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import WorkerFailed

from etltui.console.driver import ConsoleDriver
from etltui.console.terminal import Terminal
from etltui.console.wire import slim


class Left(StrEnum):
    """How the screen ended."""

    QUIT = "quit"
    """The operator is done; an engine of this process stops what runs, resumably."""
    DETACH = "detach"
    """The operator leaves; the engine goes on."""
    GONE = "gone"
    """The terminal was closed."""
    STOPPED = "stopped"
    """A signal asked the program to end."""
    CRASHED = "crashed"
    """A mistake of ours."""


class ScreenApp(App[Left]):
    """An app on a terminal that may be slow, without colours, or gone at any moment.

    Ended with `exit(Left…)`. It prints nothing when it ends: an exception is in `crash` then, and
    a traceback with the values of variables, passwords among them, is never made.

    Attributes:
        terminal: What may be drawn.
        colourless: Whether no colour code is written.
        crash: The first exception that nobody caught.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "Stop until fg", show=False, id="app.suspend"),
    ]

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.colourless = terminal.colour == "none"
        self.crash: BaseException | None = None
        super().__init__(driver_class=ConsoleDriver)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that the terminal has not taken yet; while there are any, paint nothing."""
        driver = self._driver
        return driver.queued if isinstance(driver, ConsoleDriver) else 0

    @property
    def drained_s(self) -> float:
        """Seconds that the terminal took for the last burst; see `rate.next_interval`."""
        driver = self._driver
        return driver.drained if isinstance(driver, ConsoleDriver) else 0.0

    def action_suspend_process(self) -> None:
        """Stop until the shell continues it, unless there is none: then nobody ever would.

        Where a program leads its session (ssh with a command, a pane of tmux, a browser's tab) it
        is in the leader's own group; a shell gives each job another.
        """
        if os.getpgrp() == os.getsid(0):
            said = "No shell waits here that could continue it: d leaves the console"
            self.notify(said, severity="warning", markup=False)
        else:
            super().action_suspend_process()

    def terminal_gone(self) -> None:
        """End the screen: nobody sees it any more."""
        self.exit(Left.GONE)

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = 1
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            # The wrapper has no traceback, and does not name where it comes from.
            error = error.error
        if self.crash is None:
            self.crash = self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """End the screen; what it should have printed may hold secrets and is not kept."""
        del renderables
        self._handle_exception(RuntimeError("the screen could not go on"))

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, slim(renderable, self.terminal.colour))

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()
