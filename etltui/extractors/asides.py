"""Queries beside those of a job: what controls its rows, and whether their day is closed."""

from collections.abc import Iterator
from contextlib import contextmanager

from etltui.domain.errors import ErrorClass, Failure

_OF_THE_QUERY = frozenset(
    {ErrorClass.SYNTAX, ErrorClass.PERMISSION, ErrorClass.TIMEOUT, ErrorClass.STALLED},
)


@contextmanager
def said_of(what: str) -> Iterator[None]:
    """Say of a query that a database refuses which it is: it is not the job's own."""
    try:
        yield
    except Failure as failure:
        if failure.error_class not in _OF_THE_QUERY:
            raise
        message = f"{what}: {failure.message}"
        raise Failure(failure.error_class, message, failure.facts) from failure
