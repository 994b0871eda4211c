"""Branches that are stuck where no driver listens, until they are told to answer."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import asyncpg

import odbc_kit
from faults.proxy import FaultProxy
from postgresql_kit import HOST, PASSWORD, PORT, USER, Server

ROWS = 50
_LOCK = 42


class Stuck(Protocol):
    """A branch of table `sales (id, words)` with ids from 1 to `ROWS`.

    Attributes:
        more: Lines of its connection besides the url.
        answers: Whether a query that is in it comes to an end when it is told to answer.
    """

    more: str
    answers: bool

    def url(self, folder: Path) -> str:
        """Make it, and say where it is."""
        ...

    def blocked(self):
        """For the time of the block a query of `sales` ends never."""
        ...

    def waiting(self) -> bool:
        """Whether somebody's query is in it."""
        ...

    def silence(self) -> None:
        """Let the line go silent, where there is one."""
        ...

    def answer(self) -> None:
        """End what is blocked, before the end of the block too."""
        ...


def fill(path: Path) -> None:
    """A SQLite branch that answers."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE sales (id INTEGER, words TEXT)")
        rows = ((number, f"row {number}") for number in range(1, ROWS + 1))
        database.executemany("INSERT INTO sales VALUES (?, ?)", rows)
    database.close()


class Busy:
    """A SQLite file whose query computes and never comes to its first row."""

    more = ""
    answers = False

    def __init__(self) -> None:
        self._path = Path()

    def url(self, folder: Path) -> str:
        self._path = folder / "stuck.db"
        fill(self._path)
        self._change(
            "ALTER TABLE sales RENAME TO kept",
            "CREATE VIEW sales AS SELECT kept.* FROM kept WHERE (WITH RECURSIVE n(x) AS "
            "(SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n) > 0",
        )
        return f"sqlite:///{self._path}"

    def _change(self, *statements: str) -> None:
        with sqlite3.connect(self._path, timeout=60) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.answer()

    def waiting(self) -> bool:
        return True

    def silence(self) -> None:
        """There is no line."""

    def answer(self) -> None:
        self._change("DROP VIEW sales", "ALTER TABLE kept RENAME TO sales")


class Locked:
    """A SQLite file that somebody has locked."""

    more = ""
    answers = True

    def __init__(self) -> None:
        self._path = Path()
        self._holder: sqlite3.Connection | None = None

    def url(self, folder: Path) -> str:
        self._path = folder / "stuck.db"
        fill(self._path)
        return f"sqlite:///{self._path}"

    @contextmanager
    def blocked(self) -> Iterator[None]:
        self._holder = sqlite3.connect(self._path, isolation_level=None)
        self._holder.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            self.answer()

    def waiting(self) -> bool:
        return True

    def silence(self) -> None:
        """There is no line."""

    def answer(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None


class Silent:
    """A PostgreSQL database behind a line that goes silent while a query waits for a lock.

    Args:
        server: The local one.
        url: Its address on a port.
    """

    more = 'credential = "reader"\n'
    answers = True

    def __init__(self, server: Server, url: Callable[[str, int], str]) -> None:
        self._database = server.database(
            "CREATE TABLE kept (id int, words text)",
            f"INSERT INTO kept SELECT g, 'row ' || g FROM generate_series(1, {ROWS}) AS g",
            "CREATE VIEW sales AS SELECT kept.* FROM "
            f"(SELECT pg_advisory_xact_lock_shared({_LOCK}) OFFSET 0) AS waits, kept",
        )
        self._proxy = FaultProxy(HOST, PORT)
        self._loop = asyncio.new_event_loop()
        self._url = url
        self._holder = self._loop.run_until_complete(
            asyncpg.connect(
                host=HOST,
                port=PORT,
                user=USER,
                password=PASSWORD,
                database=self._database,
                ssl=False,
            )
        )

    def url(self, folder: Path) -> str:
        del folder
        return self._url(self._database, self._proxy.port)

    def _ask(self, statement: str):
        return self._loop.run_until_complete(self._holder.fetchval(statement))

    @contextmanager
    def blocked(self) -> Iterator[None]:
        self._ask(f"SELECT pg_advisory_lock({_LOCK})")
        try:
            yield
        finally:
            self.answer()

    def waiting(self) -> bool:
        return bool(
            self._ask(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event = 'advisory'"
            )
        )

    def silence(self) -> None:
        self._proxy.black_hole()
        time.sleep(0.05)

    def answer(self) -> None:
        self._ask("SELECT pg_advisory_unlock_all()")
        self._proxy.flow()

    def close(self) -> None:
        self._proxy.close()
        self._loop.run_until_complete(self._holder.close())
        self._loop.close()


def _native(database: str, port: int) -> str:
    return f"postgresql://{HOST}:{port}/{database}?sslmode=disable"


def _odbc(database: str, port: int) -> str:
    return (
        f"odbc:Driver={{{odbc_kit.POSTGRESQL}}};Server={HOST};Port={port};Database={database};"
        "SSLmode=disable"
    )


def at_hand(closes: ExitStack) -> dict[str, Stuck]:
    """Every way to be stuck that this machine knows."""
    ways: dict[str, Stuck] = {"sqlite, busy": Busy(), "sqlite, locked": Locked()}
    server = Server()
    try:
        server.execute("SELECT 1")
    except (OSError, asyncpg.PostgresError):
        return ways
    closes.callback(server.clear)
    urls = {"postgresql": _native}
    if not odbc_kit.missing(odbc_kit.POSTGRESQL):
        urls["psqlODBC"] = _odbc
    for name, url in urls.items():
        made = Silent(server, url)
        closes.callback(made.close)
        ways[name] = made
    return ways
