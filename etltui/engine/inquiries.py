"""What a surface may ask before it starts a run; nothing here records or publishes anything."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from etltui.config.schema import Config
from etltui.domain.errors import ErrorClass, Failure, misused
from etltui.domain.inquiry import DryRun, Estimate, Explained, Room, Tested
from etltui.domain.job import Connection, Job
from etltui.domain.ports import Pools
from etltui.domain.run import RunResult
from etltui.engine.dry_run import dry_run
from etltui.engine.estimate import Known, estimated, needs, sentence, target_sizes
from etltui.engine.explain import explained
from etltui.engine.past import past_of
from etltui.engine.prepare import Preparer
from etltui.engine.starts import Starts
from etltui.engine.tools import Tools
from etltui.engine.trips import chosen, tested

_AT_ONCE = 16
"""Databases asked together, so that runs at work keep getting sessions."""
_LOOKED_AT = 20


class Inquiries:
    """Answers questions about connections and jobs.

    Args:
        tools: Of the engine.
        starts: Knows jobs and their connections, as they are configured now.
        preparer: Knows targets and the day.
        pools: Say what they do not lend.
        worked: Whether a run has ended in this engine.
    """

    def __init__(
        self,
        tools: Tools,
        starts: Starts,
        *,
        preparer: Preparer,
        pools: Pools,
        worked: Callable[[], bool],
    ) -> None:
        self._tools = tools
        self._worked = worked
        self._starts = starts
        self._preparer = preparer
        self._pools = pools

    @property
    def _config(self) -> Config:
        return self._starts.config

    async def test(self, connections: Sequence[str] = ()) -> tuple[Tested, ...]:
        """Ask databases for an answer, over sessions of the engine's pools; reads no rows.

        Args:
            connections: Names, globs, `tag:NAME`; none for all that are there today.

        Raises:
            ConfigError: One of them means no connection, or there is none.
        """
        asked = chosen(self._config, connections, self._preparer.now().date())
        limit_s = self._config.settings.request_timeout_s
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(connection: Connection) -> Tested:
            async with room:
                return await tested(self._tools.leases, connection, limit_s, self._tools.clock)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each), name=f"test {each.name}") for each in asked]
        return tuple(task.result() for task in tasks)

    async def dry_run(self, job: str, connection: str) -> DryRun:
        """Run a job's queries at one connection, in the job's way, into no target.

        What goes wrong there is the answer's trouble. Where no part of the job's own shows its
        rows, a CSV part is written beside them for the first rows.

        Raises:
            ConfigError: There is no such job, or it does not read this one connection.
            StateError: The state folder cannot be used.
        """
        found = self._starts.job(job)
        return await dry_run(
            self._tools,
            found,
            self._one(found, connection),
            now=self._preparer.now(),
            priority=self._starts.priority(found),
        )

    async def explain(self, job: str, connection: str) -> Explained:
        """How one connection would answer a job's queries, as its database says; runs none.

        What goes wrong there is the answer's trouble.

        Raises:
            ConfigError: There is no such job, or it does not read this one connection.
        """
        found = self._starts.job(job)
        limit_s = self._config.settings.request_timeout_s
        return await explained(self._tools.leases, found, self._one(found, connection), limit_s)

    def _one(self, job: Job, connection: str) -> Connection:
        meant = self._starts.connections(job, (connection,))
        if len(meant) != 1:
            problem = f"{connection!r} means {len(meant)} connections"
            raise misused("CONNECTION", problem, "One is asked: give its name")
        return meant[0]

    async def estimate(self, job: str, only: Sequence[str] = ()) -> Estimate:
        """What a run of the job is likely to take.

        Raises:
            ConfigError: There is no such job, or `only` names none of its connections.
            StateError: What is recorded cannot be read.
        """
        known = await self._known(job, only)
        targets = target_sizes(known)
        disks, unseen = await self._disks(needs(targets, self._tools.parts_folder))
        made = estimated(
            known,
            targets,
            disks,
            memory=self._memory(),
            threshold=self._tools.memory.threshold,
        )
        return replace(made, warnings=(*unseen, *made.warnings))

    def _memory(self) -> tuple[int, str]:
        """Bytes that a run may come to weigh, and where that number is from."""
        if self._worked():
            return self._tools.memory.peak, "the most that this engine weighed since it started"
        return self._tools.extractor_bytes, "what the extractors together may come to weigh"

    async def _disks(self, wanted: Mapping[Path, int]) -> tuple[tuple[Room, ...], tuple[str, ...]]:
        """What is free and needed, or why that cannot be told."""
        try:
            return await asyncio.to_thread(self._tools.space.rooms, wanted), ()
        except Failure as failure:
            return (), (sentence(str(failure)),)

    async def _known(self, name: str, only: Sequence[str]) -> Known:
        job = self._starts.job(name)
        connections = self._starts.connections(job, only)
        store, holds = self._tools.store, self._tools.holds
        rows = await store.runs(job=name, limit=_LOOKED_AT)
        results = [row.result for row in rows if row.result is not None]
        held = {each.name: holds.of(each.name, self._tools.clock) for each in connections}
        return Known(
            job=job,
            connections=connections,
            targets=self._preparer.targets(job, "run", self._preparer.now()),
            past=await past_of(store, name),
            last=next((result for result in results if result.outputs), None),
            lanes=min(job.max_parallel, self._config.settings.max_connections),
            held={each: f"{hold.reason} ({hold.who})" for each, hold in held.items() if hold},
            refused=await self._refused([each.name for each in connections], results),
            pools=self._pools.get_metrics(),
            pool_info=self._pools.get_info(),
        )

    async def _refused(self, names: Sequence[str], results: Sequence[RunResult]) -> list[str]:
        """Those of the names whose login the newest run that ended was refused."""
        if not results:
            return []
        ended = {
            row.connection: row.result.trouble.error_class
            for row in await self._tools.store.connections(results[0].run)
            if row.result is not None and row.result.trouble is not None
        }
        return [name for name in names if ended.get(name) is ErrorClass.LOGIN]
