"""Writes the configuration of a load test, as an operator would write one."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from etltui.loadtest.order import Order

CONNECTION_COLUMN = "connection"
_PATIENCE_S = 30
_RETRY = "{ retries = 2, delay_s = 1, multiplier = 2 }"
_FEW = 80
"""Connections that the profile for 70 to 80 branches is for."""
_MOST_PARALLEL = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A connection.

    Attributes:
        keys: What stands in its table besides the url.
    """

    name: str
    url: str
    keys: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the jobs ask.

    Attributes:
        columns: Of the query. They are said, so that no run has to ask for them before it begins:
            a database that does not answer would be met there, and not where it is read.
        own: From single connections to their own query.
    """

    query: str
    columns: tuple[str, ...]
    own: Mapping[str, str] = field(default_factory=dict)


def name_of(number: int) -> str:
    """The name of a connection, counted from 1."""
    return f"branch_{number:03d}"


def jobs_of(order: Order) -> tuple[str, ...]:
    """The names of the jobs."""
    return tuple(f"load_{number}" for number in range(1, order.jobs + 1))


def target_of(job: str) -> str:
    """Where a job's rows go, from the configuration's folder."""
    return f"output/{job}.csv"


def text(order: Order, lines: Sequence[Line], asked: Asked, more: str = "") -> str:
    """The whole file.

    Args:
        order: Of the test.
        lines: Its connections.
        asked: By each of its jobs.
        more: Further tables.
    """
    tables = [_settings(order), more]
    tables += [_connection(line) for line in lines]
    tables += [_job(job, order, asked) for job in jobs_of(order)]
    return "\n".join(tables)


def patience_s(order: Order) -> int:
    """Seconds for opening and for a place: more than a stall takes."""
    return _PATIENCE_S + (math.ceil(order.stall_s) if order.stall else 0)


def _settings(order: Order) -> str:
    keys: dict[str, str | int] = {
        "profile": "branches_80" if order.connections <= _FEW else "branches_500",
        "max_jobs": max(10, order.jobs),
        "connection_timeout_s": patience_s(order),
        "acquire_timeout_s": 2 * patience_s(order),
    }
    return (
        f"# Made by `etltui loadtest`.\n[settings]\n{''.join(_pairs(keys))}"
        f"\n[run_types.extract]\nlimit = {order.jobs}\n"
    )


def _connection(line: Line) -> str:
    keys = {"url": line.url, **line.keys}
    return f"[connections.{line.name}]\n" + "".join(_pairs(keys))


def _job(job: str, order: Order, asked: Asked) -> str:
    own = f"[jobs.{job}.overrides]\n" + "".join(_pairs(asked.own)) if asked.own else ""
    keys: dict[str, str | int] = {
        "query": asked.query,
        "max_parallel": min(order.connections, _MOST_PARALLEL),
    }
    return (
        f'[jobs.{job}]\nconnections = ["*"]\nretry = {_RETRY}\n'
        f"columns = {json.dumps(asked.columns)}\n"
        f"{''.join(_pairs(keys))}{own}"
        f'[[jobs.{job}.destinations]]\ntype = "csv"\npath = "{target_of(job)}"\n'
        f'connection_column = "{CONNECTION_COLUMN}"\n'
    )


def _pairs(keys: Mapping[str, str | int]) -> Iterator[str]:
    # A text of JSON is one of TOML, too.
    return (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in keys.items())
