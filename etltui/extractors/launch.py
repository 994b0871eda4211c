"""Starts extractors: as processes of their own, or as threads where none are wanted."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from etltui.domain.safe_text import middle_cut, safe_text
from etltui.extractors.client import ExtractorClient, Owner

Serve = Callable[[socket.socket, int], None]
"""Serves one end of a socket pair, with so many cores, until it ends."""

Launch = Callable[[Owner], "tuple[ExtractorClient, socket.socket]"]
"""Starts an extractor: its client, and the socket end to connect the client to."""

_LAST_BYTES = 4096

LARGEST_LOG = 8 * 1024 * 1024
"""Bytes of the log of which the next start begins another; one former log is kept."""


class _Process:
    """A child process as an extractor's body."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        # On the loop nobody waits: a process whose disk hangs does not die before the disk
        # answers. It is not reaped before it is killed, so its number is nobody else's.
        self._reaper = threading.Thread(target=process.wait, name="reaper", daemon=True)
        self._killed = False
        self.pid = process.pid

    def kill(self) -> None:
        """See `Body`."""
        if not self._killed:
            self._killed = True
            self._process.kill()
            self._reaper.start()

    def join(self, timeout: float) -> bool:
        """See `Body`."""
        self._reaper.join(timeout)
        return not self._reaper.is_alive()


class _Thread:
    """A thread as an extractor's body: it ends with its socket, and cannot be killed."""

    pid = 0

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread

    def kill(self) -> None:
        """See `Body`."""

    def join(self, timeout: float) -> bool:
        """See `Body`."""
        self._thread.join(timeout)
        return not self._thread.is_alive()


def processes(*, cores: int, log: Path) -> Launch:
    """Launch each extractor as a child process.

    Must be called from a thread that lives as long as the engine: the kernel ties the child's
    life to the thread that started it (prctl(2), PR_SET_PDEATHSIG).

    Args:
        cores: How many cores each may use.
        log: Where a crashing child's last words go; for nobody else's eyes.
    """

    def start(theirs: socket.socket) -> subprocess.Popen[bytes]:
        # -P: the folder somebody happens to stand in is no place to import from.
        command = [sys.executable, "-P", "-m", "etltui.extractors.child"]
        arguments = [str(theirs.fileno()), str(os.getpid()), str(cores)]
        with _private(log) as words:
            # Not a new session: autogrouping would undo the child's low priority.
            return subprocess.Popen(  # noqa: S603 - our own module by our own interpreter
                [*command, *arguments],
                pass_fds=[theirs.fileno()],
                process_group=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
            )

    def launch(owner: Owner) -> tuple[ExtractorClient, socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = start(theirs)
            except BaseException:
                ours.close()
                raise
        return ExtractorClient(owner, _Process(process)), ours

    return launch


def _rotate(log: Path) -> None:
    """Begin a new log where the old one is large; extractors at work go on writing to the old."""
    # One that cannot be moved now is moved at a later start.
    with suppress(OSError):
        if log.stat().st_size > LARGEST_LOG:
            log.replace(f"{log}.1")


@contextmanager
def _private(log: Path) -> Iterator[int]:
    """The log, to append to; only its owner may read it, whatever the umask and whoever made it."""
    _rotate(log)
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        yield fd
    finally:
        os.close(fd)


def last_words(log: Path) -> str:
    """The last line of an extractors' log, harmless and short; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LAST_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return middle_cut(safe_text(next((line for line in reversed(lines) if line.strip()), "")), 200)


def threads(serve: Serve, *, cores: int) -> Launch:
    """Launch each extractor as a thread of this process."""

    def run(sock: socket.socket) -> None:
        with sock:
            serve(sock, cores)

    def launch(owner: Owner) -> tuple[ExtractorClient, socket.socket]:
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=run, args=(theirs,), name="serve", daemon=True)
        thread.start()
        return ExtractorClient(owner, _Thread(thread)), ours

    return launch
