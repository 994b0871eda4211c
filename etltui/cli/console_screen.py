"""The console's screen: drawn in a process that may outlive its terminal, and how it ends."""

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, get_args

from etltui.cli.link import Ending, Later, Link, Screen
from etltui.cli.screen import Tether, launch
from etltui.cli.signals import leave_at_once
from etltui.config.schema import Config
from etltui.console.crash import report, safe_words, secrets, write
from etltui.console.terminal import Colour, Terminal, terminal
from etltui.domain.errors import EtltuiError

_log = logging.getLogger(__name__)

_SYSTEMS = {"truecolor": "truecolor", "256": "256", "16": "standard", "none": "standard"}
_OPENING = b"\x1b[?1049h\x1b[2J\x1b[H Opening the console"
_SHUT = b"\x1b[?1049l"
_WAY_OUT = "Run an engine without a screen with `etltui serve`, or a job with `etltui run JOB`"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What a console is opened with.

    Attributes:
        read_only: Whether nothing may be changed from it.
        start: A job of which a run is to be started at once; empty for none.
    """

    config: Config
    state: Path
    terminal: Terminal
    read_only: bool = False
    start: str = ""


def this_terminal() -> Terminal:
    """What the terminal of this process can."""
    size = shutil.get_terminal_size((0, 0))
    return terminal(
        os.environ,
        tty=sys.stdin.isatty() and sys.stdout.isatty(),
        encoding=sys.stdout.encoding,
        size=(size.columns, size.lines),
    )


def no_screen(found: Terminal) -> str:
    """Why there is no console, and what to do; empty where there can be one."""
    return f"etltui: {found.why}. {_WAY_OUT}." if found.kind == "none" else ""


def opening_of(config: Config, state: Path, *, read_only: bool = False, start: str = "") -> Opening:
    """What a console of this configuration is opened with, on the terminal of this process."""
    found = this_terminal()
    for colour in get_args(Colour):
        if config.console.colour == colour:
            found = replace(found, colour=colour)
    if config.console.linear:
        found = replace(found, kind="linear", why="")
    return Opening(
        config=config,
        state=state,
        terminal=found,
        read_only=read_only or config.console.read_only,
        start=start,
    )


def open_console(opening: Opening) -> int:
    """Show the console until the operator leaves it; the exit code.

    Raises:
        EtltuiError: The engine could not be started or found.
    """
    if opening.terminal.kind == "screen":
        return launch(partial(drawn, opening))
    lines: Any = import_module("etltui.cli.console_lines")
    return launch(partial(lines.talked, opening))


def drawn(opening: Opening, tether: Tether) -> int:
    """Show the console in the process that works; the exit code."""
    made = screen_modules(opening.terminal, tether, "etltui.console.app")
    return asyncio.run(_shown(opening, tether, made))


def screen_modules(found: Terminal, tether: Tether, name: str) -> Any:
    """A module that draws on this terminal; until it is loaded the screen says that it opens."""
    # Textual reads these when it is imported.
    os.environ["TEXTUAL_COLOR_SYSTEM"] = _SYSTEMS[found.colour]
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ.pop("TEXTUAL", None)
    if found.colour == "none":
        os.environ["NO_COLOR"] = "1"
    if not found.unicode:
        # What has few characters knows few sequences, and prints those it does not know.
        os.environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
    tether.opened()
    try:
        # The screen's own modules take half a second.
        os.write(sys.stdout.fileno(), _OPENING)
        return import_module(name)
    except BaseException:
        with suppress(OSError):
            os.write(sys.stdout.fileno(), _SHUT)
        tether.closed()
        raise


async def _shown(opening: Opening, tether: Tether, made: Any) -> int:
    link, history = Link(), Later(partial(history_of, opening.state))
    config = opening.config
    look = made.CurrentLook(
        config.console,
        opening.terminal,
        config=config.path,
        timezone=config.settings.timezone,
    )
    options = made.Options(read_only=opening.read_only)
    app = made.ConsoleApp(link, history, config, look=look, state=opening.state, options=options)
    run = partial(_run, app, mouse=config.console.mouse)
    return await over_engine(
        opening, tether, Surface(link=link, history=history, shown=app, run=run)
    )


async def _run(app: Any, *, mouse: bool) -> str | None:
    """Show the screen until it is left, and raise what it crashed of."""
    try:
        left: str | None = await app.run_async(mouse=mouse)
    except Exception:
        if app.crash is not None:
            raise app.crash from None
        raise
    if app.crash is not None:
        raise app.crash
    return left


class Shown(Protocol):
    """What the operator sees."""

    options: Any

    def exit(self, result: Any) -> None:
        """End it in a way of `link.Ending`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """What stands above an engine that may not be there yet.

    Attributes:
        link: Its calls to the engine.
        history: Its reads of the records.
        run: Shows it until it is left; how that was.
    """

    link: Link
    history: Later
    shown: Shown
    run: Callable[[], Awaitable[str | None]]


async def over_engine(opening: Opening, tether: Tether, surface: Surface) -> int:
    """Show a surface over an engine that is found or started meanwhile; the exit code.

    Raises:
        EtltuiError: The engine could not be started or found.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_unexpected)
    ended: asyncio.Future[Ending] = loop.create_future()
    link, shown = surface.link, surface.shown

    def found(*, embedded: bool) -> None:
        shown.options = replace(shown.options, embedded=embedded)

    screen = Screen(link=link, found=found, ended=ended, asked=asyncio.Event(), tether=tether)
    engine = asyncio.create_task(_engine(opening, screen), name="engine")

    def leave(how: str) -> None:
        shown.exit(how)
        link.give_up()

    engine.add_done_callback(lambda _: leave("failed"))
    with signals_leave(leave, screen.asked):
        loop.add_reader(tether.fileno(), _parted, leave, tether)
        left, crash = None, None
        try:
            left = await surface.run()
        except Exception as error:  # noqa: BLE001 - runs outlive whatever befalls the screen
            crash = error
        finally:
            loop.remove_reader(tether.fileno())
        tether.closed()
        await surface.history.close()
        # What the screen lacked was an engine: of that the engine's own error tells.
        ended.set_result(_ending(left, None if link.given_up else crash, opening))
        return await engine


async def _engine(opening: Opening, screen: Screen) -> int:
    """Start or find the engine while the screen is drawn: its modules take their time."""
    module: Any = await asyncio.to_thread(import_module, "etltui.cli.console_engine")
    starting = asyncio.create_task(_start(opening.start, screen.link), name="start")
    try:
        code: int = await module.beneath(opening.config, opening.state, screen)
    finally:
        starting.cancel()
    return code


async def _start(job: str, link: Link) -> None:
    """Start a run of the job, if there is one to start; the screen shows what becomes of it."""
    if job:
        with suppress(EtltuiError):
            await link.call("submit", job=job)


async def history_of(state: Path) -> Any:
    """The records of the state folder, for reading."""
    store: Any = await asyncio.to_thread(import_module, "etltui.bootstrap")
    return await store.open_history(state)


def _parted(leave: Callable[[str], None], tether: Tether) -> None:
    """Whoever kept the shell's place has been killed: the shell has its terminal back."""
    asyncio.get_running_loop().remove_reader(tether.fileno())
    leave("gone")


@contextmanager
def signals_leave(leave: Callable[[str], None], asked: asyncio.Event) -> Iterator[None]:
    """Have HUP, INT, TERM and QUIT end the screen; a second one but HUP leaves at once."""
    loop = asyncio.get_running_loop()

    def stop(how: str) -> None:
        if asked.is_set():
            leave_at_once()
        asked.set()
        leave(how)

    takes: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGINT: partial(stop, "stopped"),
        signal.SIGTERM: partial(stop, "stopped"),
        signal.SIGQUIT: partial(stop, "quit"),
        signal.SIGHUP: partial(leave, "gone"),
    }
    # What whoever started this has ignored (nohup) stays ignored.
    ours = [number for number in takes if signal.getsignal(number) is not signal.SIG_IGN]
    for number in ours:
        loop.add_signal_handler(number, takes[number])
    try:
        yield
    finally:
        for number in ours:
            loop.remove_signal_handler(number)


def _unexpected(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log what nobody awaited: on stderr it would be painted over the screen."""
    error = context.get("exception")
    what = f": {type(error).__name__}: {safe_words(error, ())}" if error else ""
    _log.error("%s%s", context["message"], what)


def _ending(left: str | None, error: BaseException | None, opening: Opening) -> Ending:
    """How the screen ended, with the report of a crash written."""
    if error is None:
        return Ending(left=left or "quit")
    known, at = secrets(opening.config, os.environ), datetime.now(UTC)
    text = report(error, at=at, known=known)
    try:
        where = f"What went wrong is in {write(text, opening.state, at)}, without your data."
    except OSError:
        where = text
    said = f"etltui: the console crashed: {type(error).__name__}. {where}"
    return Ending(left="crashed", text=said)
