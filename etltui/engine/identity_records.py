"""Writes down which databases connections are known to be, and lets changes be approved."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from etltui.config.schema import Config
from etltui.config.select import suggestion
from etltui.domain.errors import StateError, misused
from etltui.engine.identity import approvals
from etltui.engine.tools import Tools

_log = logging.getLogger(__name__)


class IdentityRecords:
    """The identities of an engine, on disk.

    Args:
        tools: Of the engine.
        config: What may be connected to, and what a change does, as it is when it is asked.
    """

    def __init__(self, tools: Tools, config: Callable[[], Config]) -> None:
        self._tools = tools
        self._config = config
        self._identities = tools.identities
        self._writing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what is written down, and follow the settings."""
        self._identities.refuses = lambda: self._config().settings.on_identity == "refuse"
        self._identities.put(await self._tools.store.identities())
        self._identities.listen(self._begin)

    async def approve(self, connections: Sequence[str], by: str) -> tuple[str, ...]:
        """Take whoever answers at these connections for the right one; those that had changed.

        Args:
            connections: Their names.
            by: Who approves, as `user@host`.

        Raises:
            ConfigError: There is no such connection.
            StateError: It could not be recorded; nothing is approved.
        """
        there = self._config().connections
        names = {each.name for each in there}
        for name in connections:
            if name not in names:
                problem = f"the configuration has no connection {name!r}"
                raise misused("CONNECTION", problem, suggestion(there, name))
        now = self._tools.clock.now().timestamp()
        expected = {each.name: each.identity for each in there if each.identity}
        approved = approvals(self._identities.all, connections, by, now, expected)
        await self._tools.store.put_identities(approved)
        self._identities.put(approved)
        return tuple(each.connection for each in approved)

    async def aclose(self) -> None:
        """Write down what is not yet."""
        self._identities.listen(lambda: None)
        if self._writing is not None:
            await asyncio.wait({self._writing})
        await self._write()

    def _begin(self) -> None:
        # Whoever borrows a session does not wait for it; many that come together share a commit.
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="identities")

    async def _write(self) -> None:
        while found := self._identities.unwritten():
            try:
                await self._tools.store.put_identities(found)
            except StateError as error:
                # Whoever opens the next session has it tried again.
                _log.warning("Who answered was not written down: %s", error)
                return
            self._identities.wrote(found)
