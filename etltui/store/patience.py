"""Waits for a state database that somebody locks or whose folder is away, and says so once."""

import asyncio
import logging
import sqlite3
from pathlib import Path

from etltui.domain.ports import Clock
from etltui.domain.words import duration

MOST_S = 300.0
"""How long work waits; after it a run stops resumably."""
LOOK_S = 1.0

_WAITS = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"})
_log = logging.getLogger(__name__)


class Patience:
    """Says whether to try again what met a lock, or a folder that is away.

    Args:
        path: The database as it is now; another file in its place is not it.
        clock: Tells how long somebody has waited.
        most_s: How long anybody waits.
    """

    def __init__(self, path: Path, clock: Clock, *, most_s: float = MOST_S) -> None:
        self._path = path
        self._clock = clock
        self._most_s = most_s
        self._mark = _mark(path)
        self._said = False

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return self._clock.monotonic()

    async def there(self) -> None:
        """Wait until the database lies where it was opened.

        What is written through an open file whose folder was moved may never be found again.

        Raises:
            OperationalError: It did not come back in time.
        """
        since = self._clock.monotonic()
        while await asyncio.to_thread(_mark, self._path) != self._mark:
            if not await self.again(since, "it is not where it was opened"):
                raise sqlite3.OperationalError(
                    f"it has not been where it was opened for {duration(self._most_s)}"
                )

    async def outlasts(self, error: sqlite3.Error, since: float) -> bool:
        """Wait a moment and say whether to try again.

        Args:
            error: What was met.
            since: When it was tried first, on the monotonic clock.
        """
        kind = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
        return kind in _WAITS and await self.again(since, str(error))

    async def again(self, since: float, why: str) -> bool:
        """Whether there is time left, after a moment of it."""
        if self._clock.monotonic() - since >= self._most_s:
            return False
        if not self._said:
            _log.warning(
                "The state database %s cannot be written: %s. What is to be recorded waits, at "
                "most %s",
                self._path,
                why,
                duration(self._most_s),
            )
        self._said = True
        await self._clock.sleep(LOOK_S)
        return True

    def over(self) -> None:
        """Take in that something was written."""
        if self._said:
            _log.info("The state database can be written again")
        self._said = False


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
