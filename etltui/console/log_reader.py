"""Follows the log in a thread of its own and hands its lines over in batches."""

import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from etltui.engine.log_files import Follower, LogFile, opened

PACE_S = 0.25
"""How often it looks for new lines while somebody looks at them."""
BATCH = 2_000
"""Lines that are handed over at once: more would hold up the picture."""


class LogReader:
    """Reads the last lines of the log, then those that come.

    Args:
        folder: Of the log; it may not be there yet.
        most: How many of the lines that are there to begin with.
        take: Called in the reader's thread with lines in their order.
    """

    def __init__(self, folder: Path, most: int, take: Callable[[list[bytes]], None]) -> None:
        self._folder = folder
        self._most = most
        self._take = take
        self._batch: list[bytes] = []
        self._watched = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="log reader", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._watched.set()
        self._thread.start()

    def rest(self) -> None:
        """Read on only when somebody looks again; nothing is lost meanwhile."""
        self._watched.clear()

    def go_on(self) -> None:
        """Somebody looks."""
        self._watched.set()

    def close(self) -> None:
        """Read no more; the thread ends by itself, soon."""
        self._ended.set()
        self._watched.set()

    def _read(self) -> None:
        with opened(self._folder) as files:
            newest = self._last(files)
            follower = Follower(self._folder, files[-1] if files else None)
        with follower:
            for each in newest:
                self._add(each)
            for each in follower.raw(self._wait):
                if self._ended.is_set():
                    return
                self._add(each)

    def _last(self, files: list[LogFile]) -> list[bytes]:
        """The last lines that are there, the oldest first."""
        lines = (line for each in reversed(files) for line in each.backwards())
        return list(islice(lines, self._most))[::-1]

    def _add(self, line: bytes) -> None:
        self._batch.append(line)
        if len(self._batch) >= BATCH:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._batch:
            self._take(self._batch)
            self._batch = []

    def _wait(self) -> bool:
        """Hand over what there is and wait for more; whether to go on."""
        self._hand_over()
        if not self._ended.wait(PACE_S):
            self._watched.wait()
        return not self._ended.is_set()
