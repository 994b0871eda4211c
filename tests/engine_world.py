"""An engine on a real store in a folder, with fakes for everything else."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from etltui.config.schema import Config, Settings
from etltui.domain.errors import StateError
from etltui.domain.events import RunFinished, RunProgress
from etltui.domain.job import (
    Connection,
    CsvOptions,
    Destination,
    Job,
    Query,
    RetryPolicy,
    RunType,
)
from etltui.domain.queue import Ask, Mode
from etltui.engine import target_lock
from etltui.engine.engine import Engine
from etltui.engine.memory import Memory
from etltui.engine.prepare import Preparer
from etltui.engine.space import Space
from etltui.engine.tools import Tools
from etltui.pool.breakers import Breakers
from fakes import (
    Crash,
    FakeGuard,
    FakeLeases,
    FakeMirror,
    FakeParts,
    FakePools,
    Record,
    RecordedBus,
    RecordedStore,
    TurnedClock,
)

MB = 1024 * 1024


def connection(name, **changes):
    return Connection(name=name, kind="sqlite", url=f"sqlite:///{name}", database=name, **changes)


def csv(path):
    return Destination(type="csv", path=path, options=CsvOptions())


class World:
    """Everything that outlives an engine, and the engine.

    Attributes:
        weight: Bytes that the process seems to weigh.
        free: Bytes that every disk seems to have left.
        looked: Disks that were looked at, in order.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.record = Record()
        self.clock = TurnedClock()
        self.pools = FakePools()
        self.resident = False
        self.types = {"extract": RunType(name="extract", limit=50)}
        self.parts = FakeParts(self.record)
        self.guard = FakeGuard()
        self.mirror = FakeMirror(self.record)
        self.bus = RecordedBus(self.record)
        breakers = Breakers(self.clock, publish=self.bus.publish, chance=lambda: 0.0)
        self.leases = FakeLeases(self.record, breakers)
        self.weight = 0
        self.free = 1024 * MB
        self.looked = []
        self.settings = Settings(memory_threshold_mb=512)
        self.connections = tuple(map(connection, "ABC"))
        self.jobs = {}
        self.job()
        self.failing = {}
        self.more = {}
        self.store = None
        self.engine = None

    def job(self, name="sales", **changes):
        """Configure a job; what is not said is as it was."""
        made = self.jobs.get(name) or Job(
            name=name,
            title=name.title(),
            connections=("*",),
            queries=(Query(name="main", sql="select 1"),),
            destinations=(csv(f"out/{name}.csv"),),
            retry=RetryPolicy(retries=0),
            folder=self.folder,
        )
        self.jobs[name] = replace(made, **changes)

    def tools(self, **more):
        """Give the engine other tools, or settings of theirs."""
        self.more |= more
        self.renew()

    def _free(self, folder):
        self.looked.append(folder)
        return self.free() if callable(self.free) else self.free

    @property
    def parts_folder(self):
        return self.folder / "state" / "parts"

    @property
    def target(self):
        return str(self.folder / "out" / "sales.csv")

    async def open(self):
        """Open the store and make an engine on it."""
        self.store = await RecordedStore.open(self.folder / "state", clock=self.clock)
        self.store.record, self.store.failing = self.record, self.failing
        self.renew()
        return self

    def renew(self):
        """Another engine on the same store, with the configuration as it is now."""
        tools = Tools(
            store=self.store,
            leases=self.leases,
            parts=self.parts,
            guard=self.guard,
            mirror=self.mirror,
            bus=self.bus,
            clock=self.clock,
            memory=Memory(
                lambda: 0,
                threshold_mb=self.settings.memory_threshold_mb,
                own=lambda: self.weight,
            ),
            space=Space(reserve_mb=0, free=self._free),
            parts_folder=self.parts_folder,
            query_timeout_s=300,
            stall_timeout_s=120,
            operator="asha@desk",
            timezone="Asia/Kolkata",
            **self.more,
        )
        preparer = Preparer(
            store=self.store,
            parts=self.parts,
            clock=self.clock,
            parts_folder=self.parts_folder,
            timezone="Asia/Kolkata",
        )
        config = Config(
            settings=self.settings,
            connections=self.connections,
            credentials={},
            jobs=self.jobs,
            path=self.folder / "etltui.toml",
            origins={},
            run_types=self.types,
        )
        self.engine = Engine(
            config=config,
            tools=tools,
            preparer=preparer,
            pools=self.pools,
            resident=self.resident,
        )

    async def restart(self):
        """What a new process finds after a kill: what was durable, another engine, no events."""
        # The store first: of what the old engine does at its end nothing is recorded.
        await self.store.aclose()
        await self.engine.aclose()
        self.failing.clear()
        self.record.clear()
        self.bus.events.clear()
        target_lock._ours.clear()
        await self.open()
        await self.engine.start()

    async def close(self):
        self.failing.clear()
        await self.engine.aclose()
        await self.store.aclose()

    async def crash(self, handle):
        """Wait for the `Crash` that ends a run's turn; nobody is told of it."""
        dispatcher = self.engine.queue
        with suppress(Crash):
            await dispatcher._turns[handle.run]._task
        del dispatcher._turns[handle.run]
        dispatcher.queue.ended(handle.run)

    async def prepare(self, job="sales"):
        """Make the job's unfinished run ready, as its turn would."""
        starts = self.engine._starts
        found = starts.job(job)
        row = await starts.check(found, (), resume=True)
        return await starts.prepare(await starts.entry(found, Ask(mode=Mode.RESUME), row))

    async def submit(self, job="sales", **asked):
        return await self.engine.submit(job, **asked)

    async def run(self, job="sales", **asked):
        """Run the job to its end."""
        return await (await self.submit(job, **asked)).wait()

    async def ended(self, run):
        """How a run of this engine or of one before ended; it may have while nobody looked."""
        handle = self.engine.queue.handle(run)
        if handle is not None:
            return await handle.wait()
        return next(e.result for e in reversed(self.happened(RunFinished)) if e.result.run == run)

    def happened(self, *kinds):
        """Events of these types, in order."""
        return [event for event in self.bus.events if isinstance(event, kinds)]

    @property
    def percents(self):
        return [event.percent for event in self.happened(RunProgress)]

    async def stored(self, run):
        """The run's status as recorded."""
        return (await self.store.run(run)).status

    def refuse(self, call, text="the disk is full"):
        """Let a call of the store fail from now on."""
        self.failing[call] = StateError(text)
