"""Which class of failure MySQL's and MariaDB's error numbers and PyMySQL's own errors stand for."""

import ssl

from pymysql import err

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mysql_numbers import NUMBERS

_CLIENT = {
    2003: ErrorClass.UNREACHABLE,
    2006: ErrorClass.LOST,
    2013: ErrorClass.LOST,
    2026: ErrorClass.TLS,
    2055: ErrorClass.LOST,
    2059: ErrorClass.LOGIN,  # an authentication that PyMySQL does not know
}
"""PyMySQL's own numbers."""
_LOST = frozenset({2006, 2013, 2055})


def class_of(number: int) -> ErrorClass:
    """The class of an error number; what is not here is the statement's own fault."""
    return NUMBERS.get(number) or _CLIENT.get(number, ErrorClass.SYNTAX)


def number_of(error: BaseException) -> int:
    """The server's or PyMySQL's number of an error, 0 for none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(error, err.MySQLError) and isinstance(first, int) else 0


def failure_of(error: BaseException) -> Failure:
    """The failure that an exception stands for, in the server's own words."""
    if isinstance(error, Failure):
        return error
    words = _one_line(str(error.args[-1] if error.args else "")) or type(error).__name__
    if isinstance(error, ssl.SSLError):
        return Failure(ErrorClass.TLS, words)
    if number := number_of(error):
        if number in _LOST:
            words = f"the session broke: {words}"
        return Failure(class_of(number), words, {"errno": str(number)})
    return _of_line(error, words)


def _of_line(error: BaseException, words: str) -> Failure:
    if isinstance(error, TimeoutError):
        return Failure(ErrorClass.TIMEOUT, words)
    # PyMySQL finds a session closed by an InterfaceError, and one out of step by an InternalError.
    if isinstance(error, (OSError, err.InterfaceError, err.InternalError, err.OperationalError)):
        return Failure(ErrorClass.LOST, f"the session broke: {words}")
    if isinstance(error, UnicodeError):
        return Failure(ErrorClass.VALUE, words)
    return Failure(ErrorClass.INTERNAL, f"{type(error).__name__}: {words}")


def _one_line(words: str) -> str:
    return " ".join(words.split())
