"""Waiting for the thread of an ODBC session: no longer than allowed, nor for a deaf driver."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked_failure
from etltui.readers.odbc_errors import failure_of

T = TypeVar("T")

LOOK_S = 0.1
"""How often a wait looks whether somebody has cancelled."""
GRACE_S = 1.5
"""A cancelled driver has so long to come back; then the session is given up."""


class Waiting:
    """A session's loop, its cancel, and whether it is lost; the loop runs only inside a wait.

    Args:
        where: Host and port as a message names them.
        secrets: What no message may hold.
        natives: The server's own error numbers, as far as they are known.
    """

    def __init__(
        self,
        *,
        where: str,
        secrets: Sequence[str],
        natives: Mapping[int, ErrorClass],
    ) -> None:
        self._where = where
        self._secrets = tuple(secrets)
        self._natives = natives
        self._cancelled = threading.Event()
        self._interrupt: Callable[[], None] | None = None
        # What a cancel touches must not be freed meanwhile: the driver would crash.
        self._waking = threading.Lock()
        self._lost = False
        self._loop = asyncio.new_event_loop()

    @property
    def usable(self) -> bool:
        """Whether the session may be used on."""
        return not self._lost

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """In the block there is something that nobody may cancel, and that does not take long."""
        held, self._cancelled = self._cancelled, threading.Event()
        try:
            yield
        finally:
            # A cancel meanwhile is not lost.
            if self._cancelled.is_set():
                held.set()
            self._cancelled = held

    def cancel(self) -> None:
        """End the wait under way, from any thread; the flag ends the next. Never waits."""
        self._cancelled.set()
        self._wake()

    def _wake(self) -> None:
        """Have the driver's own cancel called by a thread that may hang in it."""
        if (interrupt := self._interrupt) is not None:
            waking = threading.Thread(target=self._call, args=(interrupt,), name="cancel")
            waking.daemon = True
            waking.start()

    def _call(self, interrupt: Callable[[], None]) -> None:
        """Call a driver's cancel, unless one is under way still."""
        if self._waking.acquire(blocking=False):
            try:
                with suppress(Exception):
                    interrupt()
            finally:
                self._waking.release()

    def forget_cancel(self) -> None:
        """Begin something new."""
        self._cancelled.clear()

    def check(self) -> None:
        """Stop here if somebody cancelled, or the session is lost.

        Raises:
            Failure: Of class `cancelled` or `lost`.
        """
        if self._cancelled.is_set():
            raise Failure(ErrorClass.CANCELLED, "cancelled")
        if self._lost:
            raise Failure(ErrorClass.LOST, f"the session with {self._where} was given up")

    def _run(
        self,
        work: Awaitable[T],
        seconds: float | None,
        interrupt: Callable[[], None] | None = None,
    ) -> T:
        if self._loop.is_closed():
            if asyncio.iscoroutine(work):
                work.close()
            raise Failure(ErrorClass.LOST, f"the session with {self._where} is closed")
        self._interrupt = interrupt
        try:
            return self._loop.run_until_complete(self._watched(work, seconds))
        except Failure as known:
            raise masked_failure(known, self._secrets) from known
        except Exception as error:
            if self._cancelled.is_set():
                raise Failure(ErrorClass.CANCELLED, "cancelled") from error
            failure = masked_failure(failure_of(error, self._natives), self._secrets)
            if failure.error_class is ErrorClass.LOST:
                self._lost = True
            raise failure from error
        finally:
            self._interrupt = None

    async def _watched(self, work: Awaitable[T], seconds: float | None) -> T:
        """Wait, but no longer than the time, nor for a driver that does not hear a cancel."""
        task = asyncio.ensure_future(work)
        now = self._loop.time
        ends = None if seconds is None else now() + seconds
        given_up: float | None = None
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_S)
            if task.done():
                break
            if self._cancelled.is_set():
                # Asked again and again: the first may have come before there was anything to end.
                self._wake()
                given_up = given_up or now() + GRACE_S
            if ends is not None and now() > ends:
                await self._abandon(task)
                raise Failure(
                    ErrorClass.TIMEOUT,
                    f"{self._where} did not answer within {seconds:g} s",
                )
            if given_up is not None and now() > given_up:
                await self._abandon(task)
                raise Failure(ErrorClass.CANCELLED, "cancelled")
        return await task

    async def _abandon(self, task: "asyncio.Future[Any]") -> None:
        """Wait no more; the thread may hang in the driver for ever, so the session is lost."""
        self._lost = True
        self._wake()
        task.cancel()
        await asyncio.wait({task}, timeout=LOOK_S)
