"""What a surface may ask before it starts a run; nothing here records or publishes anything."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from etltui.config.schema import Config
from etltui.domain.errors import ErrorClass, Failure, Trouble, misused
from etltui.domain.inquiry import DryRun, Estimate, Explained, Room, ServerChecked, Tested
from etltui.domain.job import Connection, Job
from etltui.domain.lending import Pools
from etltui.domain.run import RunResult
from etltui.engine import hours
from etltui.engine.answers import AT_ONCE
from etltui.engine.dry_run import dry_run
from etltui.engine.estimate import Known, estimated, needs, sentence, target_sizes
from etltui.engine.explain import explained
from etltui.engine.past import past_of
from etltui.engine.prepare import Preparer
from etltui.engine.server_check import servers_checked
from etltui.engine.starts import Starts
from etltui.engine.tools import Tools
from etltui.engine.trips import chosen, question_of, tested

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
        room = asyncio.Semaphore(AT_ONCE)

        async def one(connection: Connection) -> Tested:
            async with room:
                tools = self._tools
                asked = question_of(self._config.jobs.values(), connection)
                found = await tested(tools.leases, connection, limit_s, tools.clock, (), asked)
                return self._met(found)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each), name=f"test {each.name}") for each in asked]
        return tuple(task.result() for task in tasks)

    def _met(self, found: Tested) -> Tested:
        """The answer, with what is odd about who gave it."""
        if found.server is None:
            return found
        identities, now = self._tools.identities, self._tools.clock.now().timestamp()
        try:
            identities.met(found.connection, found.server, now)
            if found.code is not None:
                identities.told(found.connection, found.code, now)
        except Failure as failure:
            return replace(found, trouble=Trouble.of(failure))
        odd = identities.odd(found.connection, found.server, lambda _: True, found.code)
        return replace(found, odd=odd)

    async def dry_run(self, job: str, connection: str) -> DryRun:
        """Run a job's queries at one connection, in the job's way, into no target.

        What goes wrong there is the answer's trouble. Where no part of the job's own shows its
        rows, a CSV part is written beside them for the first rows.

        Raises:
            ConfigError: There is no such job, it does not read this one connection, or a query
                does more than read.
            StateError: The state folder cannot be used.
        """
        found = self._starts.job(job)
        return await dry_run(
            self._tools,
            found,
            await self._one(found, connection),
            now=self._preparer.now(),
            days=self._preparer.days(found),
            priority=self._starts.priority(found),
        )

    async def explain(self, job: str, connection: str) -> Explained:
        """How one connection would answer a job's queries, as its database says; runs none.

        What goes wrong there is the answer's trouble.

        Raises:
            ConfigError: There is no such job, it does not read this one connection, or a query
                does more than read.
        """
        found = self._starts.job(job)
        limit_s = self._config.settings.request_timeout_s
        return await explained(
            self._tools.leases,
            found,
            await self._one(found, connection),
            days=self._preparer.days(found),
            limit_s=limit_s,
        )

    async def _one(self, job: Job, connection: str) -> Connection:
        meant = self._starts.connections(job, (connection,))
        if len(meant) != 1:
            problem = f"{connection!r} means {len(meant)} connections"
            raise misused("CONNECTION", problem, "One is asked: give its name")
        await self._starts.guard(job, meant)
        return meant[0]

    async def server_check(self, connections: Sequence[str] = ()) -> tuple[ServerChecked, ...]:
        """How loaded the servers of connections are, each server asked once.

        Args:
            connections: Names, globs, `tag:NAME`; none for all that are there today.

        Raises:
            ConfigError: One of them means no connection, or there is none.
        """
        asked = chosen(self._config, connections, self._preparer.now().date())
        limit_s = self._config.settings.request_timeout_s
        return await servers_checked(self._tools.leases, asked, limit_s)

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
        store = self._tools.store
        rows = await store.runs(job=name, limit=_LOOKED_AT)
        results = [row.result for row in rows if row.result is not None]
        return Known(
            job=job,
            connections=connections,
            targets=self._preparer.targets(job, "run", self._preparer.now()),
            past=await past_of(store, name),
            last=next((result for result in results if result.outputs), None),
            lanes=min(job.max_parallel, self._config.settings.max_connections),
            unread=dict(self._unread(job, connections)),
            refused=await self._refused([each.name for each in connections], results),
            pools=self._pools.get_metrics(),
            pool_info=self._pools.get_info(),
        )

    def _unread(self, job: Job, connections: Sequence[Connection]) -> Iterator[tuple[str, str]]:
        """What a run that began now would leave unread, and why."""
        tools = self._tools
        for each in connections:
            if hold := tools.holds.of(each.name, tools.clock):
                yield each.name, f"is held and will not be read: {hold.reason} ({hold.who})"
            elif job.outside_hours == "skip" and hours.opens(each, tools.clock, tools.timezone):
                why = hours.trouble(each, tools.timezone).message
                yield each.name, f"is outside its hours and will not be read: {why}"

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
