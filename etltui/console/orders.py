"""How a command is done: allowed, confirmed, carried out, its failure told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from etltui.console.commands import Command
from etltui.console.view import Severity
from etltui.domain.errors import ConfigError, EtltuiError

CANCELLED = "cancelled from the console"
"""What a run says for its reason that an operator of a console has ended."""
UNDO_S = 10.0
"""Seconds in which what is to be deleted can be kept after all."""


class Doer(Protocol):
    """A view, or the console itself: has a method for each of its commands."""

    def enabled(self, command: Command) -> bool:
        """Whether the command makes sense now."""
        ...


class Asking(Protocol):
    """Whom a command is done for: the desk, or whoever types at a prompt."""

    async def confirm(self, question: str) -> bool:
        """Whether they say yes."""
        ...

    def tell(self, text: str, severity: Severity = "information") -> None:
        """Say something in passing."""
        ...


def agreed(answer: str | None) -> bool:
    """Whether an answer is yes; where there is none it is no."""
    return answer is not None and answer.strip().lower() in ("y", "yes")


def why_not(command: Command, *, read_only: bool, enabled: bool) -> str:
    """Why a command is not done, as a sentence; empty where it is."""
    if read_only and command.changes:
        return f"{command.title}: this console only shows (--read-only)"
    if not enabled:
        return f"{command.title}: there is nothing here to do that with"
    return ""


async def done(command: Command, doer: Doer, desk: Asking, *, text: str, confirm: bool) -> None:
    """Do a command that is allowed, after a question where it has one."""
    if command.ask and confirm and not await desk.confirm(command.ask):
        return
    method: Callable[[str], Awaitable[None]] = getattr(doer, command.method)
    try:
        await method(text)
    except EtltuiError as error:
        desk.tell(told(error), "error")


def told(error: EtltuiError) -> str:
    """An error in the words of a toast."""
    if isinstance(error, ConfigError):
        return "\n".join(f"{each.key}: {each.problem}. {each.way_out}" for each in error.mistakes)
    return str(error)


class Undo:
    """Holds back what cannot be taken back, for a while.

    Args:
        wait: Waits that many seconds.
    """

    def __init__(self, wait: Callable[[float], Awaitable[object]]) -> None:
        self._wait = wait
        self._pending: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}

    def later(self, what: str, action: Callable[[], Awaitable[object]]) -> None:
        """Do it in ten seconds unless it is undone, or at once when the console ends."""
        now = asyncio.Event()
        task = asyncio.create_task(self._hold(what, now, action), name=f"undo {what}")
        self._pending[what] = (task, now)

    async def _hold(
        self, what: str, now: asyncio.Event, action: Callable[[], Awaitable[object]]
    ) -> None:
        waiting = asyncio.ensure_future(self._wait(UNDO_S))
        hurried = asyncio.ensure_future(now.wait())
        try:
            await asyncio.wait({waiting, hurried}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            hurried.cancel()
            self._pending.pop(what, None)
        await action()

    def undo(self) -> str:
        """Keep what was to go last; what it was, empty for nothing."""
        if not self._pending:
            return ""
        what, (task, _) = self._pending.popitem()
        task.cancel()
        return what

    async def aclose(self) -> None:
        """Do now what waits."""
        tasks = [task for task, _ in self._pending.values()]
        for _, now in self._pending.values():
            now.set()
        if tasks:
            await asyncio.wait(tasks)
