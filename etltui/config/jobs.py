"""A job from its table."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, get_type_hints

from etltui.config.checks import (
    Flag,
    Number,
    RefusedError,
    Text,
    Whole,
    check_of,
    filled,
    nearest,
    nearest_or_all,
    shown,
    text_table,
    texts,
    time_of_day,
)
from etltui.config.destinations import destination
from etltui.config.queries import overrides, queries, query_or_none, query_text
from etltui.config.rule import default_of
from etltui.config.schema import (
    EXTRACT,
    MULTIPLIER,
    PRIORITY,
    QUERY_TIMEOUT,
    RETRIES,
    STALL_TIMEOUT,
    Settings,
)
from etltui.config.select import matches, suggestion
from etltui.config.table import Table
from etltui.config.tags import HEDGE_AFTER
from etltui.config.templates import for_query, names_query
from etltui.domain.days import FARTHEST
from etltui.domain.job import Connection, Destination, Job, OnFinish, Overlap, Query, RetryPolicy

_DRIFT = check_of(get_type_hints(Job)["drift"])
_OVERLAP = check_of(Overlap)
_SUSPICIOUS = check_of(get_type_hints(Job)["on_suspicious"])
_OUTSIDE_HOURS = check_of(get_type_hints(Job)["outside_hours"])
_VERIFY = check_of(get_type_hints(Job)["verify"])
_PROCEDURE = re.compile(r"[^\W\d][\w$#]*(\.[^\W\d][\w$#]*){0,2}")
_TIMES = ("deadline", "cut_off", "late_until")
_COMMAND = 'Write command = ["program", "argument"]'
_SHOWN = 10
_OF_ONE_QUERY = {
    "csv": "a CSV file",
    "parquet": "a Parquet target",
    "jsonl": "a file of JSON lines",
    "json": "a JSON file",
    "webhook": "a webhook",
}


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


def _retry(table: Table, program: Settings) -> RetryPolicy:
    """The retry policy. The longest wait, unsaid, is never shorter than the first."""
    delay = table.read("delay_s", Number(0, 3600), float(program.retry_delay_s))
    longest = max(delay, float(program.retry_max_delay_s))
    policy = RetryPolicy(
        retries=table.read("retries", RETRIES, program.retries),
        delay_s=delay,
        multiplier=table.read("multiplier", MULTIPLIER, program.retry_multiplier),
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


def _of_each(found: Destination, queries: Sequence[Query]) -> list[Destination]:
    """A destination for each query where the path says so, else the destination itself."""
    if not names_query(found.path):
        return [found]
    if found.is_sent:
        # What a receiver acknowledges is told apart by connection and batch alone.
        return [replace(found, path=for_query(found.path, queries[0].name))]
    return [
        replace(found, path=for_query(found.path, query.name), query=query.name)
        for query in queries
    ]


def _destinations(table: Table, queries: Sequence[Query]) -> tuple[Destination, ...]:
    each = [_of_each(destination(one), queries) for one in table.tables("destinations")]
    # Those of the first query in the file's order, so that their numbers are the file's.
    found = tuple(one for turn in zip_longest(*each) for one in turn if one is not None)
    single = [one.type for one in found if one.type in _OF_ONE_QUERY and not one.query]
    if len(queries) > 1 and single:
        what = f"{_OF_ONE_QUERY[single[0]]} holds the rows of one query"
        table.note(
            "destinations",
            f"{what}, and the job has {len(queries)}",
            "Make a job of each query"
            if single[0] == "webhook"
            else "Put {query} into its path for a file of each, use an excel destination, or make "
            "a job of each query",
        )
    if table.raw("destinations") in (None, []):
        table.note(
            "destinations",
            "the job has no destination",
            f"Write [[{table.path('destinations')}]] with type and path",
        )
    return found


def _command(value: object) -> tuple[str, ...]:
    """A program and its arguments; unlike other lists it may say a word twice."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RefusedError(f"{shown(value)} is not a list of texts", _COMMAND)
    if not value or not value[0].strip() or any("\0" in word for word in value):
        raise RefusedError("names no program that could be started", _COMMAND)
    return tuple(value)


def _on_finish(job: Table) -> OnFinish | None:
    """What to start at the end of a run, None for nothing."""
    if "on_finish" not in job:
        job.raw("on_finish")
        return None
    table = job.table("on_finish")
    found = OnFinish(
        command=table.need("command", _command, (), _COMMAND),
        timeout_s=table.read("timeout_s", Whole(1, 3600), default_of(OnFinish, "timeout_s")),
    )
    table.finish()
    return found


def _business_day(value: object) -> str:
    """Which day a run reads: a word, or a number of days back."""
    way_out = f'Write "today", "yesterday", or the days back: -1 to -{FARTHEST}'
    if isinstance(value, int) and not isinstance(value, bool):
        if not -FARTHEST <= value <= 0:
            raise RefusedError(f"{shown(value)} is out of range", way_out)
        return str(value)
    if value not in ("today", "yesterday"):  # no set: a list is refused in words, too
        raise RefusedError(f"{shown(value)} is no day", way_out)
    return str(value)


def _procedures(value: object) -> tuple[str, ...]:
    """Names as a query writes them, without quotes."""
    names = texts(value)
    for name in names:
        if not _PROCEDURE.fullmatch(name):
            way_out = 'Write ["dbo.report"], without quotes, brackets or arguments in it'
            raise RefusedError(f"{shown(name)} is no name of a procedure", way_out)
    return names


def _type(table: Table, types: Collection[str]) -> str:
    """The name of one of the run types."""

    def known(value: object) -> str:
        word = filled(value)
        if word not in types:
            raise RefusedError(
                f"there is no run type {shown(word)}",
                nearest(word, types) or f"Add a [run_types.{word}]",
            )
        return word

    return table.read("type", known, EXTRACT)


def _closing(table: Table) -> dict[str, Any]:
    """How branches are asked whether they have closed the day."""
    found = {
        "day_closed": table.read("day_closed", query_text, default_of(Job, "day_closed")),
        "day_until": table.read("day_until", query_text, default_of(Job, "day_until")),
        "day_until_slack_h": table.read(
            "day_until_slack_h", Number(0, 48), default_of(Job, "day_until_slack_h")
        ),
        "provisional_days": table.read(
            "provisional_days", Whole(0, 60), default_of(Job, "provisional_days")
        ),
    }
    if found["day_closed"] and found["day_until"]:
        table.note("day_until", "and day_closed are said together", "Write one of them")
    return found


def _of_connections(table: Table) -> dict[str, Any]:
    """What holds for those of its connections that say nothing themselves."""
    return {
        "identity_query": table.read(
            "identity_query", query_or_none, default_of(Job, "identity_query")
        ),
        "hedge_after_s": table.read("hedge_after_s", HEDGE_AFTER, default_of(Job, "hedge_after_s")),
    }


def _times(table: Table) -> dict[str, Any]:
    """The times of day of its runs."""
    return {name: table.read(name, time_of_day, default_of(Job, name)) for name in _TIMES}


def _check_evolve(table: Table, decoded: Job) -> None:
    """Whether a job that takes the columns of all connections may ask all for them."""
    said = [name for name in ("columns", "canary") if getattr(decoded, name)]
    if decoded.drift == "evolve" and said:
        table.note(
            "drift",
            f'"evolve" takes the columns that all connections have, and {said[0]} is said, too',
            f'Take {said[0]} out, or write drift = "align"',
        )


def _check_late(table: Table, decoded: Job) -> None:
    """Whether there is a target that late connections could be patched into, and time for it."""
    if not decoded.late_until:
        return
    if decoded.destinations and all(each.is_sent for each in decoded.destinations):
        table.note(
            "late_until",
            "patches late connections into a finished file, and the job only sends its rows",
            "Take it out, or add a destination that is a file",
        )
    if decoded.late_until == decoded.cut_off:
        table.note(
            "late_until",
            f"{decoded.late_until} is the cut_off, so there is no time for late connections",
            "Write a later one",
        )


def job(
    name: str,
    table: Table,
    connections: Sequence[Connection],
    folder: Path,
    program: Settings,
    types: Collection[str],
) -> Job:
    """A job.

    Args:
        name: Its name.
        table: Its table.
        connections: All there are.
        folder: The configuration's, absolute.
        program: The settings, which a job may leave to hold.
        types: The names of the run types.
    """
    selectors = _selectors(table, connections)
    found = queries(table, folder)
    columns = table.read("columns", texts, ())
    decoded = Job(
        name=name,
        title=table.read("title", Text(), "") or name,
        connections=selectors,
        queries=found,
        destinations=_destinations(table, found),
        max_parallel=table.read("max_parallel", Whole(1, 500), default_of(Job, "max_parallel")),
        resume=table.read("resume", Flag(), default_of(Job, "resume")),
        retry=_retry(table.table("retry"), program),
        drift=table.read("drift", _DRIFT, default_of(Job, "drift")),
        columns=columns,
        aliases=_aliases(table, columns),
        overrides=overrides(table, connections, selectors, found),
        query_timeout_s=table.read("query_timeout_s", QUERY_TIMEOUT, None),
        stall_timeout_s=table.read("stall_timeout_s", STALL_TIMEOUT, None),
        keep_parts_days=table.read(
            "keep_parts_days", Whole(0, 365), default_of(Job, "keep_parts_days")
        ),
        type=_type(table, types),
        priority=table.read("priority", PRIORITY, None),
        overlap=table.read("overlap", _OVERLAP, None),
        on_finish=_on_finish(table),
        enabled=table.read("enabled", Flag(), default_of(Job, "enabled")),
        on_suspicious=table.read("on_suspicious", _SUSPICIOUS, default_of(Job, "on_suspicious")),
        canary=table.read("canary", Flag(), default_of(Job, "canary")),
        **_times(table),
        outside_hours=table.read("outside_hours", _OUTSIDE_HOURS, default_of(Job, "outside_hours")),
        procedures=table.read("procedures", _procedures, ()),
        business_day=table.read("business_day", _business_day, default_of(Job, "business_day")),
        **_closing(table),
        day_lag_h=table.read("day_lag_h", Whole(0, 23), default_of(Job, "day_lag_h")),
        verify=table.read("verify", _VERIFY, default_of(Job, "verify")),
        **_of_connections(table),
        folder=folder,
    )
    _check_evolve(table, decoded)
    _check_late(table, decoded)
    table.finish()
    return decoded
