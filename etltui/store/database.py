"""One SQLite file: how it is opened, and the one way to work on it, a whole transaction."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self, TypeAlias, TypeVar

import aiosqlite

from etltui.config.disk import LEAST
from etltui.domain.errors import StateError
from etltui.store.patience import Patience
from etltui.store.queries import QUERIES, STEPS
from etltui.store.sums import row_sum

Value = str | int | float | None
Row = Mapping[str, Value]
T = TypeVar("T")
Change: TypeAlias = tuple[str, Sequence[Row]]
"""The name of a statement, and the rows that it was run for."""

ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What reading may raise; the latter where SQLite names what is damaged and no text."""
BUSY_TIMEOUT_S = 5.0
_CACHE_PAGES = 10_000
"""At most: of 4 KiB each, taken as they are read."""

_MENDED = "The next `etltui run` sets it aside and makes it anew; so does `etltui state rebuild`"
_WAYS_OUT = {
    "SQLITE_FULL": f"It needs about {LEAST >> 20} MB: free space on its disk, then run again with "
    "--resume",
    "SQLITE_BUSY": "Another program holds it; close that program",
    "SQLITE_NOTADB": _MENDED,
    "SQLITE_CONSTRAINT": "This is a mistake in the program: report it with the log of this run",
    "SQLITE_CORRUPT": _MENDED,
}


def unusable(path: Path, error: Exception) -> StateError:
    """The sentence for what SQLite says, with the way out."""
    # `SQLITE_IOERR_WRITE` is a kind of `SQLITE_IOERR`.
    kind = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
    otherwise = "Check its disk and who may write there"
    way_out = _MENDED if isinstance(error, UnicodeError) else _WAYS_OUT.get(kind, otherwise)
    return StateError(f"the state database {path} cannot be used: {error}. {way_out}")


def newer(path: Path, version: int, known: int) -> StateError:
    """The sentence for a database of a newer program."""
    return StateError(
        f"the state database {path} is of version {version}, this program knows "
        f"versions up to {known}. Use the newer etltui, or another --state-dir; where no newer "
        "one has been here, `etltui state rebuild` makes it anew",
    )


def lenient(text: bytes) -> str:
    """Text of which a part may be damaged; what is no text stays what it was."""
    return text.decode(errors="surrogateescape")


class Statements:
    """The named statements, inside one transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self.changes: list[Change] = []
        """What was changed so far: the names of statements, and the rows they were run for."""

    async def rows(self, query: str, **values: Value) -> list[Row]:
        """What a query finds."""
        try:
            found = await self._connection.execute_fetchall(QUERIES[query], values)
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
            # One damaged text must not hide the rows around it; its own sum tells of it.
            self._connection.text_factory = lenient
            found = await self._connection.execute_fetchall(QUERIES[query], values)
        # A damaged index cannot pass another's row off: its own key then fails that row's sum.
        return [dict(row) for row in found]

    async def row(self, query: str, **values: Value) -> Row | None:
        """The first row that a query finds."""
        found = await self.rows(query, **values)
        return found[0] if found else None

    async def change(self, query: str, rows: Sequence[Row]) -> None:
        """Run a changing statement once for each row."""
        await self._connection.executemany(QUERIES[query], rows)
        self.changes.append((query, rows))


Work: TypeAlias = Callable[[Statements], Awaitable[T]]


class Database:
    """A connection to the file on which transactions follow one another.

    Attributes:
        commits: Transactions committed since it was opened.
        committed: Told in a thread of what each of them has changed, before anybody else.
        patience: Lets work wait where the file is locked or away; None: it fails.
    """

    def __init__(self, path: Path, connection: aiosqlite.Connection, *, begin: str) -> None:
        self.commits = 0
        self.committed: Callable[[Sequence[Change]], None] = lambda _: None
        self.patience: Patience | None = None
        self._path = path
        self._connection = connection
        self._begin = begin
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    @classmethod
    async def writer(cls, path: Path, *, steps: Sequence[str] = STEPS) -> Self:
        """Open an existing file for writing and bring it to this program's version.

        Raises:
            StateError: It is no database, of a newer program, or cannot be written.
        """
        # IMMEDIATE: a transaction that reads before it writes must not find out late that
        # another program has written in between.
        database = await cls._connect(path, f"{_uri(path)}?mode=rw", begin="BEGIN IMMEDIATE")
        async with _closed_on_error(database):
            mode = await database.pragma("journal_mode = WAL")
            if mode != "wal":
                raise StateError(
                    f"the disk of {path} allows no write-ahead log (journal mode {mode}). "
                    "Use a --state-dir on a local disk",
                )
            # What returned must outlive a power cut, not only a kill.
            await database.pragma("synchronous = FULL")
            await database.pragma("foreign_keys = ON")
            await database.migrate(steps)
        return database

    @classmethod
    async def reader(cls, path: Path, *, steps: Sequence[str] = STEPS) -> Self:
        """Open a file for reading only; without a file, an empty database.

        Raises:
            StateError: It is no database, or of another version than this program's.
        """
        if await asyncio.to_thread(path.exists):
            database = await cls._connect(path, f"{_uri(path)}?mode=ro", begin="BEGIN")
            async with _closed_on_error(database):
                version = await database.version(steps)
            if version == len(steps):
                return database
            await database.aclose()
            if version:
                raise StateError(
                    f"the state database {path} is of version {version}, this program reads "
                    f"version {len(steps)}. Any `etltui run` brings it up to date",
                )
        # Nothing has been recorded yet, or an engine is making the file at this moment.
        database = await cls._connect(path, "file::memory:", begin="BEGIN")
        async with _closed_on_error(database):
            await database.migrate(steps)
        return database

    @classmethod
    async def _connect(cls, path: Path, uri: str, *, begin: str) -> Self:
        try:
            connection = await aiosqlite.connect(
                uri,
                uri=True,
                isolation_level=None,
                timeout=BUSY_TIMEOUT_S,
            )
        except sqlite3.Error as error:
            raise unusable(path, error) from error
        connection.row_factory = sqlite3.Row
        await connection.create_function("row_sum", -1, row_sum)
        database = cls(path, connection, begin=begin)
        async with _closed_on_error(database):
            await database.pragma(f"cache_size = {_CACHE_PAGES}")
        return database

    async def pragma(self, text: str) -> Value:
        """Run a pragma and return its first value."""
        try:
            found = list(await self._connection.execute_fetchall(f"PRAGMA {text}"))
        except ERRORS as error:
            raise unusable(self._path, error) from error
        return found[0][0] if found else None

    async def version(self, steps: Sequence[str]) -> int:
        """How many of the migrations the file has seen.

        Raises:
            StateError: More than there are.
        """
        version = int(await self.pragma("user_version") or 0)
        if version > len(steps):
            raise newer(self._path, version, len(steps))
        return version

    async def migrate(self, steps: Sequence[str]) -> None:
        """Apply the migrations that the file has not seen, each in its transaction.

        Raises:
            StateError: One failed; closing the database undoes what it began.
        """
        for number in range(await self.version(steps) + 1, len(steps) + 1):
            script = f"BEGIN IMMEDIATE;\n{steps[number - 1]};\nPRAGMA user_version = {number};"
            try:
                await self._connection.executescript(f"{script}\nCOMMIT;")
            except ERRORS as error:
                raise unusable(self._path, error) from error

    async def transact(self, work: Work[T]) -> T:
        """Do the work in a transaction of its own and return once it is committed.

        A caller that is cancelled stops waiting; the transaction goes on to its end.

        Raises:
            StateError: SQLite failed, or the database is closed. Nothing of the work is kept.
        """
        if self._closed:
            raise StateError(f"the state database {self._path} is closed")
        task = asyncio.create_task(self._transact(work), name="store transaction")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _transact(self, work: Work[T]) -> T:
        async with self._lock:
            try:
                result, changes = await self._patiently(work)
            except ERRORS as error:
                raise unusable(self._path, error) from error
            self.commits += 1
            if changes:
                await asyncio.to_thread(self.committed, changes)
            return result

    async def _patiently(self, work: Work[T]) -> tuple[T, list[Change]]:
        """Do the work, again where what stood in the way may pass."""
        if self.patience is None:
            return await self._once(work)
        await self.patience.there()
        since = self.patience.now()
        while True:
            try:
                done = await self._once(work)
            except sqlite3.Error as error:
                if not await self.patience.outlasts(error, since):
                    raise
            else:
                self.patience.over()
                return done

    async def _once(self, work: Work[T]) -> tuple[T, list[Change]]:
        statements = Statements(self._connection)
        try:
            await self._connection.execute(self._begin)
            result = await work(statements)
            await self._connection.execute("COMMIT")
        except BaseException:
            # Also after a COMMIT that failed: SQLite may leave the transaction open.
            await self._connection.rollback()
            raise
        return result, statements.changes

    async def merge(self) -> None:
        """Merge the write-ahead log into the file and empty it, as far as nobody reads it."""
        async with self._lock:
            await self.pragma("wal_checkpoint(TRUNCATE)")

    async def aclose(self) -> None:
        """Finish what runs, then close."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running)
        await self._connection.close()


@asynccontextmanager
async def _closed_on_error(database: Database) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await database.aclose()
        raise


def _uri(path: Path) -> str:
    return path.absolute().as_uri()
