"""Reaches a server before a session is opened there, outside of all places that sessions take.

A branch that is down at night is found out within 3 s, and however many are down nobody who has
something to read waits for them: no place of a pool, no login and no extractor is taken meanwhile.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.inquiry import Stage
from etltui.domain.job import Connection
from etltui.domain.lending import Session, Sessions
from etltui.domain.server import Reached
from etltui.readers.names import Address, found
from etltui.readers.reach import REACH_S, not_reached


def place_of(connection: Connection) -> tuple[str, int] | None:
    """Where a connection's server takes connections; None where that is not known, or a file.

    A named instance tells its port only when it is asked.
    """
    host, port = connection.host, connection.port
    if not host or not port or host.startswith("/") or connection.options.get("instance"):
        return None
    return host, port


class Probe:
    """Reaches servers; one that is being reached is not reached twice at the same time.

    Args:
        limit_s: From looking up the name to the connection.
    """

    def __init__(self, limit_s: float = REACH_S) -> None:
        self._limit_s = limit_s
        self._trying: dict[tuple[str, int], asyncio.Task[Reached]] = {}

    async def reach(self, host: str, port: int) -> Reached:
        """Connect to a server and leave it again at once.

        Raises:
            Failure: Of class `unreachable` or `refused`, with what failed: name, way or port.
        """
        place = (host, port)
        task = self._trying.get(place)
        if task is None:
            task = asyncio.create_task(self._reach(host, port), name=f"probe {host}:{port}")
            self._trying[place] = task
            task.add_done_callback(lambda done: self._ended(place, done))
        # Whoever gives up does not end it for the others; it ends by itself.
        return await asyncio.shield(task)

    def _ended(self, place: tuple[str, int], task: asyncio.Task[Reached]) -> None:
        del self._trying[place]
        if not task.cancelled():
            task.exception()

    async def _reach(self, host: str, port: int) -> Reached:
        where = f"{host}:{port}"
        begun = time.monotonic()
        resolved = None
        try:
            async with asyncio.timeout(self._limit_s):
                addresses = await _resolved(host, port)
                resolved = time.monotonic()
                await _first(addresses, self._limit_s - (resolved - begun))
        except OSError as error:
            if isinstance(error, TimeoutError) and resolved is None:
                failure = _no_answer(host, self._limit_s)
            else:
                failure = not_reached(where, error, self._limit_s)
            failure.facts["stage"] = Stage.DNS if resolved is None else Stage.TCP
            raise failure from error
        return Reached(resolve_s=resolved - begun, connect_s=time.monotonic() - resolved)


def _no_answer(host: str, limit_s: float) -> Failure:
    text = f"the name {host} was not found within {limit_s:g} s: no name server answered"
    return Failure(ErrorClass.UNREACHABLE, text)


async def _resolved(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name; one in figures needs nobody to look it up."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        return [(family, (host, port))]
    return await found(host, port)


async def _first(addresses: Sequence[Address], left_s: float) -> None:
    """Connect to the first address that answers; each has its share of the time."""
    loop = asyncio.get_running_loop()
    failed: OSError = OSError("the name has no address")
    for family, address in addresses:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)  # noqa: FBT003 - the call's own signature
            try:
                async with asyncio.timeout(left_s / len(addresses)):
                    await loop.sock_connect(sock, address)
            except OSError as error:
                failed = error
            else:
                return
    raise failed


class ProbedSessions:
    """Sessions as they are opened anyway, whose servers can be reached before.

    Args:
        sessions: Opens them.
        probe: Reaches servers.
    """

    def __init__(self, sessions: Sessions, probe: Probe) -> None:
        self._sessions = sessions
        self._probe = probe

    async def open(self, connection: Connection) -> Session:
        """See `domain.lending.Sessions`."""
        return await self._sessions.open(connection)

    async def reach(self, connection: Connection) -> Reached | None:
        """See `domain.lending.ReachingSessions`."""
        place = place_of(connection)
        return None if place is None else await self._probe.reach(*place)
