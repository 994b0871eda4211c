"""Which class of failure SQLite's result codes stand for."""

import sqlite3

from etltui.domain.errors import ErrorClass, Failure

_CLASSES = {
    sqlite3.SQLITE_PERM: ErrorClass.PERMISSION,
    sqlite3.SQLITE_BUSY: ErrorClass.BUSY,
    sqlite3.SQLITE_LOCKED: ErrorClass.BUSY,
    sqlite3.SQLITE_PROTOCOL: ErrorClass.BUSY,
    sqlite3.SQLITE_NOMEM: ErrorClass.MEMORY,
    sqlite3.SQLITE_READONLY: ErrorClass.PERMISSION,
    sqlite3.SQLITE_AUTH: ErrorClass.PERMISSION,
    sqlite3.SQLITE_INTERRUPT: ErrorClass.CANCELLED,
    sqlite3.SQLITE_IOERR: ErrorClass.LOST,
    sqlite3.SQLITE_CORRUPT: ErrorClass.CORRUPT,
    sqlite3.SQLITE_NOTADB: ErrorClass.CORRUPT,
    sqlite3.SQLITE_FORMAT: ErrorClass.CORRUPT,
    sqlite3.SQLITE_FULL: ErrorClass.DISK,
    sqlite3.SQLITE_CANTOPEN: ErrorClass.NO_DATABASE,
    sqlite3.SQLITE_SCHEMA: ErrorClass.LOST,
    sqlite3.SQLITE_TOOBIG: ErrorClass.VALUE,
}
"""By primary result code; whatever else happens to a statement is the statement's fault."""

_EXTENDED = {
    sqlite3.SQLITE_IOERR_SHORT_READ: ErrorClass.CORRUPT,
    sqlite3.SQLITE_IOERR_CORRUPTFS: ErrorClass.CORRUPT,
}
_PRIMARY = 0xFF
_UNDECODABLE = "Could not decode to UTF-8 column "
"""The sqlite3 module's own words: it raises this without a result code."""


def failure_of(error: Exception) -> Failure:
    """The failure that an exception of the sqlite3 module stands for, in SQLite's own words."""
    words = " ".join(str(error).split())
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return _without_code(error, words)
    found = _EXTENDED.get(code) or _CLASSES.get(code & _PRIMARY, ErrorClass.SYNTAX)
    name = str(getattr(error, "sqlite_errorname", code))
    return Failure(found, words, {"sqlite": name})


def _without_code(error: Exception, words: str) -> Failure:
    if words.startswith(_UNDECODABLE):
        column = words.removeprefix(_UNDECODABLE).split(" with text ")[0].strip("'")
        return Failure(
            ErrorClass.VALUE,
            f"column {column} holds text that is not UTF-8; name its code page as encoding of the "
            "connection, or CAST it AS BLOB to read its bytes",
            {"column": column},
        )
    if isinstance(error, sqlite3.DataError):
        return Failure(ErrorClass.VALUE, words)
    return Failure(ErrorClass.SYNTAX, words)
