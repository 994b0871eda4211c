"""The engine of this process, asked in the way of one behind the door."""

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from datetime import date
from types import TracebackType
from typing import Protocol, Self

from etltui.domain.events import Event, is_for
from etltui.domain.job import Overlap
from etltui.domain.progress import Snapshot
from etltui.domain.queue import Ask
from etltui.domain.run import RunResult
from etltui.engine.bus import Backlog
from etltui.engine.engine import Engine, RunHandle


class Runs(Protocol):
    """What a command asks of an engine, wherever that is; see `door.client.RemoteEngine`."""

    async def check(
        self, job: str, *, only: Sequence[str] = (), resume: bool | None = None
    ) -> None:
        """Raise what starting would raise."""
        ...

    async def submit(  # noqa: PLR0913 - as the engine's own
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
        """Start a run; its id."""
        ...

    async def retry(self, run: str, ask: Ask, *, owner: str = "") -> str:
        """Read again what a run lacks; its id."""
        ...

    async def wait(self, run: str) -> RunResult:
        """How a run ended."""
        ...

    async def snapshot(self) -> Snapshot:
        """How everything stands."""
        ...

    async def collect(self) -> Snapshot:
        """Keep events from now on; how everything stands at that moment."""
        ...

    def events(self, runs: Sequence[str] = ()) -> AsyncIterator[Event]:
        """What happens to these runs, or to all, since `collect`."""
        ...

    async def enough(self) -> None:
        """Let `events` end after what has happened by now."""
        ...


class Local(Runs):
    """An engine of this process, for the time of a block."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stack = ExitStack()
        self._backlog: Backlog | None = None
        self._handles: dict[str, RunHandle] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    async def check(
        self, job: str, *, only: Sequence[str] = (), resume: bool | None = None
    ) -> None:
        """Raise what starting would raise."""
        await self._engine.check(job, only=only, resume=resume)

    async def submit(  # noqa: PLR0913 - as the engine's own
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
        """Start a run; its id."""
        handle = await self._engine.submit(
            job,
            only=only,
            resume=resume,
            priority=priority,
            delay_s=delay_s,
            owner=owner,
            overlap=overlap,
            canary=canary,
            day=day,
        )
        return self._keep(handle)

    async def retry(self, run: str, ask: Ask, *, owner: str = "") -> str:
        """Read again what a run lacks; its id."""
        return self._keep(await self._engine.retry(run, ask, owner=owner))

    def _keep(self, handle: RunHandle) -> str:
        self._handles[handle.run] = handle
        return handle.run

    async def wait(self, run: str) -> RunResult:
        """How a run ended that was started here."""
        return await self._handles[run].wait()

    async def snapshot(self) -> Snapshot:
        """How everything stands."""
        return self._engine.snapshot()

    async def collect(self) -> Snapshot:
        """Keep events from now on; how everything stands at that moment."""
        self._backlog = self._stack.enter_context(self._engine.events())
        return self._engine.snapshot()

    async def events(self, runs: Sequence[str] = ()) -> AsyncIterator[Event]:
        """What happens to these runs, or to all, since `collect`."""
        if self._backlog is not None:
            async for event in self._backlog:
                if is_for(event, runs):
                    yield event

    async def enough(self) -> None:
        """Let `events` end after what has happened by now."""
        if self._backlog is not None:
            self._backlog.end()
