"""The control plane's end of one extractor: requests out, answers and beats in.

A request that is cancelled gets two seconds to end politely; after that its extractor counts as
stuck and its owner is told, so that control comes back whatever a driver does.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Protocol

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import Progress
from etltui.extractors import protocol as p

CANCEL_GRACE_S = 2.0


class Owner(Protocol):
    """Who wants to know what becomes of an extractor."""

    def gone(self, client: "ExtractorClient") -> None:
        """Its socket has ended."""
        ...

    def stuck(self, client: "ExtractorClient") -> None:
        """A cancelled request did not end in time."""
        ...


class ExtractorClient:
    """One extractor as the control plane sees it.

    Args:
        owner: Told when the extractor is gone or stuck.
        kill: Ends the extractor's process at once.
    """

    def __init__(self, owner: Owner, kill: Callable[[], None]) -> None:
        self._owner = owner
        self._kill = kill
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[p.Done]] = {}
        self._progress: dict[int, Callable[[Progress], None]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self.alive = True
        self.ready = asyncio.Event()
        self.pss = 0
        self.sessions = 0

    async def connect(self, sock: socket.socket) -> None:
        """Take the control plane's end of the socket pair and begin to listen."""
        reader, self._writer = await asyncio.open_connection(sock=sock)
        self._listening = asyncio.create_task(self._listen(reader), name="extractor")

    def number(self) -> int:
        """An id that no other request or session of this extractor has."""
        return next(self._numbers)

    async def request(
        self,
        message: p.Down,
        progress: Callable[[Progress], None] | None = None,
    ) -> p.Done:
        """Send a request and wait for its answer.

        Raises:
            Failure: What the extractor answered, or `driver_crash` when it died.
        """
        if isinstance(message, p.Cancel | p.Quit):
            raise TypeError("this message has no answer")
        answer = self._answers[message.id] = asyncio.get_running_loop().create_future()
        if progress is not None:
            self._progress[message.id] = progress
        try:
            if not self.alive:
                raise _crashed()
            self._send(message)
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            await self._give_up(message.id, answer)
            raise
        finally:
            self._answers.pop(message.id, None)
            self._progress.pop(message.id, None)

    async def _give_up(self, number: int, answer: asyncio.Future[p.Done]) -> None:
        self._send(p.Cancel(id=number))
        done, _ = await asyncio.wait({answer}, timeout=CANCEL_GRACE_S)
        if done:
            # Retrieved, so that nobody complains; after a cancel it does not count.
            answer.exception()
        else:
            answer.cancel()
            self._owner.stuck(self)

    def _send(self, message: p.Down) -> None:
        if self._writer is not None and self.alive:
            self._writer.write(p.frame(message))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                length = p.body_length(await reader.readexactly(p.HEAD.size))
                self._take(p.up(await reader.readexactly(length)))
        except (EOFError, OSError):
            pass
        finally:
            self._end()

    def _take(self, message: p.Up) -> None:
        match message:
            case p.Ready():
                self.ready.set()
            case p.Beat():
                self.pss = message.pss or self.pss
                for progress in message.progress:
                    if (tell := self._progress.get(progress.request)) is not None:
                        tell(progress)
            case p.Done() | p.Failed():
                answer = self._answers.get(message.id)
                if answer is None or answer.done():
                    return
                if isinstance(message, p.Done):
                    answer.set_result(message)
                else:
                    answer.set_exception(_failure(message))

    def _end(self) -> None:
        """The extractor is gone: nobody waits for it any longer."""
        self.alive = False
        self.ready.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(_crashed())
                # Somebody who gave up meanwhile does not retrieve it.
                answer.exception()
        if self._writer is not None:
            self._writer.close()
        self._owner.gone(self)

    def kill(self) -> None:
        """End the extractor at once; the socket's end follows."""
        self._kill()

    async def aclose(self) -> None:
        """Ask the extractor to end, and wait until its socket has."""
        self._send(p.Quit())
        if self._writer is not None:
            with suppress(OSError):
                await self._writer.drain()
            self._writer.close()
        if self._listening is not None:
            await asyncio.wait({self._listening}, timeout=CANCEL_GRACE_S)
            self._kill()
            await self._listening


def _crashed() -> Failure:
    return Failure(ErrorClass.DRIVER_CRASH, "the reading process died")


def _failure(message: p.Failed) -> Failure:
    return Failure(ErrorClass(message.error_class), message.message, message.facts)
