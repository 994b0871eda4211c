"""Which class of failure SQLSTATEs stand for: the standard's, and PostgreSQL's beside."""

from collections.abc import Mapping
from types import MappingProxyType

from etltui.domain.errors import ErrorClass

STATES: Mapping[str, ErrorClass] = MappingProxyType(
    {
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
)
FAMILIES: Mapping[str, ErrorClass] = MappingProxyType(
    {
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
)
"""By the first two characters; whatever else happens to a statement is the statement's fault."""


def class_of(
    state: str,
    states: Mapping[str, ErrorClass] = STATES,
    families: Mapping[str, ErrorClass] = FAMILIES,
) -> ErrorClass:
    """The class of an SQLSTATE.

    Args:
        state: Five characters.
        states: Those that are known whole.
        families: Those that are known by their first two characters.
    """
    return states.get(state) or families.get(state[:2], ErrorClass.SYNTAX)
