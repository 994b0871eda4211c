"""`etltui` and `etltui console`: the console, on an engine of its own or on one that runs."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from etltui.cli.console_screen import no_screen, open_console, opening_of
from etltui.cli.first import First, open_first
from etltui.cli.options import (
    USAGE,
    config_option,
    configuration,
    errors_leave,
    profile_option,
    state_option,
)
from etltui.config.console import Console
from etltui.config.load import find, state_folder, unwritten, usual
from etltui.config.schema import Config
from etltui.domain.errors import ConfigError

SOCKET = "engine.sock"
"""`door.protocol.SOCKET`: that module loads the engine, which is too much before the screen."""


def _configured(config_file: Path | None, **flags: object) -> Config:
    """The configuration; where none is found one that says nothing.

    Raises:
        ConfigError: There is one, with mistakes; or one was named that is not there.
    """
    try:
        find(config_file, os.environ)
    except ConfigError:
        if config_file is not None or os.environ.get("ETLTUI_CONFIG"):
            raise
        return unwritten(usual(os.environ), environ=os.environ, overrides=flags)
    return configuration(config_file, **flags)


def _looking(
    console: Console,
    *,
    theme: str | None,
    ascii_only: bool,
    no_mouse: bool,
    rate: float | None,
    linear: bool,
) -> Console:
    """The console's look, as flags say it."""
    return replace(
        console,
        theme=theme or console.theme,
        glyphs="ascii" if ascii_only else console.glyphs,
        mouse=console.mouse and not no_mouse,
        rate_hz=rate or console.rate_hz,
        linear=console.linear or linear,
    )


@click.command("console")
@click.option("--read-only", is_flag=True, help="Look only: nothing can be changed from it.")
@click.option("--theme", metavar="NAME", help="Colours, instead of console.theme.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII only.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option(
    "--rate",
    type=click.FloatRange(0.5, 10),
    metavar="HZ",
    help="Paint so many times a second at most, 0.5 to 10, instead of console.rate_hz.",
)
@click.option(
    "--linear",
    is_flag=True,
    help="No screen: a line for each change, and commands at a prompt or from a pipe.",
)
@profile_option
@config_option
@state_option
@errors_leave
def command(
    *,
    config_file: Path | None,
    state_dir: Path | None,
    profile: str | None,
    read_only: bool,
    **looks: Any,
) -> None:
    """Open the console: what runs, what failed, what is left, and keys to steer it.

    Where an engine serves the state folder already it is looked at and steered; else one is
    started, which others may call as they call `etltui serve`. When the terminal is closed what
    runs goes on without a screen, unless settings.on_hangup is "stop"; key d leaves in the same
    way, and gives the shell back.

    With --linear, and on a terminal that nobody knows, lines are written one below the other, as
    screen readers, logs and slow links need them; `help` says what can be typed.
    """
    config = _configured(config_file, profile=profile)
    config = replace(config, console=_looking(config.console, **looks))
    opening = opening_of(config, state_folder(config, state_dir, os.environ), read_only=read_only)
    if refused := no_screen(opening.terminal):
        click.echo(refused, err=True)
        sys.exit(USAGE)
    # An engine that is there can be looked at without a configuration of one's own.
    drawn = opening.terminal.kind == "screen"
    if drawn and not config.path.exists() and not (opening.state / SOCKET).exists():
        first = First(opening=opening, folder=Path.cwd(), state_dir=state_dir)
        sys.exit(open_first(first))
    sys.exit(open_console(opening))
