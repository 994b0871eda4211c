"""The line of the log at a moment, looked for in a thread."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from etltui.engine.log_files import LogLine, opened
from etltui.engine.log_search import nearest


def line_in(folder: Path, at: float) -> LogLine | None:
    """The line of a log nearest to a moment; None where there is none that can be read."""
    try:
        with opened(folder) as files:
            return nearest(files, at)
    except OSError:
        return None


class LineAt:
    """Asks for the line once for each moment that is wanted; the newest answer stands.

    One question is on its way at most: of those that come meanwhile the last one is asked.

    Args:
        look: Finds the line nearest to a moment; called in a thread.
        arrived: Called when an answer has come.

    Attributes:
        line: The newest answer; None where there is none, or no line.
        known: Whether there is an answer.
    """

    def __init__(
        self, look: Callable[[float], LogLine | None], arrived: Callable[[], None]
    ) -> None:
        self._look = look
        self._arrived = arrived
        self._wanted: float | None = None
        self._task: asyncio.Task[None] | None = None
        self.line: LogLine | None = None
        self.known = False

    def want(self, at: float | None) -> None:
        """Have the line of a moment; None for no line at all."""
        if at == self._wanted:
            return
        self._wanted = at
        if at is None:
            self.line, self.known = None, False
        elif self._task is None:
            self._task = asyncio.create_task(self._find(at), name="log line")

    async def _find(self, at: float) -> None:
        line = await asyncio.to_thread(self._look, at)
        wanted, self._task = self._wanted, None
        if wanted is None:
            return
        self.line, self.known = line, True
        if wanted != at:
            self._task = asyncio.create_task(self._find(wanted), name="log line")
        self._arrived()

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        while self._task is not None:
            await asyncio.wait({self._task})

    def close(self) -> None:
        """Take no answer any more."""
        self._wanted = None
