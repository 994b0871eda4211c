"""What a session is asked beside its rows: columns, plans, the load of its server."""

from collections.abc import Sequence

from etltui.domain.server import ServerReading
from etltui.domain.task import QueryTask
from etltui.extractors import protocol as p
from etltui.readers.reader import Checker, Explainer, Reader


def told(reader: Reader, message: p.Describe | p.Explain | p.ServerCheck) -> p.Done:
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
        case p.ServerCheck():
            return p.Done(id=message.id, readings=readings_of(reader))


def plans_of(reader: Reader, queries: Sequence[QueryTask]) -> tuple[str, ...]:
    """The plan of each query, seen in one read-only transaction; empty where none is told."""
    if not isinstance(reader, Explainer):
        return ("",) * len(queries)
    with reader.snapshot():
        return tuple(sendable(reader.explain(query)) for query in queries)


def readings_of(reader: Reader) -> tuple[ServerReading, ...]:
    """What a server tells of its load; nothing where it tells nothing of the kind."""
    return reader.server_check() if isinstance(reader, Checker) else ()


def sendable(text: str) -> str:
    """The text with what is no Unicode spelled out: a file's name may be any bytes."""
    return text.encode(errors="backslashreplace").decode()
