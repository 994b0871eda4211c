"""Who may come in: those who hold the token, at this machine or through a tunnel to it."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Names of this machine that no other machine can answer to."""
PARAMETER = "token"

Verdict = Literal["in", "welcome", "out"]
"""`welcome` brings the token itself: it gets the cookie, and an address without the token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a request says of itself.

    Attributes:
        headers: By their names in lower case.
        token: Of its address; empty for none.
        cookies: By their names.
        socket: Whether it is to become a WebSocket.
    """

    headers: Mapping[str, str]
    token: str
    cookies: Mapping[str, str]
    socket: bool = False


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Keys:
    """What opens the door.

    Attributes:
        token: Of the link.
        cookie: Its value; not the token, so that the one does not tell the other.
        cookie_name: With the port, for cookies are shared by all ports of a machine.
    """

    token: str
    cookie: str
    cookie_name: str


def new_keys(port: int) -> Keys:
    """Keys that nobody can guess."""
    return Keys(
        token=secrets.token_urlsafe(32),
        cookie=secrets.token_urlsafe(32),
        cookie_name=f"etltui_{port}",
    )


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _host(authority: str) -> str:
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def _from_here(asked: Asked) -> bool:
    """Whether the browser believes to talk to this machine, and the page is ours.

    A foreign page whose name was bent to this machine (DNS rebinding) says that name as host; one
    that calls across says where it comes from. The port may be that of a tunnel.
    """
    host = asked.headers.get("host", "")
    if _host(host) not in LOOPBACK:
        return False
    origin = asked.headers.get("origin", "")
    if not origin:
        return not asked.socket
    return origin.lower() == f"http://{host.lower()}"


def verdict(asked: Asked, keys: Keys) -> Verdict:
    """Whether a request comes in."""
    if not _from_here(asked):
        return "out"
    if not asked.socket and _same(asked.token, keys.token):
        return "welcome"
    return "in" if _same(asked.cookies.get(keys.cookie_name, ""), keys.cookie) else "out"
