"""A local PostgreSQL server for tests: databases and roles of their own, gone afterwards."""

import asyncio
import os
import socket
import struct
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

from etltui.domain.task import SessionTask

HOST = os.environ.get("ETLTUI_POSTGRESQL_HOST", "127.0.0.1")
PORT = int(os.environ.get("ETLTUI_POSTGRESQL_PORT", "5432"))
USER = os.environ.get("ETLTUI_POSTGRESQL_USER", "postgres")
PASSWORD = os.environ.get("ETLTUI_POSTGRESQL_PASSWORD", "")


@dataclass
class Server:
    """The server, and what was made there."""

    databases: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)

    def execute(self, *statements: str, database: str = "postgres") -> list:
        """The rows of the last statement."""
        return asyncio.run(self._execute(statements, database))

    async def _execute(self, statements, database):
        connection = await asyncpg.connect(
            host=HOST,
            port=PORT,
            user=USER,
            password=PASSWORD,
            database=database,
            ssl=False,
            timeout=5,
        )
        try:
            rows = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()

    def database(self, *statements: str, template: str = "template0") -> str:
        """A new database in which these statements were executed."""
        name = f"etltui_test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self.databases.append(name)
        if statements:
            self.execute(*statements, database=name)
        return name

    def role(self, options: str) -> str:
        """A new role."""
        name = f"etltui_test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE ROLE {name} {options}")
        self.roles.append(name)
        return name

    def drop(self, database: str) -> None:
        """Drop a database with all sessions in it."""
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def sessions(self, database: str) -> list:
        """Who is connected to a database: pid, state and query."""
        return self.execute(
            "SELECT pid, state, query FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND backend_type = 'client backend'",
        )

    def clear(self) -> None:
        """Drop all that was made."""
        for database in self.databases:
            self.drop(database)
        for role in self.roles:
            with suppress(asyncpg.PostgresError):
                self.execute(f"DROP ROLE IF EXISTS {role}")


def session_task(database: str, **changes) -> SessionTask:
    """How to open a session there, without encryption: the line is this machine's own."""
    made = {
        "connection": "c",
        "kind": "postgresql",
        "host": HOST,
        "port": PORT,
        "database": database,
        "user": USER,
        "password": PASSWORD,
        "options": {"sslmode": "disable"},
        "connect_timeout_s": 10.0,
    }
    return SessionTask(**{**made, **changes})


class Relay:
    """A line to the server that can go silent: it stays open, and nothing comes or goes."""

    def __init__(self):
        self.silent = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((HOST, PORT))
                self._lines += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one, other):
        with suppress(OSError):
            while data := one.recv(65536):
                if self.silent.is_set():
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def cut(self):
        """End every line abruptly."""
        for line in self._lines:
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def close(self):
        """End everything."""
        self._listener.close()
        self.cut()
