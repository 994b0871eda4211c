"""The console in lines: with --linear, and where nobody knows whether a screen can be drawn."""

import asyncio
import os
import shutil
import stat
import sys
from functools import partial
from importlib import import_module
from typing import Any

from etltui.cli.console_screen import Opening, Surface, history_of, over_engine
from etltui.cli.link import Later, Link
from etltui.cli.screen import Tether

_STDIN = 0


def talked(opening: Opening, tether: Tether) -> int:
    """Talk with the operator in the process that works; the exit code."""
    made: Any = import_module("etltui.console.linear.app")
    return asyncio.run(_talked(opening, tether, made))


def is_typed(descriptor: int) -> bool:
    """Whether commands may come from it: not from /dev/null, nor where it is closed.

    A console without them says what changes until it is ended by a signal.
    """
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return os.isatty(descriptor) or not stat.S_ISCHR(mode)


async def _talked(opening: Opening, tether: Tether, made: Any) -> int:
    loop = asyncio.get_running_loop()
    link, history = Link(), Later(partial(history_of, opening.state))
    talk = made.Talk(
        out=sys.stdout.fileno(),
        encoding=sys.stdout.encoding,
        typed=_STDIN if is_typed(_STDIN) else None,
        loop=loop,
    )
    console = made.LinearConsole(
        link,
        history,
        opening.config,
        speech=talk.speech,
        state=opening.state,
        options=made.Options(read_only=opening.read_only),
        unicode=opening.terminal.unicode,
        width=shutil.get_terminal_size((0, 0)).columns,
    )
    if opening.terminal.why:
        talk.speech.say(f"etltui: {opening.terminal.why}. It gets lines instead.")
    run = partial(talk.around, console)
    return await over_engine(
        opening, tether, Surface(link=link, history=history, shown=console, run=run)
    )
