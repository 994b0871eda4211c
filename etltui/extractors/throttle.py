"""Reads no faster than a connection allows: its till has to sell while it is read."""

import time
from collections.abc import Callable
from dataclasses import dataclass

_SLICE_S = 0.1
"""How long a pause goes on at most before somebody looks whether it is still wanted."""
_BATCH_S = 0.5
"""Rows of so long come at once."""
_ROW_BYTES = 100
"""Of rows before the first was seen."""
_LEAST_BYTES = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Timer:
    """What a throttle tells time by, and waits with; in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Throttle:
    """The pauses between the batches of one extract, all its queries together.

    Time in which the source was slower is not made up for later.

    Args:
        rows_per_s: On average; 0: as fast as they come.
        timer: Of the extractor.
    """

    def __init__(self, rows_per_s: int, timer: Timer | None = None) -> None:
        self._rate = rows_per_s
        self._timer = timer or Timer()
        self._row_bytes: float = _ROW_BYTES
        self._due = self._timer.monotonic()

    @property
    def holds_back(self) -> bool:
        """Whether there is a limit at all."""
        return self._rate > 0

    def batch_bytes(self, share: int) -> int:
        """How large the next batch may be, so that rows come evenly.

        Args:
            share: What the extractor allows.
        """
        if not self._rate:
            return share
        return min(share, max(_LEAST_BYTES, int(self._rate * self._row_bytes * _BATCH_S)))

    def took(self, rows: int, size: int) -> None:
        """A batch has come.

        Args:
            rows: Its rows.
            size: Its bytes.
        """
        if self._rate and rows:
            self._row_bytes = size / rows
            self._due += rows / self._rate

    def pause(self, check: Callable[[], None]) -> float:
        """Wait until the next batch may be asked for; the seconds that took.

        Args:
            check: Raises when nobody wants the rows any longer; asked all the while.
        """
        if not self._rate:
            return 0.0
        begun = now = self._timer.monotonic()
        while now < self._due:
            check()
            self._timer.sleep(min(self._due - now, _SLICE_S))
            now = self._timer.monotonic()
        self._due = now
        return now - begun
