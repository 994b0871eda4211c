"""What a run freezes at its start, and whether an unfinished run still fits."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from etltui.domain.closing import Closing
from etltui.domain.columns import Column
from etltui.domain.days import Days, asks_for_day
from etltui.domain.job import Connection, Destination, Job, Query, own_control
from etltui.domain.revision import Revision

WRITER_VERSION = 1
"""Raised whenever a writer's bytes change, so that old parts are never mixed with new ones."""
_READ_PLAINLY = ["", "", "fail"]
_OF_SENDING = {
    *("url", "method", "headers", "progressive", "timeout_s", "insecure", "ca_file"),
}
"""Options of how rows are sent: one may be mended without reading anything again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanConnection:
    """A connection's place in a run.

    Attributes:
        number: Names its part files; kept for the life of the run, whatever is added or removed.
        queries: The job's queries with this connection's own SQL and the values that they bind.
        hash: Tells whether parts of an earlier attempt are of the same database and query.
        closing: How it is asked whether the business day is closed there; None: nobody asks.
    """

    number: int
    connection: Connection
    queries: tuple[Query, ...]
    hash: str
    closing: Closing | None = None

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
        day: The business day that it reads; None in plans that were made before there was one.
        late: Whether late connections of it were tried on after its end, or are no more because
            somebody said so.
        revisions: How its targets were patched once they were finished, the oldest first.
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
    day: date | None = None
    late: Literal["", "open", "ended"] = ""
    revisions: tuple[Revision, ...] = ()

    def as_now(self, connections: Iterable[Connection]) -> list[Connection]:
        """Its connections as these say; those that are not among them as they were."""
        known = {connection.name: connection for connection in connections}
        return [known.get(each.name, each.connection) for each in self.connections]

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
    own = {"query": destination.query} if destination.query else {}
    return {"type": destination.type, "mode": destination.mode, **own, **kept}


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
        **({"day_lag_h": job.day_lag_h} if job.day_lag_h else {}),
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
    """Tells databases apart: kind, host, port, database, user, own SQL; never password or tags.

    Of its policy only what may change the rows or their text: a connection that is read more
    gently than before gives the same part, one that is read by another code page does not.
    """
    policy = connection.policy
    read_as = [policy.isolation, policy.encoding, policy.encoding_errors]
    return digest(
        [
            connection.kind,
            connection.host.lower(),
            connection.port,
            connection.database,
            connection.credential,
            dict(overrides),
            # Nothing more where nothing is said: parts of runs from before there was a policy fit.
            *([read_as] if read_as != _READ_PLAINLY else []),
        ],
    )


def plan_connection(
    number: int,
    connection: Connection,
    job: Job,
    days: Days | None = None,
) -> PlanConnection:
    """A connection's place in a run of the job.

    Args:
        number: Of its part files.
        connection: Which.
        job: Whose queries.
        days: The business day to read; None leaves what stands for it as it is.
    """
    own = job.overrides.get(connection.name, {})
    asked = tuple(
        replace(
            query,
            sql=own.get(query.name, query.sql),
            control=own.get(own_control(query.name), query.control),
        )
        for query in job.queries
    )
    queries, hashed = asked, dict(own)
    if days is not None and any(map(asks_for_day, asked)):
        queries = tuple(days.bound(query, connection) for query in asked)
        # Parts of another zone's day hold other rows.
        hashed["day of"] = "/".join(each.isoformat() for each in days.bounds(connection.timezone))
    return PlanConnection(
        number=number,
        connection=connection,
        queries=queries,
        hash=connection_hash(connection, hashed),
        closing=days.closing(job, connection) if days is not None else None,
    )
