"""Writes down what is done to an engine: who, what, to what, and what came of it."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from etltui.domain.errors import StateError
from etltui.domain.logbook import Action
from etltui.engine.acts import asker, cut, told
from etltui.engine.tools import Tools

MOST_WAITING = 1000
"""Actions that wait to be written, at most: where the disk is full the oldest go."""

_log = logging.getLogger(__name__)


class Journal:
    """Writes down what is done to an engine, soon after it was done.

    Nobody who does something waits for that: several that come together share a transaction.

    Args:
        tools: Of the engine.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._waiting: list[Action] = []
        self._writing: asyncio.Task[None] | None = None
        tools.acts.listen(self.take)

    def take(self, what: str, given: Mapping[str, Any], outcome: str) -> None:
        """Take in a call that has ended."""
        target, detail = told(given)
        self.put(
            Action(
                at=self._tools.clock.now().timestamp(),
                who=asker(given, self._tools.operator),
                what=what,
                target=target,
                detail=detail,
                outcome=cut(outcome),
            ),
        )

    def put(self, action: Action) -> None:
        """Take in what is to be written."""
        self._waiting = [*self._waiting[1 - MOST_WAITING :], action]
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="journal")

    async def _write(self) -> None:
        while waiting := self._waiting:
            self._waiting = []
            try:
                await self._tools.store.put_actions(waiting)
            except StateError as error:
                self._waiting = [*waiting, *self._waiting][-MOST_WAITING:]
                _log.warning("What was done was not written down: %s", error)
                return

    async def flush(self) -> None:
        """Return when all that was done is written down, or cannot be."""
        if self._writing is not None:
            await asyncio.wait({self._writing})
        await self._write()
