"""Which class of failure PostgreSQL's SQLSTATEs and asyncpg's own errors stand for."""

import ssl

import asyncpg

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.sqlstates import class_of

_KINDS: dict[type[BaseException], ErrorClass] = {
    TimeoutError: ErrorClass.TIMEOUT,
    ssl.SSLError: ErrorClass.TLS,
    OSError: ErrorClass.LOST,
    UnicodeError: ErrorClass.VALUE,
}
"""In this order: the first two are of the third, too."""


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
