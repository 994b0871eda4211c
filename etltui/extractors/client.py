"""The control plane's end of one extractor: requests out, answers and beats in.

A request that is cancelled gets two seconds to end politely; after that its extractor counts as
stuck and its owner is told, so that control comes back whatever a driver does.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from itertools import count
from typing import Protocol

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import Progress
from etltui.extractors import protocol as p

CANCEL_GRACE_S = 2.0
_SLICES = 8
"""The grace is waited for in slices: a loop that was held up uses up one, not the extractor's
whole time."""
_JOIN_S = 2.0

_log = logging.getLogger(__name__)


class Owner(Protocol):
    """Who wants to know what becomes of an extractor."""

    def gone(self, client: "ExtractorClient") -> None:
        """Its socket has ended; may be told more than once."""
        ...

    def stuck(self, client: "ExtractorClient") -> None:
        """A driver in it did not come back in time."""
        ...


class Body(Protocol):
    """What an extractor runs in."""

    def kill(self) -> None:
        """End it at once; never waits, and may be called again."""
        ...

    @property
    def pid(self) -> int:
        """Its process; 0 for one without."""
        ...

    def join(self, timeout: float) -> bool:
        """Wait, from any thread, until a killed one has left nothing behind; whether it has."""
        ...


class LateFailure(Failure):
    """A failure that came before its driver did: the session can only be closed."""


class ExtractorClient:
    """One extractor as the control plane sees it.

    Args:
        owner: Told when the extractor is gone or stuck.
        body: What it runs in.

    Attributes:
        sessions: How many are opened there, or about to be.
        apart: Whether they are those of foreign drivers.
    """

    def __init__(self, owner: Owner, body: Body) -> None:
        self._owner = owner
        self._body = body
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[p.Done]] = {}
        self._progress: dict[int, Callable[[Progress], None]] = {}
        self._patience: set[asyncio.Task[None]] = set()
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self.alive = True
        self.ready = asyncio.Event()
        self.pss = 0
        self.sessions = 0
        self.apart = False

    @property
    def busy(self) -> bool:
        """Whether any request waits for its answer."""
        return any(not answer.done() for answer in self._answers.values())

    @property
    def held(self) -> tuple[int, int]:
        """Its process, 0 without one, and the descriptor of the line to it, -1 without one."""
        line = self._writer.get_extra_info("socket") if self._writer else None
        return self._body.pid, line.fileno() if line else -1

    async def connect(self, sock: socket.socket) -> None:
        """Take the control plane's end of the socket pair and begin to listen."""
        try:
            reader, self._writer = await asyncio.open_connection(sock=sock)
        except BaseException:
            sock.close()
            raise
        self._listening = asyncio.create_task(self._listen(reader), name="extractor")

    def number(self) -> int:
        """An id that no other request or session of this extractor has."""
        return next(self._numbers)

    async def request(
        self,
        message: p.Request,
        progress: Callable[[Progress], None] | None = None,
    ) -> p.Done:
        """Send a request and wait for its answer.

        Cancelled, it comes back when the extractor has ended the work, at most `CANCEL_GRACE_S`
        later.

        Raises:
            Failure: What the extractor answered, or `driver_crash` when it died.
            LateFailure: … while the driver has not come back.
        """
        if not self.alive:
            raise _crashed()
        answer = self._asked(message)
        if progress is not None:
            self._progress[message.id] = progress
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            self._send(p.Cancel(id=message.id))
            await self._ended(message.id, answer)
            raise
        finally:
            self._progress.pop(message.id, None)
            if answer.done():
                self._answers.pop(message.id, None)

    async def close_session(self, session: int) -> None:
        """Have a session closed; comes back after `CANCEL_GRACE_S` whatever its driver does."""
        if self.alive:
            message = p.Close(id=self.number(), session=session)
            await self._ended(message.id, self._asked(message))

    def forget_session(self, session: int) -> None:
        """Have a session closed that nobody waits for."""
        self._send(p.Close(id=self.number(), session=session))

    def _asked(self, message: p.Request) -> asyncio.Future[p.Done]:
        """Send a request; the future of its answer."""
        self._send(message)
        answer = self._answers[message.id] = asyncio.get_running_loop().create_future()
        return answer

    async def _ended(self, number: int, answer: asyncio.Future[p.Done]) -> None:
        """Wait in patience for an answer that does not count any more.

        In a task of its own: who is cancelled once more stops waiting, but the extractor is
        watched to the end.
        """
        task = asyncio.create_task(self._be_patient(number, answer), name="patience")
        self._patience.add(task)
        task.add_done_callback(self._patience.discard)
        await asyncio.shield(task)

    async def _be_patient(self, number: int, answer: asyncio.Future[p.Done]) -> None:
        for _ in range(_SLICES):
            await asyncio.wait({answer}, timeout=CANCEL_GRACE_S / _SLICES)
            if answer.done():
                break
        self._answers.pop(number, None)
        if answer.done():
            # Retrieved, so that nobody complains.
            answer.exception()
        else:
            answer.cancel()
            self._owner.stuck(self)

    def _send(self, message: p.Down) -> None:
        if self._writer is None or not self.alive:
            return
        try:
            data = p.frame(message)
        except (ValueError, OverflowError) as error:
            raise Failure(ErrorClass.INTERNAL, f"a request cannot be sent: {error}") from error
        self._writer.write(data)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                length = p.body_length(await reader.readexactly(p.HEAD.size))
                self._take(p.up(await reader.readexactly(length)))
        except (EOFError, OSError):
            pass
        except Exception:  # noqa: BLE001 - logged; whoever says such things is ended
            _log.warning("An extractor does not speak the protocol and is ended", exc_info=True)
        finally:
            self._end()

    def _take(self, message: p.Up) -> None:
        match message:
            case p.Ready():
                self.pss = message.pss
                self.ready.set()
            case p.Beat():
                self.pss = message.pss or self.pss
                for progress in message.progress:
                    self._tell(progress)
            case p.Done() | p.Failed():
                self._answered(message)

    def _tell(self, progress: Progress) -> None:
        if (tell := self._progress.get(progress.request)) is None:
            return
        try:
            tell(progress)
        except Exception:  # noqa: BLE001 - one listener's mistake must not cost all their extractor
            _log.warning("A listener to progress failed", exc_info=True)

    def _answered(self, message: p.Done | p.Failed) -> None:
        answer = self._answers.get(message.id)
        if answer is not None and not answer.done():
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
        self._owner.gone(self)

    def kill(self) -> None:
        """End the extractor at once; the socket's end follows, even where the kernel is slow."""
        self.alive = False
        self._body.kill()
        if self._writer is not None:
            self._writer.transport.abort()

    async def aclose(self) -> None:
        """Ask the extractor to end, and wait, within bounds, until nothing is left of it."""
        if self._listening is not None:
            self._send(p.Quit())
            await asyncio.wait({self._listening}, timeout=CANCEL_GRACE_S)
        self.kill()
        if self._listening is not None:
            await self._listening
        if self._patience:
            await asyncio.wait(self._patience)
        if not await asyncio.to_thread(self._body.join, _JOIN_S):
            _log.warning("An extractor has not ended within %g s", _JOIN_S)


def _crashed() -> Failure:
    return Failure(ErrorClass.DRIVER_CRASH, "the reading process died")


def _failure(message: p.Failed) -> Failure:
    kind = LateFailure if message.late else Failure
    return kind(ErrorClass(message.error_class), message.message, message.facts)
