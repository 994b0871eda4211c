"""The console's side of an engine: orders go in, moments and news come out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from etltui.console.model.pace import Paces
from etltui.domain.events import ConnectionProgress, Event, Overflow, RunProgress
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.run import NOT_ENDED

IDLE_S = 5.0
"""How often an engine without work is looked at: its pools empty, somebody else starts a run."""


class Link(Protocol):
    """An engine, in this process or behind its door; see `door.protocol.CALLS`."""

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call something of the engine; its result.

        Raises:
            EtltuiError: What the engine raises, and that it is gone.
        """
        ...

    async def collect(self) -> Snapshot:
        """Keep events from now on; how everything stands at that moment."""
        ...

    def events(self, runs: Sequence[str] = ()) -> AsyncIterator[Event]:
        """What happens since `collect`; it ends with the engine."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """What the screen shows at one moment.

    Attributes:
        snapshot: How the engine stands.
        paces: Rows per second of runs and run connections.
        gone: Whether the engine has ended.
    """

    snapshot: Snapshot
    paces: Paces
    gone: bool = False

    @property
    def at(self) -> float:
        """Unix time in seconds."""
        return self.snapshot.at

    @property
    def runs(self) -> tuple[RunView, ...]:
        """Runs in the engine's memory, the oldest first."""
        return self.snapshot.runs

    @property
    def at_work(self) -> tuple[RunView, ...]:
        """Runs that wait or have a turn."""
        return tuple(run for run in self.runs if run.status in NOT_ENDED)

    def run(self, name: str) -> RunView | None:
        """A run in the engine's memory by its id."""
        return next((run for run in self.runs if run.run == name), None)

    def newest(self, job: str) -> RunView | None:
        """The newest run of a job in the engine's memory."""
        return next((run for run in reversed(self.runs) if run.job == job), None)


class Bridge:
    """Looks at an engine as often as something happens, but no oftener than it is asked.

    Args:
        link: The engine.
        told: Called with each event but progress, in order.
        clock: Seconds that never jump.
    """

    def __init__(
        self,
        link: Link,
        told: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.link = link
        self.moment: Moment | None = None
        self._told = told
        self._clock = clock
        self._paces = Paces()
        self._news = asyncio.Event()
        self._gone = False

    async def open(self) -> Moment:
        """Begin to listen; the first moment."""
        return self._take(await self.link.collect())

    async def listen(self) -> None:
        """Tell of events until the engine ends."""
        async for event in self.link.events():
            self._news.set()
            if not isinstance(event, RunProgress | ConnectionProgress | Overflow):
                self._told(event)
        self._gone = True
        self._news.set()

    def hurry(self) -> None:
        """Let the next look come at once: something was ordered."""
        self._news.set()

    async def next(self, *, busy: bool) -> Moment:
        """The next moment: when something has happened, or after `IDLE_S`.

        Args:
            busy: Whether times on the screen go on by themselves: then at once.
        """
        if not busy:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._news.wait()
        self._news.clear()
        if self._gone and self.moment is not None:
            self.moment = Moment(snapshot=self.moment.snapshot, paces=self._paces, gone=True)
            return self.moment
        return self._take(await self.link.call("snapshot"))

    def _take(self, snapshot: Snapshot) -> Moment:
        self._paces.take(snapshot, self._clock())
        self.moment = Moment(snapshot=snapshot, paces=self._paces)
        return self.moment
