"""Takes one run connection through its tries: lease, extract, checkpoint, news."""

import logging
import random
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from etltui.domain import retry
from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure, StateError, Trouble
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionProgress,
    ConnectionSkipped,
    ConnectionStarted,
    Moment,
)
from etltui.domain.job import Destination, Job, RetryPolicy
from etltui.domain.logbook import Hold
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.pools import StatementRun
from etltui.domain.ports import Session
from etltui.domain.run import ConnectionResult, ConnectionStatus, Step
from etltui.domain.task import Extracted, ExtractTask, Progress
from etltui.domain.words import words
from etltui.engine.admission import Place
from etltui.engine.log import about
from etltui.engine.spending import Spending
from etltui.engine.tasks import extract_task, query_tasks
from etltui.engine.tools import Tools, to_the_end

_WRITTEN = {"excel": "Excel", "csv": "CSV"}
_log = logging.getLogger(__name__)


class Host(Protocol):
    """The run that a connection belongs to."""

    plan: Plan
    attempt: int
    retry: RetryPolicy
    priority: int

    def admitted(self, connection: str) -> AbstractAsyncContextManager[Place | None]:
        """Room for one more try in the block; None where none may start any more.

        A gate that is closed stops the run.
        """
        ...

    async def record(self, result: ConnectionResult, extracted: Extracted | None) -> None:
        """Make the end of a connection durable, then known."""
        ...

    async def fix(self, columns: tuple[tuple[Column, ...], ...]) -> None:
        """Fix the run's columns, unless they are fixed meanwhile."""
        ...

    def stop(self, failure: Failure) -> None:
        """Let nothing more start."""
        ...

    def moment(self) -> Moment:
        """Time, run and job of an event that happens now."""
        ...


class RunConnection:
    """One connection inside a run."""

    def __init__(self, tools: Tools, host: Host, planned: PlanConnection) -> None:
        self._tools = tools
        self._host = host
        self._planned = planned
        self._name = planned.name
        self._tries = 0
        self._batch_bytes = 0
        self._spending = Spending(tools.clock)

    @property
    def _job(self) -> Job:
        return self._host.plan.job

    async def attempt(self) -> float | None:
        """Try once; seconds to wait before the next try, None when there is none."""
        with about(connection=self._name):
            async with self._host.admitted(self._name) as place:
                return None if place is None else await self._begin(place)

    async def _begin(self, place: Place) -> float | None:
        if hold := self._tools.holds.of(self._name, self._tools.clock):
            return await self._recorded(self._skip(hold))
        self._tries += 1
        self._batch_bytes = place.batch_bytes
        _log.info("Executing connection: %s", self._name)
        self._tools.bus.publish(
            ConnectionStarted(
                **self._host.moment(),
                connection=self._name,
                tries=self._tries,
            ),
        )
        self._step(Step.CONNECTING)
        return await self._recorded(self._try())

    async def _recorded(self, work: Coroutine[Any, Any, float | None]) -> float | None:
        """Do the work, and stop the run where its end cannot be recorded."""
        try:
            return await work
        except StateError as error:
            # What cannot be recorded is not done; its parts are orphans.
            self._host.stop(Failure(ErrorClass.DISK, f"cannot record: {error}"))
            return None

    async def _skip(self, hold: Hold) -> None:
        """Leave the connection unread."""
        zone = self._host.plan.started.tzinfo
        since = datetime.fromtimestamp(hold.since, zone)
        trouble = hold.trouble(f"{since:%Y-%m-%d %H:%M}")
        result = ConnectionResult(
            connection=self._name,
            status=ConnectionStatus.SKIPPED,
            trouble=trouble,
            tries=self._tries,
        )
        await to_the_end(self._host.record(result, None))
        _log.warning("Connection skipped: %s: held: %s", self._name, trouble.message)
        self._tools.bus.publish(
            ConnectionSkipped(
                **self._host.moment(),
                connection=self._name,
                trouble=trouble,
                tries=self._tries,
            ),
        )

    async def _try(self) -> float | None:
        try:
            extracted = await self._extract()
        except Failure as failure:
            return await self._failed(failure, self._spending.broken_off())
        seconds = self._spending.completed(extracted.seconds)
        await to_the_end(self._completed(extracted, seconds))
        return None

    async def _extract(self) -> Extracted:
        self._spending = Spending(self._tools.clock)
        plan = self._host.plan
        async with self._tools.leases.lease(
            self._planned.connection,
            priority=self._host.priority,
            holder=f"run {plan.run}, {self._name}",
            expected_s=plan.job.query_timeout_s or self._tools.query_timeout_s,
            waited=self._spending.waited,
        ) as session:
            self._spending.connected()
            return await self._move(session)

    async def _move(self, session: Session) -> Extracted:
        if not self._host.plan.columns:
            # Nobody answered when the run began; without columns every part would be empty.
            await self._host.fix(
                await session.describe(query_tasks(self._host.plan, self._planned))
            )
        task: ExtractTask = extract_task(
            self._host.plan,
            self._planned,
            tools=self._tools,
            # Never the same twice, over attempts of the run and tries within one.
            attempt=self._host.attempt * 1000 + self._tries,
            batch_bytes=self._batch_bytes,
        )
        return await session.extract(task, self._progress)

    def _progress(self, progress: Progress) -> None:
        self._spending.moved(progress.rows)
        self._step(progress.step, rows=progress.rows, size=progress.bytes)

    def _step(self, step: str, rows: int = 0, size: int = 0) -> None:
        self._tools.bus.publish(
            ConnectionProgress(
                **self._host.moment(),
                connection=self._name,
                step=step,
                rows=rows,
                bytes=size,
            ),
        )

    async def _completed(self, extracted: Extracted, seconds: Mapping[str, float]) -> None:
        result = ConnectionResult(
            connection=self._name,
            status=ConnectionStatus.COMPLETED,
            rows=extracted.rows,
            seconds=seconds,
            tries=self._tries,
            notes=extracted.notes,
            bytes=extracted.bytes,
        )
        await self._host.record(result, extracted)
        self._tools.leases.ran(self._planned.connection, self._ran(extracted))
        for destination in self._job.destinations:
            _log.info(
                "Progressive %s write: %s (%d rows) appended",
                _WRITTEN.get(destination.type, destination.type),
                self._name,
                extracted.rows,
            )
        _log.info("Memory cleaned for %s", self._name)
        self._tools.bus.publish(
            ConnectionCompleted(**self._host.moment(), connection=self._name, result=result),
        )

    def _ran(self, extracted: Extracted) -> list[StatementRun]:
        sql = {query.name: query.sql for query in self._planned.queries}
        return [
            StatementRun(sql=sql[cost.name], rows=cost.rows, seconds=cost.seconds)
            for cost in extracted.costs
        ]

    def _refusing(self, failure: Failure) -> tuple[Destination, ...]:
        """The destination that the failure is of; all, where a disk does not say."""
        number = failure.facts.get("destination")
        if number is not None:
            return (self._job.destinations[int(number)],)
        return self._job.destinations if failure.error_class is ErrorClass.DISK else ()

    async def _failed(self, failure: Failure, seconds: Mapping[str, float]) -> float | None:
        """Decide what follows a failure and say it."""
        for destination in self._refusing(failure):
            _log.error(
                "Failed to write %s progressively for %s: %s",
                _WRITTEN.get(destination.type, destination.type),
                self._name,
                failure,
            )
        if failure.advice.stops_run:
            self._host.stop(failure)
            return None
        decision = retry.decide(
            failure,
            tries=self._tries,
            policy=self._host.retry,
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
        )
        trouble = Trouble.of(failure)
        if not decision.again:
            result = ConnectionResult(
                connection=self._name,
                status=ConnectionStatus.FAILED,
                trouble=trouble,
                tries=self._tries,
                seconds=seconds,
            )
            await to_the_end(self._host.record(result, None))
        kind = words(failure.error_class)
        _log.warning("Connection failed: %s: %s: %s", self._name, kind, failure)
        self._tools.bus.publish(
            ConnectionFailed(
                **self._host.moment(),
                connection=self._name,
                trouble=trouble,
                will_retry=decision.again,
                tries=self._tries,
                wait_s=decision.wait_s,
                seconds=seconds,
            ),
        )
        return decision.wait_s if decision.again else None
