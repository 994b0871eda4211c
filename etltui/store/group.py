"""Group commit: who comes while a commit is under way shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from etltui.domain.errors import StateError

T = TypeVar("T")


class GroupCommit(Generic[T]):
    """Gathers entries and commits them together.

    The first entry of an idle group is committed at once, so one alone waits for one commit and
    many wait for two at most.

    Args:
        commit: Makes the entries durable; returns for each why it was refused, or None. An
            exception means that none of them was recorded.
        most: Entries in one commit.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[T]], Awaitable[Sequence[Exception | None]]],
        *,
        most: int = 64,
    ) -> None:
        self._commit = commit
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def add(self, entry: T) -> None:
        """Return once the entry is durable.

        A caller that is cancelled stops waiting; its entry is committed with the others.

        Raises:
            StateError: The entry was refused, its commit failed, or the group is closed.
        """
        if self._closed:
            raise StateError("the state store is closed")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain(), name="store checkpoints")
        await asyncio.shield(future)

    async def aclose(self) -> None:
        """Refuse new entries and return when those that wait are committed."""
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        taken: list[tuple[T, asyncio.Future[None]]] = []
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._commit_some(taken)
        finally:
            # No await since the list was seen empty: an entry is either in it or starts a task.
            self._task = None
            # Only where this task was cancelled is anyone left.
            for _, future in (*taken, *self._waiting):
                future.cancel()
            self._waiting = []

    async def _commit_some(self, taken: Sequence[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            refusals = await self._commit([entry for entry, _ in taken])
        except Exception as error:  # noqa: BLE001 - each of those who wait raises it
            refusals = [error] * len(taken)
        for (_, future), refusal in zip(taken, refusals, strict=True):
            if refusal is None:
                future.set_result(None)
            else:
                future.set_exception(refusal)
