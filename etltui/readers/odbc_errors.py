"""Which class of failure ODBC's SQLSTATEs, and the servers' own codes behind them, stand for."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers import sqlstates
from etltui.readers.mysql_numbers import NUMBERS
from etltui.readers.odbc_api import OdbcError
from etltui.readers.sqlstates import FAMILIES, STATES

_STATES: Mapping[str, ErrorClass] = MappingProxyType(
    {
        **STATES,
        "01004": ErrorClass.VALUE,  # cut, where nothing may be cut
        "08001": ErrorClass.UNREACHABLE,
        "08004": ErrorClass.LOGIN,  # the server refuses the connection
        "70100": ErrorClass.TIMEOUT,  # MariaDB: the query was ended by somebody or by its limit
        "HY001": ErrorClass.MEMORY,
        "HY008": ErrorClass.CANCELLED,
        "HY010": ErrorClass.LOST,  # a call out of order: the session ended beneath it
        "HY013": ErrorClass.MEMORY,
        "HYT00": ErrorClass.TIMEOUT,
        "HYT01": ErrorClass.TIMEOUT,
        "S1T00": ErrorClass.TIMEOUT,
    }
)
_FAMILIES: Mapping[str, ErrorClass] = MappingProxyType(
    {
        **FAMILIES,
        "01": ErrorClass.VALUE,
        "07": ErrorClass.SYNTAX,
        "23": ErrorClass.PERMISSION,
        "25": ErrorClass.PERMISSION,
        "IM": ErrorClass.DRIVER,
        "S0": ErrorClass.SYNTAX,  # ODBC 2: a table or column that is not there
    }
)

NOTHING_KNOWN: Mapping[int, ErrorClass] = MappingProxyType({})
"""Of numbers of a database that only its own driver knows: what is one's deadlock is nothing to
another."""
MARIADB: Mapping[int, ErrorClass] = MappingProxyType(
    {
        **NUMBERS,
        2002: ErrorClass.REFUSED,  # of its driver, from here
        2003: ErrorClass.REFUSED,
        2005: ErrorClass.UNREACHABLE,  # the host's name is not known
        2006: ErrorClass.LOST,
        2013: ErrorClass.LOST,
        2026: ErrorClass.TLS,
        2055: ErrorClass.LOST,
        5004: ErrorClass.LOST,
    },
)
"""By the server's own number, which says more than the state that the driver makes of it."""

_WORDS: Sequence[tuple[re.Pattern[str], ErrorClass]] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"can't open lib|data source name not found|driver's SQLAllocHandle", ErrorClass.DRIVER),
        (r"password authentication failed|no pg_hba|role .* does not exist", ErrorClass.LOGIN),
        (r"no password supplied|authentication failed|login failed", ErrorClass.LOGIN),
        (r"\b(SSL|TLS|certificate)\b", ErrorClass.TLS),
        (
            r"database .* does not exist|unknown database|unable to open|^connect failed",
            ErrorClass.NO_DATABASE,
        ),
        (r"too many (clients|connections)|remaining connection slots", ErrorClass.BUSY),
        (r"database (table )?is locked|database is busy", ErrorClass.BUSY),
        (r"attempt to write a readonly|read.?only (transaction|database)", ErrorClass.PERMISSION),
        (r"malformed|not a database|disk image", ErrorClass.CORRUPT),
        (r"disk I/O error", ErrorClass.LOST),
        (r"could not translate host name|unknown .*host", ErrorClass.UNREACHABLE),
        (r"connection refused", ErrorClass.REFUSED),
        (r"timeout expired|timed out", ErrorClass.TIMEOUT),
        (r"interrupted|cancel(l)?ing statement due to user", ErrorClass.CANCELLED),
        (r"server closed the connection|connection reset|broken pipe|gone away", ErrorClass.LOST),
        (
            r"terminating connection|connection (is )?(lost|dead)|communication link",
            ErrorClass.LOST,
        ),
        # FreeTDS, of a line that was reset, or ended.
        (
            r"^unknown error$|unexpected eof|(read from|write to) the server failed|is dead",
            ErrorClass.LOST,
        ),
    )
)
"""For states that say no more than that something failed."""
_CLOSED = "connection has been closed"
"""pyodbc's own words, without a state: the line ended between two of our calls."""
_VAGUE = frozenset({"08001", "HY000", "S1000", "08S01", "01000", "HY001"})
_PREFIX = re.compile(r"^(\[[^\]]*\])+\s*")
_PLACE = re.compile(r"\s*\((-?\d+)\)\s*\(SQL\w+\)\s*$")

_EMPTY = frozenset({"", "No query has been executed with that handle"})
"""What says nothing; psqlODBC adds it where a statement could not be prepared."""

_DRIVER_WAY_OUT = "see `odbcinst -q -d` for the drivers and `odbcinst -q -s` for the data sources"


def class_of(
    state: str,
    native: int,
    words: str,
    natives: Mapping[int, ErrorClass] = NOTHING_KNOWN,
) -> ErrorClass:
    """The class of what a driver said.

    Args:
        state: SQLSTATE.
        native: The server's own number; 0 for none.
        words: What it said.
        natives: The numbers that are known of the server.
    """
    if (found := natives.get(native)) is not None:
        return found
    if state in _VAGUE:
        for pattern, kind in _WORDS:
            if pattern.search(words):
                return kind
    return sqlstates.class_of(state, _STATES, _FAMILIES)


def failure_of(error: BaseException, natives: Mapping[int, ErrorClass] = NOTHING_KNOWN) -> Failure:
    """Whatever came from a driver, as a failure; its words are not masked yet."""
    if isinstance(error, Failure):
        return error
    records = _records(error)
    if not records:
        words = " ".join(str(error).split())
        if _CLOSED in words:
            return Failure(ErrorClass.LOST, f"the session broke: {words}")
        return Failure(ErrorClass.INTERNAL, f"{type(error).__name__}: {words}")
    state, native, _ = records[0]
    words = _told(records)
    kind = class_of(state, native, words, natives)
    code = f"SQLSTATE {state}" + (f", {native}" if native else "")
    if kind is ErrorClass.DRIVER:
        words = f"{words}; {_DRIVER_WAY_OUT}"
    return Failure(kind, f"{words} ({code})", {"sqlstate": state, "native": str(native)})


def _told(records: Sequence[tuple[str, int, str]]) -> str:
    """What the records say, in one line, each once."""
    said = (_PREFIX.sub("", " ".join(text.split())).rstrip(".; ") for _, _, text in records)
    return "; ".join(each for each in dict.fromkeys(said) if each not in _EMPTY)


def _records(error: BaseException) -> Sequence[tuple[str, int, str]]:
    """SQLSTATE, native code and words; none where no driver spoke."""
    if isinstance(error, OdbcError):
        return error.records
    match error.args:
        case (str(state), str(words)) if len(state) == len("HY000"):
            found = _PLACE.search(words)
            native = int(found[1]) if found else 0
            text = _PLACE.sub("", words).removeprefix(f"[{state}] ")
            return [(state, native, text)]
    return []
