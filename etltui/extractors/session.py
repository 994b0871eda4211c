"""One session in an extractor, and the requests that it serves one after the other."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import Progress
from etltui.extractors import protocol as p
from etltui.extractors.extract import Watch
from etltui.readers.reader import Reader

OVERDUE_S = 0.15
"""After a time limit has passed a driver has so long to come back before it is answered for. With
two beats that is control within half a second of the limit, whatever the line to the server
does."""


@dataclass(slots=True)
class Request:
    """A request under way."""

    id: int
    watch: Watch = field(default_factory=Watch)
    extract: p.Extract | None = None
    session: "Session | None" = None
    judged_at: float | None = None
    reported: tuple[str, int, int] = ("", 0, 0)

    def cancel(self) -> None:
        """Set the flag that decides, then wake the driver."""
        self.watch.cancelled = True
        if self.session is not None:
            self.session.interrupt(self)

    def judge(self, now: float) -> None:
        """Wake the driver if the extract has just become useless: too slow, or not writable."""
        if self.extract is None or self.session is None:
            return
        if self.watch.judge(self.extract.task, now):
            self.judged_at = now
            self.session.interrupt(self)

    def overdue(self, now: float) -> bool:
        """Whether the driver was woken for a verdict and has not come back in time."""
        return self.judged_at is not None and now - self.judged_at > OVERDUE_S

    def progress(self) -> Progress | None:
        """How far it is, None where it has not moved since the last time.

        Rows that are read again are not counted down: what was said only grows.
        """
        if self.extract is None:
            return None
        step, rows, size = self.reported
        now = (self.watch.step, max(rows, self.watch.rows), max(size, self.watch.bytes))
        if now[:2] == (step, rows):
            return None
        self.reported = now
        return Progress(request=self.id, step=now[0], rows=now[1], bytes=now[2])


class Session:
    """A thread that makes all driver calls of one session, so that none changes thread.

    Only `cancel` comes from another; it never meets a request that it was not meant for, nor a
    reader that is being closed.
    """

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self._current: Request | None = None
        self._turn = threading.Lock()
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def call(self, work: Callable[[], None]) -> None:
        """Do this after what is queued."""
        self._calls.put(work)

    def end(self) -> None:
        """End the thread after what is queued."""
        self._calls.put(None)

    def begin(self, request: Request | None) -> None:
        """From here on this request is the one that an interrupt may hit; None: nobody's."""
        with self._turn:
            self._current = request

    def interrupt(self, request: Request) -> None:
        """Wake the driver from whatever it does for this request; never waits.

        From a thread of its own: a driver's cancel may take a journey to the server, or hang.
        """
        threading.Thread(
            target=self._interrupt,
            args=(request,),
            name="interrupt",
            daemon=True,
        ).start()

    def _interrupt(self, request: Request) -> None:
        with self._turn:
            if self._current is request and self.reader is not None:
                self.reader.cancel()

    def opened(self) -> Reader:
        """The reader.

        Raises:
            Failure: It was never opened.
        """
        if self.reader is None:
            raise Failure(ErrorClass.INTERNAL, "the session is not open")
        return self.reader

    def close(self) -> None:
        """Close the reader, in the session's thread."""
        with self._turn:
            reader, self.reader = self.reader, None
        if reader is not None:
            reader.close()

    def run(self) -> None:
        """Make the calls until the end; the body of the session's thread."""
        while (work := self._calls.get()) is not None:
            work()
