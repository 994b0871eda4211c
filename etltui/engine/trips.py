"""Asks databases for an answer, over sessions that are lent: who is there, and how soon."""

from collections.abc import Awaitable, Iterable, Sequence
from datetime import date, datetime

from etltui.config.schema import Config
from etltui.config.select import matches, select, suggestion
from etltui.domain.days import Days
from etltui.domain.errors import ConfigError, Failure, Mistake, Trouble
from etltui.domain.identity import Code, identity_query_of, skewed, unexpected
from etltui.domain.inquiry import Stage, Step, Tested
from etltui.domain.job import Connection, Job
from etltui.domain.lending import Leases, Session
from etltui.domain.plan import plan_connection
from etltui.domain.ports import Clock
from etltui.domain.server import ServerFacts
from etltui.domain.task import QueryTask
from etltui.engine.answers import answer
from etltui.engine.meeting import code_of
from etltui.engine.stages import not_opened, on_the_way, opened

_TRIPS = 3
"""The quickest of so many: what else this machine does should not count."""


def chosen(config: Config, selectors: Sequence[str], day: date) -> tuple[Connection, ...]:
    """The connections to ask, each once; without a selector those that are there on the day.

    Raises:
        ConfigError: There is none, or a selector matches none.
    """
    there = config.connections
    if not selectors:
        found = tuple(each for each in there if each.exists(day))
        if not found:
            problem = "there is no connection to test"
            raise ConfigError([Mistake(where=str(config.path), key="connections", problem=problem)])
        return found
    groups = matches(there, selectors)
    mistakes = [
        Mistake(
            where="command line",
            key="CONNECTION",
            problem=f'"{selector}" matches no connection',
            way_out=suggestion(there, selector),
        )
        for selector, group in groups
        if not group
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return tuple({each.name: each for _, group in groups for each in group}.values())


def queries_of(
    config: Config, jobs: Sequence[Job], connection: Connection, now: datetime
) -> tuple[QueryTask, ...]:
    """What a connection would be asked by these jobs, of those that read it; each query once.

    Args:
        config: Says which connections a job reads.
        jobs: Whose queries.
        connection: Who is asked.
        now: The moment, in the settings' zone: queries may bind its business day.
    """
    found: dict[str, QueryTask] = {}
    zone = config.settings.timezone
    for job in jobs:
        if not any(select((connection,), job.connections, (), now.date())):
            continue
        for query in plan_connection(1, connection, job, Days.of(job, now, zone)).queries:
            task = QueryTask(name=f"{job.name}, {query.name}", sql=query.sql, params=query.params)
            found.setdefault(repr((query.sql, sorted(query.params.items()))), task)
    return tuple(found.values())


def question_of(jobs: Iterable[Job], connection: Connection) -> str:
    """What a connection is asked of itself; its own question, else that of the first job with one.

    Args:
        jobs: Those that count, of which it may be read by some.
        connection: Who is asked.
    """
    asked = (
        identity_query_of(job, connection)
        for job in jobs
        if any(select((connection,), job.connections))
    )
    return next(filter(None, asked), connection.identity_query or "")


class _Trips:
    """One database that is asked, stage by stage.

    Args:
        lending: Gives the session.
        connection: Whom to ask.
        limit_s: How long one answer may take.
        clock: Tells what each takes.
    """

    def __init__(
        self, lending: Leases, connection: Connection, limit_s: float, clock: Clock
    ) -> None:
        self.steps: tuple[Step, ...] = ()
        self.server: ServerFacts | None = None
        self.milliseconds = 0.0
        self.code: Code | None = None
        self._lending = lending
        self._connection = connection
        self._limit_s = limit_s
        self._clock = clock
        self._waited = 0.0

    async def ask(self, queries: Sequence[QueryTask], identity_query: str) -> None:
        """Ask, in its turn.

        Args:
            queries: To parse.
            identity_query: To run; empty for none.

        Raises:
            Failure: What went wrong; `steps` say where.
        """
        local = not self._connection.host
        try:
            self.steps = on_the_way(await self._lending.reach(self._connection))
            begun = self._clock.monotonic()
            lease = self._lending.lease(self._connection, holder="test", waited=self._wait)
            async with lease as session:
                took = max(0.0, self._clock.monotonic() - begun - self._waited)
                self.server = session.facts
                self.steps += opened(session.facts, took, local=local)
                await self._answer(session)
                await self._identify(session, identity_query)
                await self._describe(session, queries)
        except Failure as failure:
            if self.server is None:
                self.steps = not_opened(failure, self.steps, local=local)
            raise

    def _wait(self, seconds: float) -> None:
        self._waited += seconds

    async def _answer(self, session: Session) -> None:
        try:
            trips = [await self._timed(session.ping()) for _ in range(_TRIPS)]
        except Failure:
            self.steps += (Step(stage=Stage.ANSWER, passed=False),)
            raise
        self.milliseconds = 1000 * min(trips)
        self.steps += (Step(stage=Stage.ANSWER, milliseconds=self.milliseconds),)

    async def _identify(self, session: Session, asked: str) -> None:
        if not asked:
            return
        try:
            self.code = await code_of(
                session, asked, self._connection, self._limit_s, "request_timeout_s"
            )
        except Failure:
            self.steps += (Step(stage=Stage.QUERY, passed=False),)
            raise

    async def _describe(self, session: Session, queries: Sequence[QueryTask]) -> None:
        took = 0.0
        for query in queries:
            try:
                took += await self._timed(session.describe((query,)))
            except Failure as failure:
                self.steps += (Step(stage=Stage.QUERY, passed=False),)
                text = f"{query.name}: {failure.message}"
                raise Failure(failure.error_class, text, failure.facts) from failure
        if queries:
            self.steps += (Step(stage=Stage.QUERY, milliseconds=1000 * took),)

    async def _timed(self, asked: Awaitable[object]) -> float:
        """Seconds from asking to the answer."""
        begun = self._clock.monotonic()
        await answer(asked, self._limit_s)
        return self._clock.monotonic() - begun


async def tested(
    lending: Leases,
    connection: Connection,
    limit_s: float,
    clock: Clock,
    queries: Sequence[QueryTask],
    identity_query: str,
) -> Tested:
    """Ask one database, in its turn; what goes wrong is said, not raised.

    Whether it is the one that is known is for whoever knows; that it is the one that is configured
    is seen here.

    Args:
        lending: Gives the session.
        connection: Whom to ask.
        limit_s: How long one answer may take.
        clock: Tells what each takes.
        queries: What it is asked to parse besides; none of them is run.
        identity_query: What it is asked of itself, which is run; empty for nothing.
    """
    trips = _Trips(lending, connection, limit_s, clock)
    trouble = None
    try:
        await trips.ask(queries, identity_query)
    except Failure as failure:
        trouble = Trouble.of(failure)
    odd = [skewed(trips.server) if trips.server else "", unexpected(connection.name, trips.code)]
    return Tested(
        connection=connection.name,
        milliseconds=trips.milliseconds,
        trouble=trouble,
        contact=connection.contact,
        steps=trips.steps,
        server=trips.server,
        odd=tuple(filter(None, odd)),
        queries=0 if trouble else len(queries),
        code=trips.code,
    )
