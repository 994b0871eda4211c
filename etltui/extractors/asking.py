"""What a session is asked beside its rows: columns, plans, one value, the load of its server."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.server import ServerReading
from etltui.domain.task import GuardTask, QueryTask
from etltui.extractors import protocol as p
from etltui.extractors.asides import said_of
from etltui.extractors.lines import Printed
from etltui.guard.sql import refusals
from etltui.readers.reader import Checker, Explainer, Reader, RereadError
from etltui.writers.text import canonical

_BATCH_BYTES = 64 * 1024
_LONGEST = 200
"""Characters of a value that somebody is to compare by eye."""


def told(reader: Reader, message: p.Describe | p.Explain | p.Ask | p.ServerCheck) -> p.Done:
    """The answer to a question that reads no rows.

    Raises:
        Failure: The database refuses it.
    """
    match message:
        case p.Describe():
            columns = tuple(reader.describe(query) for query in message.queries)
            return p.Done(id=message.id, columns=columns)
        case p.Explain():
            return p.Done(id=message.id, plans=plans_of(reader, message.queries))
        case p.Ask():
            return p.Done(id=message.id, value=value_of(reader, message.query, message.dialect))
        case p.ServerCheck():
            return p.Done(id=message.id, readings=readings_of(reader))


def plans_of(reader: Reader, queries: Sequence[QueryTask]) -> tuple[str, ...]:
    """The plan of each query, seen in one read-only transaction; empty where none is told."""
    if not isinstance(reader, Explainer):
        return ("",) * len(queries)
    with reader.snapshot():
        return tuple(sendable(reader.explain(query)) for query in queries)


def value_of(reader: Reader, query: QueryTask, dialect: str) -> str:
    """The one value that a query gives, as text; it is read in a transaction of its own.

    Raises:
        Failure: Of class `permission` where the query does more than read, `identity` where it
            does not give exactly one value.
    """
    (refusal,) = refusals((GuardTask(dialect=dialect, sql=query.sql),))
    if refusal:
        raise Failure(ErrorClass.PERMISSION, f"{query.name} is not sent: {refusal}")
    with said_of(query.name), reader.snapshot():
        try:
            return _one_value(reader, query, exact=False)
        except RereadError:
            return _one_value(reader, query, exact=True)


def _one_value(reader: Reader, query: QueryTask, *, exact: bool) -> str:
    with reader.read(query, batch_bytes=lambda: _BATCH_BYTES, exact=exact) as result:
        if len(result.columns) != 1:
            raise _no_value(query, f"{len(result.columns)} columns")
        values = _first_two(result.batches)
    if len(values) != 1:
        raise _no_value(query, "several rows" if values else "no row")
    found = "" if values[0] is None else sendable(values[0]).strip()
    if not found:
        raise _no_value(query, "NULL" if values[0] is None else "an empty text")
    if len(found) > _LONGEST:
        raise _no_value(query, f"a text of {len(found):,} characters")
    return found


def _first_two(batches: Iterable[pa.RecordBatch | Printed]) -> list[str | None]:
    """The texts of the first values; of more than two nobody needs to know."""
    values: list[str | None] = []
    for batch in batches:
        if not isinstance(batch, Printed):  # lines are not asked for
            values += canonical(batch.column(0).slice(0, 2)).to_pylist()
        if len(values) > 1:
            break
    return values


def _no_value(query: QueryTask, what: str) -> Failure:
    text = (
        f"{query.name} gives {what}; it must give one row of one column that is not NULL. Mend it, "
        f'or write {query.name} = "" where there is nothing to ask'
    )
    return Failure(ErrorClass.IDENTITY, text)


def readings_of(reader: Reader) -> tuple[ServerReading, ...]:
    """What a server tells of its load; nothing where it tells nothing of the kind."""
    return reader.server_check() if isinstance(reader, Checker) else ()


def sendable(text: str) -> str:
    """The text with what is no Unicode spelled out: a file's name may be any bytes."""
    return text.encode(errors="backslashreplace").decode()
