"""Extractors on real files: a supervisor, SQLite files to read, and readers that obey a script."""

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

import psutil
import pyarrow as pa

from etltui.domain.columns import Column
from etltui.domain.job import Connection
from etltui.domain.server import ServerFacts
from etltui.domain.task import ExtractTask, QueryTask, SessionTask, WriterTask
from etltui.extractors.child import serve
from etltui.extractors.files import ExtractorFiles
from etltui.extractors.launch import last_words, processes, threads
from etltui.extractors.supervisor import ExtractorSupervisor
from etltui.readers.reader import Result
from etltui.writers.part import read_receipt

LONG = 15
"""Seconds; a bound that only a test that hangs reaches."""
SLACK = 1.5
"""Seconds that a busy machine may add to a promise of two."""

NUMBERS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
ENDLESS_ROWS = f"{NUMBERS}SELECT x FROM c"
ENDLESS_THOUGHT = f"{NUMBERS}SELECT count(*) AS x FROM c"
"""Never gives a row."""

SALES = (Column(name="id", type="int"), Column(name="customer", type="text"))
X = (Column(name="x", type="unknown"),)


def make_db(path, rows=10):
    """A file with `sales`: that many ids and customers."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE sales (id INTEGER, customer TEXT)")
        db.executemany(
            "INSERT INTO sales VALUES (?, ?)",
            ((n, f"Customer {n}") for n in range(rows)),
        )
    return path


def sales_query(**changes):
    made = {"name": "sales", "sql": "SELECT id, customer FROM sales", "columns": SALES, **changes}
    return QueryTask(**made)


def x_query(sql):
    return QueryTask(name="x", sql=sql, columns=X)


async def until(true, seconds=LONG):
    """Wait until a condition holds, as nothing tells when it does."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - a process's end sets no event of ours
            await asyncio.sleep(0.01)


def until_now(true, seconds=LONG):
    """The same where no loop runs."""
    ticks = threading.Event()
    for _ in range(int(seconds * 100)):
        if true():
            return
        ticks.wait(0.01)
    raise TimeoutError


async def receipt_in(path):
    """What a part's footer says."""
    return await asyncio.to_thread(read_receipt, path)


class Seen(list):
    """Progress, and an event at the first that fits."""

    def __init__(self, fits=lambda _: True):
        self.fits = fits
        self.found = asyncio.Event()

    def __call__(self, progress):
        self.append(progress)
        if self.fits(progress):
            self.found.set()


class World:
    """A supervisor and a folder for what its extractors read and write."""

    def __init__(self, folder: Path, kind: str, *, limit=2, cores=2):
        self.folder = folder
        self.kind = kind
        self.log = folder / "extractor.log"
        self.password = "secret"
        self.connect_timeout_s = 30.0
        self.attempts = iter(range(1, 1000))
        launch = (
            processes(cores=cores, log=self.log)
            if kind == "process"
            else threads(serve, cores=cores)
        )
        self.supervisor = ExtractorSupervisor(
            launch,
            limit=limit,
            session_task=self.session_task,
            last_words=lambda: last_words(self.log),
        )
        self.file_work = ExtractorFiles(self.supervisor.borrowed)

    async def session_task(self, connection):
        return SessionTask(
            connection=connection.name,
            kind=connection.kind,
            host="",
            port=0,
            database=connection.database,
            user="",
            password=self.password,
            connect_timeout_s=self.connect_timeout_s,
        )

    def connection(self, name="A", *, rows=10, kind="sqlite", database=None):
        if database is None:
            database = self.folder / f"{name}.db"
            if kind == "sqlite" and not database.exists():
                make_db(database, rows)
        return Connection(name=name, kind=kind, url="", database=str(database))

    @property
    def parts(self):
        return self.folder / "parts"

    def files(self):
        return sorted(path for path in self.parts.rglob("*") if path.is_file())

    def writer(self, kind="csv", number=0, **options):
        folder = self.parts / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        variant = "sheets" if kind == "excel" else ""
        return WriterTask(
            destination=number,
            type=kind,
            folder=str(folder),
            options=options,
            variant=variant,
        )

    def task(self, *queries, connection="A", writers=None, **changes):
        made = {
            "run": "r",
            "connection": connection,
            "number": 1,
            "attempt": next(self.attempts),
            "queries": queries or (sales_query(),),
            "writers": writers or (self.writer(),),
            "plan_hash": "p",
            "connection_hash": "c",
        }
        return ExtractTask(**{**made, **changes})

    @asynccontextmanager
    async def session(self, connection=None):
        handle = await self.supervisor.open(connection or self.connection())
        try:
            yield handle
        finally:
            await handle.close()

    def books(self):
        """What the supervisor keeps: all of it must be empty or zero when nothing runs."""
        s = self.supervisor
        return {
            "sessions": sum(client.sessions for client in s._clients),
            "alone": len(s._alone),
            "leaving": len(s._leaving),
            "running": len(s._running),
            "suspect": s._one_suspect.locked(),
        }

    async def close(self):
        await self.supervisor.aclose()


def process_of(handle_or_client):
    """The child that holds a session."""
    client = getattr(handle_or_client, "_client", handle_or_client)
    return psutil.Process(client._body._process.pid)


def children():
    """Every child of this process that is an extractor, dead ones that nobody reaped too."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it ended while it was looked at
            if child.name().startswith("python"):
                found.append(child)
    return found


def extractor_threads():
    names = {"serve", "beat", "session", "files", "pump", "interrupt"}
    return [t for t in threading.enumerate() if t.name in names]


class ScriptedReader:
    """A reader whose every call is what the test says; the others succeed."""

    local = False

    def __init__(self, **script):
        self.script = script
        self.cancelled = threading.Event()
        self.closed = threading.Event()
        self.calls = []

    def _do(self, name, *default):
        self.calls.append(name)
        act = self.script.get(name)
        return act(self) if act else (default[0] if default else None)

    def facts(self):
        return ServerFacts()

    def ping(self):
        self._do("ping")

    def describe(self, _query):
        return self._do("describe", X)

    def explain(self, _query):
        return self._do("explain", "SCAN x")

    @contextmanager
    def snapshot(self):
        self._do("snapshot")
        yield

    @contextmanager
    def read(self, _query, *, batch_bytes, exact):
        self.batch_bytes, self.exact = batch_bytes, exact
        yield Result(columns=X, batches=iter(self._do("read", ())))

    def cancel(self):
        self.calls.append("cancel")
        self.cancelled.set()
        self._do("on cancel")

    def close(self):
        self._do("close")
        self.closed.set()


def batch(*values):
    """A batch of the one column x, a whole number."""
    return pa.RecordBatch.from_arrays([pa.array(values, pa.int64())], names=["x"])


SCRIPTS = {}


def connect(task):
    """Open a session with the scripted reader of this name; called by the registry."""
    made = SCRIPTS[task.database]
    return made() if callable(made) else made


class ScriptedWriter:
    """A part writer that keeps rows, unless its script says otherwise."""

    def __init__(self, **script):
        self.script = script
        self.rows = []
        self.state = "open"

    def write(self, given):
        if act := self.script.get("write"):
            act(self)
        self.rows += given.column(0).to_pylist()

    def close(self):
        if act := self.script.get("close"):
            act(self)
        self.state = "closed"
        return ()

    def abandon(self):
        self.state = "abandoned"


WRITERS = []
"""Handed out in turn."""


def part_writer(_task):
    """A part writer for the registry's sake."""
    return WRITERS.pop(0)
