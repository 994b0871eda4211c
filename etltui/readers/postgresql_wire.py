"""One PostgreSQL session and the waiting for it: what another thread may interrupt, and how."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncpg

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.postgresql_errors import failure_of
from etltui.readers.postgresql_line import Line

T = TypeVar("T")

_SETTLE_S = 1.5
"""A cancelled query has so long to end; then the session is cut, and within a second more the
server notices that its client is gone."""
_CLOSE_S = 1.0


class Wire:
    """A session; all calls but `cancel` come from one thread.

    The loop runs only inside a call, so between two calls nothing is received: a query whose rows
    are not asked for makes the server wait.

    Attributes:
        connection: asyncpg's.
    """

    def __init__(self, line: Line, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.connection = connection
        self._line = line
        self._transport: Any = line.transport
        self._task: asyncio.Task[Any] | None = None
        self._started: asyncio.Task[Any] | None = None
        self._cancelled = threading.Event()

    @property
    def encrypted(self) -> bool:
        """Whether the line is; behind a proxy the server could tell only of its own line."""
        return self._transport.get_extra_info("ssl_object") is not None

    def run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """Wait for some work; a cancel or the time ends the wait.

        The server's query ends with the `settle` or `close` that must follow a failure: only then
        has the loop the time to carry the cancel there.

        Raises:
            Failure: Whatever went wrong; `cancelled` whatever else, if somebody cancelled.
        """
        task = self._line.create_task(_within(work, seconds))
        self._task = task
        if self._cancelled.is_set():
            task.cancel()
        try:
            return self._line.run_until_complete(task)
        except (Exception, asyncio.CancelledError) as error:
            if self._cancelled.is_set():
                raise _cancelled() from error
            if isinstance(error, TimeoutError) and not self.connection.is_closed():
                self.settle()
                raise Failure(
                    ErrorClass.TIMEOUT,
                    f"the server did not answer within {seconds:g} s",
                ) from error
            raise failure_of(error, broken=self.connection.is_closed()) from error
        finally:
            self._task = None
            work.close()  # it has not begun where the cancel came first

    def check(self) -> None:
        """Stop here if somebody cancelled.

        Raises:
            Failure: Of class `cancelled`.
        """
        if self._cancelled.is_set():
            raise _cancelled()

    def cancel(self) -> None:
        """End the wait under way, from any thread; the flag ends the next."""
        self._cancelled.set()
        with suppress(RuntimeError):  # the loop is closed
            self._line.call_soon_threadsafe(self._interrupt)

    def _interrupt(self) -> None:
        # Called late it must not hit what was begun after the cancel was forgotten.
        if self._task is not None and self._cancelled.is_set():
            self._task.cancel()

    def forget_cancel(self) -> None:
        """Begin something new."""
        self._cancelled.clear()

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin some work that goes on whenever the loop runs, until it ends or is settled."""
        task = self._line.create_task(work)
        # Whoever needs its result asks for it; nobody needs that of one that was given up.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._started = task
        return task

    def settle(self) -> None:
        """End what the server does and its transaction, or cut the session; never raises.

        A rollback waits until the server has ended what was cancelled before.
        """
        if self.connection.is_closed():
            return
        try:
            self._bounded(self._ended_all(), _SETTLE_S)
        except Exception:  # noqa: BLE001 - whatever it is, the session cannot be used any more
            self.connection.terminate()
            self._bounded(asyncio.sleep(0), _CLOSE_S)

    async def _ended_all(self) -> None:
        started, self._started = self._started, None
        if started is not None and not started.done():
            # Only the server is told, and its answer awaited. A task that is cancelled with the
            # last block in its hands has asyncpg wait for ever for an end that came with it.
            told = self._line.create_future()
            connection: Any = self.connection  # its public calls cannot do this
            connection._cancel_current_command(told)  # noqa: SLF001 - see the line before
            await asyncio.wait({started, told})
        await self.connection.execute("ROLLBACK")

    def _bounded(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Wait for some work that nobody can interrupt."""
        return self._line.run_until_complete(_within(work, seconds))

    @contextmanager
    def listening(self) -> Iterator[bytearray]:
        """Collect what the server says in the block: asyncpg keeps less of it than we need."""
        ear = _Ear(self._transport.get_protocol())
        self._transport.set_protocol(ear)
        try:
            yield ear.heard
        finally:
            self._transport.set_protocol(ear.listener)

    def close(self) -> None:
        """End the session, politely if that is quick; never raises, never hangs."""
        if self._line.is_closed():
            return
        with suppress(Exception):
            self._bounded(self.connection.close(), _CLOSE_S)
        if not self.connection.is_closed():
            self.connection.terminate()
        self._line.end()


class _Ear:
    """Stands between a transport and its protocol, and hears what comes in."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener
        self.heard = bytearray()

    def data_received(self, data: bytes) -> None:
        """Keep it and pass it on."""
        self.heard += data
        self.listener.data_received(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.listener, name)


async def _within(work: Coroutine[Any, Any, T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await work


def _cancelled() -> Failure:
    return Failure(ErrorClass.CANCELLED, "cancelled")
