"""The first use of the console, where nothing is configured yet."""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from etltui.cli import demo_data
from etltui.cli.console_screen import (
    Opening,
    drawn,
    opening_of,
    screen_modules,
    signals_leave,
)
from etltui.cli.demo import JOB, prepare
from etltui.cli.screen import Tether, launch
from etltui.config.load import load, state_folder
from etltui.config.schema import Config
from etltui.domain.inquiry import Tested

DEMO = demo_data.Demo(seed=1, branches=56, rows=2000)
"""As `etltui demo` makes it where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class First:
    """What the first use begins with.

    Attributes:
        opening: Of a configuration that says nothing.
        folder: Where the configuration is to be written.
        state_dir: As a flag says it; None where none does.
    """

    opening: Opening
    folder: Path
    state_dir: Path | None

    @property
    def demo(self) -> Path:
        """The demo's folder."""
        return self.folder / "etltui-demo"


def open_first(first: First) -> int:
    """Ask what there is to read, then show the console; the exit code.

    Raises:
        EtltuiError: The engine could not be started or found.
    """
    return launch(partial(_drawn, first))


def _drawn(first: First, tether: Tether) -> int:
    made = screen_modules(first.opening.terminal, tether, "etltui.console.first")
    app = asyncio.run(_asked(first, made))
    tether.closed()
    if app.crash is not None:
        raise app.crash
    if app.path is None:
        return 0
    config = load(app.path, environ=os.environ)
    config = replace(config, console=first.opening.config.console)
    opening = opening_of(
        config,
        state_folder(config, first.state_dir, os.environ),
        read_only=first.opening.read_only,
        start=JOB if app.path.parent == first.demo else "",
    )
    return drawn(opening, tether)


async def _asked(first: First, made: Any) -> Any:
    config = first.opening.config
    look = made.CurrentLook(config.console, first.opening.terminal, config=config.path)
    means = made.Means(
        place=first.folder / "etltui.toml",
        demo=partial(prepare, first.demo, DEMO),
        test=_tested,
    )
    app = made.FirstApp(look, means)
    with signals_leave(app.exit, asyncio.Event()), suppress(Exception):
        # What went wrong is in `crash`.
        await app.run_async(mouse=config.console.mouse)
    return app


async def _tested(config: Config) -> Tested:
    """Ask the only connection of a configuration for an answer."""
    store: Any = await asyncio.to_thread(import_module, "etltui.bootstrap")
    trips: Any = await asyncio.to_thread(import_module, "etltui.engine.trips")
    clock: Any = await asyncio.to_thread(import_module, "etltui.engine.clock")
    with TemporaryDirectory(prefix="etltui-") as folder:
        log = Path(folder) / "extractor.log"
        async with store.leases(config, environ=os.environ, log=log) as lending:
            found: Tested = await trips.tested(
                lending,
                config.connections[0],
                config.settings.request_timeout_s,
                clock.SystemClock(),
                (),
                "",
            )
    return found
