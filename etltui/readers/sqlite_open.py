"""Opens SQLite files so that nothing a query says can change or create anything.

Four fences, each enough for most of what can be tried: the file is opened `mode=ro`, an authorizer
lets only reading through, `query_only` is on, and a statement must begin like a query. `mode=ro`
alone would let ATTACH and VACUUM INTO make other files; the authorizer sees those, but has to let
one thing through that sounds like writing (`_SCHEMA`).
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.sqlite_errors import failure_of
from etltui.readers.sqlite_sql import first_word

_READS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE},
)
_ACTIONS = {
    getattr(sqlite3, name): name.removeprefix("SQLITE_").replace("_", " ")
    for name in dir(sqlite3)
    if name.startswith(
        (
            "SQLITE_CREATE_",
            "SQLITE_DROP_",
            "SQLITE_ALTER_",
            "SQLITE_INSERT",
            "SQLITE_UPDATE",
            "SQLITE_DELETE",
            "SQLITE_ATTACH",
            "SQLITE_DETACH",
            "SQLITE_TRANSACTION",
            "SQLITE_SAVEPOINT",
            "SQLITE_REINDEX",
            "SQLITE_ANALYZE",
        ),
    )
}
_CATALOGUE = frozenset(
    {
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "collation_list",
        "function_list",
        "module_list",
        "data_version",
        "page_size",
    },
)
"""PRAGMAs that only tell; FTS tables ask for the last two by themselves."""

_SCHEMA = "sqlite_master"
"""Naming the columns of a virtual table, `json_each` too, asks to UPDATE it, and changes nothing.
A statement that would is refused by SQLite itself."""

_REACHING = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "fsdir", "zipfile"},
)
"""Functions that some builds have and that reach outside the database."""

_QUERIES = frozenset({"SELECT", "WITH", "VALUES"})
_VIEW_TABLES = frozenset({"sqlite_temp_master", "sqlite_temp_schema"})
_VIEW_ACTIONS = frozenset(
    {sqlite3.SQLITE_CREATE_TEMP_VIEW, sqlite3.SQLITE_DROP_TEMP_VIEW},
)
_VIEW_WRITES = frozenset(
    {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE},
)


class Authorizer:
    """Lets a connection's statements read and nothing else; remembers what it refused.

    Attributes:
        refused: What the last statements were refused, in words; empty if nothing.
        views: Whether temporary views may be made.
        functions: Lower-case names of the functions that statements used since `watch`.
    """

    def __init__(self, *, views: bool = False) -> None:
        self.refused = ""
        self.functions: set[str] = set()
        self.views = views
        self._own = False

    @contextmanager
    def own(self) -> Iterator[None]:
        """Let statements of this program itself through, such as BEGIN."""
        self._own = True
        try:
            yield
        finally:
            self._own = False

    @contextmanager
    def watch(self) -> Iterator[Self]:
        """Raise whatever the block's statements meet as a failure.

        Raises:
            Failure: `permission` if a statement was refused, else what SQLite's code says.
        """
        self.refused = ""
        self.functions = set()
        try:
            yield self
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError) as error:
            if self.refused:
                raise Failure(
                    ErrorClass.PERMISSION,
                    f"the query tries to write or reach out of its database: {self.refused}",
                    {"refused": self.refused},
                ) from error
            raise failure_of(error) from error

    def __call__(
        self,
        action: int,
        first: str | None,
        second: str | None,
        _database: str | None,
        _by: str | None,
    ) -> int:
        """What SQLite asks while it compiles a statement."""
        if action in _READS or self._own or self._view(action, first):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_UPDATE and first == _SCHEMA:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            self.functions.add(name)
            return sqlite3.SQLITE_OK if name not in _REACHING else self._refuse(f"{name}()")
        if action == sqlite3.SQLITE_PRAGMA:
            name = (first or "").lower()
            return sqlite3.SQLITE_OK if name in _CATALOGUE else self._refuse(f"PRAGMA {name}")
        words = (_ACTIONS.get(action, f"action {action}"), first or "")
        return self._refuse(" ".join(words).strip())

    def _view(self, action: int, table: str | None) -> bool:
        """Whether it belongs to making the temporary view that tells a query's types."""
        if not self.views:
            return False
        return action in _VIEW_ACTIONS or (action in _VIEW_WRITES and table in _VIEW_TABLES)

    def _refuse(self, what: str) -> int:
        self.refused = self.refused or what
        return sqlite3.SQLITE_DENY


def uri_of(path: str) -> str:
    """The URI that opens exactly this file, read-only."""
    if _frozen(path):
        return f"file://{quote(os.fsencode(path))}?mode=ro&immutable=1"
    return f"file://{quote(os.fsencode(path))}?mode=ro"


def _frozen(path: str) -> bool:
    """Whether SQLite could not make the side files of a WAL database, nor needs what they hold.

    Only then may the file be taken as unchanging: nobody with our rights can write there, and no
    log waits to be read. Every other file is opened with SQLite's own locks.
    """
    log = Path(f"{path}-wal")
    if _may(Path(path).parent, os.W_OK) or _may(Path(path), os.W_OK):
        return False
    try:
        return log.stat().st_size == 0
    except OSError:
        return True


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def check_file(path: str) -> tuple[int, int]:
    """Device and inode, which tell the file from another that takes its name later.

    Raises:
        Failure: `no_database` or `permission`, saying in plain words why it can be no database.
    """
    try:
        found = Path(path).stat()
    except PermissionError as error:
        raise Failure(ErrorClass.PERMISSION, f"may not look at {path}") from error
    except (OSError, ValueError) as error:
        raise Failure(ErrorClass.NO_DATABASE, f"there is no file {path}") from error
    if stat.S_ISDIR(found.st_mode):
        raise Failure(ErrorClass.NO_DATABASE, f"{path} is a folder, not a database")
    if not stat.S_ISREG(found.st_mode):
        raise Failure(ErrorClass.NO_DATABASE, f"{path} is not a regular file")
    if not _may(Path(path), os.R_OK):
        raise Failure(ErrorClass.PERMISSION, f"may not read {path}")
    return found.st_dev, found.st_ino


def open_guarded(path: str, *, busy_s: float) -> tuple[sqlite3.Connection, Authorizer]:
    """A connection that can only read, and its authorizer.

    Args:
        path: Absolute.
        busy_s: How long to wait for somebody's lock.

    Raises:
        Failure: The file is missing, forbidden, locked or no database.
    """
    authorizer = Authorizer()
    db = _opened(path, busy_s, authorizer)
    return db, authorizer


@contextmanager
def open_for_views(path: str, *, busy_s: float) -> Iterator[sqlite3.Connection]:
    """A connection that can only read and make temporary views, which live in memory.

    Raises:
        Failure: As `open_guarded`.
    """
    with closing(_opened(path, busy_s, Authorizer(views=True))) as db:
        yield db


def _opened(path: str, busy_s: float, authorizer: Authorizer) -> sqlite3.Connection:
    check_file(path)
    with authorizer.watch():
        db = sqlite3.connect(
            uri_of(path),
            uri=True,
            timeout=busy_s,
            isolation_level=None,
            check_same_thread=False,  # cancel comes from another thread
            cached_statements=0,  # a cached statement would not be authorized again
        )
        try:
            db.execute(f"PRAGMA query_only = {int(not authorizer.views)}")
            db.execute("PRAGMA trusted_schema = 0")
            if authorizer.views:
                db.execute("PRAGMA temp_store = MEMORY")
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            db.set_authorizer(authorizer)
        except BaseException:
            db.close()
            raise
    return db


def check_query(sql: str) -> None:
    """The fence that needs no database: a statement must begin like a query.

    Raises:
        Failure: It does not.
    """
    word = first_word(sql)
    if word not in _QUERIES:
        raise Failure(
            ErrorClass.PERMISSION,
            f"only a query may run here; this begins with {word or 'no word'}",
            {"refused": word},
        )
