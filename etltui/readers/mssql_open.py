"""Opens a SQL Server session: verified unless the url says otherwise, with the isolation wanted."""

import os
import socket
import stat
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked
from etltui.domain.server import ServerFacts, skew
from etltui.domain.task import SessionTask
from etltui.readers.mssql_drivers import Driver, chosen, keys
from etltui.readers.mssql_errors import NATIVES
from etltui.readers.mssql_trust import trusting
from etltui.readers.odbc_api import missing
from etltui.readers.odbc_line import OdbcLine
from etltui.readers.reach import KEEP_ALIVE, REACH_S, reached
from etltui.readers.waits import ANSWER_S, LOGIN_SHARE

_SNAPSHOT_ON = 1
# tempdb is made anew with each start of the server.
_FACTS = """
SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)),
       CAST(SERVERPROPERTY('ServerName') AS nvarchar(256)),
       name,
       create_date,
       CAST(service_broker_guid AS char(36)),
       (SELECT t.create_date FROM sys.databases t WHERE t.name = 'tempdb'),
       snapshot_isolation_state,
       SYSUTCDATETIME(),
       @@SPID
  FROM sys.databases WHERE database_id = DB_ID()
"""
_LEVELS = {"snapshot": "SNAPSHOT", "committed": "READ COMMITTED", "dirty": "READ UNCOMMITTED"}
_WAY_OUT = (
    "add ?sslrootcert=FILE to the url for an authority of your own, certname=NAME where the "
    "certificate has another name than the url (it never holds for an address in figures), or say "
    "sslmode=require (any certificate) or disable (no encryption)"
)
_OLD = (
    "; a server of 2008 knows TLS 1.0 only, which this machine's driver refuses: "
    "driver=freetds&tds_version=7.3&sslmode=disable reaches it, unencrypted but for the login"
)
_PLAIN = "; ODBC Driver 18 encrypts by default, and the server offers no encryption"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A session, and what was learnt of the server.

    Attributes:
        number: The session's at the server; 0 where it did not tell.
    """

    line: OdbcLine
    driver: Driver
    facts: ServerFacts
    number: int


def open_session(task: SessionTask) -> Opened:
    """Open a session.

    Raises:
        Failure: With the class that says why; no text of it holds the password.
    """
    driver = chosen(task.options.get("driver", ""), _installed())
    began = time.monotonic()
    if not task.options.get("instance"):
        reached(task.host, task.port, min(REACH_S, task.connect_timeout_s / 2)).close()
    left = max(1.0, task.connect_timeout_s - (time.monotonic() - began))
    line = connected(task, driver, left)
    try:
        _quicken(task.port)
        facts, number, snapshot = _told(line, task, driver)
        _adjust(line, task, snapshot=snapshot)
    except BaseException:
        line.close()
        raise
    return Opened(line=line, driver=driver, facts=facts, number=number)


def connected(task: SessionTask, driver: Driver, seconds: float) -> OdbcLine:
    """A session as it comes from the server.

    Raises:
        Failure: There is none.
    """
    where = f"{task.host}:{task.port}"
    if instance := task.options.get("instance"):
        where = f"{task.host}\\{instance}"
    made = keys(driver, task, max(1, round(seconds * LOGIN_SHARE)))
    verified = task.options.get("sslmode", "verify-full") == "verify-full"
    trust = trusting(task.options.get("sslrootcert", ""), seconds) if verified else nullcontext()
    try:
        with trust:
            return OdbcLine(
                made,
                where=where,
                limit_s=seconds,
                secrets=[task.password],
                natives=NATIVES,
            )
    except Failure as failure:
        raise _explained(failure, driver, task, where) from failure


def _explained(failure: Failure, driver: Driver, task: SessionTask, where: str) -> Failure:
    """The failure with what an operator can do about it."""
    words, kind = masked(failure.message, [task.password]), failure.error_class
    if driver.is_freetds and kind is ErrorClass.UNREACHABLE:
        words = (
            f"{where} answers, but FreeTDS could not begin a session: the server offers no "
            "encryption, or another version of its protocol. Try sslmode=disable, or "
            "tds_version=7.3 (2008) or 7.2 (2005)"
        )
        kind = ErrorClass.TLS
    elif "ncryption not supported on SQL Server" in words:
        words, kind = f"{where}: {words}{_PLAIN}; {_WAY_OUT}", ErrorClass.TLS
    elif kind is ErrorClass.TLS and not driver.is_freetds:
        words = f"no trusted TLS with {where}: {words}; {_WAY_OUT}{_OLD}"
    elif kind is ErrorClass.UNREACHABLE and "imeout" in words:
        words, kind = f"{where}: {words}; connection_timeout_s sets the limit", ErrorClass.TIMEOUT
    return Failure(kind, words, failure.facts)


def _installed() -> list[str]:
    """The drivers that the driver manager knows."""
    try:
        import pyodbc  # type: ignore[import-not-found]  # noqa: PLC0415 - it cannot be loaded without the driver manager
    except ImportError as error:
        raise missing(str(error)) from error
    # The driver manager's own pool would keep sessions open that we have closed.
    pyodbc.pooling = False
    return list(pyodbc.drivers())


def _quicken(port: int) -> None:
    """Have lines to the server notice that they are dead: the drivers leave that to chance."""
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        with suppress(OSError):
            if not stat.S_ISSOCK(os.stat(int(entry)).st_mode):  # noqa: PTH116 - a descriptor
                continue
            with socket.socket(fileno=os.dup(int(entry))) as sock:
                if sock.family == socket.AF_UNIX or sock.getpeername()[1] != port:
                    continue
                for option in KEEP_ALIVE:
                    sock.setsockopt(*option)


def _told(line: OdbcLine, task: SessionTask, driver: Driver) -> tuple[ServerFacts, int, bool]:
    """What the server says of itself, the session's number, and whether snapshots are allowed."""
    began = time.time()
    try:
        [row] = line.rows(_FACTS, seconds=ANSWER_S)
    except (Failure, ValueError):
        # An old server, or a user who may not look: whatever else fails will say so itself.
        line.check()
        return ServerFacts(driver=_spoken(line, driver)), 0, False
    ended = time.time()
    version, server, database, created, broker, started, snapshot, now, number = row
    return (
        ServerFacts(
            product=f"SQL Server {version}",
            identity="/".join(str(part).strip() for part in (server, database, created, broker)),
            started=str(started),
            skew_s=skew(now.replace(tzinfo=UTC).timestamp(), began, ended),
            encrypted=task.options.get("sslmode", "verify-full") != "disable",
            driver=_spoken(line, driver),
        ),
        int(number),
        snapshot == _SNAPSHOT_ON,
    )


def _spoken(line: OdbcLine, driver: Driver) -> str:
    """The driver with its version."""
    import pyodbc  # noqa: PLC0415 - see `_installed`

    raw: Any = line.raw
    with suppress(Failure, pyodbc.Error):
        return line.call(
            lambda: f"{driver.name.rpartition('/')[2]} {raw.getinfo(pyodbc.SQL_DRIVER_VER)}",
            seconds=ANSWER_S,
        )
    return driver.name


def _adjust(line: OdbcLine, task: SessionTask, *, snapshot: bool) -> None:
    """Make the session as the policy wants it.

    Raises:
        Failure: Of class `permission`; snapshots are wanted and not allowed.
    """
    policy = task.policy
    if policy.isolation == "snapshot" and not snapshot:
        raise Failure(
            ErrorClass.PERMISSION,
            f'isolation = "snapshot", but the database {task.database} does not allow it; ask for '
            "ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON, or take isolation out",
        )
    level = policy.isolation or ("snapshot" if snapshot else "committed")
    wait = policy.lock_timeout_s * 1000 or -1
    line.rows(
        f"SET TRANSACTION ISOLATION LEVEL {_LEVELS[level]}; SET LOCK_TIMEOUT {wait}; "
        "SET TEXTSIZE 2147483647",
        seconds=ANSWER_S,
    )
