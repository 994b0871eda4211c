"""What signals mean to a command that follows runs, and a terminal that has gone."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LEFT = 130
"""Exit code of who left before the runs had ended."""

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)


@contextmanager
def signals(stop: Callable[[signal.Signals], None], *, hangup: str) -> Iterator[None]:
    """Have INT, TERM and QUIT call `stop`, once; a second of them leaves at once.

    Args:
        stop: Begins to stop.
        hangup: What HUP does besides letting go of the terminal: `finish` nothing, `stop` as the
            others. What whoever started this has ignored (nohup) stays ignored.
    """
    loop = asyncio.get_running_loop()
    stopping: list[signal.Signals] = []

    def take(number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            let_go()
            if hangup == "finish":
                return
        if stopping and number is not signal.SIGHUP:
            leave_at_once()
        if not stopping:
            stopping.append(number)
            stop(number)

    ours = [number for number in _STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    for number in ours:
        loop.add_signal_handler(number, take, number)
    try:
        yield
    finally:
        for number in ours:
            loop.remove_signal_handler(number)


_without_us: list[Path] = []


@contextmanager
def removed_at_once(path: Path) -> Iterator[None]:
    """Have a file of this process, or a folder, removed when it leaves at once in the block."""
    _without_us.append(path)
    try:
        yield
    finally:
        _without_us.remove(path)


def leave_at_once() -> None:
    """End here and now, with code `LEFT`.

    Parts are durable and marks are committed one by one: there is nothing to save. The kernel
    ends the extractors and frees the state folder.
    """
    for path in _without_us:
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    os._exit(LEFT)


class LeftError(Exception):
    """Somebody follows no more; what was followed goes on."""


@contextmanager
def leaving() -> Iterator[None]:
    """Let INT, TERM, QUIT and HUP end the block.

    Raises:
        LeftError: One of them came.
    """
    task = asyncio.current_task()
    came: list[signal.Signals] = []

    def leave(number: signal.Signals) -> None:
        came.append(number)
        if task is not None:
            task.cancel()

    try:
        with signals(leave, hangup="stop"):
            yield
    except asyncio.CancelledError:
        if not came or task is None:
            raise
        task.uncancel()
        raise LeftError from None


def let_out() -> None:
    """Empty the buffer of stdout; what cannot be written any more must not fail the exit."""
    try:
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout.fileno())


def let_go() -> None:
    """Write no more to a terminal that has gone: its writes would fail, and buffers never empty."""
    for descriptor in (sys.stdout.fileno(), sys.stderr.fileno()):
        if os.isatty(descriptor):
            _silence(descriptor)


def _silence(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
