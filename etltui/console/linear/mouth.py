"""Says lines to a terminal or a pipe, in a thread of its own: a slow one holds up no run."""

import threading
from collections import deque
from collections.abc import Callable

from etltui.console.output import Send

MOST = 20_000
"""Pieces that wait at most; of what comes then only the number is said."""
PATIENCE_S = 2.0
"""How long whoever reads may take for the last lines."""


class Mouth(threading.Thread):
    """Takes text without ever waiting and writes it in order.

    Args:
        send: Writes bytes and may block; how many it took.
        encoding: Of the reader; what it lacks becomes a question mark.
        gone: Called once, from this thread, when nobody reads any more.
        most: Pieces that wait at most.
    """

    def __init__(
        self, send: Send, *, encoding: str, gone: Callable[[], None], most: int = MOST
    ) -> None:
        super().__init__(name="mouth", daemon=True)
        self._send = send
        self._encoding = encoding
        self._gone = gone
        self._most = most
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._lost = 0
        self._ended = False

    def write(self, text: str) -> None:
        """Let the text be written; never waits."""
        with self._changed:
            if len(self._waiting) < self._most:
                self._waiting.append(text)
            else:
                self._lost += 1
            self._changed.notify()

    def run(self) -> None:
        """Write until `close`, or until nobody reads any more."""
        try:
            while some := self._next():
                while some:
                    some = some[self._send(some) :]
        except (OSError, ValueError):
            self._gone()

    def _next(self) -> bytes:
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            text = "".join(self._waiting)
            self._waiting.clear()
            if self._lost:
                text += f"… {self._lost:,} lines were too many for this terminal\n"
                self._lost = 0
        return text.encode(self._encoding, "replace")

    def close(self) -> None:
        """Write what there is, as far as it is read soon, and end."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self.is_alive():
            self.join(PATIENCE_S)
