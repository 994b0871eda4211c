"""Takes one run connection through its tries: lease, extract, checkpoint, news."""

import logging
import math
import random
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from etltui.domain import drift, retry
from etltui.domain.columns import Column
from etltui.domain.cut_off import CutOff
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
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.pools import StatementRun
from etltui.domain.run import ConnectionResult, ConnectionStatus, Hedged, Step
from etltui.domain.task import Extracted, Progress
from etltui.domain.usual import Past
from etltui.domain.verdict import Judged
from etltui.domain.words import words
from etltui.engine import hours
from etltui.engine.admission import Place
from etltui.engine.hedge import Race, hedge_after_s
from etltui.engine.judging import judged
from etltui.engine.limits import QueryLimit, explained, query_limit
from etltui.engine.log import about
from etltui.engine.passage import Passage
from etltui.engine.reading import How, Reading
from etltui.engine.spending import Spending
from etltui.engine.tasks import configured_s
from etltui.engine.tools import Tools, to_the_end

_HEDGE = 1_000_000_000
_WRITTEN = {"excel": "Excel", "csv": "CSV"}
_log = logging.getLogger(__name__)


class Host(Protocol):
    """The run that a connection belongs to."""

    plan: Plan
    attempt: int
    retry: RetryPolicy
    priority: int
    past: Past
    """What the job's last runs were."""
    due: float
    """Unix time in seconds by which it has to be done; 0: whenever."""
    closes: CutOff
    """When nothing may begin in it any more."""

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
        self._tries = 0
        self._passage = Passage(tools, planned.connection)
        self._met: Failure | None = None
        self._limit = QueryLimit(seconds=0.0)
        self._batch_bytes = 0
        self._spending = Spending(tools.clock)
        self._meeting = self._reading().meeting
        self._hedged: Hedged = ""

    @property
    def _name(self) -> str:
        return self._planned.name

    @property
    def _job(self) -> Job:
        return self._host.plan.job

    @property
    def shut(self) -> bool:
        """Whether its line is down and somebody else tries it."""
        return self._passage.shut

    async def passage(self) -> None:
        """Wait until its line is up, or it is to try it; as long as all its tries would take.

        Where the run closes before, until then.
        """
        closes = self._host.closes.at
        await self._passage.wait(
            retry.patience_s(self._host.retry, self._tools.connect_timeout_s),
            closes - self._tools.now() if closes else math.inf,
        )

    async def scout(self) -> None:
        """Find out whether its server takes connections, before it takes a lane of the run."""
        self._passage.forget()
        held = self._tools.holds.of(self._name, self._tools.clock)
        if not (held or self.shut or self._closed_until()):
            await self._passage.scout()

    async def attempt(self) -> float | None:
        """Try once; seconds to wait before the next try, None when there is none."""
        with about(connection=self._name):
            async with self._host.admitted(self._name) as place:
                return None if place is None else await self._begin(place)

    async def _begin(self, place: Place) -> float | None:
        if hold := self._tools.holds.of(self._name, self._tools.clock):
            since = datetime.fromtimestamp(hold.since, self._host.plan.started.tzinfo)
            return await self._recorded(self._skip(hold.trouble(f"{since:%Y-%m-%d %H:%M}")))
        if self._host.closes.behind(self._tools.now()):
            last = self._met or self._passage.met
            closed = self._host.closes.given_up(last)
            return await self._recorded(self._told(closed, {}, retry.Decision(again=False)))
        if begin := self._closed_until():
            return await self._outside(begin)
        if (given_up := self._passage.given_up) is not None:
            return await self._recorded(self._failed(given_up, {}))
        if self.shut:
            return 0.0
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

    def _closed_until(self) -> float:
        return hours.opens(self._planned.connection, self._tools.clock, self._tools.timezone)

    async def _outside(self, begin: float) -> float | None:
        """Seconds to wait for the connection's hours, where the job waits; else it is left."""
        trouble = hours.trouble(self._planned.connection, self._tools.timezone)
        in_time = not self._host.due or begin < self._host.due
        in_time = in_time and not self._host.closes.behind(begin)
        if self._job.outside_hours == "wait" and in_time:
            _log.info("Waiting for the hours of %s: %s", self._name, trouble.message)
            return begin - self._tools.now()
        return await self._recorded(self._skip(trouble))

    async def _skip(self, trouble: Trouble) -> None:
        """Leave the connection unread."""
        result = ConnectionResult(
            connection=self._name,
            status=ConnectionStatus.SKIPPED,
            trouble=trouble,
            tries=self._tries,
        )
        await to_the_end(self._host.record(result, None))
        kind = words(trouble.error_class)
        _log.warning("Connection skipped: %s: %s: %s", self._name, kind, trouble.message)
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
            thought = judged(
                self._host.plan,
                self._planned,
                extracted.rows,
                self._host.past.usual.get(self._name),
            )
        except Failure as failure:
            if self._meeting.server is not None:  # else it was no query that took too long
                failure = explained(failure, self._limit, configured_s(self._job, self._tools))
            return await self._failed(failure, self._spending.broken_off())
        seconds = self._spending.completed(extracted.seconds)
        await to_the_end(self._completed(extracted, seconds, thought))
        return None

    async def _extract(self) -> Extracted:
        self._spending = Spending(self._tools.clock)
        self._limit = self._query_limit()
        reading = self._reading()
        self._meeting, self._hedged = reading.meeting, ""
        self._passage.check()
        after_s = hedge_after_s(self._job, self._planned.connection)
        if not after_s:
            return await reading.read()
        race = Race(reading, partial(self._reading, hedge=True), after_s, self._tools.clock)
        try:
            return await race.run()
        finally:
            self._meeting, self._hedged = race.kept.meeting, race.hedged

    def _reading(self, *, hedge: bool = False) -> Reading:
        """A reading of the connection.

        Args:
            hedge: Whether it is the second in this try: all time is told by the first.
        """
        # Never the same twice, over attempts of the run, tries within one and a try's second one.
        number = self._host.attempt * 1000 + self._tries + (_HEDGE if hedge else 0)
        return Reading(
            self._tools,
            self._host,
            self._planned,
            how=How(number=number, limit=self._limit, batch_bytes=self._batch_bytes, at_once=hedge),
            spending=Spending(self._tools.clock) if hedge else self._spending,
            tell=self._progress,
        )

    def _query_limit(self) -> QueryLimit:
        # Where the limit is learned the last of several tries gets all there is.
        last = self._tries > 1 and self._tries - self._passage.forgiven > self._host.retry.retries
        return query_limit(
            configured_s(self._job, self._tools),
            self._host.past.usual.get(self._name),
            learn=self._tools.query_timeout_learned and not last,
        )

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

    async def _completed(
        self, extracted: Extracted, seconds: Mapping[str, float], thought: Judged
    ) -> None:
        result = ConnectionResult(
            connection=self._name,
            status=ConnectionStatus.COMPLETED,
            rows=extracted.rows,
            seconds=seconds,
            tries=self._tries,
            notes=extracted.notes,
            bytes=extracted.bytes,
            columns=drift.own(self._host.plan.columns, extracted.columns),
            controls=extracted.controls,
            provisional=extracted.provisional,
            server=self._meeting.server,
            odd=self._meeting.odd,
            judged=thought,
            limit=self._limit.learned,
            hedged=self._hedged,
        )
        await self._host.record(result, extracted)
        self._tools.leases.ran(self._planned.connection, _ran(self._planned, extracted))
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

    def _refusing(self, failure: Failure) -> tuple[Destination, ...]:
        """The destination that the failure is of; all, where a disk does not say."""
        number = failure.facts.get("destination")
        if number is not None:
            return (self._job.destinations[int(number)],)
        return self._job.destinations if failure.error_class is ErrorClass.DISK else ()

    def _decided(self, failure: Failure) -> retry.Decision:
        """Whether another try follows; one at a line that is down costs none."""
        if self._passage.given_up is not None:
            return retry.Decision(again=False)
        if failure.transient and self.shut:
            self._passage.forgiven += 1
            return retry.Decision(again=True)
        self._passage.passed()
        return retry.decide(
            failure,
            tries=self._tries - self._passage.forgiven,
            policy=self._host.retry,
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
        )

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
        decision = self._decided(failure)
        if decision.again and self._host.closes.behind(self._tools.now() + decision.wait_s):
            decision, failure = retry.Decision(again=False), self._host.closes.given_up(failure)
        self._met = failure
        return await self._told(failure, seconds, decision)

    async def _told(
        self, failure: Failure, seconds: Mapping[str, float], decision: retry.Decision
    ) -> float | None:
        """Record the last failure, and say any."""
        trouble = Trouble.of(failure)
        if not decision.again:
            result = ConnectionResult(
                connection=self._name,
                status=ConnectionStatus.FAILED,
                trouble=trouble,
                tries=self._tries,
                seconds=seconds,
                server=self._meeting.server,
                odd=self._meeting.odd,
                hedged=self._hedged,
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


def _ran(planned: PlanConnection, extracted: Extracted) -> list[StatementRun]:
    sql = {query.name: query.sql for query in planned.queries}
    return [
        StatementRun(sql=sql[cost.name], rows=cost.rows, seconds=cost.seconds)
        for cost in extracted.costs
    ]
