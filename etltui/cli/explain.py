"""`etltui test --explain`: how databases would answer a job's queries, in their own words."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from etltui.bootstrap import leases
from etltui.config.checks import nearest_or_all
from etltui.config.schema import Config
from etltui.config.select import select
from etltui.domain.days import Days
from etltui.domain.errors import misused
from etltui.domain.inquiry import Explained
from etltui.domain.job import Connection, Job
from etltui.domain.safe_text import safe_text
from etltui.domain.words import local, today
from etltui.encode import events as encode
from etltui.engine.explain import explained

NO_PLAN = "this kind of database tells no plan"


def job_of(config: Config, name: str, option: str) -> Job:
    """The job of a name that an option was given.

    Raises:
        ConfigError: There is none.
    """
    found = config.jobs.get(name)
    if found is None:
        way_out = nearest_or_all(name, config.jobs) if config.jobs else "Add a table [jobs.NAME]"
        raise misused(option, f"there is no job {name!r}", way_out)
    return found


def read_by(config: Config, job: Job, selectors: Sequence[str]) -> tuple[Connection, ...]:
    """The connections that the job reads today; of these the selected ones, where any are named.

    Raises:
        ConfigError: There is none, or a selector names none of them.
    """
    day = today(config.settings.timezone)
    found = select(config.connections, job.connections, selectors, day)
    if not found:
        raise misused("--explain", f"{job.name} reads no connection today", "See `etltui jobs`")
    return found


async def explain_all(
    config: Config,
    job: Job,
    asked: Sequence[Connection],
    log: Path,
    tell: Callable[[Explained], None],
) -> None:
    """Ask all at once, as far as the limits allow; each is told as soon as it is known."""
    limit_s = config.settings.request_timeout_s
    timezone = config.settings.timezone
    days = Days.of(job, local(time.time(), timezone), timezone)
    async with leases(config, environ=os.environ, log=log) as lending, asyncio.TaskGroup() as group:

        async def one(connection: Connection) -> None:
            tell(await explained(lending, job, connection, days=days, limit_s=limit_s))

        for each in asked:
            group.create_task(one(each), name=f"explain {each.name}")


def as_object(told: Explained) -> dict[str, object]:
    """A connection's plans for a program."""
    return {
        "type": "query_plans",
        "connection": told.connection,
        "job": told.job,
        "queries": [{"name": each.name, "plan": each.plan} for each in told.queries],
        "error": encode.trouble(told.trouble) if told.trouble else None,
    }


def as_lines(told: Explained) -> list[str]:
    """A connection's plans for people; nothing of a query is cut."""
    lines = [f"✓ {safe_text(told.connection)}"]
    for each in told.queries:
        lines.append(f"  {safe_text(each.name)}:")
        lines += [f"    {safe_text(line)}" for line in (each.plan or NO_PLAN).splitlines()]
    return lines
