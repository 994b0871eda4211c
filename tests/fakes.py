"""Stand-ins for everything outside the engine, each keeping its port's promises in memory.

They write down what happens in one `Record`, so that a test can ask for the order of data, mark
and news. A failure is scripted by putting it in the place of an answer.
"""

import asyncio
import math
import zlib
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure, StateError
from etltui.domain.part import Member, Published, Receipt, part_name
from etltui.domain.pools import PoolMetrics
from etltui.domain.read_back import TargetRead
from etltui.domain.run import Step
from etltui.domain.server import ServerFacts
from etltui.domain.task import Extracted, Progress, QueryCost
from etltui.engine.bus import Bus
from etltui.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 21, 23, 5, tzinfo=UTC)
COLUMNS = ((Column(name="id", type="int"), Column(name="name", type="text")),)


class Crash(BaseException):
    """The power goes: nothing that is not durable by now will ever be."""


class Record(list):
    """What happened, in order, as tuples of words."""

    def add(self, *words):
        self.append(words)

    def of(self, *kinds):
        """Only the entries of these kinds."""
        return [entry for entry in self if entry[0] in kinds]


class TurnedClock:
    """Time that stands still until a test turns it; implements `domain.ports.Clock`."""

    def __init__(self, now=NOW):
        self._start = now
        self._elapsed = 0.0
        self._sleepers = {}
        self._changed = asyncio.Event()
        self.slept = []

    def now(self):
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self):
        return self._elapsed

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self.slept.append(seconds)
        self._sleepers[woken] = self._elapsed + seconds
        self._changed.set()
        try:
            await woken
        finally:
            self._sleepers.pop(woken, None)

    def turn(self, seconds):
        """Let time pass; whoever slept long enough wakes."""
        self._elapsed += seconds
        for woken, until in list(self._sleepers.items()):
            if until <= self._elapsed and not woken.done():
                woken.set_result(None)

    @property
    def asleep(self):
        """How many sleep."""
        return sum(not woken.done() for woken in self._sleepers)

    async def until_asleep(self, count=1):
        """Wait until so many sleep."""
        while self.asleep < count:
            self._changed.clear()
            await self._changed.wait()

    async def turn_to_next(self):
        """Wait until somebody sleeps, and turn to the moment at which the first one wakes."""
        await self.until_asleep()
        self.turn(min(self._sleepers.values()) - self._elapsed)


class Held:
    """An answer that waits for the test; `reached` says that it is being waited for."""

    def __init__(self, then=None):
        self.then = then
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    def let_go(self):
        self._open.set()

    async def passed(self):
        self.reached.set()
        await self._open.wait()
        return self.then


class Script:
    """Answers in order; when they run out, the last one again, else a default."""

    def __init__(self, *answers):
        self._answers = list(answers)

    async def next(self, default=None):
        answer = default
        if self._answers:
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        while isinstance(answer, Held):
            answer = await answer.passed()
        if isinstance(answer, BaseException):
            raise answer
        return default if answer is None else answer


def failure(error_class=ErrorClass.UNREACHABLE, message="no route to the branch"):
    return Failure(error_class, message)


class FakeSession:
    """A session whose extract is scripted: rows, failures, answers that are held."""

    alive = True

    def __init__(self, leases, connection):
        self._leases = leases
        self._connection = connection
        self.facts = leases.facts.get(connection.name, ServerFacts())

    async def ping(self):
        """It answers."""

    async def describe(self, queries):
        self._leases.record.add("describe", self._connection.name)
        script = self._leases.describes.get(self._connection.name, Script())
        return await script.next(COLUMNS * len(queries))

    async def ask(self, query):
        self._leases.record.add("ask", self._connection.name, query.sql)
        return await self._leases.asks[self._connection.name].next("017")

    async def explain(self, queries):
        self._leases.record.add("explain", self._connection.name)
        self._leases.explained += queries
        script = self._leases.explains.get(self._connection.name, Script())
        return await script.next(("SCAN sales",) * len(queries))

    async def extract(self, task, progress):
        leases, name = self._leases, self._connection.name
        leases.tasks.append(task)
        leases.working += 1
        leases.most = max(leases.most, leases.working)
        try:
            progress(Progress(request=1, step=Step.QUERYING, rows=0, bytes=0))
            rows = await leases.extracts[name].next(2)
            progress(Progress(request=1, step=Step.PROCESSING, rows=rows, bytes=rows * 10))
            receipts = await asyncio.to_thread(_written, task, rows)
        except asyncio.CancelledError:
            leases.record.add("cancelled", name)
            raise
        finally:
            leases.working -= 1
        leases.record.add("data", name)
        costs = tuple(QueryCost(name=each.name, rows=rows, seconds=0.5) for each in task.queries)
        return Extracted(
            receipts=receipts,
            rows=rows,
            seconds={"query": leases.took},
            costs=costs,
            bytes=rows * leases.row_bytes,
        )

    async def close(self):
        """It is closed."""


def _written(task, rows):
    """A small part file for each writer and query that it takes, and its receipt."""
    receipts = []
    for writer in task.writers:
        for query in filter(writer.takes, range(len(task.queries))):
            name = part_name(number=task.number, query=query, segment=0, attempt=task.attempt)
            path = Path(writer.folder) / name
            payload = f"{task.connection}:{rows}".encode()
            path.write_bytes(payload)
            receipts.append(
                Receipt(
                    run=task.run,
                    destination=writer.destination,
                    variant=writer.variant,
                    connection=task.connection,
                    query=query,
                    segment=0,
                    attempt=task.attempt,
                    path=f"{path.parent.name}/{name}",
                    rows=rows if query == 0 else 0,
                    bytes=len(payload),
                    crc=zlib.crc32(payload),
                    raw_bytes=len(payload),
                    raw_crc=zlib.crc32(payload),
                    plan_hash=task.plan_hash,
                    connection_hash=task.connection_hash,
                ),
            )
    return tuple(receipts)


class FakeLeases:
    """Lends fake sessions; implements `domain.lending.Leases`.

    Attributes:
        breakers: The real ones, told of what opening a session did, as pools do.
        opens: From a connection's name to what opening a session does.
        reaches: From names to what reaching the server does.
        facts: … to what its database says of itself.
        describes: … to what it says of its columns.
        explains: … to what it says of its plans; `explained` are the queries that it was asked.
        asks: … to the one value that a question gives.
        extracts: … to what an extract does: rows, a failure to raise, or `Held`.
        statements: … to what it was told that ran there.
        waits: … to the seconds that a lease says it waited for its turn.
        row_bytes: What each row takes in memory; 0: nobody knows.
        most: The most extracts that ever were at work together.
        asked: How often somebody asked for a session.
        room: Whether a session is free for whoever does not wait.
        took: The seconds that a query says it took.
    """

    def __init__(self, record, breakers):
        self.record = record
        self.breakers = breakers
        self.opens = {}
        self.reaches = {}
        self.facts = {}
        self.describes = {}
        self.explains, self.explained = {}, []
        self.asks = defaultdict(Script)
        self.extracts = defaultdict(Script)
        self.tasks = []
        self.statements = defaultdict(list)
        self.waits = {}
        self.row_bytes = 0
        self.working = 0
        self.most = 0
        self.asked = 0
        self.room = True
        self.took = 0.5

    @asynccontextmanager
    async def lease(self, connection, *, waited=None, at_once=False, **_):
        self.asked += 1
        if at_once and not self.room:
            raise failure(ErrorClass.TIMEOUT, "no session is free at once")
        if waited is not None:
            waited(self.waits.get(connection.name, 0.0))
        try:
            await self.opens.get(connection.name, Script()).next()
        except Failure as failed:
            self.breakers.failed(connection, failed, begun=math.inf)
            raise
        self.breakers.answered(connection)
        yield FakeSession(self, connection)

    async def reach(self, connection):
        """It is near enough, unless a test says otherwise."""
        return await self.reaches.get(connection.name, Script()).next()

    def ran(self, connection, statements):
        self.statements[connection.name].extend(statements)

    def read(self):
        """Names of the connections whose rows were read, in order, and forget them."""
        names = [task.connection for task in self.tasks]
        self.tasks.clear()
        return names


class FakePools:
    """Pools of which nothing is lent; implements what the engine asks of `domain.lending.Pools`.

    Attributes:
        updated: The settings that they were given, in order.
    """

    def __init__(self):
        self.updated = []

    def get_metrics(self):
        return PoolMetrics(
            total_pools=0,
            active_pools=0,
            total_connections=0,
            places=0,
            max_connections=50,
            max_per_host=20,
            waiting=0,
            paused=False,
            acquires=0,
            served_by_open=0,
            leaked=0,
        )

    def get_info(self):
        return ()

    def update(self, settings):
        self.updated.append(settings)


class FakeGuard:
    """Refuses what a test says; implements `domain.ports.Guard`.

    Attributes:
        refused: From a text to why it may not run.
        asked: What was asked of it.
        failing: Raised instead of an answer.
    """

    def __init__(self):
        self.refused = {}
        self.asked = []
        self.failing = None

    async def refusals(self, tasks):
        self.asked.extend(tasks)
        if self.failing:
            raise self.failing
        return tuple(self.refused.get(task.sql, "") for task in tasks)


class FakeParts:
    """Files as values: what a target holds is the rows of its entries.

    Implements `domain.ports.Parts`.

    Attributes:
        bad: Names of connections whose parts are damaged.
        assembles: What assembling does before it succeeds.
        delivers: What delivering does before it succeeds; False: the file is not what it was.
        reads_back: What reading a target back tells; nothing: that all agrees.
        after: A failure or crash after the named call took effect.
        files: From a path to what was published there.
    """

    def __init__(self, record):
        self.record = record
        self.bad = set()
        self.assembles = Script()
        self.delivers = Script()
        self.reads_back = Script()
        self.after = {}
        self.files = {}
        self.tasks = []

    async def verify(self, folder, receipts):
        self.record.add("verify", Path(folder).name)
        return tuple(receipt.connection not in self.bad for receipt in receipts)

    async def restore(self, folder, target, members, receipts):
        del folder, members
        self.record.add("restore", Path(target).name)
        return tuple(target in self.files for _ in receipts)

    async def assemble(self, task):
        self.record.add("assemble", task.temporary)
        self.tasks.append(task)
        await self.assembles.next()
        text = repr([(e.connection, e.status, e.rows) for e in task.entries])
        published = Published(
            bytes=len(text),
            crc=zlib.crc32(text.encode()),
            rows=sum(entry.rows for entry in task.entries),
            members=tuple(
                Member(
                    connection=receipt.connection,
                    query=receipt.query,
                    segment=receipt.segment,
                    offset=0,
                    length=receipt.bytes,
                    crc=receipt.crc,
                    variant=receipt.variant,
                )
                for entry in task.entries
                for receipt in entry.receipts
            ),
        )
        self.files[task.temporary] = published
        self._then("assemble")
        return published

    async def deliver(self, temporary, target, published):
        self.record.add("deliver", target)
        if not await self.delivers.next(default=True):
            return False
        if temporary in self.files:
            if published is not None and not _same(self.files[temporary], published):
                return False
            self.files[target] = self.files.pop(temporary)
        self._then("deliver")
        return target in self.files and (published is None or _same(self.files[target], published))

    async def read_back(self, task):
        self.record.add("read back", task.target)
        return await self.reads_back.next(default=TargetRead())

    def _then(self, call):
        if call in self.after:
            raise self.after.pop(call)


def _same(one, other):
    return (one.bytes, one.crc) == (other.bytes, other.crc)


class FakeMirror:
    """The JSON mirror as the last values written; implements `engine.tools.Mirror`."""

    def __init__(self, record):
        self.record = record
        self.failing = False
        self.written = {}

    async def write(self, job, title, *, completed, failed, total, now):
        del title, now
        self._refuse()
        self.record.add("mirror", job)
        self.written[job] = (tuple(completed), tuple(failed), total)

    async def delete(self, job):
        self._refuse()
        self.record.add("mirror deleted", job)
        self.written.pop(job, None)

    def _refuse(self):
        if self.failing:
            raise StateError("the mirror's disk is full")


class RecordedBus(Bus):
    """The real bus, which also writes down what it is given."""

    def __init__(self, record):
        super().__init__()
        self.record = record
        self.events = []

    def publish(self, event):
        self.events.append(event)
        self.record.add("news", type(event).__name__, getattr(event, "connection", ""))
        super().publish(event)


class RecordedStore(SqliteStore):
    """The real store, which writes down what is durable and refuses where a test says so."""

    record = Record()
    failing: dict = {}  # noqa: RUF012 - set anew by whoever opens it

    async def checkpoint(self, run, result, receipts=()):
        self._refuse("checkpoint")
        await super().checkpoint(run, result, receipts)
        self.record.add("mark", result.connection, str(result.status))

    async def move_run(self, run, status, reason=""):
        self._refuse("move_run")
        await super().move_run(run, status, reason)
        self.record.add("run", str(status))

    async def finish_run(self, result, again=None):
        self._refuse("finish_run")
        await super().finish_run(result, again)
        self.record.add("finished", str(result.status))

    async def replan(self, plan):
        self._refuse("replan")
        await super().replan(plan)

    async def plan(self, run):
        self._refuse("plan")
        return await super().plan(run)

    async def receipts(self, run):
        self._refuse("receipts")
        return await super().receipts(run)

    async def move_publication(self, row, state, published=None):
        self._refuse("move_publication")
        moved = await super().move_publication(row, state, published)
        self.record.add("publication", str(state), Path(row.target).name)
        return moved

    def _refuse(self, call):
        if call in self.failing:
            raise self.failing[call]
