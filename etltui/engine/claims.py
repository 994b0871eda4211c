"""Keeps a run's targets to itself while it writes them, also from engines of other folders."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from etltui.config.disk import lacking
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.plan import Plan
from etltui.engine.target_lock import BEAT_S, HOLDER, Lock, take
from etltui.engine.tools import Tools

_log = logging.getLogger(__name__)


class Claims:
    """The locks of one run's targets.

    Args:
        tools: Of the engine.
        plan: The run's.
        wait: Lets time pass: that of the machines, which no engine's clock can turn.
    """

    def __init__(
        self,
        tools: Tools,
        plan: Plan,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._wait = wait
        self._tools = tools
        self._plan = plan
        self._locks: dict[str, Lock] = {}
        self._taking = asyncio.Lock()
        self._beats: asyncio.Task[None] | None = None

    def now(self) -> datetime:
        """The time in the run's zone."""
        return self._tools.clock.now().astimezone(self._plan.started.tzinfo)

    async def begin(self) -> None:
        """Take what can be taken before anything is read; the rest when it is written.

        Raises:
            Failure: Somebody else writes one of the targets.
        """
        for target in self._plan.targets:
            if await asyncio.to_thread(Path(target).parent.is_dir):
                try:
                    await self.hold(target)
                except Failure as failure:
                    if HOLDER in failure.facts:
                        raise
                    _log.warning("%s", failure)

    async def hold(self, target: str) -> None:
        """Make sure that this run alone writes a target; its folder is there.

        Raises:
            Failure: Of class `target`: somebody else does, or nobody can tell.
        """
        async with self._taking:
            lock = self._locks.get(target)
            try:
                if lock is None or not await asyncio.to_thread(lock.beat):
                    self._locks[target] = await asyncio.to_thread(self._take, target)
            except OSError as error:
                raise Failure(
                    ErrorClass.TARGET,
                    f"nobody can tell who writes {target}: {error.strerror}"
                    f"{lacking(target, error)}",
                    {"path": target},
                ) from error
        if self._beats is None:
            self._beats = asyncio.create_task(self._beat(), name="target locks")

    def _take(self, target: str) -> Lock:
        return take(
            Path(target),
            state=self._tools.parts_folder.parent,
            job=self._plan.job.name,
            run=self._plan.run,
            now=self._tools.clock.now().timestamp(),
            timezone=self._tools.timezone,
        )

    async def _beat(self) -> None:
        """Show others from time to time that the holder lives."""
        while True:
            await self._wait(BEAT_S)
            for target, lock in list(self._locks.items()):
                try:
                    if not await asyncio.to_thread(lock.beat):
                        _log.error("The lock of %s was taken away", target)
                except OSError as error:
                    _log.warning("The lock of %s was not touched: %s", target, error.strerror)

    async def release(self) -> None:
        """Let all of them go."""
        if self._beats is not None:
            self._beats.cancel()
            await asyncio.wait({self._beats})
            self._beats = None
        for target, lock in self._locks.items():
            try:
                await asyncio.to_thread(lock.release)
            except OSError as error:
                _log.warning("The lock of %s was not removed: %s", target, error.strerror)
        self._locks.clear()
