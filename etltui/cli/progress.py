"""Follows a run on stderr: a live picture on a terminal, a line per change elsewhere."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self, TextIO

from etltui.cli.picture import Picture
from etltui.domain.events import (
    ConnectionFailed,
    ConnectionSkipped,
    Event,
    LineDown,
    LineUp,
    QueueCleared,
    RunQueued,
    RunRetrying,
    RunStarted,
)
from etltui.encode.changes import Changes

PAINT_S = 0.2
_ABOVE = (
    RunQueued,
    RunStarted,
    ConnectionFailed,
    ConnectionSkipped,
    LineDown,
    LineUp,
    RunRetrying,
    QueueCleared,
)
"""Events that the picture does not show."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def take(self, event: Event) -> None:
        """Do nothing."""

    def tick(self) -> None:
        """Show what has changed by time alone."""


class Lines(Silent):
    """One line for each change; also fit for a log or a screen reader.

    Args:
        out: Where to write.
        timezone: Of the times; empty for the machine's own.
    """

    def __init__(self, out: TextIO, timezone: str = "") -> None:
        self._out = out
        self._changes = Changes(timezone)

    def take(self, event: Event) -> None:
        """Write the line of an event, if it has one."""
        text = self._changes.stamped(event)
        if text:
            # A terminal that has gone does not stop the run.
            with suppress(OSError, ValueError):
                self._out.write(f"{text}\n")
                self._out.flush()


class Painter(Silent):
    """Repaints a few lines in place, at most five times a second.

    Args:
        out: A terminal.
        timezone: Of the times; empty for the machine's own.
        clock: Seconds that never jump.
    """

    def __init__(
        self,
        out: TextIO,
        timezone: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out
        self._clock = clock
        self._picture = Picture(clock)
        self._lines = Lines(out, timezone)
        self._painted = 0
        self._last = float("-inf")

    def __exit__(self, *_: object) -> None:
        self._erase()

    def take(self, event: Event) -> None:
        """Take an event in; what the picture does not show stays as a line above it."""
        self._picture.take(event)
        if isinstance(event, _ABOVE):
            self._erase()
            self._lines.take(event)
            self._last = float("-inf")
        if self._clock() - self._last >= PAINT_S:
            self._paint()

    def tick(self) -> None:
        """Let the times go on, and show what came too soon after the last painting."""
        if self._painted and self._clock() - self._last >= PAINT_S:
            self._paint()

    def _paint(self) -> None:
        self._last = self._clock()
        width, height = shutil.get_terminal_size()
        lines = self._picture.lines(width - 1, height - 2)
        rise = f"\x1b[{self._painted}A" if self._painted else ""
        self._write(rise + "\r" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J")
        self._painted = len(lines)

    def _erase(self) -> None:
        if self._painted:
            self._write(f"\x1b[{self._painted}A\r\x1b[J")
            self._painted = 0

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()
