"""The two processes of a console: one keeps the shell's place, the other may outlive the terminal.

The first waits, passes signals and stops on, and gives the terminal back should the second die.
The second draws and runs; over a socket it tells the first when its screen opens and closes, and
may let go: then the first gives the shell back, and the second goes on without a terminal.
"""

import json
import os
import select
import signal
import socket
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

_PASSED = (signal.SIGTERM, signal.SIGHUP)
_UNASKED = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
_KILLED = (
    "etltui: the console was killed ({}). If its runs were its own they stopped with it; what had "
    "finished is kept. Start etltui again: it asks what to resume."
)
_TYPED = (signal.SIGINT, signal.SIGQUIT)
_WATCHED = (signal.SIGCHLD, *_TYPED, *_PASSED)
_SINCE = os.WCONTINUED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT
_MOST = 65536
_RESTORED = (
    "\x1b[?2026l"  # show what was held back
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # the mouse is the terminal's again
    "\x1b[?2004l\x1b[?2048l\x1b[?1004l\x1b[?7h"  # paste, sizes, focus, lines
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"  # keys, the screen as it was, cursor, colours
)


class Tether:
    """What ties the process that draws to the one that waits.

    Args:
        line: To the one that waits.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def fileno(self) -> int:
        """Readable when the one that waited has ended."""
        return self._line.fileno()

    def opened(self) -> None:
        """The screen is about to open."""
        self._say(screen=True)

    def closed(self) -> None:
        """The terminal is as it was."""
        self._say(screen=False)

    def let_go(self, code: int, text: str = "") -> None:
        """Go on without a terminal; whoever waited says the text and ends with the code.

        Nothing is started anew: what is tied to this very process or thread stays so.
        """
        with suppress(PermissionError):  # the leader of a session stays one
            os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        self._say(code=code, text=text)
        self._line.close()

    def _say(self, **words: object) -> None:
        # Whoever waited may have been killed: nobody is there to be told.
        with suppress(OSError):
            self._line.sendall(json.dumps(words).encode() + b"\n")


@contextmanager
def _held() -> Iterator[None]:
    """Let no signal come between two states of this process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def launch(work: Callable[[Tether], int]) -> int:
    """Do the work in a process of its own that may go on without the terminal.

    Must be called while there is one thread. Returns in both processes: in the one that works
    what `work` returned, in the other how that ended, as a shell would say it.
    """
    ours, theirs = socket.socketpair()
    with _held():
        pid = os.fork()
        watch = _Watch(pid, ours) if pid else None
    if watch is None:
        ours.close()
        return work(Tether(theirs))
    theirs.close()
    return watch.until_over()


class _Watch:
    """The process that waits."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self._pid = pid
        self._line: socket.socket | None = line
        self._rest = b""
        self._screen = False
        self._code: int | None = None
        self._modes = _modes()
        self._signals, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in _WATCHED:
            # Whoever started us with nohup means both.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: None)

    def until_over(self) -> int:
        """Wait for the end of the other, or for its letting go; the exit code."""
        self._look()
        while self._code is None:
            line = [self._line.fileno()] if self._line else []
            ready, _, _ = select.select([self._signals, *line], [], [])
            if ready != [self._signals]:
                self._listen()
            if self._signals in ready:
                self._take(os.read(self._signals, _MOST))
        return self._code

    def _take(self, numbers: bytes) -> None:
        for number in _PASSED:
            if number in numbers:
                self._send(number)
        # From the keyboard they came to both; while the screen is open no key makes one.
        for number in _TYPED:
            if number in numbers and self._screen:
                self._send(number)
        self._look()

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def _look(self) -> None:
        """See whether the other has stopped or ended."""
        if self._code is not None:
            return
        pid, status = os.waitpid(self._pid, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            return
        if os.WIFSTOPPED(status):
            self._stop()
            return
        while self._line is not None:
            self._listen()
        code = os.waitstatus_to_exitcode(status)
        self._restore()
        if self._code is None:
            self._code = code if code >= 0 else 128 - code
            if -code in _UNASKED:
                self._say(_KILLED.format(signal.Signals(-code).name))

    def _stop(self) -> None:
        """Stop until the shell brings us back, and have the other go on."""
        os.kill(os.getpid(), signal.SIGSTOP)
        # A shell continues both. Once more, and late, would undo a stop that has come since.
        with suppress(ChildProcessError):
            if os.waitid(os.P_PID, self._pid, _SINCE) is None:
                self._send(signal.SIGCONT)

    def _listen(self) -> None:
        if self._line is None:
            return
        some = self._line.recv(_MOST)
        if not some:
            self._line.close()
            self._line = None
            return
        *said, self._rest = (self._rest + some).split(b"\n")
        for line in said:
            self._hear(json.loads(line))

    def _hear(self, words: Mapping[str, Any]) -> None:
        self._screen = words.get("screen", self._screen)
        if "code" not in words:
            return
        self._restore()
        self._code = words["code"]
        if words["text"]:
            self._say(words["text"])

    def _say(self, text: str) -> None:
        with suppress(OSError):
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def _restore(self) -> None:
        """Give the terminal back where the other could not."""
        if not self._screen:
            return
        self._screen = False
        with suppress(OSError, termios.error):
            if self._modes is not None:
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._modes)
            os.write(sys.stdout.fileno(), _RESTORED.encode())


def _modes() -> list[Any] | None:
    try:
        return termios.tcgetattr(sys.stdin.fileno())
    except (OSError, ValueError, termios.error):
        return None
