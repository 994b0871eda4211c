"""`etltui check`: say everything that is wrong with a configuration, and what it would do."""

import os
from pathlib import Path

import click

from etltui.cli.options import config_option, configuration, errors_leave, state_option
from etltui.cli.words import counted
from etltui.config.load import state_folder
from etltui.config.select import select
from etltui.domain.safe_text import safe_text


@click.command("check", short_help="Read the configuration and say what is wrong with it.")
@config_option
@state_option
@errors_leave
def command(*, config_file: Path | None, state_dir: Path | None) -> None:
    """Read the configuration, name every mistake in it, and say what each job would do.

    Opens no database. Exit code 2 when there is a mistake.
    """
    config = configuration(config_file)
    lines = [
        f"{config.path}: good",
        f"state in {state_folder(config, state_dir, os.environ)}",
        f"{counted(len(config.connections), 'connection')}, {counted(len(config.jobs), 'job')}",
    ]
    for job in config.jobs.values():
        count = len(select(config.connections, job.connections))
        queries = "" if len(job.queries) == 1 else f", {len(job.queries)} queries"
        lines.append(f"  {job.name}: {counted(count, 'connection')}{queries}")
        lines.extend(f"    {d.type} → {job.folder / d.path}" for d in job.destinations)
    for line in lines:
        click.echo(safe_text(line))
