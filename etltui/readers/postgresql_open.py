"""Opens a PostgreSQL session: encrypted and verified unless the url says otherwise, read-only."""

import asyncio
import getpass
import ssl
from contextlib import suppress

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked_failure
from etltui.domain.policy import ReadPolicy
from etltui.domain.task import SessionTask
from etltui.readers.encryption import no_trust, not_offered, tls
from etltui.readers.postgresql_errors import failure_of
from etltui.readers.postgresql_line import Line
from etltui.readers.postgresql_session import SETTINGS, gentle
from etltui.readers.postgresql_wire import Wire
from etltui.readers.reach import REACH_S, no_login
from etltui.readers.waits import LOGIN_SHARE

_KNOWS_CHECKS = 14
"""The first version with client_connection_check_interval."""


def open_session(task: SessionTask) -> Wire:
    """Open a session.

    Raises:
        Failure: With the class that says why; no text of it holds the password.
    """
    context = tls(dict(task.options))
    user = task.user or getpass.getuser()
    line = Line(reach_s=min(REACH_S, task.connect_timeout_s / 2))
    try:
        return Wire(line, line.run_until_complete(_connected(task, user, context)))
    except BaseException as error:
        line.end()
        if isinstance(error, Exception):
            raise masked_failure(_refused(error, task), [task.password]) from error
        raise


async def _connected(
    task: SessionTask,
    user: str,
    context: ssl.SSLContext | None,
) -> "asyncpg.Connection[asyncpg.Record]":
    """A session with its settings made; everything is said, or asyncpg asks the environment."""
    async with asyncio.timeout(task.connect_timeout_s * LOGIN_SHARE):
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
            server_settings=dict(SETTINGS),
            target_session_attrs=SessionAttribute.any,
        )
        await _adjust(connection, task.policy)
    return connection


async def _adjust(
    connection: "asyncpg.Connection[asyncpg.Record]",
    policy: ReadPolicy,
) -> None:
    """Make the settings that a pooler in between would not take with the login.

    One of them not every server knows: a query whose client is gone ends in 1 s.
    """
    for setting in gentle(policy):
        await connection.execute(setting)
    if connection.get_server_version().major >= _KNOWS_CHECKS:
        with suppress(asyncpg.PostgresError):  # a server on Windows cannot
            await connection.execute("SET client_connection_check_interval = 1000")


def _refused(error: Exception, task: SessionTask) -> Failure:
    """Why there is no session."""
    where = f"{task.host}:{task.port}"
    if isinstance(error, ssl.SSLError):
        return no_trust(where, error)
    if type(error) is ConnectionError and "rejected SSL" in str(error):
        return not_offered(where)
    if isinstance(error, TimeoutError):
        return no_login(where, task.connect_timeout_s)
    if isinstance(error, asyncpg.InterfaceError):
        return Failure(ErrorClass.LOGIN, f"{where}: {error}")
    return failure_of(error)
