"""`etltui run`: run jobs and follow them to their end."""

import os
import sys
from pathlib import Path

import click

from etltui.cli.follow import run_jobs
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    job_names,
    state_option,
)
from etltui.config.load import state_folder


@click.command("run", short_help="Run jobs.")
@click.argument("jobs", nargs=-1, required=True, metavar="JOB…", shell_complete=job_names)
@click.option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help="Only connections whose name matches, or tag:NAME; may be given several times.",
)
@click.option(
    "--resume/--no-resume",
    default=None,
    help="Take up the newest unfinished run of each job: connections that are done are not read "
    "again. Default: RESUME_JOBS, else the job's own setting.",
)
@click.option("--json", "as_json", is_flag=True, help="An event a line on stdout, as JSON.")
@config_option
@state_option
@errors_leave
def command(
    jobs: tuple[str, ...],
    *,
    only: tuple[str, ...],
    resume: bool | None,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Run each JOB and follow it to its end.

    Progress goes to stderr, results to stdout. Ctrl-C stops resumably (exit code 4); a second
    Ctrl-C leaves at once, and nothing that finished is lost.
    """
    config = configuration(config_file)
    state = state_folder(config, state_dir, os.environ)
    sys.exit(run_jobs(config, state, jobs, only=only, resume=resume, as_json=as_json))
