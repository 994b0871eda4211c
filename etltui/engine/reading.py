"""Reads one connection once: a session, who answers there, and its rows into parts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from etltui.domain.columns import Column
from etltui.domain.identity import identity_query_of
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.task import Extracted, Progress
from etltui.engine.limits import QueryLimit
from etltui.engine.meeting import Meeting
from etltui.engine.spending import Spending
from etltui.engine.tasks import configured_s, extract_task, query_tasks
from etltui.engine.tools import Tools


class Reads(Protocol):
    """The run that it is read for."""

    plan: Plan
    priority: int

    async def fix(self, columns: tuple[tuple[Column, ...], ...]) -> None:
        """Fix the run's columns, unless they are fixed meanwhile."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class How:
    """How a connection is read this time.

    Attributes:
        number: Of its parts, which no other reading in the run has.
        limit: How long its queries may take.
        batch_bytes: As in `ExtractTask`.
        at_once: Whether it is read only where a session is free in this moment.
    """

    number: int
    limit: QueryLimit
    batch_bytes: int = 0
    at_once: bool = False


class Reading:
    """One reading, with a session, a snapshot and parts of its own.

    Args:
        tools: Of the engine.
        host: The run.
        planned: The connection's place in it.
        how: It is read.
        spending: Told what it waits for.
        tell: Told how far it is.

    Attributes:
        meeting: Who answered.
        sent: Set once its queries are on their way.
    """

    def __init__(
        self,
        tools: Tools,
        host: Reads,
        planned: PlanConnection,
        *,
        how: How,
        spending: Spending,
        tell: Callable[[Progress], None],
    ) -> None:
        self._tools = tools
        self._host = host
        self._planned = planned
        self._how = how
        self._spending = spending
        self.tell = tell
        self.meeting = Meeting(tools, planned.connection, self._alike)
        self.sent = asyncio.Event()

    @property
    def name(self) -> str:
        """The connection's."""
        return self._planned.name

    def _alike(self, other: str) -> bool:
        """Whether the run asks another connection for the same rows."""
        found = (each for each in self._host.plan.connections if each.name == other)
        return any(each.queries == self._planned.queries for each in found)

    async def read(self) -> Extracted:
        """Read it.

        Raises:
            Failure: Nothing of it may be used.
            StateError: The run's columns cannot be recorded.
        """
        host, planned, how = self._host, self._planned, self._how
        async with self._tools.leases.lease(
            planned.connection,
            priority=host.priority,
            holder=f"run {host.plan.run}, {planned.name}",
            expected_s=configured_s(host.plan.job, self._tools),
            waited=self._spending.waited,
            at_once=how.at_once,
        ) as session:
            self._spending.connected()
            asked = identity_query_of(host.plan.job, planned.connection)
            await self.meeting.meet(session, asked, how.limit.seconds)
            if not host.plan.columns:
                # Nobody answered when the run began; without columns every part would be empty.
                await host.fix(await session.describe(query_tasks(host.plan, planned)))
            task = extract_task(
                host.plan,
                planned,
                tools=self._tools,
                limit=how.limit,
                attempt=how.number,
                batch_bytes=how.batch_bytes,
            )
            self.sent.set()
            return await session.extract(task, self._progress)

    def _progress(self, progress: Progress) -> None:
        self.tell(progress)

    async def discard(self, extracted: Extracted) -> None:
        """Remove parts that are not to be used: what another reading brought is."""
        folder = self._tools.parts_folder / self._host.plan.run
        for receipt in extracted.receipts:
            await asyncio.to_thread((folder / receipt.path).unlink, missing_ok=True)
