"""Asks a database once more, over a second session, where its first rows do not come.

Two whole readings race, each with a session, a snapshot, control queries and parts of its own. The
first that brings rows, or ends well without any, is kept; the other is called off, its session
closed and its parts removed. So nothing is ever made of parts of both. It is one try.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from etltui.domain.errors import Failure
from etltui.domain.job import Connection, Job
from etltui.domain.ports import Clock
from etltui.domain.run import Hedged
from etltui.domain.task import Extracted, Progress
from etltui.engine.reading import Reading

_log = logging.getLogger(__name__)


def hedge_after_s(job: Job, connection: Connection) -> int:
    """Seconds after which a connection is asked once more; 0: never."""
    own = connection.policy.hedge_after_s
    return job.hedge_after_s if own is None else own


class Race:
    """Two readings of a connection in one try, of which one is kept.

    Args:
        first: Begins at once.
        another: The second one, should it be needed; it is read only where a session is free.
        after_s: Seconds after the first has sent its query.
        clock: Tells them.
    """

    def __init__(
        self, first: Reading, another: Callable[[], Reading], after_s: float, clock: Clock
    ) -> None:
        self._first = first
        self._another = another
        self._after_s = after_s
        self._clock = clock
        self._second: Reading | None = None
        self._winner: Reading | None = None
        self._ended: dict[Reading, Extracted | Exception] = {}
        self._news = asyncio.Event()
        first.tell = partial(self._progress, first, first.tell)

    @property
    def kept(self) -> Reading:
        """The reading that counts: the one that has won, else the first."""
        return self._winner or self._first

    @property
    def hedged(self) -> Hedged:
        """Which one's rows were kept where two were asked; empty: one was."""
        if self._second is None or not self._second.sent.is_set():
            return ""
        return "second" if self._winner is self._second else "first"

    async def run(self) -> Extracted:
        """Race.

        Raises:
            Failure: What the winner met, or where none has won, what the first met.
        """
        async with asyncio.TaskGroup() as group:
            tasks = {self._first: group.create_task(self._read(self._first))}
            if await self._is_late():
                second = self._enter()
                tasks[second] = group.create_task(self._read(second))
            while self._winner is None and len(self._ended) < len(tasks):
                self._news.clear()
                await self._news.wait()
            for reading, task in tasks.items():
                if reading is not self.kept:
                    task.cancel()
        await self._clear()
        found = self._ended[self.kept]
        if isinstance(found, Exception):
            raise found
        return found

    async def _is_late(self) -> bool:
        """Whether the first has sent its query so long ago and brought nothing."""
        alarm = asyncio.create_task(self._alarm(), name="hedge")
        news = asyncio.create_task(self._news.wait(), name="hedge news")
        try:
            await asyncio.wait({alarm, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            news.cancel()
        return not self._news.is_set()

    async def _alarm(self) -> None:
        await self._first.sent.wait()
        await self._clock.sleep(self._after_s)

    def _enter(self) -> Reading:
        _log.info(
            "No row of %s within hedge_after_s = %g s: asked once more, over a second session",
            self._first.name,
            self._after_s,
        )
        second = self._second = self._another()
        second.tell = partial(self._progress, second, second.tell)
        return second

    async def _read(self, reading: Reading) -> None:
        try:
            self._ended[reading] = await reading.read()
        except Failure as failure:
            self._ended[reading] = failure
            if reading is self._second:
                _log.info("The second answer of %s was not to be had: %s", reading.name, failure)
        except Exception as error:  # noqa: BLE001 - raised again once both have ended
            # Not the database's: the other one would not fare better.
            self._ended[reading] = error
            self._win(reading)
        else:
            self._win(reading)
        finally:
            self._news.set()

    def _progress(
        self, reading: Reading, tell: Callable[[Progress], None], progress: Progress
    ) -> None:
        if progress.rows:
            self._win(reading)
        if reading is self.kept:
            tell(progress)

    def _win(self, reading: Reading) -> None:
        """Only the first to say so wins."""
        if self._winner is None:
            self._winner = reading
            self._news.set()
            if self._second is not None:
                which = "first" if reading is self._first else "second"
                _log.info("The %s answer of %s came first and is kept", which, reading.name)

    async def _clear(self) -> None:
        """Remove what one that was called off had finished all the same."""
        for reading, found in self._ended.items():
            if reading is not self.kept and isinstance(found, Extracted):
                await reading.discard(found)
