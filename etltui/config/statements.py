"""Where each statement of a job stands, so that one that does more than read can be named."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etltui.config.queries import MAIN
from etltui.config.table import joined
from etltui.domain.dialect import dialect_of
from etltui.domain.errors import Mistake
from etltui.domain.identity import identity_query_of
from etltui.domain.job import Connection, Job, own_control
from etltui.domain.task import GuardTask
from etltui.domain.words import some

_SHOWN = 3
_WAY_OUT = (
    "Write one SELECT that only reads; a name that reads like a command stands in quotes, and a "
    "procedure in the job's procedures"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A text of a job in a dialect of its connections.

    Attributes:
        key: Dotted key, such as `jobs.sales.overrides.Branch_001`.
        task: What is asked of it.
        connections: Names of those that would be asked it.
    """

    key: str
    task: GuardTask
    connections: tuple[str, ...]

    def mistake(self, path: Path, refusal: str) -> Mistake:
        """What is wrong with it, in the file that says it."""
        return Mistake(
            where=str(path),
            key=self.key,
            problem=f"the query is not sent to {some(self.connections, _SHOWN)}: {refusal}",
            way_out=_WAY_OUT,
        )


def _texts(job: Job, own: Mapping[str, str], place: str) -> Iterator[tuple[str, str]]:
    """Each statement that a connection is asked, with its key.

    Args:
        job: Which.
        own: The connection's own SQL.
        place: The key that says it.
    """
    for query in job.queries:
        table = joined("jobs", job.name)
        alone = query.name == MAIN and len(job.queries) == 1
        if not alone:
            table = joined(joined(table, "queries"), query.name)
        control = own_control(query.name)
        yield (
            (place, own[query.name])
            if query.name in own
            else (joined(table, "query" if alone else "sql"), query.sql)
        )
        text = own.get(control, query.control)
        if text:
            yield (place if control in own else joined(table, "control")), text
    for key in ("day_closed", "day_until"):
        if sql := getattr(job, key):
            yield joined(joined("jobs", job.name), key), sql


def _identity_key(job: Job, connection: Connection) -> str:
    """What says the identity query of a connection; a tag's is known by its connection."""
    own = connection.identity_query is not None
    where = joined("connections", connection.name) if own else joined("jobs", job.name)
    return joined(where, "identity_query")


def statements(job: Job, connections: Sequence[Connection]) -> tuple[Statement, ...]:
    """Each distinct text of a job in each dialect, once, in the order of the connections."""
    found: dict[tuple[str, GuardTask], list[str]] = {}
    for connection in connections:
        own = job.overrides.get(connection.name, {})
        place = joined(joined(joined("jobs", job.name), "overrides"), connection.name)
        dialect = dialect_of(connection)
        for key, sql in _texts(job, own, place):
            task = GuardTask(dialect=dialect, sql=sql, procedures=job.procedures)
            found.setdefault((key, task), []).append(connection.name)
        if sql := identity_query_of(job, connection):
            task = GuardTask(dialect=dialect, sql=sql)
            found.setdefault((_identity_key(job, connection), task), []).append(connection.name)
    return tuple(
        Statement(key=key, task=task, connections=tuple(names))
        for (key, task), names in found.items()
    )
