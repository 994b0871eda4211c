"""What a MySQL or MariaDB server says of itself: which database this is, its clock, its version."""

import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

from etltui.domain.errors import Failure
from etltui.domain.server import ServerFacts, skew
from etltui.readers.mysql_wire import Wire
from etltui.readers.waits import PING_S

_DRIVER = f"PyMySQL {version('pymysql')}"
_PLACE = "@@server_id, @@hostname, @@port, @@datadir, DATABASE()"
_CLOCK = "UNIX_TIMESTAMP(NOW(6))"
_STARTED = (
    "UNIX_TIMESTAMP(NOW()) - (SELECT VARIABLE_VALUE FROM {}.GLOBAL_STATUS "
    "WHERE VARIABLE_NAME = 'UPTIME')"
)
"""The server counts both from the statement's own beginning, so their difference is one second."""
_FULL = {
    True: f"SELECT {_CLOCK}, {_PLACE}, @@server_uid, {_STARTED.format('information_schema')}",
    False: f"SELECT {_CLOCK}, {_PLACE}, @@server_uuid, {_STARTED.format('performance_schema')}",
}
"""By whether it is MariaDB."""
_LESS = f"SELECT {_CLOCK}, {_PLACE}, NULL, NULL"
"""For old versions and sparing rights."""


def facts_of(wire: Wire) -> ServerFacts:
    """The server's facts; what this user may not see stays empty.

    Raises:
        Failure: The session broke over the question.
    """
    line = wire.line
    product = "MariaDB" if line.is_mariadb else "MySQL"
    facts = ServerFacts(
        product=f"{product} {line.version.split('-', 1)[0]}",
        encrypted=line.encrypted,
        driver=_DRIVER,
    )
    for query in (_FULL[line.is_mariadb], _LESS):
        try:
            return _asked(wire, query, facts)
        except Failure:
            if line.is_closed:
                raise
    return facts


def _asked(wire: Wire, query: str, facts: ServerFacts) -> ServerFacts:
    before = time.time()
    ((clock, *place, born, started),) = wire.run(lambda: wire.line.ask(query), PING_S)
    after = time.time()
    return replace(
        facts,
        identity=identity(born, place),
        started="" if started is None else str(int(started)),
        skew_s=skew(float(clock), before, after),
    )


def identity(born: str | None, place: Sequence[object]) -> str:
    """A database of a server: what the server was born with, else where it is.

    A copy of all the server's files has the same; a copy of the rows has not.

    Args:
        born: The number that it gave itself; older versions of MariaDB have none.
        place: Its number among its replicas, host, port, folder, and the database.
    """
    replica, host, port, folder, database = (str(part) for part in place)
    return "/".join([born or f"{host}:{port}:{folder}", replica, database])
