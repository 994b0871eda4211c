"""Finds what is damaged in a database: its structure by SQLite's own check, rows by their sums."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from etltui.domain.errors import StateError
from etltui.store.database import ERRORS, lenient, newer, unusable
from etltui.store.headers import committed_frames, header_problem
from etltui.store.queries import STEPS
from etltui.store.rows import SUMMED, intact, named_row
from etltui.store.sums import row_sum

_MOST = 5
"""Of what SQLite finds wrong, so much is told."""
_DAMAGE = frozenset(
    {
        *("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_ERROR"),
        *("SQLITE_IOERR_SHORT_READ", "SQLITE_MISMATCH", "SQLITE_SCHEMA"),
    },
)
_LARGE = frozenset({"plans", "run_connections", "parts"})
_OF_OPEN_RUNS = """
    WHERE run IN (
        SELECT run FROM runs WHERE status IN ('queued', 'running', 'publishing')
        UNION SELECT run FROM runs WHERE rowid IN (SELECT max(rowid) FROM runs GROUP BY job)
    )"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """How a database is.

    Attributes:
        version: Of its schema; 0 where that cannot be read.
        problem: What of its structure is damaged, as a part of a sentence; empty for nothing.
        rows: Damaged rows, such as `20261121T230500Z-7F3K of runs`.
        pages: That it has.
        page_bytes: Size of one.
        free_pages: Of them those that hold nothing.
    """

    version: int = 0
    problem: str = ""
    rows: tuple[str, ...] = ()
    pages: int = 0
    page_bytes: int = 0
    free_pages: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged."""
        return not (self.problem or self.rows)

    @property
    def why(self) -> str:
        """What is damaged, as a part of a sentence; empty for nothing."""
        if self.problem or not self.rows:
            return self.problem
        return ", ".join(["damaged rows", *self.rows[:_MOST]])


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is not what was written, rather than out of reach."""
    name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
    return name in _DAMAGE or name.startswith("SQLITE_CORRUPT")


def look_into(path: Path, *, mode: str = "ro") -> sqlite3.Connection:
    """A connection that reads also what is damaged."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)
    connection.row_factory = sqlite3.Row
    connection.text_factory = lenient
    return connection


def examine(
    path: Path,
    *,
    steps: Sequence[str] = STEPS,
    thorough: bool = True,
    holding: bool = False,
) -> Health:
    """Look for damage.

    Args:
        path: An existing database.
        steps: The migrations that make the schema.
        thorough: Look at every row that has a sum; else at those of runs that may go on.
        holding: Whether nobody else has it open: only then its write-ahead log can be judged.

    Raises:
        StateError: It cannot be read for another reason, or is of a newer program.
    """
    try:
        problem = header_problem(path)
        frames = committed_frames(path.with_name(f"{path.name}-wal")) if holding else 0
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}") from error
    if problem:
        return Health(problem=problem)
    try:
        with closing(look_into(path, mode="rw" if holding else "ro")) as database:
            return _examined(database, path, steps, frames=frames, thorough=thorough)
    except ERRORS as error:
        if isinstance(error, sqlite3.Error) and not is_damage(error):
            raise unusable(path, error) from error
        return Health(problem=str(error))


def _examined(
    database: sqlite3.Connection,
    path: Path,
    steps: Sequence[str],
    *,
    frames: int | None,
    thorough: bool,
) -> Health:
    version = _pragma(database, "user_version")
    if version > len(steps):
        raise newer(path, version, len(steps))
    return Health(
        version=version,
        problem=_lost_log(database, frames) or _broken(database, steps, version),
        rows=tuple(_damaged_rows(database, thorough=thorough)),
        pages=_pragma(database, "page_count"),
        page_bytes=_pragma(database, "page_size"),
        free_pages=_pragma(database, "freelist_count"),
    )


def _pragma(database: sqlite3.Connection, name: str) -> int:
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])


def _lost_log(database: sqlite3.Connection, frames: int | None) -> str:
    """Whether pages at the end of the write-ahead log are committed and yet not taken."""
    if frames is None:
        return "its write-ahead log does not begin as one does"
    if frames:
        _, taken, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if taken < frames:
            return f"{frames - taken} pages of its write-ahead log are damaged"
    return ""


def _broken(database: sqlite3.Connection, steps: Sequence[str], version: int) -> str:
    found = [str(row[0]) for row in database.execute(f"PRAGMA integrity_check({_MOST})")]
    if found != ["ok"]:
        return "; ".join(line.replace("\n", " ") for line in found)
    ours, wanted, there = schema_of(steps), schema_of(steps[:version]), _schema(database)
    # What is of a later version must not be there, either: then it is the version that is wrong.
    if not wanted <= there or (_names(there) - _names(wanted)) & _names(ours):
        return f"its tables are not those of version {version}"
    return ""


def schema_of(steps: Sequence[str]) -> set[tuple[str, ...]]:
    """What the migrations make: kind, name and columns of each."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.create_function("row_sum", -1, row_sum)
        for step in steps:
            fresh.executescript(step)
        return _schema(fresh)


def version_of(database: sqlite3.Connection, steps: Sequence[str]) -> int:
    """The version that the tables are of, whatever the header says; where none fits, the last."""
    there = _schema(database)
    versions = range(len(steps), 0, -1)
    return next((v for v in versions if schema_of(steps[:v]) <= there), len(steps))


def _names(schema: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return {each[:2] for each in schema}


def _schema(database: sqlite3.Connection) -> set[tuple[str, ...]]:
    query = "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'index')"
    found = database.execute(query).fetchall()
    return {
        (kind, name, *(column[1] for column in database.execute(f"PRAGMA table_info({name})")))
        for kind, name in found
        if not name.startswith("sqlite_")
    }


def _damaged_rows(database: sqlite3.Connection, *, thorough: bool) -> Iterator[str]:
    for table in SUMMED:
        if not has_sums(database, table):
            continue
        part = "" if thorough or table not in _LARGE else _OF_OPEN_RUNS
        for found in database.execute(f"SELECT * FROM {table} {part}"):  # noqa: S608 - our tables
            row = dict(found)
            if not intact(row):
                yield named_row(table, row)


def has_sums(database: sqlite3.Connection, table: str) -> bool:
    """Whether the rows of a table carry their sums in this version of the schema."""
    columns = database.execute(f"PRAGMA table_info({table})").fetchall()
    return any(column[1] == "checksum" for column in columns)
