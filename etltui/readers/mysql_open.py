"""Opens a MySQL or MariaDB session: encrypted and verified unless the url says otherwise."""

import getpass
import ssl
import threading
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from pymysql import err

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked_failure
from etltui.domain.task import SessionTask
from etltui.readers.encryption import no_trust, not_offered, tls
from etltui.readers.mysql_errors import failure_of, number_of
from etltui.readers.mysql_line import Line
from etltui.readers.mysql_session import LEVELS, setting
from etltui.readers.mysql_wire import Wire
from etltui.readers.reach import REACH_S, no_login, reached, reached_locally
from etltui.readers.waits import LOGIN_SHARE

_KILL_S = 5.0
"""For ending a query: eight journeys to a server that may be far away. Nobody waits so long."""
_NO_TLS = 2026

_WHERE = "SELECT @@hostname, @@port, @@datadir"
"""What tells one server from another behind the same address."""


def open_session(task: SessionTask) -> Wire:
    """Open a session in which nothing can be written.

    Raises:
        Failure: With the class that says why; no text of it holds the password.
    """
    line = _logged_in(task, task.connect_timeout_s)
    try:
        line.patience(task.connect_timeout_s)
        line.ask(f"{setting(task.policy)}, autocommit = 1")
        level = LEVELS[task.policy.isolation]
        line.ask(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}, READ ONLY")
        where = line.ask(_WHERE)
    except Exception as error:
        line.cut()
        raise masked_failure(failure_of(error), [task.password]) from error
    return Wire(line, lambda number: _kill(task, where, number))


def _kill(task: SessionTask, where: Sequence[Sequence[Any]], number: int) -> None:
    """End a query over a session of its own, at the same server and no other.

    Behind an address there may be several, and a session of that number at each.
    """
    with closing(_logged_in(task, _KILL_S)) as line:
        line.patience(_KILL_S)
        if line.ask(_WHERE) == where:
            line.ask(f"KILL QUERY {number}")


def _logged_in(task: SessionTask, limit_s: float) -> Line:
    """A session as the server gives it."""
    local = task.host.startswith("/")
    context = None if local else tls(task.options)
    line = Line(
        user=task.user or getpass.getuser(),
        # PyMySQL knows a text in Latin-1 only.
        password=task.password.encode(),
        host=task.host,
        port=task.port,
        database=task.database,
        charset="utf8mb4",
        ssl=context,
        ssl_disabled=context is None,
        program_name="etltui",
        autocommit=None,
        defer_connect=True,
    )
    line._secure = local  # noqa: SLF001 - PyMySQL says so where it connects by itself
    reach_s = min(REACH_S, limit_s / 2)
    sock = reached_locally(task.host, reach_s) if local else reached(task.host, task.port, reach_s)
    late = threading.Event()

    def end() -> None:
        late.set()
        line.interrupt()

    timer = threading.Timer(limit_s * LOGIN_SHARE, end)
    timer.daemon = True
    timer.start()
    try:
        line.connect(sock)
    except Exception as error:
        sock.close()
        raise masked_failure(_refused(error, task, late=late.is_set()), [task.password]) from error
    finally:
        timer.cancel()
    return line


def _refused(error: Exception, task: SessionTask, *, late: bool) -> Failure:
    """Why there is no session."""
    where = task.host if task.host.startswith("/") else f"{task.host}:{task.port}"
    cause = getattr(error, "original_exception", None) or error
    if late:
        return no_login(where, task.connect_timeout_s)
    if isinstance(cause, ssl.SSLError):
        return no_trust(where, cause)
    if number_of(error) == _NO_TLS:
        return not_offered(where)
    if isinstance(error, err.OperationalError) and not number_of(error):
        return Failure(ErrorClass.LOGIN, f"{where}: {error}")
    if isinstance(error, RuntimeError):
        # A package is missing by which this server's kind of password is sent.
        return Failure(ErrorClass.LOGIN, f"{where}: {error}")
    return failure_of(cause)
