"""`etltui import-job`: jobs that another program keeps as JSON, as TOML."""

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from etltui.cli.options import config_option, errors_leave
from etltui.config.files import replace_text, text_of
from etltui.config.job_json import Imported, imported
from etltui.config.load import find, load
from etltui.config.mounts import Mounts
from etltui.config.schema import Config
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.safe_text import safe_text


def _refused(where: str, key: str, problem: str, way_out: str) -> ConfigError:
    return ConfigError([Mistake(where=where, key=key, problem=problem, way_out=way_out)])


def _json(file: Path) -> Any:
    """What a file says.

    Raises:
        ConfigError: It cannot be read, or is no JSON.
    """
    text = text_of(file)
    if text is None:
        raise _refused(str(file), "", "there is no such file", "Check the path")
    if isinstance(text, Mistake):
        raise ConfigError([text])
    try:
        return json.loads(text)
    except RecursionError:
        raise _refused(str(file), "", "is nested too deeply", "Write it flatter") from None
    except ValueError as fault:
        raise _refused(str(file), "", f"is not JSON: {fault}", "Mend that line") from None


def _mounts(pairs: Sequence[str]) -> Mounts:
    """What `--map` says."""
    folders = {}
    for pair in pairs:
        there, equals, here = pair.partition("=")
        if not (there and equals and here):
            raise _refused(
                "command line",
                "--map",
                f"{pair!r} does not say what stands where",
                'Write --map "D:/Reports=/mnt/reports"',
            )
        folders[there] = here
    return Mounts(folders)


def _checked_against(config: Config, found: Imported, file: Path) -> None:
    """Refuse jobs that would not be accepted in a configuration.

    Raises:
        ConfigError: All that `etltui check` would say of them; the file named is the JSON.
    """
    taken = [name for name in found.jobs if name in config.jobs]
    if taken:
        raise ConfigError(
            [
                Mistake(
                    where=str(file),
                    key="id",
                    problem=f"there is a job {name!r} in {config.path} already",
                    way_out="Give it another id, or take out the one that is there",
                )
                for name in taken
            ],
        )
    try:
        load(config.path, environ=os.environ, changes={"jobs": found.jobs})
    except ConfigError as error:
        raise ConfigError([replace(each, where=str(file)) for each in error.mistakes]) from None


def _text(found: Imported, file: Path) -> str:
    import tomli_w  # noqa: PLC0415 - only who writes needs it

    tables: Mapping[str, Any] = {"jobs": found.jobs}
    return f"# From {file.name}\n{tomli_w.dumps(tables, multiline_strings=True)}"


def _append(path: Path, text: str) -> None:
    """Write the jobs at the end of a file.

    Raises:
        ConfigError: It cannot be read or written, or would not be TOML afterwards.
    """
    before = text_of(path) or ""
    if isinstance(before, Mistake):
        raise ConfigError([before])
    after = f"{before.rstrip()}\n\n{text}" if before.strip() else text
    try:
        tomllib.loads(after)
    except ValueError as fault:
        raise _refused(
            str(path),
            "jobs",
            f"nothing can be appended: {fault}",
            "Write jobs as tables of their own, [jobs.NAME]",
        ) from None
    replace_text(path, after)


@click.command("import-job")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path),
    help="Append the jobs to this file instead of printing them.",
)
@click.option(
    "--map",
    "mounts",
    multiple=True,
    metavar="THERE=HERE",
    help="Where a folder of a Windows machine is mounted here; may be given several times.",
)
@config_option
@errors_leave
def command(
    file: Path,
    *,
    target: Path | None,
    mounts: tuple[str, ...],
    config_file: Path | None,
) -> None:
    """Read the jobs in FILE, one object or a list of them, and print them as TOML.

    They are checked against the configuration first, as `etltui check` would do. What is not
    taken over is told on stderr.
    """
    value, mounted = _json(file), _mounts(mounts)
    against = target if target is not None and target.exists() else config_file
    config = load(find(against, os.environ), environ=os.environ)
    known = {each.name for each in config.connections}
    found = imported(value, str(file), known=known, mounts=mounted)
    _checked_against(config, found, file)
    for note in found.notes:
        click.echo(f"note: {safe_text(note)}", err=True)
    text = _text(found, file)
    if target is None:
        click.echo(text, nl=False)
        return
    _append(target, text)
    click.echo(safe_text(f"{target}: {', '.join(found.jobs)}"))
