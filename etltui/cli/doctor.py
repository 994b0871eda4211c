"""`etltui doctor`: look at everything that can be in the way of a run, and say what to do."""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from etltui.cli.listening import listening
from etltui.cli.options import config_option, errors_leave, state_option
from etltui.cli.wrapping import wrapped
from etltui.config.load import find, load, state_folder
from etltui.config.schema import Config
from etltui.doctor.checks import examine
from etltui.doctor.finding import Finding, Level
from etltui.doctor.gather import gather
from etltui.domain.errors import ConfigError, EtltuiError, Mistake
from etltui.domain.progress import Snapshot
from etltui.domain.words import counted
from etltui.encode import events as encode

_MARKS = {Level.OK: "✓", Level.WARN: "!", Level.FAIL: "✗"}
_ANSWER_S = 1.0
"""An engine that hangs is a finding, not a reason to hang with it."""


def _configuration(config_file: Path | None) -> tuple[Config | None, tuple[Mistake, ...]]:
    try:
        return load(find(config_file, os.environ), environ=os.environ), ()
    except ConfigError as error:
        return None, error.mistakes


async def _told_by_the_engine(state: Path) -> Snapshot | None:
    """What the engine that runs says of itself, None where none does or it does not answer."""
    try:
        async with asyncio.timeout(_ANSWER_S), listening(state) as remote:
            return None if remote is None else await remote.snapshot()
    except (EtltuiError, TimeoutError):
        return None


def _lines(finding: Finding) -> list[str]:
    mark = _MARKS[finding.level]
    lines = wrapped(f"{finding.topic}: {finding.title}", f"{mark} ", "  ")
    if finding.level is not Level.OK:
        lines += wrapped(finding.detail, "    ", "    ")
    return lines + wrapped(finding.remedy, "    → ", "      ")


def _object(finding: Finding) -> dict[str, object]:
    return {
        "level": str(finding.level),
        "topic": finding.topic,
        "title": finding.title,
        "detail": finding.detail,
        "remedy": finding.remedy,
        "numbers": dict(finding.numbers),
    }


def _summary(findings: Sequence[Finding]) -> str:
    counts = {level: sum(each.level is level for each in findings) for level in Level}
    return (
        f"{counted(counts[Level.FAIL], 'failure')}, {counted(counts[Level.WARN], 'warning')}, "
        f"{counts[Level.OK]:,} good"
    )


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="A finding a line, as JSON.")
@config_option
@state_option
@errors_leave
def command(*, as_json: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """Look at configuration, machine, state folder and the last runs, and say what to do.

    Starts nothing and opens no database of a branch; also while an engine is running.
    Exit code 1 where something fails, 0 where there are warnings at most.
    """
    config, mistakes = _configuration(config_file)
    state = state_folder(config, state_dir, os.environ)
    facts = asyncio.run(
        gather(
            config=config,
            mistakes=mistakes,
            state=state,
            environ=os.environ,
            now=datetime.now(UTC).timestamp(),
            live=partial(_told_by_the_engine, state),
        ),
    )
    findings = examine(facts)
    for finding in findings:
        if as_json:
            click.echo(encode.line(_object(finding)))
        else:
            click.echo("\n".join(_lines(finding)))
    if not as_json:
        click.echo(_summary(findings))
    sys.exit(int(any(finding.level is Level.FAIL for finding in findings)))
