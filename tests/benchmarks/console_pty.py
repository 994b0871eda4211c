"""A console on a pseudo-terminal that is read like a terminal: at once, or at a link's rate."""

import asyncio
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

QUIT = b"\x11"
"""Ctrl-Q."""
WARM_S = 3.0
TICK_S = 0.01
_TESTS = Path(__file__).parent.parent
_LEAVES_S = 60.0


class Watched:
    """A command on a pseudo-terminal.

    Attributes:
        began: When it was started.
        total: Bytes that it has written.
        first: Seconds until the whole screen was painted for the first time; 0 before.
        seen: The last of what it has written.
    """

    def __init__(self, command: Sequence[str], size: tuple[int, int], rate: int = 0) -> None:
        self._rate = rate
        self._allowed = 0.0
        self._last = self.began = time.monotonic()
        self.total = 0
        self.first = 0.0
        self.seen = b""
        columns, rows = size
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ |= {
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "LC_ALL": "C.UTF-8",
                "PYTHONPATH": os.pathsep.join([str(_TESTS.parent), str(_TESTS)]),
            }
            os.execv(command[0], list(command))

    def take(self, seconds: float = 0.02) -> bytes:
        """What it writes next, within so many seconds and the link's rate."""
        if self._rate and not self._may():
            time.sleep(0.005)
            return b""
        if not select.select([self._terminal], [], [], seconds)[0]:
            return b""
        try:
            some = os.read(self._terminal, int(self._allowed) if self._rate else 65536)
        except OSError:
            return b""
        self._allowed -= len(some)
        self.total += len(some)
        self.seen = (self.seen + some)[-65536:]
        if not self.first and b"CONNECTION" in self.seen:
            self.first = time.monotonic() - self.began
        return some

    def _may(self) -> bool:
        now = time.monotonic()
        self._allowed = min(self._rate / 4, self._allowed + (now - self._last) * self._rate)
        self._last = now
        return self._allowed >= 256

    def watch(self, seconds: float) -> None:
        """Read for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.take()

    def until(self, done: Callable[[], object], limit_s: float = 60) -> None:
        """Read until something is so."""
        until = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > until:
                raise TimeoutError(self.seen[-500:])
            self.take()

    def type(self, keys: bytes) -> None:
        """Let it have keys."""
        os.write(self._terminal, keys)

    def echo(self, key: bytes, mark: bytes, limit_s: float = 10) -> float:
        """Seconds from a key until what it writes holds the mark."""
        self.seen = b""
        asked = time.monotonic()
        self.type(key)
        while mark not in self.seen:
            self.take()
            if time.monotonic() - asked > limit_s:
                raise TimeoutError(self.seen[-500:])
        return time.monotonic() - asked

    def processes(self) -> list[psutil.Process]:
        """It and what it has started."""
        own = psutil.Process(self.pid)
        return [own, *own.children(recursive=True)]

    def leave(self) -> None:
        """Quit, and wait for the end."""
        all_of_it = self.processes()
        self._rate, self.seen = 0, b""
        self.type(QUIT)
        until = time.monotonic() + _LEAVES_S
        while not os.waitpid(self.pid, os.WNOHANG)[0]:
            self.take()
            if b"y/n" in self.seen:
                self.type(b"y\r")
                self.seen = b""
            if time.monotonic() > until:
                until += _LEAVES_S
                for each in all_of_it:
                    with suppress(psutil.NoSuchProcess):
                        each.kill()
        os.close(self._terminal)


@contextmanager
def watched(*words: object, size: tuple[int, int] = (80, 24), rate: int = 0) -> Iterator[Watched]:
    """Run Python with these words for the time of the block."""
    made = Watched([sys.executable, *map(str, words)], size, rate)
    try:
        yield made
    finally:
        made.leave()


def seconds(processes: Sequence[psutil.Process]) -> float:
    """Processor time that the processes have taken."""
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def quantile(values: Sequence[float], share: float) -> float:
    """The value under which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def lateness(late: list[float]) -> None:
    """Note how late the loop is, in seconds, when all has settled."""
    await asyncio.sleep(WARM_S)
    while True:
        asked = time.monotonic()
        await asyncio.sleep(TICK_S)
        late.append(time.monotonic() - asked - TICK_S)
