"""What a run works with: the ports, wired once, and the limits they were wired with."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from etltui.domain.audit import NOBODY, Caller
from etltui.domain.lending import Leases
from etltui.domain.policy import OnHeld
from etltui.domain.ports import Clock, Guard, Parts, Store
from etltui.engine.acts import Acts
from etltui.engine.bus import Bus
from etltui.engine.holds import Holds
from etltui.engine.identity import Identities
from etltui.engine.memory import Memory
from etltui.engine.space import Space
from etltui.engine.strays import StrayWatch

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Mirror(Protocol):
    """Keeps the JSON mirror of the newest checkpoint of each job."""

    async def write(
        self,
        job: str,
        title: str,
        *,
        completed: Sequence[str],
        failed: Sequence[str],
        total: int,
        now: datetime,
    ) -> None:
        """Replace the job's mirror, atomically.

        Raises:
            StateError: It cannot be written; the former one is as it was.
        """
        ...

    async def delete(self, job: str) -> None:
        """Remove the job's mirror."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What every run of an engine shares.

    Attributes:
        parts_folder: Holds a folder of parts for each run.
        query_timeout_s: For jobs that set none.
        query_timeout_learned: Whether a connection's past runs tell how long its queries may take.
        stall_timeout_s: For jobs that set none.
        operator: Who runs it, as `user@host`.
        caller: The same, as the kernel knows.
        connect_timeout_s: How long opening a session may take.
        holds: Connections that no run may read.
        acts: Told of what is done to the engine.
        identities: Which database each connection is known to be.
        strays: What is held although its work has ended; None where nobody looks.
        extractor_bytes: What all extractors together may come to weigh.
        timezone: Of connections that say none; empty for the machine's own.
        on_held: What becomes of a target that somebody has open: the new one waits beside it, or
            replaces it.
    """

    store: Store
    leases: Leases
    parts: Parts
    guard: Guard
    mirror: Mirror
    bus: Bus
    clock: Clock
    memory: Memory
    space: Space
    parts_folder: Path
    query_timeout_s: float
    stall_timeout_s: float
    operator: str
    connect_timeout_s: float = 30.0
    query_timeout_learned: bool = False
    holds: Holds = field(default_factory=Holds)
    acts: Acts = field(default_factory=Acts)
    identities: Identities = field(default_factory=Identities)
    caller: Caller = NOBODY
    extractor_bytes: int = 0
    strays: StrayWatch | None = None
    timezone: str = ""
    on_held: OnHeld = "beside"

    def now(self) -> float:
        """The time, in Unix seconds."""
        return self.clock.now().timestamp()


async def to_the_end(work: Coroutine[Any, Any, _T]) -> _T:
    """Finish the work however often the waiting task is cancelled, then let the cancel through."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    # A cancel that came meanwhile must not hide what the work met.
    result = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return result


def unbroken(call: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Let a call finish although its caller gives up: what is recorded is also known."""

    @wraps(call)
    async def finished(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await to_the_end(call(*args, **kwargs))

    return finished
