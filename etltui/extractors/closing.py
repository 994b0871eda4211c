"""Asks a database, in the snapshot of the rows, whether the day that they are of is closed."""

from collections.abc import Iterable, Mapping

import pyarrow as pa

from etltui.domain.closing import Closing
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask
from etltui.extractors.lines import Printed

_NAME = "day_closed"


def asked(closing: Closing, limit_s: float) -> QueryTask:
    """The question as a query to read."""
    name = _NAME if closing.until is None else "day_until"
    return QueryTask(name=name, sql=closing.sql, params=closing.params, limit_s=limit_s)


def still_open(closing: Closing, batches: Iterable[pa.RecordBatch | Printed]) -> str:
    """Why the day is not closed; empty where it is.

    Raises:
        Failure: Of class `value`; what should be a time is none.
    """
    values: list[object] = []
    for batch in batches:
        if not values and not isinstance(batch, Printed):
            values = batch.column(0).slice(0, 1).to_pylist()
    value = values[0] if values else None
    if isinstance(value, Mapping):
        value = value["text"]
    try:
        return closing.open_because(value)
    except ValueError as error:
        raise Failure(ErrorClass.VALUE, f"day_until gives {error}") from None
