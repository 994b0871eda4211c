"""Which class of failure PostgreSQL's SQLSTATEs and asyncpg's own errors stand for."""

import ssl

import asyncpg

from etltui.domain.errors import ErrorClass, Failure

_STATES = {
    "0A000": ErrorClass.SYNTAX,  # feature not supported
    "0P000": ErrorClass.LOGIN,  # invalid role
    "08001": ErrorClass.LOST,  # a server behind the server cannot be reached
    "25001": ErrorClass.PERMISSION,  # a query that would change its transaction
    "25006": ErrorClass.PERMISSION,  # writing in a read-only transaction
    "25P02": ErrorClass.INTERNAL,  # a statement after a failed one is ours
    "25P03": ErrorClass.LOST,  # idle in transaction for too long
    "25P04": ErrorClass.TIMEOUT,  # transaction_timeout
    "26000": ErrorClass.LOST,  # a proxy has changed the session beneath a statement
    "28000": ErrorClass.LOGIN,
    "28P01": ErrorClass.LOGIN,
    "3D000": ErrorClass.NO_DATABASE,
    "3F000": ErrorClass.SYNTAX,  # no such schema
    "40001": ErrorClass.BUSY,  # serialization, or a standby's replay came first
    "40P01": ErrorClass.BUSY,  # deadlock
    "42501": ErrorClass.PERMISSION,
    "53100": ErrorClass.BUSY,  # the server's disk, not ours
    "53200": ErrorClass.BUSY,  # the server's memory, not ours
    "53300": ErrorClass.BUSY,  # too many connections
    "53400": ErrorClass.PERMISSION,  # a limit that was set for this user
    "55000": ErrorClass.BUSY,  # an object not in the state it needs, as an index being built
    "55006": ErrorClass.BUSY,  # object in use
    "55P03": ErrorClass.BUSY,  # lock_timeout, NOWAIT
    "57014": ErrorClass.TIMEOUT,  # statement_timeout; or somebody at the server
    "57P01": ErrorClass.LOST,  # the server shuts down, or its operator ended the session
    "57P02": ErrorClass.LOST,  # another process of the server crashed
    "57P03": ErrorClass.BUSY,  # the server starts up
    "57P04": ErrorClass.NO_DATABASE,  # the database was dropped
    "57P05": ErrorClass.LOST,  # idle for too long
    "58P01": ErrorClass.CORRUPT,  # a file of the server is missing
    "58P02": ErrorClass.CORRUPT,
    "72000": ErrorClass.BUSY,  # snapshot too old
    "F0000": ErrorClass.LOGIN,  # the server's own configuration is wrong
    "HV00N": ErrorClass.LOST,  # a foreign server cannot be reached
    "HV00B": ErrorClass.SYNTAX,
    "HV001": ErrorClass.BUSY,  # a foreign server's memory
    "XX000": ErrorClass.CORRUPT,
    "XX001": ErrorClass.CORRUPT,
    "XX002": ErrorClass.CORRUPT,
}
_FAMILIES = {
    "08": ErrorClass.LOST,
    "22": ErrorClass.VALUE,  # division by zero, a text that is no number
    "28": ErrorClass.LOGIN,
    "40": ErrorClass.BUSY,
    "42": ErrorClass.SYNTAX,
    "53": ErrorClass.BUSY,
    "57": ErrorClass.LOST,
    "58": ErrorClass.LOST,
    "XX": ErrorClass.CORRUPT,
}
"""By the first two characters; whatever else happens to a statement is the statement's fault."""

_KINDS: dict[type[BaseException], ErrorClass] = {
    TimeoutError: ErrorClass.TIMEOUT,
    ssl.SSLError: ErrorClass.TLS,
    OSError: ErrorClass.LOST,
    UnicodeError: ErrorClass.VALUE,
}
"""In this order: the first two are of the third, too."""


def class_of(state: str) -> ErrorClass:
    """The class of an SQLSTATE."""
    return _STATES.get(state) or _FAMILIES.get(state[:2], ErrorClass.SYNTAX)


def failure_of(error: BaseException, *, broken: bool = False) -> Failure:
    """The failure that an exception stands for, in the server's own words.

    Args:
        error: Of asyncpg, or of the operating system.
        broken: Whether the session has ended: then an error of the driver is the line's.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
        return _of_server(error, error.sqlstate)
    return _of_line(error, _one_line(str(error)) or type(error).__name__, broken=broken)


def _of_line(error: BaseException, words: str, *, broken: bool) -> Failure:
    # A server that ends a session amid rows confuses asyncpg before it hears that the line ended.
    if broken or isinstance(error, asyncpg.InternalClientError):
        return Failure(ErrorClass.LOST, f"the session broke: {words}")
    for kind, error_class in _KINDS.items():
        if isinstance(error, kind):
            return Failure(error_class, words)
    return Failure(ErrorClass.INTERNAL, f"{type(error).__name__}: {words}")


def _of_server(error: asyncpg.PostgresError, state: str) -> Failure:
    said = (getattr(error, part, None) for part in ("message", "detail", "hint"))
    words = ". ".join(_one_line(str(part)).rstrip(".") for part in said if part)
    # What asyncpg says in the server's stead has no message of its own.
    words = words or _one_line(" ".join(map(str, error.args))) or state
    return Failure(class_of(state), words, {"sqlstate": state})


def _one_line(words: str) -> str:
    return " ".join(words.split())
