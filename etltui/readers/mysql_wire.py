"""One MySQL session and the waiting for it: what another thread may interrupt, and how."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mysql_errors import failure_of
from etltui.readers.mysql_line import Line

T = TypeVar("T")

_SETTLE_S = 1.5
"""A query that is ended has so long to end; then the session is cut."""
_DRAIN_S = 0.05
"""A result left early is read to its end if that takes no longer; else the server ends it."""
_CLOSE_S = 1.0


class Wire:
    """A session; all calls but `cancel` come from one thread.

    Nothing is received between two calls: a query whose rows are not asked for makes the server
    wait.

    Args:
        line: Open.
        kill: Ends the query of the session that has this number, over a session of its own.

    Attributes:
        line: PyMySQL's session.
    """

    def __init__(self, line: Line, kill: Callable[[int], None]) -> None:
        self.line = line
        self._kill = kill
        self._cancelled = threading.Event()
        self._idle = threading.Event()
        """Set while the server does nothing for us."""
        self._idle.set()
        self._killer: threading.Thread | None = None
        self._turn = threading.Lock()

    def run(self, work: Callable[[], T], seconds: float | None = None) -> T:
        """Wait for some work; a cancel or the time ends the wait.

        Raises:
            Failure: Whatever went wrong; `cancelled` whatever else, if somebody cancelled.
        """
        self._idle.clear()
        try:
            return self.step(work, seconds)
        finally:
            self._idle.set()

    def step(self, work: Callable[[], T], seconds: float | None = None) -> T:
        """As `run`, for what leaves the server at work."""
        self.check()
        try:
            self.line.patience(seconds)
            return work()
        except Exception as error:
            if self._cancelled.is_set():
                raise _cancelled() from error
            if seconds is not None and _is_timeout(error):
                self.line.cut()
                raise Failure(
                    ErrorClass.TIMEOUT,
                    f"the server did not answer within {seconds:g} s",
                ) from error
            raise failure_of(error) from error

    def check(self) -> None:
        """Stop here if somebody cancelled.

        Raises:
            Failure: Of class `cancelled`.
        """
        if self._cancelled.is_set():
            raise _cancelled()

    def begin_work(self) -> None:
        """From here on the server works for us, until `end_work` or `settle`."""
        self._idle.clear()

    def end_work(self) -> None:
        """The server has said its last word."""
        self._idle.set()

    def cancel(self) -> None:
        """End the wait under way, from any thread; the flag ends the next."""
        self._cancelled.set()
        self._end_at_server()

    def _end_at_server(self) -> None:
        """Have the server end what it does, or end the session; by a thread of its own."""
        with self._turn:
            if self._idle.is_set() or self._killer is not None:
                return
            self._killer = threading.Thread(target=self._interrupt, name="kill", daemon=True)
            self._killer.start()

    def _interrupt(self) -> None:
        kill = threading.Thread(target=self._try_kill, name="kill at server", daemon=True)
        kill.start()
        if not self._idle.wait(_SETTLE_S):
            # Nobody waits any longer, but a server far away may still hear of it.
            self.line.interrupt()
        kill.join()

    def _try_kill(self) -> None:
        with suppress(Exception):  # whatever it is, cutting is what is left
            self._kill(self.line.number)

    def _await_killer(self) -> None:
        """Let nobody end what comes next by what was meant for the last."""
        with self._turn:
            killer, self._killer = self._killer, None
        if killer is None or self.line.is_closed:
            return
        killer.join(_SETTLE_S)
        if killer.is_alive():
            self.line.cut()

    def forget_cancel(self) -> None:
        """Begin something new."""
        self._await_killer()
        self._cancelled.clear()

    def settle(self, ended: Callable[[], bool]) -> None:
        """End a result that is left early, or cut the session; never raises.

        Args:
            ended: Takes something that came and tells whether it was the last.
        """
        if not self._idle.is_set():
            timer = threading.Timer(_DRAIN_S, self._end_at_server)
            timer.daemon = True
            timer.start()
            try:
                self._drain(ended)
            except Exception:  # noqa: BLE001 - whatever it is, the session cannot be used any more
                self.line.cut()
            self._idle.set()
            timer.cancel()
        self._await_killer()

    def _drain(self, ended: Callable[[], bool]) -> None:
        until = time.monotonic() + _SETTLE_S
        while (left := until - time.monotonic()) > 0:
            self.line.patience(left)
            if ended():
                return
        self.line.cut()

    def undo(self) -> None:
        """End the transaction, or cut the session; never raises."""
        self._await_killer()
        if self.line.is_closed:
            return
        try:
            self.line.patience(_SETTLE_S)
            self.line.ask("ROLLBACK")
        except Exception:  # noqa: BLE001 - whatever it is, the session cannot be used any more
            self.line.cut()

    def close(self) -> None:
        """End the session, politely if that is quick; never raises, never hangs."""
        if not self.line.is_closed:
            with suppress(Exception):
                self.line.patience(_CLOSE_S)
                self.line.close()
        self.line.cut()


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _cancelled() -> Failure:
    return Failure(ErrorClass.CANCELLED, "cancelled")
