"""Follows a run on stderr: a live picture on a terminal, a line per change elsewhere."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self, TextIO

from etltui.cli.picture import Picture
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionSkipped,
    Event,
    QueueCleared,
    RunFinished,
    RunQueued,
    RunRetrying,
    RunStarted,
    TargetPublished,
)
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted, duration, local, moment, number, short, words

PAINT_S = 0.2
_ABOVE = (RunQueued, RunStarted, ConnectionFailed, ConnectionSkipped, RunRetrying, QueueCleared)
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
        self._timezone = timezone
        self._counts: dict[str, list[int]] = {}

    def take(self, event: Event) -> None:
        """Write the line of an event, if it has one."""
        text = self.line(event)
        if text:
            clock = f"{local(event.at, self._timezone):%H:%M:%S}"
            # A terminal that has gone does not stop the run.
            with suppress(OSError, ValueError):
                self._out.write(f"{clock} {safe_text(text)}\n")
                self._out.flush()

    def line(self, event: Event) -> str:
        """The words of an event, empty for those that are progress only."""
        match event:
            case RunStarted():
                self._counts[event.run] = [event.skipped, event.total]
                again = f", {event.skipped} done before" if event.attempt > 1 else ""
                count = counted(event.total, "connection")
                return f"run {short(event.run)} {event.job} started, {count}{again}"
            case ConnectionCompleted():
                counts = self._counts.setdefault(event.run, [0, 0])
                counts[0] += 1
                took = duration(sum(event.result.seconds.values()))
                rows = counted(event.result.rows, "row")
                return f"done {event.connection} {rows} {took} ({counts[0]}/{counts[1]})"
            case ConnectionFailed() | ConnectionSkipped():
                return _failed(event)
            case TargetPublished() if event.final:
                return f"published {event.path} {counted(event.rows, 'row')}"
            case RunFinished():
                return _ended(event)
            case _:
                return _waiting(event, self._timezone)


def _waiting(event: Event, timezone: str) -> str:
    """The words of an event that is about waiting for a turn, empty for others."""
    match event:
        case RunQueued():
            later = f", not before {moment(event.not_before, timezone)}" if event.not_before else ""
            return f"run {short(event.run)} {event.job} queued by {event.owner}{later}"
        case RunRetrying():
            wait = duration(event.wait_s)
            return f"retry run {short(event.run)} {event.job}: {event.reason}; again in {wait}"
        case QueueCleared():
            return f"queue cleared, {event.count} cancelled"
        case _:
            return ""


def _failed(event: ConnectionFailed | ConnectionSkipped) -> str:
    what = f"{event.connection} {words(event.trouble.error_class)}: {event.trouble.message}"
    if isinstance(event, ConnectionSkipped):
        return f"skipped {what}"
    if event.will_retry:
        return f"retry {what}; again in {duration(event.wait_s)}"
    return f"failed {what}"


def _ended(event: RunFinished) -> str:
    result = event.result
    held = f" {result.held} held," if result.held else ""
    rows = f"{number(result.rows)} rows"
    counts = f"{result.completed} done, {result.failed} failed,{held} {rows}"
    reason = f"; {result.reason}" if result.reason else ""
    return f"run {short(event.run)} {words(result.status)}: {counts}{reason}"


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
