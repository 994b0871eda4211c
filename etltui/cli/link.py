"""What a console's screen and the engine beneath it know of each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from etltui.cli.screen import Tether
from etltui.domain.events import Event
from etltui.domain.progress import Snapshot
from etltui.door.errors import GoneError


class Called(Protocol):
    """An engine that is there: `door.guest.Guest` or `door.client.RemoteEngine`."""

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call something of `door.protocol.CALLS`."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """What happens to all runs, since `collect`."""
        ...


class Link:
    """Waits with the first call until there is an engine, so that the screen need not."""

    def __init__(self) -> None:
        self._engine: asyncio.Future[Called] = asyncio.get_running_loop().create_future()

    def opened(self, engine: Called) -> None:
        """There it is."""
        if not self._engine.done():
            self._engine.set_result(engine)

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for an engine any more, though there was none."""
        return self._engine.done() and self._engine.exception() is not None

    def give_up(self) -> None:
        """Wait for no engine any more: the screen ends, and must not hang on its first call."""
        if not self._engine.done():
            self._engine.set_exception(GoneError("the console ended before there was an engine"))
            self._engine.exception()

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call something of the engine; its result.

        Raises:
            EtltuiError: What the engine raises, and that it is gone.
        """
        engine = await asyncio.shield(self._engine)
        return await engine.call(name, **arguments)

    async def collect(self) -> Snapshot:
        """Keep events from now on; how everything stands at that moment."""
        snapshot: Snapshot = await self.call("collect")
        return snapshot

    async def events(self, runs: Sequence[str] = ()) -> AsyncIterator[Event]:
        """What happens since `collect`, to these runs or to all; it ends with the engine."""
        engine = await asyncio.shield(self._engine)
        async for event in engine.events():
            if not runs or not event.run or event.run in runs:
                yield event


class Later:
    """Something whose calls are all awaited, made by the first of them.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], Awaitable[Any]]) -> None:
        self._make = make
        self._made: asyncio.Task[Any] | None = None

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """A call of that name, of what is made."""

        async def call(*values: Any, **named: Any) -> Any:
            made = await self._there()
            return await getattr(made, name)(*values, **named)

        return call

    async def _there(self) -> Any:
        if self._made is None or (self._made.done() and self._failed(self._made)):
            self._made = asyncio.ensure_future(self._make())
        return await asyncio.shield(self._made)

    @staticmethod
    def _failed(task: asyncio.Task[Any]) -> bool:
        return task.cancelled() or task.exception() is not None

    async def close(self) -> None:
        """Close it, if it was ever made."""
        if self._made is not None and not (self._made.done() and self._failed(self._made)):
            await (await self._made).aclose()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How the screen ended.

    Attributes:
        left: `quit`, `detach`, `gone`, `stopped` (by a signal) or `crashed`.
        text: What is to be said about that.
    """

    left: str
    text: str = ""


class Found(Protocol):
    """Takes in where the engine is."""

    def __call__(self, *, embedded: bool) -> None:
        """It is in this process, or elsewhere."""
        ...


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What the engine knows of the screen above it.

    Attributes:
        link: Its calls.
        found: Told whether the engine is in this process.
        ended: How it ended.
        asked: Set when a signal asks the program to end.
        tether: To the process that keeps the shell's place.
    """

    link: Link
    found: Found
    ended: asyncio.Future[Ending]
    asked: asyncio.Event
    tether: Tether
