"""Which class of failure the errors of SQLAlchemy and of the drivers beneath it stand for.

The most precise sign counts: an SQLSTATE, then Oracle's or DuckDB's own names, then what the words
of the driver say, then the classes of PEP 249, which every driver has.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import exc

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked
from etltui.readers import sqlstates
from etltui.readers.sqlstates import STATES

_STATES: Mapping[str, ErrorClass] = {
    **STATES,
    "HY008": ErrorClass.CANCELLED,
    "HYT00": ErrorClass.TIMEOUT,
    "HYT01": ErrorClass.TIMEOUT,
}

_ORACLE = {
    54: ErrorClass.BUSY,  # resource busy
    60: ErrorClass.BUSY,  # deadlock
    604: ErrorClass.LOST,
    900: ErrorClass.SYNTAX,
    903: ErrorClass.SYNTAX,
    904: ErrorClass.SYNTAX,
    911: ErrorClass.SYNTAX,
    933: ErrorClass.SYNTAX,
    936: ErrorClass.SYNTAX,
    942: ErrorClass.SYNTAX,  # table or view does not exist, or may not be seen
    1013: ErrorClass.CANCELLED,
    1017: ErrorClass.LOGIN,
    1031: ErrorClass.PERMISSION,
    1033: ErrorClass.BUSY,  # starting or shutting down
    1034: ErrorClass.BUSY,  # not available
    1089: ErrorClass.LOST,
    1456: ErrorClass.PERMISSION,  # read-only transaction
    1555: ErrorClass.BUSY,  # snapshot too old
    1722: ErrorClass.VALUE,
    3113: ErrorClass.LOST,
    3114: ErrorClass.LOST,
    3135: ErrorClass.LOST,
    12154: ErrorClass.NO_DATABASE,
    12170: ErrorClass.TIMEOUT,
    12505: ErrorClass.NO_DATABASE,
    12514: ErrorClass.NO_DATABASE,
    12541: ErrorClass.REFUSED,
    28000: ErrorClass.LOGIN,  # locked
    28001: ErrorClass.LOGIN,  # expired
}
_DUCKDB = {
    "BinderException": ErrorClass.SYNTAX,
    "CatalogException": ErrorClass.SYNTAX,
    "ConnectionException": ErrorClass.LOST,
    "ConstraintException": ErrorClass.VALUE,
    "ConversionException": ErrorClass.VALUE,
    "FatalException": ErrorClass.LOST,
    "InterruptException": ErrorClass.CANCELLED,
    "InvalidTypeException": ErrorClass.VALUE,
    "OutOfMemoryException": ErrorClass.MEMORY,
    "OutOfRangeException": ErrorClass.VALUE,
    "ParserException": ErrorClass.SYNTAX,
    "PermissionException": ErrorClass.PERMISSION,
    "SerializationException": ErrorClass.CORRUPT,
    "SyntaxException": ErrorClass.SYNTAX,
    "TransactionException": ErrorClass.BUSY,
    "TypeMismatchException": ErrorClass.VALUE,
}
_WORDS: tuple[tuple[str, ErrorClass], ...] = (
    (r"read.?only", ErrorClass.PERMISSION),
    (r"could not set lock|database is locked|lock wait|deadlock", ErrorClass.BUSY),
    (r"not a valid duckdb|newer (?:version|duckdb)|older version", ErrorClass.CORRUPT),
    (r"not a database|malformed|corrupt|serialization version", ErrorClass.CORRUPT),
    (r"no such (?:table|column|function)|syntax error|ambiguous column", ErrorClass.SYNTAX),
    (r"unknown (?:column|table)", ErrorClass.SYNTAX),
    (r"database .*does not exist|unknown database|no such database", ErrorClass.NO_DATABASE),
    (r"unable to open database|cannot open (?:file|database)", ErrorClass.NO_DATABASE),
    (r"certificate|\bssl\b|\btls\b", ErrorClass.TLS),
    (r"password|authenticat|access denied|log.?in|credential", ErrorClass.LOGIN),
    (r"permission|privilege|not authorized", ErrorClass.PERMISSION),
    (r"timed? ?out", ErrorClass.TIMEOUT),
    (r"refused", ErrorClass.REFUSED),
    (r"unreachable|no route|name or service|getaddrinfo", ErrorClass.UNREACHABLE),
    (r"interrupted|cancell?ed", ErrorClass.CANCELLED),
    (r"too many (?:connections|sessions)", ErrorClass.BUSY),
)
"""What an error says that has no code: only for the classes of PEP 249 that may be anything."""

_VAGUE = frozenset(
    {
        "InterfaceError",
        "InternalError",
        "InvalidInputException",
        "IOException",
        "OperationalError",
    },
)
_PEP_249 = {
    "DataError": ErrorClass.VALUE,
    "IntegrityError": ErrorClass.VALUE,
    "ProgrammingError": ErrorClass.SYNTAX,
    "NotSupportedError": ErrorClass.SYNTAX,
    "OperationalError": ErrorClass.LOST,
    "InterfaceError": ErrorClass.LOST,
    "InternalError": ErrorClass.LOST,
    "DatabaseError": ErrorClass.SYNTAX,
    "Error": ErrorClass.SYNTAX,
}
_TYPES: Mapping[type[BaseException], ErrorClass] = {
    TimeoutError: ErrorClass.TIMEOUT,
    OSError: ErrorClass.LOST,
    UnicodeError: ErrorClass.VALUE,
    exc.SQLAlchemyError: ErrorClass.SYNTAX,
}
"""In this order: the first is of the second, too."""
_STATE = re.compile(r"[0-9A-Z]{5}")
_ORA = re.compile(r"\b(?:ORA|DPY|DPI)-(\d{4,5})")


def failure_of(error: BaseException, password: str = "") -> Failure:
    """The failure that an exception stands for, in the driver's own words, the password masked."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, MemoryError):
        return Failure(ErrorClass.MEMORY, "the reading process ran out of memory")
    lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    words = masked(_words(error), [password])
    facts = {"driver_error": type(error).__name__}
    if state := state_of(error):
        facts["sqlstate"] = state
    return Failure(ErrorClass.LOST if lost else class_of(error, state), words, facts)


@contextmanager
def told(password: str = "") -> Iterator[None]:
    """Raise whatever the block's statements meet as a failure.

    Raises:
        Failure: For any exception that is none.
    """
    try:
        yield
    except Exception as error:
        raise failure_of(error, password) from error


def class_of(error: BaseException, state: str = "") -> ErrorClass:
    """The class of an exception of a driver."""
    if state:
        return sqlstates.class_of(state, _STATES)
    names = [each.__name__ for each in type(error).__mro__]
    signs = (
        _by_code(_words(error)),
        _by_name(names, _DUCKDB),
        _by_words(_words(error)) if _VAGUE.intersection(names) else None,
        _by_type(error),
        _by_name(names, _PEP_249),
    )
    return next((found for found in signs if found is not None), ErrorClass.INTERNAL)


def _by_code(words: str) -> ErrorClass | None:
    number = _ORA.search(words)
    return _ORACLE.get(int(number[1])) if number else None


def _by_name(names: Sequence[str], known: Mapping[str, ErrorClass]) -> ErrorClass | None:
    return next((known[name] for name in names if name in known), None)


def _by_words(words: str) -> ErrorClass | None:
    return next(
        (found for pattern, found in _WORDS if re.search(pattern, words, re.IGNORECASE)),
        None,
    )


def _by_type(error: BaseException) -> ErrorClass | None:
    return next((found for kind, found in _TYPES.items() if isinstance(error, kind)), None)


def state_of(error: BaseException) -> str:
    """The SQLSTATE of a driver's exception, wherever it keeps it; empty where it has none."""
    first = error.args[0] if error.args else None
    for value in (
        getattr(error, "sqlstate", None),
        getattr(error, "pgcode", None),
        first.get("C") if isinstance(first, dict) else first,  # pg8000
    ):
        if isinstance(value, str) and _STATE.fullmatch(value) and any(map(str.isdigit, value)):
            return value
    return ""


def _words(error: BaseException) -> str:
    """What an exception says in one line, without the picture of where in the statement."""
    said = str(error).partition("\n\nLINE ")[0]
    return " ".join(said.split()) or type(error).__name__
