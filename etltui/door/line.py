"""The client's end of a connection to the door: calls, their answers, and the news between them."""

import asyncio
import os
from contextlib import suppress
from itertools import count
from typing import Any

import msgspec

from etltui.door.errors import GoneError
from etltui.door.protocol import (
    HEAD,
    MAX_MESSAGE,
    Answer,
    Call,
    Down,
    Hello,
    News,
    NoMoreNews,
    Refused,
    answered,
    body_length,
    down,
    error_of,
    event_of,
    frame,
)
from etltui.engine.bus import Backlog
from etltui.engine.caller import address, terminal

BROKEN = (OSError, EOFError, ValueError, msgspec.DecodeError)
"""What reading raises where the other side has hung up, or is no door."""


class Line:
    """A connection whose greeting has been read.

    Attributes:
        news: Events, bounded as every subscription is; it ends behind the last.
        ended: Set when the other side has hung up.

    Args:
        hello: The greeting.
        reader: From the other side.
        writer: To it.
        who: Who asks, as `user@host`; empty for whoever runs the engine.
    """

    def __init__(
        self,
        hello: Hello,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        who: str = "",
    ) -> None:
        self._who = who
        self._terminal = terminal()
        self._address = address(os.environ)
        self.hello = hello
        self.news = Backlog()
        self.ended = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """The result of a call, of the type that the engine's own has.

        Raises:
            GoneError: The other side has hung up; or what the call raises there.
        """
        if self.ended.is_set():
            raise self.lost()
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            with suppress(OSError):  # whoever listens finds out that it has gone
                call = Call(
                    id=number,
                    name=name,
                    arguments=arguments,
                    who=self._who,
                    terminal=self._terminal,
                    address=self._address,
                )
                self._writer.write(frame(call))
                await self._writer.drain()
            return answered(name, (await answer).value)
        finally:
            del self._waiting[number]

    async def listen(self) -> None:
        """Hand out what the other side says until it hangs up."""
        try:
            while True:
                self._take(await read(self._reader))
        except BROKEN:
            pass
        finally:
            self.ended.set()
            self.news.end()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(self.lost())

    def _take(self, message: Down) -> None:
        match message:
            case Answer() | Refused():
                waiting = self._waiting.get(message.id)
                # Not there, or done: whoever called has given up.
                if waiting is None or waiting.done():
                    return
                if isinstance(message, Answer):
                    waiting.set_result(message)
                else:
                    waiting.set_exception(error_of(message))
            case News():
                self.news.put(event_of(message))
            case NoMoreNews():
                self.news.end()
            case Hello():  # said once, before this line came to be
                pass

    def lost(self) -> GoneError:
        """What a call raises when the other side has hung up."""
        return GoneError(f"the engine of {self.hello.holder}, process {self.hello.pid}, has ended")


async def read(reader: asyncio.StreamReader) -> Down:
    """The next message.

    Raises:
        OSError, EOFError, ValueError, msgspec.DecodeError: There is none; see `BROKEN`.
    """
    length = body_length(await reader.readexactly(HEAD.size), MAX_MESSAGE)
    return down(await reader.readexactly(length))
