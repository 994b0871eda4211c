"""The screen's way to the terminal: never waits for it, and notices when it has gone."""

import os
import re
import select
import signal
import sys
import threading
from codecs import getincrementaldecoder
from contextlib import suppress
from functools import lru_cache
from typing import Any

from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from etltui.console.output import Output, to_descriptor

LOOK_MS = 100
"""How often the thread that reads looks whether it is to end; an escape by itself is one then."""
CHUNK = 4096

_RENDITION = re.compile(r"\x1b\[([0-9;]+)m")
_EXTENDED = {"5": 3, "2": 5}
"""Numbers of a colour that is given by number, and by red, green and blue."""


@lru_cache(1024)
def _bare(codes: str) -> str:
    """A rendition less its colours; nothing where it held nothing else."""
    kept, numbers = [], codes.split(";")
    while numbers:
        code = numbers[0]
        if code in ("38", "48", "58"):
            del numbers[: _EXTENDED.get("".join(numbers[1:2]), 1)]
            continue
        del numbers[0]
        # 30 to 39 and 40 to 49 are colours, 90 to 97 and 100 to 107 their bright ones.
        if len(code) < 2 or code[:-1] not in ("3", "4", "9", "10"):
            kept.append(code)
    return f"\x1b[{';'.join(kept)}m" if kept else ""


def colourless(text: str) -> str:
    """The text less every colour code; bold, underline, reverse video and the like stay."""
    return _RENDITION.sub(lambda found: _bare(found[1]), text)


class ConsoleDriver(LinuxDriver):
    """Powers display and input of the console.

    The app may have `terminal_gone()`, called once on the loop when the terminal has gone, and
    `colourless`: whether no colour code may be written.
    """

    _output: Output | None = None

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._stdout = sys.__stdout__ or sys.stdout
        self._colourless = bool(getattr(app, "colourless", False))
        self._here = True
        self._active = False
        self._continued = False
        self._resuming = False
        self._gone_once = threading.Lock()

    def _get_terminal_size(self) -> tuple[int, int]:
        # COLUMNS and LINES, where somebody has exported them, say what it was once.
        with suppress(OSError):
            size = os.get_terminal_size(self._stdout.fileno())
            if size.columns and size.lines:
                return size.columns, size.lines
        return super()._get_terminal_size()

    @property
    def queued(self) -> int:
        """Bytes that the terminal has not taken yet; while there are any, painting is in vain."""
        return self._output.queued if self._output else 0

    @property
    def drained(self) -> float:
        """Seconds that the terminal took for the last burst of output."""
        return self._output.drained if self._output else 0.0

    @property
    def written(self) -> int:
        """Bytes that the terminal has taken since the screen was opened, or opened again."""
        return self._output.written if self._output else 0

    @property
    def _writer_thread(self) -> Any:
        """The thread that writes, wherever the base class asks for its own."""
        return self._output

    @_writer_thread.setter
    def _writer_thread(self, made: object) -> None:
        # The base makes a thread whose queue of 30 lets the loop wait. It starts what it finds.
        self._output = None
        if made is not None:
            self._output = Output(
                to_descriptor(self._stdout.fileno()),
                encoding=self._stdout.encoding,
                gone=self._gone,
                lost=self._repaint,
            )

    def write(self, data: str) -> None:
        """Let it be written; never waits, and is silent where there is no terminal any more."""
        if self._output is not None:
            self._output.write(colourless(data) if self._colourless else data)

    def start_application_mode(self) -> None:
        """Open the screen."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._active = self._output is not None

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was; twice does no harm."""
        if self._active:
            self._active = False
            super().stop_application_mode()

    def _sigtstp_application(self, *_: object) -> None:
        if self._auto_restart and self._active:
            self.suspend_application_mode()
            self._must_signal_resume = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        # It comes from the shell and from whoever keeps its place: also in the middle of this very
        # method. Two screens would be opened, and two threads would wait for one key.
        self._continued = True
        if self._resuming:
            return
        self._resuming = True
        try:
            # In the background it was stopped before the screen was open, and came again.
            while self._continued and not self._active:
                self._continued = False
                self._resume()
        finally:
            self._resuming = False

    def _resume(self) -> None:
        # It may come long after the screen has ended, too.
        if self._auto_restart and self._must_signal_resume:
            self.resume_application_mode()
            self._repaint()

    def _tell(self, name: str) -> None:
        """Have a method of the app called on the loop, where app and loop still are."""
        call = getattr(self._app, name, None)
        if call is not None:
            try:
                self._loop.call_soon_threadsafe(call)
            except RuntimeError:  # the loop has ended, and with it the screen
                return

    def _repaint(self) -> None:
        self._tell("refresh")

    def _gone(self) -> None:
        with self._gone_once:
            first, self._here = self._here, False
        if first:
            self._tell("terminal_gone")

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except (OSError, ValueError):
            self._gone()
        except RuntimeError:  # the loop has ended
            return

    def run_input_thread(self) -> None:
        """Read keys until the screen ends or the terminal has gone."""
        parser = XTermParser(self._debug)
        # One broken byte from a bad line must not end the console.
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set():
            if poll.poll(LOOK_MS):
                some = os.read(self.fileno, CHUNK)
                if not some:
                    self._gone()
                    return
                # Half a character decodes to nothing, which would be the parser's end.
                for event in parser.feed(text) if (text := decode(some)) else ():
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
