"""The double itself: where it listens, what databases it has, what it shall do wrong."""

import socket
import sqlite3
import ssl
import threading
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tds.calls import Call
from tds.kinds import Kind, kind
from tds.scripts import Canned, Script
from tds.session import Session


@dataclass
class Database:
    """A database: a file of SQLite, and what its columns are."""

    path: Path
    number: int
    tables: dict[str, dict[str, Kind]] = field(default_factory=dict)
    snapshot: bool = True
    created: str = "2026-01-02 03:04:05"
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class TdsServer:
    """A server on a port of its own; leave the block and it is gone.

    Attributes:
        context: With its certificate; None where it knows no TLS.
        newest: The newest version of TDS that it speaks.
        deaf: Whether attention is heard but not answered.
        procedures: By name: the parameters, and the query that a call runs.
        mute: Whether it takes connections and never says a word.
    """

    folder: Path
    users: dict[str, str] = field(default_factory=lambda: {"reader": "Pa55-w0rd;{x}"})
    context: ssl.SSLContext | None = None
    requires_tls: bool = False
    newest: int = 0x74000004
    version: str = "16.0.4165.4"
    name: str = "BRANCH01"
    knows_utf8: bool = True
    may_kill: bool = True
    started: str = "2026-11-01 06:00:00"
    deaf: bool = False
    mute: bool = False
    skew: timedelta = timedelta()
    login_error: tuple | None = None
    scripts: list[Script] = field(default_factory=list)
    canned: dict[str, Canned] = field(default_factory=dict)
    procedures: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    batches: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    showplan: dict[int, bool] = field(default_factory=dict)
    attentions: int = 0
    host: str = "127.0.0.1"

    def __post_init__(self):
        self._sessions: dict[int, Session] = {}
        self._spid = 50
        self._lock = threading.Lock()
        self.database("master")
        self._listener = socket.create_server((self.host, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="tds", daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def database(self, name):
        """A new database."""
        number = len(self.databases) + 4 if self.databases else 1
        made = Database(path=self.folder / f"{name}.tds.db", number=number)
        self.databases[name] = made
        return made

    def table(self, database, name, columns, rows=()):
        """A new table: its columns with their types as T-SQL says them, and its rows."""
        made = self.databases.get(database) or self.database(database)
        kinds = {column: kind(spoken) for column, spoken in columns.items()}
        made.tables[name.lower()] = kinds
        with closing(sqlite3.connect(made.path, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            # Without a type SQLite keeps each value as it is.
            quoted = ", ".join(f'"{column}"' for column in columns)
            db.execute(f'CREATE TABLE "{name}" ({quoted})')
            db.execute("BEGIN")
            marks = ", ".join("?" * len(columns))
            db.executemany(f'INSERT INTO "{name}" VALUES ({marks})', rows)
            db.execute("COMMIT")

    def execute(self, database, statement):
        """Run a statement of SQLite's beside all sessions; its rows."""
        path = self.databases[database].path
        with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as db:
            return db.execute(statement).fetchall()

    def drop(self, database):
        """Take a database away, with all sessions in it."""
        del self.databases[database]
        for session in self.live():
            if session.database == database:
                session.kill()

    def number_of(self, database):
        """A database's number."""
        found = self.databases.get(database)
        return found.number if found else None

    def script(self, pattern, **how):
        """Do something wrong at statements of this pattern."""
        made = Script(pattern, **how)
        self.scripts.append(made)
        return made

    def live(self):
        """The sessions that are open."""
        with self._lock:
            return list(self._sessions.values())

    def running(self):
        """The sessions that work."""
        return [session for session in self.live() if session.status == "running"]

    def kill(self, spid):
        """End a session."""
        with self._lock:
            session = self._sessions.get(spid)
        if session is not None:
            session.kill()

    def close(self):
        """End everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in self.live():
            session.kill()

    def _accept(self):
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        if self.mute:
            with suppress(OSError), sock:
                while sock.recv(65536):
                    pass
            return
        with self._lock:
            self._spid += 1
            session = self._sessions[self._spid] = Session(self, sock, self._spid)
        try:
            session.run()
        finally:
            with self._lock:
                self._sessions.pop(session.spid, None)
