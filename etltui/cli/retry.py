"""`etltui retry`: read again what a run lacks."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from etltui.bootstrap import operator
from etltui.cli.local import Runs
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    job_names,
    join_option,
    json_option,
    only_option,
    state_option,
)
from etltui.cli.request import Request, fulfil
from etltui.config.load import state_folder
from etltui.domain.errors import ErrorClass
from etltui.domain.queue import Ask, Mode


@click.command("retry")
@click.argument("run", metavar="RUN|JOB", shell_complete=job_names)
@only_option
@click.option("--only-failed", is_flag=True, help="Not what was never tried.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    type=click.Choice([str(each) for each in ErrorClass]),
    help="Only what failed with this class; may be given several times.",
)
@join_option
@json_option
@config_option
@state_option
@errors_leave
def command(  # noqa: PLR0913 - an argument for each option
    run: str,
    *,
    only: tuple[str, ...],
    only_failed: bool,
    classes: tuple[str, ...],
    as_json: bool,
    join: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Read again what RUN lacks, and patch its targets.

    RUN is its id or an end of it; of JOB it is the newest run. Signals, progress and exit codes are
    those of `etltui run`.
    """
    config = configuration(config_file)
    state = state_folder(config, state_dir, os.environ)
    ask = Ask(
        mode=Mode.RETRY,
        only=only,
        only_failed=only_failed,
        classes=tuple(map(ErrorClass, classes)),
    )

    async def start(runs: Runs) -> Sequence[str]:
        return [await runs.retry(run, ask, owner=operator())]

    sys.exit(fulfil(config, state, Request(start=start, as_json=as_json, join=join)))
