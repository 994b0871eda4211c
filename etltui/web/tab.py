"""A command on a terminal of its own, for one tab of a browser."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

AHEAD = 4096
"""Bytes read before the browser takes them: what waits should wait in the console, which then
paints less."""
MOST = 1024 * 1024
"""Bytes of keys that a console may leave lying; one that reads none is stuck."""
PATIENCE_S = 5.0
"""How long a console may take to end once its terminal has gone."""
_BEGIN = 'exec "$@" <"$0" >"$0" 2>&1'
"""Who leads a session and has no terminal gets the one that it opens."""
_ELSEWHERE = ("COLUMNS", "LINES", "STY", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "WINDOWID")
"""What tells of the terminal in which the server was started."""


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a console in a browser, whose terminal can do everything."""
    kept = {name: value for name, value in environ.items() if name not in _ELSEWHERE}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}


class Tab:
    """A command at work on a terminal; made by `open_tab`.

    Args:
        process: Leads a session of its own.
        terminal: Our end; owned from now on.
        lines: Reads another descriptor of our end.
        reader: What it has read.
    """

    def __init__(
        self,
        process: Process,
        terminal: int,
        lines: asyncio.BaseTransport,
        reader: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._terminal = terminal
        self._lines = lines
        self._reader = reader
        self._typed = b""

    async def read(self) -> bytes:
        """What the command writes next; nothing when it has ended."""
        try:
            return await self._reader.read(AHEAD)
        except OSError:
            # So the kernel says that nobody holds the other end.
            return b""

    def type(self, text: str) -> None:
        """Let the command have keys; never waits."""
        idle = not self._typed
        self._typed += text.encode("utf-8", "replace")
        if len(self._typed) > MOST:
            self._typed = b""
        elif idle:
            self._give()

    def _give(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_writer(self._terminal)
        try:
            self._typed = self._typed[os.write(self._terminal, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:
            self._typed = b""
        if self._typed:
            loop.add_writer(self._terminal, self._give)

    def resize(self, columns: int, lines: int) -> None:
        """The window has another size."""
        with suppress(OSError):
            _size(self._terminal, columns, lines)

    async def close(self) -> None:
        """Hang up, and see to it that the command ends."""
        asyncio.get_running_loop().remove_writer(self._terminal)
        self._lines.close()
        os.close(self._terminal)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


def _size(terminal: int, columns: int, lines: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


async def open_tab(
    command: Sequence[str],
    *,
    columns: int,
    lines: int,
    environ: Mapping[str, str],
) -> Tab:
    """Start a command on a terminal of a size."""
    ours, theirs = pty.openpty()
    try:
        _size(ours, columns, lines)
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            _BEGIN,
            os.ttyname(theirs),
            *command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=surroundings(environ),
            start_new_session=True,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    os.set_blocking(ours, False)
    reader = asyncio.StreamReader(limit=AHEAD)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(ours), "rb", buffering=0)
    )
    return Tab(process, ours, transport, reader)
