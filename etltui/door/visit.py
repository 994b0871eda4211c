"""One client of the door: its calls, and the events that it follows."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

import msgspec

from etltui.domain.audit import NOBODY
from etltui.domain.errors import EtltuiError
from etltui.domain.events import is_for
from etltui.door.guest import Guest, Host
from etltui.door.protocol import (
    HEAD,
    MAX_CALL,
    Answer,
    Call,
    Down,
    NoMoreNews,
    Refused,
    asked,
    body_length,
    call_of,
    frame,
    news,
    refused,
)
from etltui.engine.acts import ASKING
from etltui.engine.bus import Backlog
from etltui.engine.caller import CALLER, caller_of

CALLS_AT_ONCE = 32
MOST_SAID = 64
"""Characters that are taken of where a client says it sits."""

_log = logging.getLogger(__name__)


class Visit(Guest):
    """Serves a client until it hangs up.

    A client that does not read costs its place and a bounded backlog; nobody waits for it.

    Args:
        host: Of all clients.
        reader: From the client.
        writer: To it.
        peer: Process and user of the client, as the kernel knows.
    """

    def __init__(
        self,
        host: Host,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        peer: tuple[int, int],
    ) -> None:
        super().__init__(host)
        self._peer = peer
        self._caller = NOBODY
        self._reader = reader
        self._writer = writer
        self._telling: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)

    async def serve(self) -> None:
        """Answer calls until the client hangs up or talks nonsense."""
        with self:
            try:
                await self._say(self._host.hello)
                self._caller = await asyncio.to_thread(caller_of, *self._peer)
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
        # For this task alone: each call has one of its own.
        ASKING.set(call.who)
        CALLER.set(
            replace(
                self._caller,
                terminal=call.terminal[:MOST_SAID],
                address=call.address[:MOST_SAID],
            ),
        )
        try:
            message = Answer(id=call.id, value=await self.call(call.name, **asked(call)))
        except EtltuiError as error:
            message = refused(call.id, error)
        except Exception as error:  # noqa: BLE001 - a call must have its answer
            _log.exception("The call %s failed", call.name)
            text = f"the engine could not do it, see its log: {type(error).__name__}"
            message = Refused(id=call.id, kind=EtltuiError.__name__, text=text)
        with suppress(OSError):
            await self._say(message)

    def follow(self, runs: tuple[str, ...] = ()) -> None:
        """Send the events of these runs, of all for none, those that wait first."""
        self.collect()
        if self._telling is None and self._events is not None:
            self._telling = asyncio.create_task(self._tell(self._events, set(runs)), name="news")

    async def _tell(self, events: Backlog, runs: Collection[str]) -> None:
        with suppress(OSError):
            async for event in events:
                if is_for(event, runs):
                    await self._say(news(event))
            await self._say(NoMoreNews())
