"""When retention is done: once a day by an engine that stays, at its end by one that does not."""

import asyncio
import logging
from collections.abc import Callable

from etltui.config.schema import Settings
from etltui.domain.errors import EtltuiError
from etltui.domain.logbook import spent
from etltui.engine.retention import Limits
from etltui.engine.tidy import tidy
from etltui.engine.tools import Tools

DAY_S = 24 * 3600.0

_log = logging.getLogger(__name__)


class Upkeep:
    """Removes what has served its time; what cannot be removed now is left for the next time.

    Args:
        tools: Of the engine.
        settings: As they are when it is asked.
        submitting: Held by whoever takes a run up: between looking what may go and removing it
            nobody else may want it.
    """

    def __init__(
        self,
        tools: Tools,
        settings: Callable[[], Settings],
        submitting: asyncio.Lock,
    ) -> None:
        self._tools = tools
        self._settings = settings
        self._submitting = submitting
        self._daily: asyncio.Task[None] | None = None
        self._at_end = False

    def start(self, *, daily: bool) -> None:
        """Begin: now and every day, or once at the end."""
        if daily:
            self._daily = asyncio.create_task(self._each_day(), name="upkeep")
        else:
            self._at_end = True

    async def aclose(self) -> None:
        """End; a removal that is under way is finished."""
        if self._at_end:
            await self._tidy()
        if self._daily is not None:
            async with self._submitting:
                self._daily.cancel()
            await asyncio.wait({self._daily})

    async def _each_day(self) -> None:
        while True:
            await self._tidy()
            await self._tools.clock.sleep(DAY_S)

    async def _tidy(self) -> None:
        async with self._submitting:
            try:
                await tidy(
                    self._tools.store,
                    self._tools.mirror,
                    self._tools.parts_folder.parent,
                    now=self._tools.clock.now(),
                    limits=limits(self._settings()),
                    acts=self._tools.acts,
                )
                now = self._tools.clock.now().timestamp()
                days = self._settings().keep_runs_days
                await self._tools.store.drop_spent(spent(now, keep_runs_days=days))
            except EtltuiError as error:
                _log.warning("What has served its time was not all removed: %s", error)


def limits(settings: Settings) -> Limits:
    """What the settings say is to be kept."""
    return Limits(
        keep_runs_days=settings.keep_runs_days,
        checkpoint_keep_days=settings.checkpoint_keep_days,
        keep_parts_mb=settings.keep_parts_mb,
        keep_logs_mb=settings.keep_logs_mb,
    )
