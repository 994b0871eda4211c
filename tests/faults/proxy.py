"""A line to a server that can be broken in every way a network breaks: loopback only.

The proxy runs its own event loop in a thread, so that a test may be synchronous or not. What it
does to the lines that are open is said by its methods; how it treats new ones by its flags.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

_CHUNK = 65536
_ABRUPT = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 s: closing sends RST, not FIN."""


@dataclass(eq=False)
class _Line:
    """One client and its server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    tasks: list[asyncio.Task] = field(default_factory=list)


class FaultProxy:
    """Carries bytes between clients and one server until it is told not to.

    Args:
        host: The server's, or the absolute path of its socket.
        port: The server's.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        silent_accept: New lines are taken, and nothing is ever answered on them.
        cut_after: Bytes from the server after which a line is reset; None: never.
        taken: Lines that were ever taken.
    """

    def __init__(self, host: str, port: int) -> None:
        self.silent_accept = False
        self.cut_after: int | None = None
        self.taken = 0
        self._to = (host, port)
        self._lines: set[_Line] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server: asyncio.Server = self._ask(self._listen)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, work: Callable[[], Awaitable]):
        """Do something in the proxy's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._take, "127.0.0.1", 0)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        line = _Line(client=writer)
        self._lines.add(line)
        if self.silent_accept:
            return
        try:
            from_server, line.server = await self._reach()
        except OSError:
            self._drop(line, abruptly=True)
            return
        line.tasks = [
            asyncio.create_task(self._carry(line, reader, line.server)),
            asyncio.create_task(self._carry(line, from_server, writer, counted=True)),
        ]

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._to
        if host.startswith("/"):
            return await asyncio.open_unix_connection(host)
        return await asyncio.open_connection(host, port)

    async def _carry(self, line, source, sink, *, counted=False):
        carried = 0
        try:
            while data := await source.read(_CHUNK):
                await self._flowing.wait()
                carried += len(data)
                over = carried - self.cut_after if counted and self.cut_after is not None else 0
                sink.write(data[: max(0, len(data) - over)] if over > 0 else data)
                await sink.drain()
                if over > 0:
                    self._drop(line, abruptly=True)
                    return
            sink.write_eof()
        except OSError:
            self._drop(line, abruptly=True)

    def _drop(self, line: _Line, *, abruptly: bool) -> None:
        """End a line on both sides."""
        self._lines.discard(line)
        for task in line.tasks:
            task.cancel()
        for end in (line.client, line.server):
            if end is not None:
                _end(end, abruptly=abruptly)

    def black_hole(self) -> None:
        """From now on nothing comes and nothing goes, on lines that stay open."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def flow(self) -> None:
        """Undo `black_hole`."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def reset(self) -> None:
        """End every line by RST."""
        self._end_all(abruptly=True)

    def finish(self) -> None:
        """End every line by FIN, as a server that shuts down does."""
        self._end_all(abruptly=False)

    def _end_all(self, *, abruptly: bool) -> None:
        async def end() -> None:
            for line in list(self._lines):
                self._drop(line, abruptly=abruptly)

        self._ask(end)

    def half_open(self) -> None:
        """The server's end of every line is gone, and no client is told."""

        async def end() -> None:
            for line in self._lines:
                for task in line.tasks:
                    task.cancel()
                if line.server is not None:
                    _end(line.server, abruptly=True)

        self._ask(end)

    def close(self) -> None:
        """End everything, its thread too."""

        async def end() -> None:
            self._server.close()
            for line in list(self._lines):
                self._drop(line, abruptly=True)
            await asyncio.sleep(0)

        self._ask(end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _end(writer: asyncio.StreamWriter, *, abruptly: bool) -> None:
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if abruptly:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)
            writer.transport.abort()
        else:
            writer.close()
