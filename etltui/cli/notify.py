"""Tells a service manager how far a service is (sd_notify(3))."""

import os
import socket
from contextlib import suppress


def notify(text: str) -> None:
    """Send a state such as `READY=1` to NOTIFY_SOCKET; nobody there is no mistake of ours."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # an abstract socket: its name begins with a NUL
        address = "\0" + address[1:]
    with (
        suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
    ):
        sender.sendto(text.encode(), address)
