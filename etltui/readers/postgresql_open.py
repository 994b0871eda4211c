"""Opens a PostgreSQL session: encrypted and verified unless the url says otherwise, read-only."""

import asyncio
import getpass
import ssl
from contextlib import suppress

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked
from etltui.domain.task import SessionTask
from etltui.readers.postgresql_errors import failure_of
from etltui.readers.postgresql_line import Line
from etltui.readers.postgresql_wire import Wire

_REACH_S = 3.0
"""Until the host takes the connection; a branch that is down is told from one that is slow."""
_LOGIN_SHARE = 0.9
"""Of the connect limit, so that the failure is ours and names the host."""
_KNOWS_CHECKS = 14
"""The first version with client_connection_check_interval."""

_SETTINGS = {
    "application_name": "etltui",
    "default_transaction_read_only": "on",
    # Ten minutes: parts are written between two queries of a snapshot, and that may take a while.
    "idle_in_transaction_session_timeout": "600000",
    # What values look like, whatever server, database or role are set to.
    "bytea_output": "hex",
    "DateStyle": "ISO",
    "extra_float_digits": "3",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
}
_WAY_OUT = (
    "add ?sslrootcert=FILE to the url for an authority of your own, or say "
    "sslmode=verify-ca (any name), require (any certificate) or disable (no encryption)"
)


def tls(options: dict[str, str]) -> ssl.SSLContext | None:
    """How to encrypt by the url's `sslmode` (`verify-full` by default), None for not at all.

    Raises:
        Failure: Of class `tls`; `sslrootcert` cannot be read.
    """
    mode, authority = options.get("sslmode", "verify-full"), options.get("sslrootcert")
    if mode == "disable":
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as error:
        words = error.strerror or str(error)
        raise Failure(ErrorClass.TLS, f"cannot use sslrootcert {authority}: {words}") from error
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


def open_session(task: SessionTask) -> Wire:
    """Open a session.

    Raises:
        Failure: With the class that says why; no text of it holds the password.
    """
    context = tls(dict(task.options))
    user = task.user or getpass.getuser()
    line = Line(reach_s=min(_REACH_S, task.connect_timeout_s / 2))
    try:
        return Wire(line, line.run_until_complete(_connected(task, user, context)))
    except BaseException as error:
        line.end()
        if isinstance(error, Exception):
            raise _masked(_refused(error, task), task.password) from error
        raise


async def _connected(
    task: SessionTask,
    user: str,
    context: ssl.SSLContext | None,
) -> "asyncpg.Connection[asyncpg.Record]":
    """A session with its settings made; everything is said, or asyncpg asks the environment."""
    async with asyncio.timeout(task.connect_timeout_s * _LOGIN_SHARE):
        connection = await asyncpg.connect(
            host=task.host,
            port=task.port,
            user=user,
            password=task.password,
            database=task.database,
            ssl=context or False,
            direct_tls=False,
            timeout=task.connect_timeout_s,
            statement_cache_size=0,
            server_settings=_SETTINGS,
            target_session_attrs=SessionAttribute.any,
        )
        await _adjust(connection)
    return connection


async def _adjust(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Make the setting that not every server knows: a query whose client is gone ends in 1 s."""
    if connection.get_server_version().major >= _KNOWS_CHECKS:
        with suppress(asyncpg.PostgresError):  # a server on Windows cannot
            await connection.execute("SET client_connection_check_interval = 1000")


def _refused(error: Exception, task: SessionTask) -> Failure:
    """Why there is no session."""
    where = f"{task.host}:{task.port}"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or str(error)
        why = reason.rstrip(".")
        return Failure(ErrorClass.TLS, f"no trusted TLS with {where}: {why}; {_WAY_OUT}")
    if type(error) is ConnectionError and "rejected SSL" in str(error):
        return Failure(ErrorClass.TLS, f"the server at {where} offers no TLS; {_WAY_OUT}")
    if isinstance(error, TimeoutError):
        return Failure(
            ErrorClass.TIMEOUT,
            f"{where} took the connection, but finished no login within connection_timeout_s = "
            f"{task.connect_timeout_s:g} s",
        )
    if isinstance(error, asyncpg.InterfaceError):
        return Failure(ErrorClass.LOGIN, f"{where}: {error}")
    return failure_of(error)


def _masked(failure: Failure, password: str) -> Failure:
    """The failure without the password, whoever has put it into the words."""
    message = masked(failure.message, [password])
    return Failure(failure.error_class, message, failure.facts)
