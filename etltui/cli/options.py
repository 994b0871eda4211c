"""Options that commands share, and how an error leaves the program."""

import functools
import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from io import UnsupportedOperation
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import click

from etltui.config.load import find, load, state_folder
from etltui.config.profiles import PROFILES
from etltui.config.schema import Config
from etltui.domain.errors import (
    ConfigError,
    EtltuiError,
    NoSuchRunError,
    PlanChangedError,
    RefusedError,
    StateError,
    StateHeldError,
)
from etltui.domain.safe_text import safe_text
from etltui.door.errors import GoneError, NoDoorError

USAGE = 2
LATER = 75
"""It may work later: the folder is held, nobody serves it, the job is paused or has a run."""
_CODES: Mapping[type[EtltuiError], int] = {
    StateHeldError: LATER,
    NoDoorError: LATER,
    GoneError: LATER,
    RefusedError: LATER,
    ConfigError: USAGE,
    PlanChangedError: USAGE,
    NoSuchRunError: USAGE,
    StateError: USAGE,
}

_P = ParamSpec("_P")
_R = TypeVar("_R")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Configuration file (else ETLTUI_CONFIG, ./etltui.toml, ~/.config/etltui/config.toml).",
)
state_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="Folder for runs, parts and logs (else ETLTUI_STATE_DIR, settings.state_dir, "
    "~/.local/state/etltui).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="An event a line, as JSON.")
only_option = click.option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help="Only connections whose name matches, or tag:NAME; may be given several times.",
)
join_option = click.option(
    "--join/--no-join",
    default=True,
    help="Hand the work to the engine that holds the state folder, if one does, and follow it "
    "there. With --no-join that is an error (exit code 75).",
)
profile_option = click.option(
    "--profile",
    metavar="NAME",
    help="Settings that suit a size of work, laid under the file's: "
    f"{', '.join(PROFILES)} (else settings.profile).",
)


def span(_: click.Context, __: click.Parameter, value: str) -> float:
    """Of an option such as `90`, `90s`, `10m`, `2h`, `1d` the seconds."""
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no time: write 90s, 10m, 2h or 1d")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def business_day(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    """Of an option such as `2026-11-20` the day; None where it is not said."""
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day: write it as 2026-11-20") from None


def configuration(config_file: Path | None, **flags: object) -> Config:
    """The configuration that the command is to work with.

    Args:
        config_file: As `--config` says.
        flags: Settings from the command line; None says nothing.

    Raises:
        ConfigError: All mistakes in it.
    """
    return load(find(config_file, os.environ), environ=os.environ, overrides=flags)


def job_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Jobs whose name begins so, for the shell's completion; none where nothing can be read."""
    try:
        jobs = configuration(ctx.params.get("config_file")).jobs
    except EtltuiError:
        return []
    return [name for name in jobs if name.startswith(incomplete)]


def state_of(config_file: Path | None, state_dir: Path | None) -> tuple[Path, str]:
    """The state folder and the zone of its times, also where there is no configuration at all.

    Raises:
        ConfigError: There is one, but with mistakes.
    """
    try:
        path = find(config_file, os.environ)
    except ConfigError:
        if config_file is not None:
            raise
        return state_folder(None, state_dir, os.environ), ""
    config = load(path, environ=os.environ)
    return state_folder(config, state_dir, os.environ), config.settings.timezone


def leave(error: EtltuiError) -> NoReturn:
    """Say what is wrong on stderr and end with its exit code."""
    lines = error.mistakes if isinstance(error, ConfigError) else (error,)
    for line in lines:
        click.echo(f"etltui: {safe_text(str(line))}", err=True)
    sys.exit(next((code for kind, code in _CODES.items() if isinstance(error, kind)), 1))


def _drop_output() -> None:
    """Let what stdout still holds go nowhere: where it should go takes nothing any more."""
    with suppress(UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def errors_leave(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn what a command raises on purpose into words and an exit code."""

    @functools.wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except EtltuiError as error:
            leave(error)
        except BrokenPipeError:
            # Whoever read the output has seen enough.
            _drop_output()
            sys.exit(1)
        except OSError as error:
            _drop_output()
            where = f"{error.filename}: " if error.filename else ""
            click.echo(f"etltui: {safe_text(f'{where}{error.strerror or error}')}", err=True)
            sys.exit(1)

    return wrapped
