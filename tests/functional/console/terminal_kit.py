"""Runs the console on a terminal of its own, which can be slow, closed or a shell's."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from functional.cli_kit import environ

LIMIT_S = 60
"""A safety net: what does not come in this time does not come at all."""
SCREEN_OPEN = b"\x1b[?1049h"
SCREEN_SHUT = b"\x1b[?1049l"
UTF = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
ETLTUI = (sys.executable, "-m", "etltui")


class Terminal:
    """A command on a terminal."""

    def __init__(self, *command: object, size: tuple[int, int] = (80, 24), **more: str) -> None:
        self.seen = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            words = [str(word) for word in command]
            os.execvpe(words[0], words, {**environ(**UTF), **more})
        self.resize(*size)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds: float = 0.05) -> bytes:
        """What the command writes next; nothing when it writes nothing or has hung up."""
        some = b""
        with contextlib.suppress(OSError):
            if self._fd < 0:
                select.select([], [], [], seconds)
            elif select.select([self._fd], [], [], seconds)[0]:
                some = os.read(self._fd, 65536)
        self.seen += some
        return some

    def wait_for(self, word: bytes, *, after: int = 0) -> None:
        """Read until the word is there."""
        until = time.monotonic() + LIMIT_S
        while word not in self.seen[after:]:
            assert time.monotonic() < until, self.seen[after:][-2000:]
            self.read()

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def close(self) -> None:
        os.close(self._fd)
        self._fd = -1

    def ended(self) -> int:
        """The exit code, or the signal as a negative number."""
        until = time.monotonic() + LIMIT_S
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read():
                    pass
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < until, "it goes on"
            self.read()

    def modes(self) -> list:
        return termios.tcgetattr(self._fd)

    def drawing(self) -> int:
        """The process that draws: the one child of the command."""
        return children(self.pid)[0]


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until_gone(pid: int) -> None:
    """Wait for the end of a process that is not ours."""
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([end], [], [], LIMIT_S)[0], "it goes on"
    finally:
        os.close(end)


@contextlib.contextmanager
def console(*arguments: object, **more: str) -> Iterator[Terminal]:
    """The console, until its screen is there; it is ended where the block has not."""
    terminal = Terminal(*ETLTUI, *arguments, **more)
    try:
        terminal.wait_for(b"CONNECTION")
        yield terminal
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(terminal.pid, signal.SIGTERM)
            terminal.ended()
