"""Takes samples of how an engine stands, for the trends that a screen draws."""

import asyncio
import logging
import os
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

from etltui.domain.errors import StateError
from etltui.domain.logbook import Sample
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.run import AT_WORK, ConnectionStatus
from etltui.engine.tools import Tools

BUSY_S = 5.0
IDLE_S = 60.0
WRITE_S = 30.0
"""Samples are written together: a power cut takes this long of a trend with it."""
SHORTEST_S = 0.5
MOST_WAITING = 1000

_log = logging.getLogger(__name__)
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What is known at one moment, of which two make a sample.

    Attributes:
        monotonic: Seconds that never jump.
        cpu: From the id of each process of the tree to the seconds of a core it has used.
        rows: From each run to the rows that its attempt has brought in.
    """

    monotonic: float
    snapshot: Snapshot
    cpu: Mapping[int, float] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)


def idle(snapshot: Snapshot) -> bool:
    """Whether nothing waits, runs or is lent."""
    lent = any(pool.lent for pool in snapshot.pool_info)
    return not (snapshot.pending or snapshot.queue.running or lent)


def rows_read(view: RunView) -> int:
    """Rows that a run's attempt has brought in, durable or on the way."""
    return sum(each.rows for each in view.connections.values() if each.tries)


def sample_of(before: Look | None, now: Look, *, cores: int, lag_s: float) -> Sample:
    """The sample of a moment; what is told by the second or since the one before is 0 at first.

    Args:
        before: The look of the sample before; None for the first.
        now: The look of this one.
        cores: That the tree may use.
        lag_s: How late the loop was at the worst since then.
    """
    seen, pools, queue = now.snapshot, now.snapshot.pools, now.snapshot.queue
    seconds = now.monotonic - before.monotonic if before else 0.0
    then = before.snapshot.queue if before else queue
    at_work = [view for view in seen.runs if view.status in AT_WORK]
    # Over a moment a rate says nothing.
    rated = before if seconds >= SHORTEST_S else None
    rows = _grown(rated.rows, now.rows) if rated else 0.0
    used = _grown(rated.cpu, now.cpu) if rated else 0.0
    return Sample(
        at=seen.at,
        lent=sum(pool.lent for pool in seen.pool_info),
        idle=sum(pool.idle for pool in seen.pool_info),
        open=pools.places,
        waiting=pools.waiting,
        max_connections=pools.max_connections,
        pending=queue.pending,
        running=queue.running,
        completed=queue.completed - then.completed,
        failed=queue.failed - then.failed,
        connections_active=sum(
            each.status is ConnectionStatus.RUNNING
            for view in at_work
            for each in view.connections.values()
        ),
        rows_per_s=rows / max(seconds, SHORTEST_S),
        cpu_percent=min(100 * used / max(seconds, SHORTEST_S) / cores, 100.0),
        memory=seen.memory,
        threshold=seen.threshold,
        lag_ms=1000 * lag_s,
    )


def _grown(before: Mapping[_K, float], now: Mapping[_K, float]) -> float:
    """By how much all have grown that are there now; one that is new has grown from nothing."""
    return sum(max(0.0, value - before.get(key, 0.0)) for key, value in now.items())


def tree_times() -> dict[int, float]:
    """From each process of this one's tree to the seconds of a core that it has used."""
    times = {}
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        # One that has ended meanwhile is not there any more.
        with suppress(psutil.Error):
            used = process.cpu_times()
            times[process.pid] = used.user + used.system
    return times


class Sampler:
    """Takes a sample every few seconds while there is something to see, else every minute.

    Args:
        tools: Of the engine.
        snapshot: How everything stands.
        times: What the processes have used so far; called in a thread.
    """

    def __init__(
        self,
        tools: Tools,
        snapshot: Callable[[], Snapshot],
        times: Callable[[], Mapping[int, float]] = tree_times,
    ) -> None:
        self._tools = tools
        self._snapshot = snapshot
        self._times = times
        self._cores = len(os.sched_getaffinity(0))
        self._before: Look | None = None
        self._looked = float("-inf")
        self._lag_s = 0.0
        self._waiting: list[Sample] = []

    def late(self, seconds: float) -> None:
        """Take in how late the loop was."""
        self._lag_s = max(self._lag_s, seconds)

    async def look(self) -> None:
        """Take a sample if one is due, and write those that have waited long enough."""
        now = self._tools.clock.monotonic()
        if now - self._looked < BUSY_S:
            return
        self._looked = now
        quiet = self._before is not None and idle(self._snapshot())
        if not quiet or self._before is None or now - self._before.monotonic >= IDLE_S:
            await self._take()
        if quiet or self._waiting[-1].at - self._waiting[0].at >= WRITE_S - BUSY_S:
            await self._write()

    async def _take(self) -> None:
        cpu = await asyncio.to_thread(self._times)
        snapshot = self._snapshot()
        look = Look(
            monotonic=self._tools.clock.monotonic(),
            snapshot=snapshot,
            cpu=cpu,
            rows={view.run: rows_read(view) for view in snapshot.runs},
        )
        sample = sample_of(self._before, look, cores=self._cores, lag_s=self._lag_s)
        self._before, self._lag_s = look, 0.0
        self._waiting = [*self._waiting[1 - MOST_WAITING :], sample]

    async def _write(self) -> None:
        try:
            await self._tools.store.put_samples(self._waiting)
        except StateError as error:
            # They are tried again with the next ones.
            _log.warning("How the engine stood was not written down: %s", error)
        else:
            self._waiting = []

    async def aclose(self) -> None:
        """Take a last sample and write what waits."""
        await self._take()
        await self._write()
