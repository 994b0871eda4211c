"""Fits what a connection's result holds into the columns that its run has fixed."""

from dataclasses import replace

import pyarrow as pa

from etltui.domain import drift
from etltui.domain.columns import Column
from etltui.domain.errors import Failure
from etltui.domain.task import QueryTask
from etltui.extractors.arrow import arrow_type
from etltui.extractors.lines import Printed
from etltui.readers.reader import Result


def column_plan(query: QueryTask, result: Result) -> drift.ColumnPlan:
    """Where each of the query's fixed columns comes from.

    Raises:
        Failure: Of class `drift`, with the query's name among its facts.
    """
    try:
        return drift.plan(
            query.columns,
            result.columns,
            mode=query.drift,
            aliases=query.aliases,
        )
    except Failure as failure:
        failure.facts["query"] = query.name
        raise


def found_columns(query: QueryTask, result: Result, plan: drift.ColumnPlan) -> tuple[Column, ...]:
    """The fixed columns with the types that they have at this connection."""
    return tuple(
        column if source is None else replace(column, type=result.columns[source].type)
        for column, source in zip(query.columns, plan.sources, strict=True)
    )


def retyped(query: QueryTask, found: tuple[Column, ...]) -> dict[str, int]:
    """Columns that look different in the target than those of the other connections."""
    pairs = zip(query.columns, found, strict=True)
    return {
        f"column {here.name} is {here.type} instead of {fixed.type}": 1
        for fixed, here in pairs
        if fixed.type not in {here.type, "unknown"}
    }


def arranged(
    batch: pa.RecordBatch | Printed,
    plan: drift.ColumnPlan,
    found: tuple[Column, ...],
) -> pa.RecordBatch | Printed:
    """The batch in the order of the fixed columns, NULL where it lacks one."""
    if isinstance(batch, Printed):
        return batch
    if plan.straight and batch.schema.names == [column.name for column in found]:
        return batch
    arrays = [
        pa.array([None] * batch.num_rows, type=arrow_type(column.type))
        if source is None
        else batch.column(source)
        for column, source in zip(found, plan.sources, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in found])
