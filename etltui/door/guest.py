"""Somebody who calls an engine, from this process or from behind the door."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from operator import attrgetter
from types import TracebackType
from typing import Any, Protocol, Self

from etltui.config.select import suggestion
from etltui.domain.errors import NoSuchRunError, misused
from etltui.domain.events import Event
from etltui.domain.progress import Snapshot
from etltui.domain.run import RunResult
from etltui.door.protocol import FOLLOWING, Following, Hello
from etltui.engine.bus import Backlog
from etltui.engine.engine import Engine, RunHandle

_STARTS = frozenset({"submit", "retry"})


class Host(Protocol):
    """What all clients of an engine share."""

    engine: Engine
    hello: Hello

    async def start(self, begin: Callable[[], Awaitable[RunHandle]]) -> RunHandle:
        """Start a run."""
        ...

    async def refresh(self) -> None:
        """Read the configuration anew."""
        ...


class Guest(Following):
    """Calls what `protocol.CALLS` lists, for the time of a block.

    Args:
        host: Of all guests.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._handles: dict[str, RunHandle] = {}
        self._stack = ExitStack()
        self._events: Backlog | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call something of `protocol.CALLS`; its result, a run as its id."""
        found = attrgetter(name)(self if name in FOLLOWING else self._host.engine)
        if name in _STARTS:
            handle = await self._host.start(lambda: found(**arguments))
            self._handles[handle.run] = handle
            return handle.run
        if name == "check":
            await self._host.refresh()
        value = found(**arguments)
        return await value if inspect.isawaitable(value) else value

    def collect(self) -> Snapshot:
        """Begin to keep events; how everything stands at this very moment."""
        if self._events is None:
            self._events = self._stack.enter_context(self._host.engine.events())
        return self._host.engine.snapshot()

    async def events(self) -> AsyncIterator[Event]:
        """What happens to all runs, since `collect` or else from now on; it ends after `enough`."""
        self.collect()
        if self._events is not None:
            async for event in self._events:
                yield event

    def follow(self, runs: tuple[str, ...] = ()) -> None:
        """Nothing is sent to whoever is here; see `events`."""
        del runs
        self.collect()

    def enough(self) -> None:
        """Keep no more; `NoMoreNews` follows what waits still."""
        if self._events is not None:
            self._events.end()

    async def wait(self, run: str) -> RunResult:
        """How a run ended.

        Raises:
            NoSuchRunError: It had ended before, and somebody else had submitted it.
        """
        handle = self._handles.get(run) or self._host.engine.queue.handle(run)
        if handle is None:
            why = "no such run waits or is at work"
            raise NoSuchRunError(run=run, why=why, way_out="See `etltui runs`")
        return await handle.wait()

    async def warm_up(self, connection: str, count: int) -> int:
        """Have so many sessions to a configured connection open; how many are open then.

        Raises:
            ConfigError: There is no such connection.
            Failure: See `domain.lending.Pools.warm_up`.
        """
        engine = self._host.engine
        there = engine.config.connections
        for each in there:
            if each.name == connection:
                return await engine.pools.warm_up(each, count)
        problem = f"the engine's configuration has no connection {connection!r}"
        raise misused("CONNECTION", problem, suggestion(there, connection))
