"""`etltui run`: run jobs and follow them to their end."""

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TypedDict, Unpack, get_args

import click

from etltui.bootstrap import operator
from etltui.cli.local import Runs
from etltui.cli.options import (
    business_day,
    config_option,
    configuration,
    errors_leave,
    job_names,
    join_option,
    json_option,
    only_option,
    span,
    state_option,
)
from etltui.cli.request import Request, Start, fulfil
from etltui.config.checks import nearest_or_all
from etltui.config.load import state_folder
from etltui.config.schema import PRIORITY, Config
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.job import Overlap

_wait_option = click.option(
    "--wait/--no-wait",
    default=True,
    help="With --no-wait leave the runs with `etltui serve`, print their ids and end; with "
    "--json as {run, job, joined}, a line each.",
)


_late_option = click.option(
    "--late/--no-late",
    default=True,
    help="With --no-late end with the runs, and leave what their jobs' late_until is for to the "
    "next console or `etltui serve`.",
)


_day_option = click.option(
    "--day",
    callback=business_day,
    metavar="DAY",
    help="Read this business day, such as 2026-11-20, instead of the one that the job means: "
    ":day_start and :day_end of a new run are its bounds at each branch.",
)

_resume_option = click.option(
    "--resume/--no-resume",
    default=None,
    help="Take up the newest unfinished run of each job: connections that are done are not read "
    "again. Default: RESUME_JOBS, else the job's own setting.",
)

_canary_option = click.option(
    "--canary/--no-canary",
    default=None,
    help="Begin with one connection, then five, then all; stop resumably where one of the first "
    "fails. Default: the job's own setting.",
)


class Asked(TypedDict, total=False):
    """What may be said of a start; see `Engine.submit`."""

    only: tuple[str, ...]
    resume: bool | None
    priority: int | None
    delay_s: float
    overlap: Overlap | None
    canary: bool | None
    day: date | None


def starting(jobs: Sequence[str], asked: Asked) -> Start:
    """Starts a run of each job, or of none where one of them could not start."""

    async def start(runs: Runs) -> Sequence[str]:
        for job in jobs:
            await runs.check(job, only=asked.get("only", ()), resume=asked.get("resume"))
        return [await runs.submit(job, **asked, owner=operator()) for job in jobs]

    return start


def known(config: Config, jobs: Sequence[str]) -> None:
    """Refuse names that no job has, before anything is made.

    Raises:
        ConfigError: All of them.
    """
    mistakes = [
        Mistake(
            where=str(config.path),
            key="jobs",
            problem=f"there is no job {job!r}",
            way_out=nearest_or_all(job, config.jobs) if config.jobs else "Add a table [jobs.NAME]",
        )
        for job in jobs
        if job not in config.jobs
    ]
    if mistakes:
        raise ConfigError(mistakes)


def run_jobs(config: Config, state: Path, jobs: Sequence[str]) -> int:
    """Run jobs as they are configured and follow them to their end; the exit code.

    Raises:
        EtltuiError: See `request.fulfil`.
    """
    return fulfil(config, state, Request(start=starting(jobs, {})))


@click.command("run")
@click.argument("jobs", nargs=-1, required=True, metavar="JOB…", shell_complete=job_names)
@only_option
@_resume_option
@click.option(
    "--priority",
    type=click.IntRange(PRIORITY.low, PRIORITY.high),
    help="Place in the queue, lower first. Default: the job's own, else its run type's.",
)
@click.option(
    "--delay",
    "delay_s",
    callback=span,
    default="0",
    metavar="TIME",
    help="Start after e.g. 10m or 2h.",
)
@click.option(
    "--overlap",
    type=click.Choice(get_args(Overlap)),
    help="Where the job has a run already: follow that one, be refused, or wait for its end. "
    "Default: the job's own, else settings.overlap.",
)
@_canary_option
@_day_option
@_wait_option
@_late_option
@join_option
@json_option
@config_option
@state_option
@errors_leave
def command(  # noqa: PLR0913 - an option each
    jobs: tuple[str, ...],
    *,
    config_file: Path | None,
    state_dir: Path | None,
    as_json: bool,
    join: bool,
    wait: bool,
    late: bool,
    **asked: Unpack[Asked],
) -> None:
    """Run each JOB and follow it to its end.

    Progress goes to stderr, results to stdout. Where an engine holds the state folder already, it
    gets the work and is followed as if it were here; a job that runs there already is joined.
    Branches that could not be reached are tried on until the job's late_until; the exit code says
    how the run stands then.

    Ctrl-C stops resumably (exit code 4), and a second one leaves at once; nothing that finished is
    lost. In another's engine runs go on: Ctrl-C only leaves them (130), `etltui cancel` ends them.
    """
    config = configuration(config_file)
    jobs = tuple(dict.fromkeys(jobs))
    known(config, jobs)
    state = state_folder(config, state_dir, os.environ)
    start = starting(jobs, asked)
    request = Request(start=start, jobs=jobs, as_json=as_json, join=join, wait=wait, late=late)
    sys.exit(fulfil(config, state, request))
