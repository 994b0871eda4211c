"""When to look after sessions, and what is due then: a plan made of values, a task that keeps time.

What a plan says is done by `chores`.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etltui.domain.pools import PoolSettings
from etltui.domain.ports import Clock
from etltui.pool.entry import Entry, State

MOST_S, LEAST_S = 30.0, 0.1
"""Things are looked after at least so often, and not more often."""
JITTER = 0.1
"""The part of a time over which ends are spread that would come together."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What counts about one session; times are those of the clock's `monotonic`."""

    idle: bool
    alive: bool
    ends_at: float
    proof_at: float
    leaks_at: float


def look(entry: Entry, settings: PoolSettings) -> Look:
    """The look of a session.

    Its idle time ends up to a tenth late, its life up to a tenth early, each session by its own
    part of that.
    """
    spread = JITTER * entry.jitter
    return Look(
        idle=entry.state is State.IDLE,
        alive=entry.alive,
        ends_at=min(
            entry.idle_since + settings.idle_s * (1 + spread),
            entry.born + settings.lifetime_s * (1 - spread),
        ),
        proof_at=entry.proved + settings.keepalive_s if settings.keepalive_s else math.inf,
        leaks_at=math.inf if entry.loan.reported else entry.loan.expected_at + settings.leak_s,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is due, as positions in what was looked at, and in how many seconds to look again."""

    lost: tuple[int, ...]
    end: tuple[int, ...]
    prove: tuple[int, ...]
    leaked: tuple[int, ...]
    next_s: float


def plan(looks: Sequence[Look], now: float, settings: PoolSettings) -> Plan:
    """What is due now; no session is in more than one part of it."""
    lost: list[int] = []
    end: list[int] = []
    prove: list[int] = []
    leaked: list[int] = []
    later: list[float] = []
    for position, each in enumerate(looks):
        if not each.idle:
            due, what = each.leaks_at, leaked
        elif not each.alive:
            due, what = now, lost
        elif each.ends_at <= each.proof_at or each.ends_at <= now:
            due, what = each.ends_at, end
        else:
            due, what = each.proof_at, prove
        if due <= now:
            what.append(position)
        else:
            later.append(due - now)
    # What begins while nobody looks is not due before the shortest of these.
    rest = min(settings.idle_s / 2, MOST_S, settings.leak_s, *later)
    return Plan(
        lost=tuple(lost),
        end=tuple(end),
        prove=tuple(prove),
        leaked=tuple(leaked),
        next_s=max(rest, LEAST_S),
    )


class Housekeeper:
    """Owns the task that keeps time.

    Args:
        clock: The time.
        tend: Does what is due, and says in how many seconds to come again.
    """

    def __init__(self, clock: Clock, tend: Callable[[], float]) -> None:
        self._clock = clock
        self._tend = tend
        self._nap: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="pool housekeeper")

    def wake(self) -> None:
        """Look now: what is due may have changed."""
        if self._nap is not None:
            self._nap.cancel()

    async def aclose(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            self._nap = asyncio.create_task(self._clock.sleep(self._look()), name="pool nap")
            try:
                await asyncio.wait({self._nap})
            finally:
                self._nap.cancel()

    def _look(self) -> float:
        try:
            return self._tend()
        except Exception:  # noqa: BLE001 - logged
            # One mistake must not leave all sessions without care from then on.
            _log.exception("Looking after the pools failed")
            return MOST_S
