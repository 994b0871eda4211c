"""Starts extractors: as processes of their own, or as threads where none are wanted."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from etltui.extractors.client import ExtractorClient, Owner

Serve = Callable[[socket.socket, int], None]
"""Serves one end of a socket pair, with so many cores, until it ends."""

Launch = Callable[[Owner], "tuple[ExtractorClient, socket.socket]"]
"""Starts an extractor: its client, and the socket end to connect the client to."""


def processes(*, cores: int, log: Path) -> Launch:
    """Launch each extractor as a child process.

    Must be called from a thread that lives as long as the engine: the kernel ties the child's
    life to the thread that started it (prctl(2), PR_SET_PDEATHSIG).

    Args:
        cores: How many cores each may use.
        log: Where a crashing child's last words go.
    """

    def launch(owner: Owner) -> tuple[ExtractorClient, socket.socket]:
        ours, theirs = socket.socketpair()
        # -P: the folder somebody happens to stand in is no place to import from.
        command = [sys.executable, "-P", "-m", "etltui.extractors.child"]
        arguments = [str(theirs.fileno()), str(os.getpid()), str(cores)]
        with theirs, log.open("ab") as words:
            # Not a new session: autogrouping would undo the child's low priority.
            process = subprocess.Popen(  # noqa: S603 - our own module by our own interpreter
                [*command, *arguments],
                pass_fds=[theirs.fileno()],
                process_group=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
            )

        def kill() -> None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()

        ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
        return ExtractorClient(owner, kill), ours

    return launch


def threads(serve: Serve, *, cores: int) -> Launch:
    """Launch each extractor as a thread of this process."""

    def launch(owner: Owner) -> tuple[ExtractorClient, socket.socket]:
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=serve, args=(theirs, cores), name="serve", daemon=True)
        thread.start()

        def kill() -> None:
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)

        ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
        return ExtractorClient(owner, kill), ours

    return launch
