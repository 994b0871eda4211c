"""Tells what this process goes on to hold although the work that it was made for is over."""

import logging
import math
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence

from etltui.domain.ports import Clock
from etltui.domain.strays import Stray
from etltui.engine.holdings import Holding

MOST_SHOWN = 100
"""Who sees so many knows that something grows."""

LEAST_S = 5.0
"""What has just ended takes a moment to be gone."""

_log = logging.getLogger(__name__)


class StrayWatch:
    """Looks at each beat of the pulse; what was there at the first stays.

    Something is astray that is older than all that is at work now: what it was made for has ended.

    Args:
        holdings: What is held.
        clock: Tells how long.
    """

    def __init__(self, holdings: Callable[[], Awaitable[Sequence[Holding]]], clock: Clock) -> None:
        self._holdings = holdings
        self._clock = clock
        self._since: dict[Hashable, float] | None = None
        self._told: set[Hashable] = set()
        self.strays: tuple[Stray, ...] = ()
        """What is astray now, the oldest first."""

    async def look(self, patience_s: float) -> None:
        """Look once; each stray is told once in the log.

        Args:
            patience_s: How long after its work something may be held.
        """
        found, now = await self._holdings(), self._clock.monotonic()
        if self._since is None:
            self._since = {each.key: -math.inf for each in found}
        self._since = {each.key: self._since.get(each.key, now) for each in found}
        begun = min((self._since[each.key] for each in found if each.works), default=math.inf)
        astray = {
            each.key: Stray(kind=each.kind, name=each.name, seconds=now - self._since[each.key])
            for each in found
            if not each.works and -math.inf < self._since[each.key] < begun
        }
        least = max(patience_s, LEAST_S)
        self._tell({key: each for key, each in astray.items() if each.seconds >= least})

    def _tell(self, astray: Mapping[Hashable, Stray]) -> None:
        for each in (astray[key] for key in astray.keys() - self._told):
            _log.warning(
                "Leak: %s is held for %.0f s, and what it was made for has ended",
                each,
                each.seconds,
            )
        self._told = set(astray)
        self.strays = tuple(sorted(astray.values(), key=lambda each: -each.seconds)[:MOST_SHOWN])
