"""`etltui serve`: an engine without a screen, for others to call."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import click

from etltui.cli.follow import Show, note
from etltui.cli.local import Local
from etltui.cli.notify import notify
from etltui.cli.options import config_option, configuration, errors_leave, state_option
from etltui.cli.request import own_engine
from etltui.cli.signals import signals
from etltui.config.load import state_folder
from etltui.config.schema import Config


async def resident(config: Config, state: Path, *, quiet: bool, ready: Callable[[], None]) -> None:
    """Have an engine that others may call, until a signal asks it to end.

    Args:
        config: What it works with.
        state: The state folder.
        quiet: Show nothing of its runs.
        ready: Called when it can be called.

    Raises:
        StateHeldError: Another engine holds the folder.
    """
    settings = config.settings
    asked: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    async with own_engine(config, state, resident=True) as (own, door):
        show = Show(settings.timezone, live=False, quiet=quiet)
        if own.records.rebuilt and not quiet:
            note(own.records.rebuilt)
        with Local(own) as runs, signals(asked.set_result, hangup=settings.on_hangup):
            async with show.following(runs, (), await runs.collect()):
                ready()
                notify("READY=1")
                number = await asked
                notify("STOPPING=1")
                door.close()
                # QUIT is a key, Ctrl-\, of who wants no waiting.
                wait_s = own.config.settings.shutdown_timeout_s
                await own.shutdown(
                    0 if number is signal.SIGQUIT else wait_s,
                    f"the engine was stopped by {number.name}",
                )


@click.command("serve")
@click.option("--quiet", is_flag=True, help="Write nothing; the log is written nevertheless.")
@config_option
@state_option
@errors_leave
def command(*, quiet: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """Hold the state folder and run what `run`, `retry` and others hand over.

    What waits in the queue is taken up, and what is handed over outlives this process. INT and
    TERM start nothing more, wait at most settings.shutdown_timeout_s for what runs and then stop
    it resumably; QUIT does not wait, and a second signal leaves at once. A closed terminal ends
    nothing, unless settings.on_hangup is "stop". As a service of systemd use Type=notify.
    """
    config = configuration(config_file)
    state = state_folder(config, state_dir, os.environ)

    def ready() -> None:
        if not quiet:
            note(f"serving {state} with {config.path}, process {os.getpid()}")

    asyncio.run(resident(config, state, quiet=quiet, ready=ready))
