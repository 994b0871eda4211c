"""What bounds an extractor: permits for work on the CPU, and bytes of rows in memory.

Waiting for a server is unlimited; converting is not. A permit is held while one batch is pulled
from a local file or converted, never while waiting.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from etltui.domain.limits import BATCH_LEAST, BATCH_MOST, BATCHES_HELD, BUDGET_BYTES

PERMITS_PER_CORE = 2
_CHECK_S = 0.1


class Gate:
    """The permits and the byte budget of one extractor.

    Args:
        cores: How many the extractor may use, at least 1.
        budget: Bytes of rows that all fetches together may hold.
    """

    def __init__(self, cores: int, budget: int = BUDGET_BYTES) -> None:
        self._permits = threading.BoundedSemaphore(PERMITS_PER_CORE * cores)
        self._budget = budget
        self._lock = threading.Lock()
        self._fetches = 0

    @contextmanager
    def work(self, check: Callable[[], None]) -> Iterator[None]:
        """Hold a permit for the time of the block.

        Args:
            check: Raises when nobody wants the work any longer; asked while waiting, since the
                permits may be held by queries that take minutes.
        """
        while not self._permits.acquire(timeout=_CHECK_S):
            check()
        try:
            yield
        finally:
            self._permits.release()

    @contextmanager
    def fetch(self) -> Iterator[None]:
        """Count as an active fetch for the time of the block."""
        with self._lock:
            self._fetches += 1
        try:
            yield
        finally:
            with self._lock:
                self._fetches -= 1

    def batch_bytes(self) -> int:
        """How large the next batch may be: a fair share of the budget, within bounds."""
        share = self._budget // (BATCHES_HELD * max(1, self._fetches))
        return max(BATCH_LEAST, min(BATCH_MOST, share))
