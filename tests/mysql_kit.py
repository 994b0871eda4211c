"""A local MariaDB or MySQL server for tests: databases and users of their own, gone afterwards."""

import os
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field

import pymysql

from etltui.domain.task import SessionTask

HOST = os.environ.get("ETLTUI_MYSQL_HOST", "127.0.0.1")
PORT = int(os.environ.get("ETLTUI_MYSQL_PORT", "3306"))
USER = os.environ.get("ETLTUI_MYSQL_USER", "root")
PASSWORD = os.environ.get("ETLTUI_MYSQL_PASSWORD", "")


@dataclass
class MysqlServer:
    """The server, and what was made there."""

    databases: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    def execute(self, *statements: str, database: str | None = None) -> list[dict]:
        """The rows of the last statement, by name."""
        connection = pymysql.connect(
            host=HOST,
            port=PORT,
            user=USER,
            password=PASSWORD,
            database=database,
            charset="utf8mb4",
            ssl_disabled=True,
            autocommit=True,
            connect_timeout=5,
            cursorclass=pymysql.cursors.DictCursor,
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
            rows: list[dict] = []
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall())
            return rows

    def database(self, *statements: str) -> str:
        """A new database in which these statements were executed."""
        name = f"etltui_test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.databases.append(name)
        if statements:
            self.execute(*statements, database=name)
        return name

    def user(self, options: str, *grants: str) -> str:
        """A new user, identified so and with these rights."""
        name = f"etltui_test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE USER {name}@'%' {options}")
        self.users.append(name)
        for grant in grants:
            self.execute(f"GRANT {grant} TO {name}@'%'")
        return name

    def drop(self, database: str) -> None:
        """Drop a database; sessions in it go on without one."""
        self.execute(f"DROP DATABASE IF EXISTS {database}")

    def sessions(self, database: str) -> list[dict]:
        """Who is connected to a database: id, command and query."""
        return self.execute(
            "SELECT ID, COMMAND, INFO FROM information_schema.PROCESSLIST "
            f"WHERE DB = '{database}' AND ID <> CONNECTION_ID()",
        )

    def clear(self) -> None:
        """Drop all that was made."""
        for database in self.databases:
            self.drop(database)
        for user in self.users:
            with suppress(pymysql.Error):
                self.execute(f"DROP USER IF EXISTS {user}@'%'")


def mysql_task(database: str, **changes) -> SessionTask:
    """How to open a session there, without encryption: the line is this machine's own."""
    made = {
        "connection": "c",
        "kind": "mysql",
        "host": HOST,
        "port": PORT,
        "database": database,
        "user": USER,
        "password": PASSWORD,
        "options": {"sslmode": "disable"},
        "connect_timeout_s": 10.0,
    }
    return SessionTask(**{**made, **changes})
