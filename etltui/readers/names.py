"""Looks up a server's name in a thread that nobody waits for: a resolver may hang."""

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any

Address = tuple[int, Any]
"""Family, and what the family connects to."""


def addresses_of(host: str, port: int) -> list[Address]:
    """The addresses of a name, as long as that takes.

    Raises:
        OSError: It has none, or is no name.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(str(error)) from error
    return [(family, address) for family, _, _, _, address in infos]


def looked_up(host: str, port: int, limit_s: float) -> list[Address]:
    """The addresses of a name within a time.

    Raises:
        OSError: It has none; `TimeoutError` where nobody answered.
    """
    found: list[Address] = []
    failed: list[OSError] = []

    def look_up() -> None:
        try:
            found.extend(addresses_of(host, port))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=look_up, name="resolve", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise TimeoutError
    if failed:
        raise failed[0]
    return found


async def found(host: str, port: int) -> list[Address]:
    """The addresses of a name, on a loop; whoever waits sets the limit.

    Raises:
        OSError: It has none.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def settle(addresses: list[Address], error: OSError | None) -> None:
        if not answer.done():
            answer.set_exception(error) if error else answer.set_result(addresses)

    def look_up() -> None:
        addresses: list[Address] = []
        failed = None
        try:
            addresses = addresses_of(host, port)
        except OSError as error:
            failed = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, addresses, failed)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    return await answer
