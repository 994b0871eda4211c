"""The engine beneath a console: found or started, and what becomes of it when the screen ends."""

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import click

from etltui.cli.link import Ending, Screen
from etltui.cli.request import LOOK_S, own_engine, same_file
from etltui.cli.screen import Tether
from etltui.config.schema import Config
from etltui.domain.errors import StateHeldError
from etltui.domain.queue import QueueEntry
from etltui.domain.words import counted
from etltui.door.client import NoDoorError, RemoteEngine, open_door
from etltui.door.guest import Guest
from etltui.door.server import Door
from etltui.engine.clock import SystemClock
from etltui.engine.engine import Engine

DOOR_S = 10.0
"""How long a screen waits for the door of whoever holds the folder."""
IDLE_LOOK_S = 0.5
"""How often an engine that nobody watches looks whether it is done."""
STOPPED = 4


def unfinished(
    working: tuple[QueueEntry, ...], pending: tuple[QueueEntry, ...], paused: set[str]
) -> int:
    """Runs that are at work or get their turn without anybody's doing."""
    waiting = () if "" in paused else tuple(entry for entry in pending if entry.job not in paused)
    return len(working) + len(waiting)


def _unfinished(own: Engine) -> int:
    return unfinished(own.get_running_jobs(), own.get_pending_jobs(), own.queue.queue.paused)


async def beneath(config: Config, state: Path, screen: Screen) -> int:
    """Have an engine for the screen and see to it when the screen has ended; the exit code.

    The one that serves the state folder is attached to. Where none does one is started here, and
    may go on after the screen.

    Raises:
        StateHeldError: The folder is held by somebody who serves nobody.
        ConfigError: The one that serves the folder works with another configuration.
        EtltuiError: What starting or finding one raises.
    """
    clock = SystemClock()
    since = clock.monotonic()
    while not screen.ended.done():
        late = clock.monotonic() - since > DOOR_S
        code = await _own(config, state, screen, late=late)
        if code is None:
            code = await _others(config, state, screen)
        if code is not None:
            return code
        await clock.sleep(LOOK_S)
    return _said(screen.ended.result())


async def _own(config: Config, state: Path, screen: Screen, *, late: bool) -> int | None:
    async with AsyncExitStack() as stack:
        try:
            own, door = await stack.enter_async_context(own_engine(config, state, resident=True))
        except StateHeldError:
            if late:
                raise
            return None
        with Guest(door) as guest:
            screen.found(embedded=True)
            screen.link.opened(guest)
            ending = await screen.ended
        return await _wind_up(own, door, ending, screen)


async def _others(config: Config, state: Path, screen: Screen) -> int | None:
    async with AsyncExitStack() as stack:
        try:
            remote: RemoteEngine = await stack.enter_async_context(open_door(state))
        except NoDoorError:
            return None
        # Another one's jobs and branches would stand there without their names.
        await asyncio.to_thread(same_file, config, remote.hello)
        screen.found(embedded=False)
        screen.link.opened(remote)
        return _said(await screen.ended)


def _say(text: str) -> None:
    with suppress(OSError):
        click.echo(text, err=True)


def _said(ending: Ending) -> int:
    """Say what is to be said where nothing else remains to be done; the exit code."""
    if ending.text:
        _say(ending.text)
    return 1 if ending.left == "crashed" else 0


async def _wind_up(own: Engine, door: Door, ending: Ending, screen: Screen) -> int:
    """Do with our own engine what the screen's end asks for; the exit code."""
    settings, left = own.config.settings, ending.left
    count = _unfinished(own)
    if left == "stopped" or (left == "gone" and settings.on_hangup == "stop"):
        door.close()
        if left == "stopped":
            _say(
                f"stopping {counted(count, 'run')} resumably, in at most "
                f"{settings.shutdown_timeout_s} s; a second signal leaves at once"
            )
            await own.shutdown(settings.shutdown_timeout_s, "stopped by a signal")
        else:
            await own.stop("the terminal was closed")
        return STOPPED if count else 0
    if left == "quit":
        door.close()
        await own.stop("the console was closed")
        return STOPPED if count else 0
    if not (count or own.late.views() or door.handed or door.visitors):
        if left == "detach":
            _say("Nothing is left to do: the engine has ended.")
        return _said(ending)
    _let_go(ending, screen.tether)
    await _finish(own, door, screen.asked)
    return 0


def _let_go(ending: Ending, tether: Tether) -> None:
    goes_on = (
        f"The engine goes on (process {os.getpid()}). "
        "`etltui` attaches again; `etltui cancel JOB` ends a run."
    )
    text = "" if ending.left == "gone" else "\n".join(filter(None, [ending.text, goes_on]))
    tether.let_go(1 if ending.left == "crashed" else 0, text)


async def _finish(own: Engine, door: Door, asked: asyncio.Event) -> None:
    """Run until nothing is left to do and nobody is there, or until a signal asks to end."""
    while _unfinished(own) or own.late.views() or door.handed or door.visitors:
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_LOOK_S):
                await asked.wait()
        if asked.is_set():
            door.close()
            await own.shutdown(own.config.settings.shutdown_timeout_s, "stopped by a signal")
            return
    await door.finish()
