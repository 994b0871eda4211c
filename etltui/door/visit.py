"""One client of the door: its calls, and the events that it follows."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import ExitStack, suppress
from operator import attrgetter
from typing import Any, Protocol

import msgspec

from etltui.config.select import suggestion
from etltui.domain.errors import EtltuiError, NoSuchRunError, misused
from etltui.domain.events import Overflow
from etltui.domain.progress import Snapshot
from etltui.domain.run import RunResult
from etltui.door.protocol import (
    FOLLOWING,
    HEAD,
    MAX_CALL,
    Answer,
    Call,
    Down,
    Following,
    Hello,
    NoMoreNews,
    Refused,
    asked,
    body_length,
    call_of,
    frame,
    news,
    refused,
)
from etltui.engine.bus import Backlog
from etltui.engine.engine import Engine, RunHandle

CALLS_AT_ONCE = 32
_STARTS = frozenset({"submit", "retry"})

_log = logging.getLogger(__name__)


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


class Visit(Following):
    """Serves a client until it hangs up.

    A client that does not read costs its place and a bounded backlog; nobody waits for it.

    Args:
        host: Of all clients.
        reader: From the client.
        writer: To it.
    """

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._handles: dict[str, RunHandle] = {}
        self._stack = ExitStack()
        self._events: Backlog | None = None
        self._telling: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)

    async def serve(self) -> None:
        """Answer calls until the client hangs up or talks nonsense."""
        with self._stack:
            try:
                await self._say(self._host.hello)
                while True:
                    await self._room.acquire()
                    call = await self._read()
                    task = asyncio.create_task(self._answer(call), name=f"call {call.name}")
                    self._calls.add(task)
                    task.add_done_callback(self._answered)
            except (OSError, EOFError):
                pass
            except (ValueError, msgspec.DecodeError) as error:
                _log.warning("A client of the door was sent away: %s", error)
            finally:
                for task in self._tasks():
                    task.cancel()
                self._writer.transport.abort()

    async def leave(self) -> None:
        """Let the client have its answers and the events that wait, then hang up."""
        self.enough()
        if tasks := self._tasks():
            await asyncio.wait(tasks)
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [*self._calls, *([self._telling] if self._telling else [])]

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._room.release()

    async def _read(self) -> Call:
        length = body_length(await self._reader.readexactly(HEAD.size), MAX_CALL)
        return call_of(await self._reader.readexactly(length))

    async def _say(self, message: Down) -> None:
        self._writer.write(frame(message))
        await self._writer.drain()

    async def _answer(self, call: Call) -> None:
        message: Answer | Refused
        try:
            message = Answer(id=call.id, value=await self._value(call))
        except EtltuiError as error:
            message = refused(call.id, error)
        except Exception as error:  # noqa: BLE001 - a call must have its answer
            _log.exception("The call %s failed", call.name)
            text = f"the engine could not do it, see its log: {type(error).__name__}"
            message = Refused(id=call.id, kind=EtltuiError.__name__, text=text)
        with suppress(OSError):
            await self._say(message)

    async def _value(self, call: Call) -> Any:
        arguments = asked(call)
        found = attrgetter(call.name)(self if call.name in FOLLOWING else self._host.engine)
        if call.name in _STARTS:
            handle = await self._host.start(lambda: found(**arguments))
            self._handles[handle.run] = handle
            return handle.run
        if call.name == "check":
            await self._host.refresh()
        value = found(**arguments)
        return await value if inspect.isawaitable(value) else value

    def collect(self) -> Snapshot:
        """Begin to keep events; how everything stands at this very moment."""
        if self._events is None:
            self._events = self._stack.enter_context(self._host.engine.events())
        return self._host.engine.snapshot()

    def follow(self, runs: tuple[str, ...] = ()) -> None:
        """Send the events of these runs, of all for none, those that wait first."""
        self.collect()
        if self._telling is None and self._events is not None:
            self._telling = asyncio.create_task(self._tell(self._events, set(runs)), name="news")

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
            Failure: See `domain.ports.Pools.warm_up`.
        """
        engine = self._host.engine
        there = engine.config.connections
        for each in there:
            if each.name == connection:
                return await engine.pools.warm_up(each, count)
        problem = f"the engine's configuration has no connection {connection!r}"
        raise misused("CONNECTION", problem, suggestion(there, connection))

    async def _tell(self, events: Backlog, runs: Collection[str]) -> None:
        with suppress(OSError):
            async for event in events:
                if not runs or event.run in runs or isinstance(event, Overflow):
                    await self._say(news(event))
            await self._say(NoMoreNews())
