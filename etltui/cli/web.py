"""`etltui web`: the console in a browser, for those who hold the link."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from etltui.bootstrap import is_held
from etltui.cli.follow import note
from etltui.cli.notify import notify
from etltui.cli.options import (
    USAGE,
    config_option,
    configuration,
    errors_leave,
    profile_option,
    state_option,
)
from etltui.cli.serve import resident
from etltui.cli.signals import signals
from etltui.config.load import state_folder
from etltui.config.schema import Config
from etltui.domain.errors import StateHeldError, misused
from etltui.web.gate import LOOPBACK, PARAMETER, new_keys

PORTS = range(8000, 8020)
"""Which are tried where none is asked for."""
LOOK_S = 1.0
"""How often it is looked whether somebody else's engine has ended."""
_NEEDED = ("aiohttp", "textual_serve")


def missing() -> str:
    """What to do where packages of the extra `web` are not installed; empty where they are."""
    lacking = [name.replace("_", "-") for name in _NEEDED if find_spec(name) is None]
    if not lacking:
        return ""
    return f"`etltui web` needs {' and '.join(lacking)}: pip install 'etltui[web]'"


def static() -> Path:
    """The folder of the page's script, style and font."""
    found = find_spec("textual_serve")
    return Path(found.origin if found and found.origin else "").parent / "static"


def listening(host: str, port: int | None) -> socket.socket:
    """A socket at the port; where none is asked for at the first that is free.

    Raises:
        ConfigError: The host is not this machine alone, or the port is taken.
    """
    if host not in LOOPBACK:
        raise misused(
            "--host",
            f"{host!r} can be reached from elsewhere, without encryption",
            "Leave it out, and open a tunnel: ssh -L 8000:127.0.0.1:8000 THIS_MACHINE",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for each in PORTS if port is None else (port,):
        try:
            return socket.create_server((host, each), family=family)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    tried = f"{PORTS[0]} to {PORTS[-1]} are" if port is None else f"{port} is"
    raise misused("--port", f"{tried} taken, or not for this user", "Choose another --port")


def console(config: Config, state: Path, *, read_only: bool, profile: str | None) -> Sequence[str]:
    """The command of a tab."""
    command = [sys.executable, "-m", "etltui", "console", "--config", str(config.path)]
    command += ["--state-dir", str(state)]
    if profile:
        command += ["--profile", profile]
    return [*command, "--read-only"] if read_only else command


def invitation(host: str, port: int, token: str) -> str:
    """The link to open, and how it is opened from another machine."""
    named = f"[{host}]" if ":" in host else host
    return (
        f"http://{named}:{port}/?{PARAMETER}={token}\n"
        "Whoever has this link can do what the console can. From another machine open a tunnel "
        f"first: ssh -L {port}:{named}:{port} {socket.gethostname()}"
    )


async def _free(state: Path, hangup: str) -> bool:
    """Wait until nobody holds the folder; False when a signal asks to end before."""
    asked: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    with signals(asked.set_result, hangup=hangup):
        notify("READY=1")
        held = True
        while held:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await asyncio.shield(asked)
                    notify("STOPPING=1")
                    return False
            held = await asyncio.to_thread(is_held, state)
    return True


async def _web(config: Config, state: Path, serving: Any, *, said: str, quiet: bool) -> None:
    """Serve the site above an engine: of our own, unless somebody else's is there."""
    told = False

    def tell(engine: str) -> None:
        nonlocal told
        if not quiet:
            note(engine)
        if not told:
            told = True
            click.echo(said)
            with suppress(OSError):
                sys.stdout.flush()

    async with serving:
        while True:
            try:
                ready = f"serving {state} with {config.path}, process {os.getpid()}"
                await resident(config, state, quiet=quiet, ready=lambda: tell(ready))  # noqa: B023
            except StateHeldError:
                tell(f"an engine holds {state} already: it is what the tabs will show")
                if await _free(state, config.settings.on_hangup):
                    continue
            return


@click.command("web")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Where to listen, instead of the first free port from {PORTS[0]}; 0 takes any.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="127.0.0.1 or ::1.")
@click.option("--read-only", is_flag=True, help="Look only: nothing can be changed from it.")
@click.option("--quiet", is_flag=True, help="Write nothing but the link.")
@profile_option
@config_option
@state_option
@errors_leave
def command(  # noqa: PLR0913 - one for each option
    *,
    port: int | None,
    host: str,
    read_only: bool,
    quiet: bool,
    profile: str | None,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show the console in a browser: prints the link to open, which holds a secret token.

    Each tab is a console of its own on the engine that serves the state folder. Where none does,
    this command has one until it is ended, as `etltui serve` has. It can be reached from this
    machine only: from another one through a tunnel of ssh. Every start makes another token.
    """
    if lacking := missing():
        click.echo(f"etltui: {lacking}", err=True)
        sys.exit(USAGE)
    config = configuration(config_file, profile=profile)
    state = state_folder(config, state_dir, os.environ)
    with listening(host, port) as line:
        at = line.getsockname()[1]
        site: Any = import_module("etltui.web.site")
        keys = new_keys(at)
        made = site.Site(
            static=static(),
            command=console(config, state, read_only=read_only, profile=profile),
            title=f"etltui on {socket.gethostname()}",
            keys=keys,
        )
        said = invitation(host, at, keys.token)
        asyncio.run(_web(config, state, site.served(made, line), said=said, quiet=quiet))
