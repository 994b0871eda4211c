"""Who a process belongs to, as the kernel knows."""

import os
import pwd
import socket
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path

from etltui.domain.audit import Caller

CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""Who is being served; None for whoever runs the engine."""

_UNSET = 2**32 - 1
"""Login of a process that nobody's login has started."""
_MOST = 64


def caller_of(pid: int, uid: int, *, proc: Path = Path("/proc")) -> Caller:
    """Who a process belongs to. It may wait for a directory service: ask in a thread.

    Args:
        pid: Of the process; 0 where it is not known.
        uid: Its user.
        proc: Where the kernel tells of processes.
    """
    user = _name(uid)
    login = ""
    with suppress(OSError, ValueError):
        # It stays the same through su and sudo.
        first = int((proc / str(pid) / "loginuid").read_text())
        login = "" if first in (uid, _UNSET) else _name(first)
    return Caller(user=user, host=socket.gethostname(), pid=pid, login=login)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return str(uid)


def terminal() -> str:
    """The terminal of this process, such as `pts/3`; empty for none."""
    for descriptor in range(3):
        with suppress(OSError):
            return os.ttyname(descriptor).removeprefix("/dev/")
    return ""


def address(environ: Mapping[str, str]) -> str:
    """From where this process's terminal was opened by SSH; empty for here.

    Args:
        environ: `SSH_CONNECTION` is looked at.
    """
    return next(iter(environ.get("SSH_CONNECTION", "").split()), "")[:_MOST]


def own_caller(environ: Mapping[str, str]) -> Caller:
    """Who this process belongs to, and at which terminal.

    Args:
        environ: Of this process.
    """
    found = caller_of(os.getpid(), os.geteuid())
    return replace(found, terminal=terminal(), address=address(environ))
