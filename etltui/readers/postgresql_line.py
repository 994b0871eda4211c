"""The loop that asyncpg runs on: it connects in stages that tell what failed, and keeps lines up.

asyncpg opens its sockets through the loop, those for a cancel too, so here is the one place that
decides how.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from etltui.readers.names import Address, found
from etltui.readers.reach import KEEP_ALIVE, not_reached

_END_S = 1.0


class Line(asyncio.SelectorEventLoop):
    """One session's loop; it runs only while the session's thread waits for the server.

    Args:
        reach_s: How long it may take until the host takes the connection; the login has its own
            limit.

    Attributes:
        transport: What was opened last.
    """

    transport: asyncio.Transport | None = None

    def __init__(self, *, reach_s: float) -> None:
        super().__init__()
        self._reach_s = reach_s
        self._answered: Address | None = None
        """A cancel must reach the very server, whatever the name means by then."""

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        host: str,
        port: int,
        **options: Any,
    ) -> tuple[Any, Any]:
        """As the base class does, over a socket that was connected in bounded time.

        Raises:
            Failure: Of class `unreachable` or `refused`.
        """
        sock = await self._reached(host, port)
        try:
            made = await super().create_connection(protocol_factory, sock=sock, **options)
        except BaseException:
            sock.close()
            raise
        self.transport = made[0]
        return made

    async def create_unix_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        path: str,
        **options: Any,
    ) -> tuple[Any, Any]:
        """As the base class does, with failures of ours.

        Raises:
            Failure: Of class `unreachable` or `refused`.
        """
        try:
            made = await super().create_unix_connection(protocol_factory, path, **options)
        except OSError as error:
            raise not_reached(path, error) from error
        self.transport = made[0]
        return made

    async def start_tls(self, *arguments: Any, **options: Any) -> Any:
        """As the base class does; the transport is then the encrypted one."""
        self.transport = await super().start_tls(*arguments, **options)
        return self.transport

    def end(self) -> None:
        """Cut what is open and close the loop, within bounds; never raises."""
        if self.transport is not None:
            self.transport.abort()
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        self.run_until_complete(_ended(left))
        self.close()

    async def _reached(self, host: str, port: int) -> socket.socket:
        """A connected socket."""
        try:
            async with asyncio.timeout(self._reach_s):
                known = [self._answered] if self._answered else await found(host, port)
                return await self._first(known)
        except OSError as error:
            raise not_reached(f"{host}:{port}", error, self._reach_s) from error

    async def _first(self, addresses: list[Address]) -> socket.socket:
        """A socket connected to the first address that answers; each has its share of the time."""
        failed: OSError = OSError("the name has no address")
        for family, address in addresses:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)  # noqa: FBT003 - the call's own signature
                for option in KEEP_ALIVE:
                    sock.setsockopt(*option)
                async with asyncio.timeout(self._reach_s / len(addresses)):
                    await self.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                failed = error
            except BaseException:
                sock.close()
                raise
            else:
                self._answered = (family, address)
                return sock
        raise failed


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    """Let tasks and transports hear that they have ended."""
    if tasks:
        await asyncio.wait(tasks, timeout=_END_S)
    await asyncio.sleep(0)
