"""Reads what an operator has configured: the jobs as they are, into targets of the test alone."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from etltui.config.checks import nearest_or_all
from etltui.config.schema import Config
from etltui.config.select import select
from etltui.domain.errors import misused
from etltui.domain.job import CsvOptions, Destination, Job
from etltui.loadtest.ground import Ground
from etltui.loadtest.order import Order

_OF_THE_READ = (
    *("name", "title", "folder", "type", "connections", "max_parallel"),
    *("queries", "overrides", "procedures", "identity_query", "business_day", "day_lag_h"),
    *("columns", "aliases", "drift", "verify", "retry", "query_timeout_s", "stall_timeout_s"),
    *("outside_hours", "hedge_after_s"),
)
"""What a job says of how it reads and writes."""


def lent(
    folder: Path, order: Order, config: Config, names: Sequence[str], held: Collection[str]
) -> Ground:
    """Take jobs of a configuration, so that they touch no target, tell nobody, resume nothing.

    Args:
        folder: Where their targets go.
        order: Of the test; how many connections and jobs there are is filled in.
        config: The operator's.
        names: Of the jobs; empty for all that may be started.
        held: Names of connections that are not to be read.

    Raises:
        ConfigError: There is no such job, or nothing to read.
    """
    for name in names:
        if name not in config.jobs:
            problem = f"there is no job {name!r} in {config.path}"
            raise misused("--job", problem, nearest_or_all(name, config.jobs))
    wanted = names or [job.name for job in config.jobs.values() if job.enabled]
    jobs: dict[str, Job] = {}
    read: set[str] = set()
    for number, name in enumerate(dict.fromkeys(wanted)):
        job = config.jobs[name]
        found = [each.name for each in select(config.connections, job.connections)]
        rest = tuple(each for each in found if each not in held)
        if rest:
            read.update(rest)
            jobs[name] = harmless(replace(job, connections=rest), folder / str(number))
    if not jobs:
        raise misused("--job", "there is nothing to read", "Name a job with connections")
    return Ground(
        order=replace(order, source="config", connections=len(read), jobs=len(jobs), rows=0),
        config=replace(config, jobs=jobs),
        jobs=tuple(jobs),
    )


def harmless(job: Job, folder: Path) -> Job:
    """The job with targets in a folder and without what reaches beyond its run.

    What it says of deadlines, of days to close, of its end and of other runs is left out.
    """
    taken = {name: getattr(job, name) for name in _OF_THE_READ}
    return Job(destinations=_destinations(job, folder), overlap="queue", **taken)


def _destinations(job: Job, folder: Path) -> tuple[Destination, ...]:
    """The files of the job, elsewhere; what would be sent over a network is left out."""
    place = str(folder).replace("{", "{{").replace("}", "}}")
    files = [each for each in job.destinations if not each.is_sent]
    files = files or [Destination(type="csv", path="rows.csv", options=CsvOptions())]
    return tuple(
        replace(each, path=f"{place}/{number}/{each.path.rpartition('/')[2]}")
        for number, each in enumerate(files)
    )
