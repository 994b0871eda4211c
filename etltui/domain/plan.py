"""What a run freezes at its start, and whether an unfinished run still fits."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from etltui.domain.columns import Column
from etltui.domain.job import Connection, Destination, Job, Query

WRITER_VERSION = 1
"""Raised whenever a writer's bytes change, so that old parts are never mixed with new ones."""
_OF_SENDING = {
    *("url", "method", "headers", "progressive", "timeout_s", "insecure", "ca_file"),
}
"""Options of how rows are sent: one may be mended without reading anything again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanConnection:
    """A connection's place in a run.

    Attributes:
        number: Names its part files; kept for the life of the run, whatever is added or removed.
        queries: The job's queries with this connection's own SQL.
        hash: Tells whether parts of an earlier attempt are of the same database and query.
    """

    number: int
    connection: Connection
    queries: tuple[Query, ...]
    hash: str

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.connection.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A run's frozen inputs: what to read from where, and where to put it.

    Attributes:
        started: Start of the first attempt, in the settings' time zone; `{date}` is its day.
        connections: In the job's order; the order of every target.
        targets: Rendered absolute paths, one for each destination.
        columns: For each query, fixed before any part opens; empty until then.
        hash: Of everything that decides the bytes of a part but the connection.
        left_out: Names of the job's connections that this run was told not to read.
        elsewhere: Of those, the ones whose rows another program has gathered: no attempt of this
            run reads them.
        published: Connections whose rows an earlier attempt has put into the targets: none is
            replaced by one without them.
    """

    run: str
    job: Job
    started: datetime
    connections: tuple[PlanConnection, ...]
    targets: tuple[str, ...]
    columns: tuple[tuple[Column, ...], ...] = ()
    hash: str = ""
    left_out: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    published: tuple[str, ...] = ()

    def with_columns(self, columns: Sequence[Sequence[Column]]) -> "Plan":
        """The same plan with its columns fixed."""
        return replace(self, columns=tuple(tuple(query) for query in columns))


def digest(value: object) -> str:
    """A short stable hash of a JSON-able value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _format(destination: Destination) -> dict[str, Any]:
    """What of a destination decides the bytes of its parts, or where a batch of them ends."""
    options = asdict(destination.options)
    kept = {name: value for name, value in options.items() if name not in _OF_SENDING}
    return {"type": destination.type, "mode": destination.mode, **kept}


def fingerprint(job: Job) -> dict[str, Any]:
    """What of a job decides the bytes of its parts, by the name an operator knows it by.

    Title, schedule, parallelism and retries are left out: they may change between attempts.
    """
    return {
        **{
            f"query {query.name}": {"sql": query.sql, "params": dict(query.params)}
            for query in job.queries
        },
        "queries": [query.name for query in job.queries],
        "columns": list(job.columns),
        "aliases": dict(job.aliases),
        "drift": job.drift,
        "destinations": [_format(destination) for destination in job.destinations],
        "writer version": WRITER_VERSION,
    }


def plan_hash(job: Job) -> str:
    """The hash of `fingerprint`."""
    return digest(fingerprint(job))


def differences(old: Job, new: Job) -> tuple[str, ...]:
    """Names of what changed between two jobs so that parts of the one do not fit the other."""
    before, after = fingerprint(old), fingerprint(new)
    return tuple(
        key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)
    )


def connection_hash(connection: Connection, overrides: Mapping[str, str]) -> str:
    """Tells databases apart: kind, host, port, database, user, own SQL; never password or tags."""
    return digest(
        [
            connection.kind,
            connection.host.lower(),
            connection.port,
            connection.database,
            connection.credential,
            dict(overrides),
        ],
    )


def plan_connection(number: int, connection: Connection, job: Job) -> PlanConnection:
    """A connection's place in a run of the job."""
    own = job.overrides.get(connection.name, {})
    return PlanConnection(
        number=number,
        connection=connection,
        queries=tuple(replace(q, sql=own.get(q.name, q.sql)) for q in job.queries),
        hash=connection_hash(connection, own),
    )
