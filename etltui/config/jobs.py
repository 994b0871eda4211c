"""A job from its table."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_type_hints

from etltui.config.checks import (
    Flag,
    Number,
    Text,
    Whole,
    check_of,
    nearest_or_all,
    shown,
    text_table,
    texts,
)
from etltui.config.destinations import destination
from etltui.config.queries import overrides, queries
from etltui.config.schema import QUERY_TIMEOUT, STALL_TIMEOUT, default_of
from etltui.config.select import matches, suggestion
from etltui.config.table import Table
from etltui.domain.job import Connection, Destination, Job, RetryPolicy

_DRIFT = check_of(get_type_hints(Job)["drift"])
_SHOWN = 10


def _selectors(table: Table, connections: Sequence[Connection]) -> tuple[str, ...]:
    """The job's selectors; each must match something now, or a branch would be left out unseen."""
    way_out = 'Write connections = ["name", "branch_*", "tag:north"]'
    selectors = table.need("connections", texts, (), way_out)
    if table.raw("connections") == []:
        table.note("connections", "is empty", way_out)
    lost = [selector for selector, group in matches(connections, selectors) if not group]
    for selector in lost[:_SHOWN]:
        table.note(
            "connections",
            f"{shown(selector)} matches no connection",
            suggestion(connections, selector),
        )
    if len(lost) > _SHOWN:  # somebody renamed all 500; the first few tell it
        table.note("connections", f"{len(lost) - _SHOWN} more match no connection")
    return selectors


def _retry(table: Table) -> RetryPolicy:
    """The retry policy. The longest wait, unsaid, is never shorter than the first."""
    delay = table.read("delay_s", Number(0, 3600), default_of(RetryPolicy, "delay_s"))
    longest = max(delay, default_of(RetryPolicy, "max_delay_s"))
    policy = RetryPolicy(
        retries=table.read("retries", Whole(0, 100), default_of(RetryPolicy, "retries")),
        delay_s=delay,
        multiplier=table.read("multiplier", Number(1, 10), default_of(RetryPolicy, "multiplier")),
        max_delay_s=table.read("max_delay_s", Number(0, 86400), longest),
    )
    if policy.max_delay_s < delay:
        table.note(
            "max_delay_s",
            f"{policy.max_delay_s:g} is less than delay_s",
            f"Allowed: {delay:g} to 86400",
        )
    table.finish()
    return policy


def _aliases(table: Table, columns: Sequence[str]) -> dict[str, str]:
    """Other names of columns; where the columns are fixed, each alias must lead to one."""
    aliases = table.read("aliases", text_table, {})
    for alias, column in aliases.items():
        if columns and column not in columns:
            table.note(
                "aliases",
                f"{shown(alias)} stands for {shown(column)}, which is none of columns",
                nearest_or_all(column, columns),
            )
    return aliases


def _destinations(table: Table, queries: int) -> tuple[Destination, ...]:
    found = tuple(destination(each) for each in table.tables("destinations"))
    if queries > 1 and any(each.type == "csv" for each in found):
        table.note(
            "destinations",
            f"a CSV file holds the rows of one query, and the job has {queries}",
            "Use an excel destination, or make a job of each query",
        )
    if table.raw("destinations") in (None, []):
        table.note(
            "destinations",
            "the job has no destination",
            f"Write [[{table.path('destinations')}]] with type and path",
        )
    return found


def job(name: str, table: Table, connections: Sequence[Connection], folder: Path) -> Job:
    """A job.

    Args:
        name: Its name.
        table: Its table.
        connections: All there are.
        folder: The configuration's, absolute.
    """
    selectors = _selectors(table, connections)
    found = queries(table, folder)
    columns = table.read("columns", texts, ())
    decoded = Job(
        name=name,
        title=table.read("title", Text(), "") or name,
        connections=selectors,
        queries=found,
        destinations=_destinations(table, len(found)),
        max_parallel=table.read("max_parallel", Whole(1, 500), default_of(Job, "max_parallel")),
        resume=table.read("resume", Flag(), default_of(Job, "resume")),
        retry=_retry(table.table("retry")),
        drift=table.read("drift", _DRIFT, default_of(Job, "drift")),
        columns=columns,
        aliases=_aliases(table, columns),
        overrides=overrides(table, connections, selectors, found),
        query_timeout_s=table.read("query_timeout_s", QUERY_TIMEOUT, None),
        stall_timeout_s=table.read("stall_timeout_s", STALL_TIMEOUT, None),
        keep_parts_days=table.read(
            "keep_parts_days", Whole(0, 365), default_of(Job, "keep_parts_days")
        ),
        folder=folder,
    )
    table.finish()
    return decoded
