"""Serves an engine at a socket in its state folder, to anybody who may look into that folder."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from etltui.config.reading import steady
from etltui.config.schema import Config
from etltui.domain.errors import StateError
from etltui.door.errors import GoneError
from etltui.door.protocol import SOCKET, VERSION, Hello
from etltui.door.visit import Visit
from etltui.engine.engine import Engine, RunHandle

MOST_CLIENTS = 200
BACKLOG = 100
"""Clients that may knock at once."""
_UNHEARD = f".{SOCKET}"
LEAVING_S = 2.0
"""How long clients may take to read their last messages."""


class Door:
    """What the clients of an engine have in common.

    Args:
        engine: Whom they call.
        load: Reads the configuration anew; a request is held against what the files say now.
        hello: The first words to each.
        uids: Users who may come in.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        load: Callable[[], Config],
        hello: Hello,
        uids: Collection[int],
    ) -> None:
        self.engine = engine
        self.hello = hello
        self._load = load
        self._uids = uids
        self._reading = asyncio.Lock()
        self._visits: dict[Visit, asyncio.Task[None]] = {}
        self._starting = 0
        self._handed: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._closed = False

    async def start(self, begin: Callable[[], Awaitable[RunHandle]]) -> RunHandle:
        """Start a run for a client, with the configuration as its files are now.

        Raises:
            GoneError: The engine is about to end; nothing was started.
            ConfigError: The files have mistakes now; or what the engine raises.
        """
        if self._closed:
            raise GoneError("the engine takes no more runs: it is about to end")
        self._starting += 1
        try:
            await self.refresh()
            handle = await begin()
            if handle.run not in self._handed:
                ends = asyncio.create_task(self._until(handle), name=f"handed {handle.run}")
                self._handed[handle.run] = ends
            return handle
        finally:
            self._starting -= 1
            self._changed.set()

    async def _until(self, handle: RunHandle) -> None:
        await handle.wait()
        del self._handed[handle.run]
        self._changed.set()

    async def refresh(self) -> None:
        """Let the engine work with the configuration as its files are now.

        Raises:
            ConfigError: All mistakes in them; the engine goes on with what it has.
        """
        async with self._reading:
            now, before = await asyncio.to_thread(self._load), self.engine.config
            now = steady(now, before)
            if now != before:
                await self.engine.reload(now)

    @property
    def handed(self) -> int:
        """Runs that clients have handed in and that go on."""
        return len(self._handed)

    @property
    def visitors(self) -> int:
        """Clients that are in."""
        return len(self._visits)

    async def finish(self) -> None:
        """Wait for the runs that were handed in, then take no more."""
        while self._starting or self._handed:
            self._changed.clear()
            await self._changed.wait()
        self._closed = True

    def close(self) -> None:
        """Take no more runs; what was handed in goes on."""
        self._closed = True

    def come_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client from here on."""
        pid, uid = _peer(writer)
        if uid not in self._uids or len(self._visits) >= MOST_CLIENTS:
            writer.transport.abort()
            return
        visit = Visit(self, reader, writer, peer=(pid, uid))
        task = asyncio.create_task(visit.serve(), name="client")
        self._visits[visit] = task
        task.add_done_callback(lambda _: self._visits.pop(visit))

    async def aclose(self) -> None:
        """Let the clients have what they wait for, within bounds, and hang up."""
        self._closed = True
        visits = dict(self._visits)
        if visits:
            leaving = [asyncio.create_task(visit.leave()) for visit in visits]
            await asyncio.wait(leaving, timeout=LEAVING_S)
            tasks = [*leaving, *visits.values()]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for waiting in self._handed.values():
            waiting.cancel()


def _peer(writer: asyncio.StreamWriter) -> tuple[int, int]:
    """Process and user at the other end, as the kernel knows."""
    peer = writer.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    return pid, uid


def _listen(folder: int) -> socket.socket:
    """A socket in the folder, in place of one that a dead engine left there."""
    with suppress(FileNotFoundError):
        os.unlink(_UNHEARD, dir_fd=folder)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # The file is made with the mode of the socket, and has its name when somebody listens.
        os.fchmod(listening.fileno(), 0o600)
        listening.bind(within(folder, _UNHEARD))
        listening.listen(BACKLOG)
        os.rename(_UNHEARD, SOCKET, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        listening.close()
        raise
    return listening


def within(folder: int, name: str = SOCKET) -> str:
    """The address of a socket by its open folder: the path itself may be too long for one."""
    return f"/proc/self/fd/{folder}/{name}"


@asynccontextmanager
async def serving(
    engine: Engine,
    state: Path,
    *,
    load: Callable[[], Config],
    uids: Collection[int] | None = None,
) -> AsyncIterator[Door]:
    """Serve the engine for the time of the block; it holds the state folder.

    Whoever waits for a run when the block ends gets its result if the run has ended by then.

    Args:
        engine: Started.
        state: Its folder.
        load: Reads the configuration as it is now.
        uids: Users who may come in; None for the own and root.

    Raises:
        StateError: No socket can be made there.
    """
    now = engine.snapshot()
    hello = Hello(
        version=VERSION,
        config=str(engine.config.path),
        holder=now.holder,
        pid=os.getpid(),
        since=now.at,
        resident=engine.resident,
    )
    door = Door(engine, load=load, hello=hello, uids={os.geteuid(), 0} if uids is None else uids)
    folder = os.open(state, os.O_PATH | os.O_DIRECTORY)
    try:
        try:
            listening = await asyncio.to_thread(_listen, folder)
        except OSError as error:
            raise StateError(
                f"no socket can be made in the state folder {state}: {error.strerror}. "
                "Use a folder on a local disk with --state-dir",
            ) from error
        server = await asyncio.start_unix_server(door.come_in, sock=listening, backlog=BACKLOG)
        try:
            yield door
        finally:
            server.close()
            with suppress(OSError):
                await asyncio.to_thread(os.unlink, SOCKET, dir_fd=folder)
            await door.aclose()
    finally:
        os.close(folder)
