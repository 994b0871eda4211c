"""Asks a parser what words alone cannot tell: whether a query only reads."""

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_NAMES = {"postgresql": "postgres", "mssql": "tsql"}
"""What the parser calls a dialect, where it has another name for it."""
_CHANGES = (
    *(exp.DML, exp.DDL, exp.Merge, exp.Into, exp.Lock, exp.Command, exp.Drop, exp.Alter),
    *(exp.Set, exp.Use, exp.Attach, exp.Detach, exp.Pragma, exp.Copy, exp.TruncateTable),
)


def only_reads(sql: str, dialect: str) -> bool:
    """Whether it is one query without a change in it; False where the parser cannot tell."""
    # It says on its logger what it takes as it stands, and nobody asked for that.
    logging.getLogger("sqlglot").disabled = True
    try:
        parsed = sqlglot.parse(sql, read=_NAMES.get(dialect, dialect) or None)
    except (SqlglotError, RecursionError):
        return False
    found = [each for each in parsed if each is not None]
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        return False
    return not any(isinstance(node, _CHANGES) for node in found[0].walk())
