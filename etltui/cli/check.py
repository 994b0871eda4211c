"""`etltui check`: say everything that is wrong with a configuration, and what it would do."""

import asyncio
import os
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from etltui.bootstrap import guard
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    profile_option,
    state_option,
)
from etltui.config.advice import LARGE, warnings
from etltui.config.load import state_folder
from etltui.config.memory import available
from etltui.config.schema import Config
from etltui.config.select import select
from etltui.config.statements import statements
from etltui.domain.errors import ConfigError, Failure, Mistake
from etltui.domain.job import Job
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted, today
from etltui.engine.guarding import mistakes


def _job(config: Config, job: Job, day: date) -> Iterator[str]:
    """What a job would do on a day."""
    count = len(select(config.connections, job.connections, day=day))
    absent = len(select(config.connections, job.connections)) - count
    queries = "" if len(job.queries) == 1 else f", {len(job.queries)} queries"
    left_out = f" ({absent} left out: closed or not yet open)" if absent else ""
    disabled = "" if job.enabled else "; disabled"
    yield f"  {job.name}: {counted(count, 'connection')}{left_out}{queries}{disabled}"
    for each in job.destinations:
        yield f"    {each.type} → {job.folder / each.path}"
    if count > LARGE:
        yield f"    try it small first: etltui run {job.name} --only NAME"


def _keys(config: Config) -> Iterator[str]:
    """What is wrong with the keys that are chosen; the console is loaded only for those."""
    if config.console.keys:
        console: Any = import_module("etltui.console.key_check")
        yield from console.key_mistakes(config.console.keys)


async def _writing(config: Config) -> tuple[Mistake, ...]:
    """The queries that do more than read; a process of its own takes them apart."""
    asked = [
        statement
        for job in config.jobs.values()
        for statement in statements(job, select(config.connections, job.connections))
    ]
    if not asked:
        return ()
    with TemporaryDirectory(prefix="etltui-") as folder:
        async with guard(config, log=Path(folder) / "extractor.log") as looking:
            return await mistakes(looking, config.path, asked)


def _unlooked(config: Config) -> Iterator[str]:
    """Why it is not known whether the queries only read.

    Raises:
        ConfigError: They do not.
    """
    try:
        found = asyncio.run(_writing(config))
    except Failure as failure:
        yield f"whether the queries only read could not be told: {failure}"
    else:
        if found:
            raise ConfigError(found)


@click.command("check")
@config_option
@state_option
@profile_option
@errors_leave
def command(*, config_file: Path | None, state_dir: Path | None, profile: str | None) -> None:
    """Read the configuration, name every mistake in it, and say what each job would do.

    Opens no database; a query that does more than read is a mistake. Exit code 2 when there is a
    mistake; what is allowed but likely a mistake is a warning on stderr.
    """
    config = configuration(config_file, profile=profile)
    unlooked = tuple(_unlooked(config))
    day = today(config.settings.timezone)
    lines = [
        f"{config.path}: good",
        f"state in {state_folder(config, state_dir, os.environ)}",
        f"{counted(len(config.connections), 'connection')}, {counted(len(config.jobs), 'job')}",
    ]
    for job in config.jobs.values():
        lines.extend(_job(config, job, day))
    for line in lines:
        click.echo(safe_text(line))
    for caution in (*warnings(config, day, available()), *_keys(config), *unlooked):
        click.echo(f"warning: {safe_text(f'{config.path}: {caution}')}", err=True)
