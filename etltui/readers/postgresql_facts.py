"""What a PostgreSQL server says of itself: which database this is, its clock, its version."""

import time
from dataclasses import replace
from importlib.metadata import version

import asyncpg

from etltui.domain.errors import Failure
from etltui.domain.server import ServerFacts, skew
from etltui.readers.postgresql_wire import Wire
from etltui.readers.waits import PING_S

_CLOCK = "extract(epoch FROM clock_timestamp())::numeric(20, 6)"
_STARTED = "extract(epoch FROM pg_postmaster_start_time())::numeric(20, 6)"
_DATABASE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_CLUSTER = (
    "(SELECT system_identifier FROM pg_control_system()), "
    "(SELECT timeline_id FROM pg_control_checkpoint())"
)
"""Everybody may ask for these unless an operator of the server has forbidden it."""
_FULL = f"SELECT {_CLOCK}, {_STARTED}, {_DATABASE}, pg_is_in_recovery(), {_CLUSTER}"
_LESS = f"SELECT {_CLOCK}, {_STARTED}, {_DATABASE}, pg_is_in_recovery()"
_KNOWS_CLUSTER = (9, 6)
_DRIVER = f"asyncpg {version('asyncpg')}"


def facts_of(wire: Wire) -> ServerFacts:
    """The server's facts, by one journey there; what this user may not see stays empty.

    A copy has another identity as soon as it is promoted, and a standby has one of its own: rows
    of another day must not be taken for today's. A copy of a whole machine has the same until
    then; `started` tells it from the other.

    Raises:
        Failure: The session broke over the question.
    """
    facts = ServerFacts(
        product=f"PostgreSQL {_version(wire)}",
        encrypted=wire.encrypted,
        driver=_DRIVER,
    )
    found = wire.connection.get_server_version()
    queries = (_FULL, _LESS) if (found.major, found.minor) >= _KNOWS_CLUSTER else (_LESS,)
    for query in queries:
        try:
            return _asked(wire, query, facts)
        except Failure:
            if wire.connection.is_closed():
                raise
        except ValueError:  # a proxy in the server's stead
            break
    return facts


def _version(wire: Wire) -> str:
    """As the server writes it, without what its packager adds."""
    said = str(getattr(wire.connection.get_settings(), "server_version", ""))
    return said.split(" ", 1)[0]


def _asked(wire: Wire, query: str, facts: ServerFacts) -> ServerFacts:
    before = time.time()
    with wire.listening() as heard:
        wire.run(_said(wire.connection, query), PING_S)
    after = time.time()
    clock, started, database, standby, *cluster = first_row(bytes(heard))
    return replace(
        facts,
        identity=_identity(cluster, database, standby=standby == "t"),
        started=started,
        skew_s=skew(float(clock), before, after),
    )


async def _said(connection: "asyncpg.Connection[asyncpg.Record]", query: str) -> None:
    # As text: `fetch` would ask the server twice, once for the types.
    await connection.execute(query)


def _identity(cluster: list[str], database: str, *, standby: bool) -> str:
    """A database of a cluster at one point of its history; empty where that is not told."""
    if not all(cluster) or not cluster:
        return ""
    system, timeline = cluster
    return f"{system}/{database}/{'standby' if standby else timeline}"


def first_row(said: bytes) -> list[str]:
    """The values of the first row in what a server said; NULL is empty.

    Raises:
        ValueError: There is none.
    """
    at = 0
    while at + 5 <= len(said):
        length = int.from_bytes(said[at + 1 : at + 5], "big")
        if said[at : at + 1] == b"D":
            return _values(said[at + 5 : at + 1 + length])
        at += 1 + length
    raise ValueError("the server sent no row")


def _values(row: bytes) -> list[str]:
    values, at = [], 2
    for _ in range(int.from_bytes(row[:2], "big")):
        length = int.from_bytes(row[at : at + 4], "big", signed=True)
        at += 4
        values.append(row[at : at + max(length, 0)].decode())
        at += max(length, 0)
    return values
