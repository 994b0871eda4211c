"""An engine in another process, called through the door."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from etltui.domain.errors import EtltuiError
from etltui.domain.events import Event
from etltui.domain.job import Overlap
from etltui.domain.pools import PoolHistory, PoolMetrics, PoolStats
from etltui.domain.progress import RunView, Snapshot
from etltui.domain.queue import Ask, QueueEntry, QueueMetrics
from etltui.domain.run import RunResult
from etltui.door.errors import GoneError, NoDoorError
from etltui.door.line import BROKEN, Line, read
from etltui.door.protocol import SOCKET, VERSION, Hello

__all__ = ["GoneError", "NoDoorError", "RemoteEngine", "open_door"]

GREETING_S = 10.0
"""How long an engine may take to say who it is."""


class RemoteEngine:
    """The engine behind a door; made by `open_door`.

    Each call raises what the engine's own raises, and `GoneError` when the engine has ended.

    Attributes:
        hello: Who it is.
    """

    def __init__(self, line: Line) -> None:
        self.hello = line.hello
        self._line = line

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call something of `protocol.CALLS`; its result, of the type that the engine's own has."""
        return await self._line.call(name, arguments)

    async def check(
        self, job: str, *, only: Sequence[str] = (), resume: bool | None = None
    ) -> None:
        """As `Engine.check`."""
        await self.call("check", job=job, only=only, resume=resume)

    async def submit(  # noqa: PLR0913 - what somebody may say of a start, each with a default
        self,
        job: str,
        *,
        only: Sequence[str] = (),
        resume: bool | None = None,
        priority: int | None = None,
        delay_s: float = 0.0,
        owner: str = "",
        overlap: Overlap | None = None,
        canary: bool | None = None,
        day: date | None = None,
    ) -> str:
        """As `Engine.submit`; the run's id."""
        run: str = await self.call(
            "submit",
            job=job,
            only=only,
            resume=resume,
            priority=priority,
            delay_s=delay_s,
            owner=owner,
            overlap=overlap,
            canary=canary,
            day=day,
        )
        return run

    async def retry(self, run: str, ask: Ask, *, owner: str = "") -> str:
        """As `Engine.retry`; the run's id."""
        found: str = await self.call("retry", run=run, ask=ask, owner=owner)
        return found

    async def cancel(self, run: str, *, resumable: bool = False, reason: str = "") -> None:
        """As `Engine.cancel`."""
        await self.call("cancel", run=run, resumable=resumable, reason=reason)

    async def wait(self, run: str) -> RunResult:
        """How a run ended that was submitted here, or has not ended yet."""
        result: RunResult = await self.call("wait", run=run)
        return result

    async def snapshot(self) -> Snapshot:
        """How everything stands."""
        snapshot: Snapshot = await self.call("snapshot")
        return snapshot

    async def collect(self) -> Snapshot:
        """Keep events from now on, for `events`; how everything stands at that moment."""
        snapshot: Snapshot = await self.call("collect")
        return snapshot

    async def events(self, runs: Sequence[str] = ()) -> AsyncIterator[Event]:
        """What happens to these runs, or to all, since `collect` or else from now on; once only.

        It ends after `enough`, and when the engine ends. After an `Overflow` take a snapshot.
        """
        with suppress(GoneError):
            await self.call("follow", runs=runs)
        async for event in self._line.news:
            yield event

    async def enough(self) -> None:
        """Let `events` end after what has happened by now."""
        with suppress(GoneError):
            await self.call("enough")

    async def until_gone(self) -> None:
        """Wait for the end of the engine.

        Raises:
            GoneError: It has come.
        """
        await self._line.ended.wait()
        raise self._line.lost()

    async def get_pool_metrics(self) -> PoolMetrics:
        """As `Engine.get_pool_metrics`."""
        metrics: PoolMetrics = await self.call("get_pool_metrics")
        return metrics

    async def get_pool_info(self) -> tuple[PoolStats, ...]:
        """As `Engine.get_pool_info`."""
        pools: tuple[PoolStats, ...] = await self.call("get_pool_info")
        return pools

    async def get_pool_history(self) -> tuple[PoolHistory, ...]:
        """As `Pools.get_history`."""
        pools: tuple[PoolHistory, ...] = await self.call("pools.get_history")
        return pools

    async def get_queue_metrics(self) -> QueueMetrics:
        """As `Engine.get_queue_metrics`."""
        metrics: QueueMetrics = await self.call("get_queue_metrics")
        return metrics

    async def get_running_jobs(self) -> tuple[QueueEntry, ...]:
        """As `Engine.get_running_jobs`."""
        entries: tuple[QueueEntry, ...] = await self.call("get_running_jobs")
        return entries

    async def get_pending_jobs(self) -> tuple[QueueEntry, ...]:
        """As `Engine.get_pending_jobs`."""
        entries: tuple[QueueEntry, ...] = await self.call("get_pending_jobs")
        return entries

    async def get_job_progress(self, name: str) -> RunView | None:
        """As `Engine.get_job_progress`."""
        view: RunView | None = await self.call("get_job_progress", name=name)
        return view

    async def get_all_progress(self) -> tuple[RunView, ...]:
        """As `Engine.get_all_progress`."""
        views: tuple[RunView, ...] = await self.call("get_all_progress")
        return views


@asynccontextmanager
async def open_door(state: Path, *, who: str = "") -> AsyncIterator[RemoteEngine]:
    """The engine that holds the state folder, for the time of the block.

    Args:
        state: The folder.
        who: Who asks, as `user@host`, for the record of what was done; empty for whoever runs
            the engine.

    Raises:
        NoDoorError: Nobody serves one there.
        EtltuiError: It is of another version.
    """
    try:
        reader, writer = await _connect(state)
    except OSError as error:
        raise NoDoorError(
            f"no engine serves the state folder {state}. Start one with `etltui serve`",
        ) from error
    try:
        hello = await _greeted(reader, state)
        line = Line(hello, reader, writer, who)
        listening = asyncio.create_task(line.listen(), name="door")
        try:
            yield RemoteEngine(line)
        finally:
            listening.cancel()
            await asyncio.wait({listening})
    finally:
        writer.transport.abort()


async def _connect(state: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    folder = os.open(state, os.O_PATH | os.O_DIRECTORY)
    try:
        # By the open folder: the path itself may be too long for an address.
        return await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{SOCKET}")
    finally:
        os.close(folder)


async def _greeted(reader: asyncio.StreamReader, state: Path) -> Hello:
    try:
        async with asyncio.timeout(GREETING_S):
            hello = await read(reader)
    except BROKEN as error:
        raise NoDoorError(f"the engine at the state folder {state} does not answer") from error
    if not isinstance(hello, Hello) or hello.version != VERSION:
        version = hello.version if isinstance(hello, Hello) else "?"
        raise EtltuiError(
            f"the engine at the state folder {state} speaks version {version} and this program "
            f"{VERSION}. Use the etltui that it was started with, or start it again with this one",
        )
    return hello
