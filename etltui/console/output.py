"""Writes to the terminal from a thread of its own, so that a slow one never holds up the loop."""

import os
import select
import threading
import time
from collections.abc import Callable
from functools import partial

SLICE = 4096
"""Bytes given to the terminal at once; `queued` is right to so many."""
MOST = 1024 * 1024
"""Bytes that wait at most: what a terminal that has stopped reading is behind is repainted."""
PAINT = 64
"""Characters. What is longer is a paint, which a later one makes up for; what is shorter switches
a mode of the terminal and must come through."""
PATIENCE_S = 1.0
"""How long a terminal may take for the last words."""

Send = Callable[[bytes], int]


def to_descriptor(descriptor: int) -> Send:
    """Writes to a descriptor, also to one that somebody has set not to block."""

    def send(some: bytes) -> int:
        while True:
            try:
                return os.write(descriptor, some)
            except BlockingIOError:
                select.select([], [descriptor], [])

    return send


class Output(threading.Thread):
    """Takes text without ever waiting and hands it to the terminal in order.

    Attributes:
        written: Bytes that the terminal has taken.
        drained: Seconds that the last burst took: from the first byte that waited until none did.

    Args:
        send: Writes bytes and may block; how many it took.
        encoding: Of the terminal; what it lacks becomes a question mark.
        gone: Called once, from the thread, when the terminal takes nothing any more.
        lost: Called from the thread when paints were dropped and the terminal is ready again.
        clock: Seconds.
    """

    def __init__(
        self,
        send: Send,
        *,
        encoding: str = "utf-8",
        gone: Callable[[], None],
        lost: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="output", daemon=True)
        self.written = 0
        self.drained = 0.0
        self._send = send
        self._encode = partial(str.encode, encoding=encoding, errors="replace")
        self._gone = gone
        self._lost = lost
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[bytes] = []
        self._queued = 0
        self._since = 0.0
        self._dropped = False
        self._ended = False

    @property
    def queued(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return self._queued

    def write(self, text: str) -> None:
        """Let the text be written; never waits."""
        some = self._encode(text)
        with self._changed:
            if self._ended or not some:
                return
            if self._queued == 0:
                self._since = self._clock()
            if self._queued + len(some) > MOST:
                self._drop()
                if len(some) > PAINT:
                    return
            self._waiting.append(some)
            self._queued += len(some)
            self._changed.notify()

    def flush(self) -> None:
        """Nothing to do: the thread writes as soon as the terminal takes it."""

    def stop(self) -> None:
        """Let the terminal have the last modes, not the last paints, and end."""
        with self._changed:
            self._drop()
            self._ended = True
            self._changed.notify()
        self.join(PATIENCE_S)

    def run(self) -> None:
        """Write until `stop`, or until the terminal has gone."""
        try:
            while some := self._next():
                self._write(some)
        except (OSError, ValueError):
            with self._changed:
                self._ended = True
                self._waiting.clear()
                self._queued = 0
            self._gone()

    def _drop(self) -> None:
        kept = [some for some in self._waiting if len(some) <= PAINT]
        self._queued -= sum(map(len, self._waiting)) - sum(map(len, kept))
        self._waiting, self._dropped = kept, True

    def _next(self) -> bytes:
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            some = b"".join(self._waiting)
            self._waiting.clear()
            return some

    def _write(self, some: bytes) -> None:
        while some:
            count = self._send(some[:SLICE])
            some = some[count:]
            with self._changed:
                self.written += count
                self._queued -= count
                if self._queued:
                    continue
                self.drained = self._clock() - self._since
                lost, self._dropped = self._dropped and not self._ended, False
            if lost:
                self._lost()
