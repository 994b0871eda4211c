"""Makes databases to read: one SQLite file a connection, some of them broken as ordered."""

import asyncio
import math
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from etltui.config.load import load
from etltui.loadtest.ground import Ground, Weather
from etltui.loadtest.order import OF_FILES, Fault, Order, Picks, picks
from etltui.loadtest.written import Asked, Line, jobs_of, name_of, target_of, text

MOST_ROWS = 10_000_000
_COLUMNS = ("id", "sold_at", "amount", "customer")
_QUERY = "SELECT id, sold_at, amount, customer FROM sales ORDER BY id"
_TABLE = """
CREATE TABLE sales (
    id INTEGER PRIMARY KEY,
    sold_at TIMESTAMP NOT NULL,
    amount DECIMAL(12,2) NOT NULL,
    customer TEXT NOT NULL
)
"""
_FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :rows)
INSERT INTO sales
SELECT :first + i,
       datetime('2026-11-01', (i * 37 % 1500000) || ' seconds'),
       printf('%d.%02d', i * 7919 % 25000, i % 100),
       'Customer ' || (i * 31 % 400)
FROM n
"""
_PAGE = 4096
_LOCKED_S = 1
"""How long a database that stays locked is waited for."""
_SPARE_S = 10
"""How much longer than its stall one is waited for that does not answer for a while."""


def made(folder: Path, order: Order) -> Ground:
    """Make the databases, and a configuration that names them.

    Args:
        folder: Empty; everything lies in it.
        order: Of the test.

    Raises:
        OSError: They cannot be written.
    """
    chosen = picks(order, OF_FILES)
    (folder / "data").mkdir()
    numbers = range(1, order.connections + 1)
    for number in numbers:
        _make(_file(folder, number), _ids(number, order), chosen.failing.get(number))
    path = folder / "etltui.toml"
    lines = [_line(number, order, chosen) for number in numbers]
    path.write_text(text(order, lines, Asked(query=_QUERY, columns=_COLUMNS)), encoding="utf-8")
    held = [number for number, fault in chosen.failing.items() if fault is Fault.LOCKED]
    return Ground(
        order=order,
        # The operator's own variables are not meant for it.
        config=load(path, environ={}),
        jobs=jobs_of(order),
        own_files=f"{folder.resolve()}/",
        failing={name_of(number): fault for number, fault in chosen.failing.items()},
        stalling=tuple(map(name_of, chosen.stalling)),
        rows={name_of(number): _ids(number, order) for number in numbers},
        targets={job: folder / target_of(job) for job in jobs_of(order)},
        weather=Locks(
            {name_of(number): _file(folder, number) for number in chosen.stalling},
            held=[_file(folder, number) for number in held],
            seconds=order.stall_s,
        ),
    )


def _file(folder: Path, number: int) -> Path:
    return folder / "data" / f"{name_of(number)}.db"


def _ids(number: int, order: Order) -> range:
    """The numbers of a connection's rows, which no other has."""
    first = number * MOST_ROWS + 1
    return range(first, first + order.rows)


def _line(number: int, order: Order, chosen: Picks) -> Line:
    name = name_of(number)
    keys: dict[str, str | int] = {}
    if order.rows_per_s:
        keys["rows_per_s"] = order.rows_per_s
    if number in chosen.stalling:
        keys["lock_timeout_s"] = math.ceil(order.stall_s) + _SPARE_S
    if chosen.failing.get(number) is Fault.LOCKED:
        keys["lock_timeout_s"] = _LOCKED_S
    return Line(name=name, url=f"sqlite:///data/{name}.db", keys=keys)


def _make(path: Path, ids: range, fault: Fault | None) -> None:
    if fault is Fault.MISSING:
        return
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA page_size = {_PAGE}")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(_TABLE)
        database.execute(_FILL, {"rows": len(ids), "first": ids.start})
    if fault is Fault.DAMAGED:
        _damage(path)


def _damage(path: Path) -> None:
    """Break a page in the middle: rows come, and then no more."""
    pages = path.stat().st_size // _PAGE
    with path.open("r+b") as file:
        file.seek(max(1, pages // 2) * _PAGE)
        file.write(bytes(_PAGE))


class Locks(Weather):
    """Keeps databases from answering by locking them, as somebody does who writes there.

    Args:
        stalling: From a connection to its file: locked when a round begins, until so long after a
            run has first tried it.
        held: Files that stay locked.
        seconds: How long a stall is.
    """

    def __init__(self, stalling: dict[str, Path], *, held: list[Path], seconds: float) -> None:
        self._stalling = stalling
        self._held = held
        self._seconds = seconds
        self._kept: list[sqlite3.Connection] = []
        self._locked: dict[str, sqlite3.Connection] = {}
        self._letting_go: set[asyncio.Task[None]] = set()

    async def round(self) -> None:
        """Lock what is to be locked."""
        await self._let_go()
        if not self._kept:
            self._kept = await asyncio.to_thread(lambda: [_lock(path) for path in self._held])
        for name, path in self._stalling.items():
            with suppress(sqlite3.OperationalError):
                self._locked[name] = await asyncio.to_thread(_lock, path)

    def tried(self, connection: str) -> None:
        """Let the connection go after its stall, counted from the first try."""
        database = self._locked.pop(connection, None)
        if database is not None:
            stall = asyncio.sleep(self._seconds)
            task = asyncio.create_task(stall, name=f"client stall {connection}")
            # Not in the task: one that is cancelled before it begins would never close it.
            task.add_done_callback(lambda _: database.close())
            self._letting_go.add(task)

    async def _let_go(self) -> None:
        for task in self._letting_go:
            task.cancel()
        if self._letting_go:
            await asyncio.wait(self._letting_go)
        self._letting_go.clear()
        for database in self._locked.values():
            database.close()
        self._locked.clear()

    async def aclose(self) -> None:
        """Let all go."""
        await self._let_go()
        for database in self._kept:
            database.close()
        self._kept = []


def _lock(path: Path) -> sqlite3.Connection:
    """A connection that lets nobody read the file until it is closed."""
    database = sqlite3.connect(
        path, timeout=_LOCKED_S, isolation_level=None, check_same_thread=False
    )
    try:
        database.execute("BEGIN EXCLUSIVE")
    except BaseException:
        database.close()
        raise
    return database
