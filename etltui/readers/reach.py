"""A socket to a database server in bounded time, and words that tell why there is none."""

import socket
import time

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.names import Address, looked_up

REACH_S = 3.0
"""Until the host takes the connection; a branch that is down is told from one that is slow."""
KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)
"""A dead line is noticed within 30 s: 15 + 3 × 5 s in silence, or 30 s without an answer."""


def not_reached(where: str, error: OSError, reach_s: float = 0.0) -> Failure:
    """Why nothing was reached at a place."""
    words = error.strerror or str(error)
    if isinstance(error, ConnectionRefusedError):
        return Failure(ErrorClass.REFUSED, f"nothing listens at {where}")
    if isinstance(error, socket.gaierror):
        return Failure(ErrorClass.UNREACHABLE, f"the name of {where} is not known: {words}")
    if isinstance(error, TimeoutError):
        return Failure(ErrorClass.UNREACHABLE, f"{where} did not answer within {reach_s:g} s")
    return Failure(ErrorClass.UNREACHABLE, f"{where} cannot be reached: {words}")


def no_login(where: str, limit_s: float) -> Failure:
    """Why there is no session at a place that was reached."""
    return Failure(
        ErrorClass.TIMEOUT,
        f"{where} took the connection, but finished no login within connection_timeout_s = "
        f"{limit_s:g} s",
    )


def reached(host: str, port: int, reach_s: float) -> socket.socket:
    """A connected socket that notices a dead line; each address of a name has its share of time.

    Raises:
        Failure: Of class `unreachable` or `refused`.
    """
    until = time.monotonic() + reach_s
    try:
        addresses = looked_up(host, port, reach_s)
        return _first(addresses, until)
    except OSError as error:
        raise not_reached(f"{host}:{port}", error, reach_s) from error


def reached_locally(path: str, reach_s: float) -> socket.socket:
    """A socket connected to one of this machine's own.

    Raises:
        Failure: Of class `unreachable` or `refused`.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(reach_s)
        sock.connect(path)
    except OSError as error:
        sock.close()
        raise not_reached(path, error, reach_s) from error
    return sock


def _first(addresses: list[Address], until: float) -> socket.socket:
    """A socket connected to the first address that answers."""
    failed: OSError = OSError("the name has no address")
    for number, (family, address) in enumerate(addresses):
        left = (until - time.monotonic()) / (len(addresses) - number)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in KEEP_ALIVE:
                sock.setsockopt(*option)
            sock.settimeout(max(left, 0.01))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failed = error
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise failed
