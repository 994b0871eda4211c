"""The databases that the trials of leaving are held on."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import mssql_kit
import mysql_kit
import odbc_kit
from etltui.domain.task import SessionTask
from extractor_kit import ENDLESS_ROWS, ENDLESS_THOUGHT, make_db
from faults.leaving import Source
from mysql_kit import MysqlServer
from postgresql_kit import PORT, Server, session_task
from tds.server import TdsServer


def sqlite(folder: Path) -> Source:
    """A file: no line, but a query that never ends."""
    task = SessionTask(
        connection="c",
        kind="sqlite",
        host="",
        port=0,
        database=str(make_db(folder / "leave.db")),
        user="",
        password="",
    )
    return Source(
        name="sqlite",
        task=task,
        flowing=ENDLESS_ROWS,
        blocked=ENDLESS_THOUGHT,
        remote=False,
    )


def postgresql(server: Server, database: str) -> Source:
    """The local server, by TCP."""

    def at_work() -> int:
        return sum(row["state"] == "active" for row in server.sessions(database))

    return Source(
        name="postgresql",
        task=session_task(database),
        flowing="SELECT repeat('x', 200) AS x "
        "FROM generate_series(1, 5000) AS a, generate_series(1, 5000) AS b",
        blocked="SELECT pg_sleep(60)::text AS x",
        at_work=at_work,
        socket=f"/var/run/postgresql/.s.PGSQL.{PORT}",
    )


def _by_options(task: SessionTask, port: int) -> SessionTask:
    """The host of an ODBC source stands in its connection string."""
    return replace(
        task,
        host="127.0.0.1",
        port=port,
        options={**task.options, "Server": "127.0.0.1", "Port": str(port)},
    )


def psqlodbc(server: Server, database: str) -> Source:
    """The local PostgreSQL server by its ODBC driver."""
    return replace(
        postgresql(server, database),
        name="psqlODBC",
        task=odbc_kit.postgresql_task(database),
        socket="",
        through=_by_options,
    )


def _at_work(server: MysqlServer, database: str) -> int:
    """How many sessions of a database MariaDB works for."""
    return sum(row["COMMAND"] in {"Query", "Execute"} for row in server.sessions(database))


def mariadb_odbc(server: MysqlServer, database: str) -> Source:
    """The local MariaDB server by its ODBC driver, which takes in a whole result first."""
    return Source(
        name="MariaDB ODBC",
        task=odbc_kit.mariadb_task(database),
        flowing="SELECT repeat('x', 200) AS x FROM seq_1_to_3000000",
        blocked="SELECT concat(sleep(60), 'left') AS x",
        at_work=lambda: _at_work(server, database),
        through=_by_options,
        buffered=True,
    )


def mysql(server: MysqlServer, database: str) -> Source:
    """The local MariaDB server by our own driver."""
    return Source(
        name="mysql",
        task=mysql_kit.mysql_task(database),
        flowing="SELECT repeat('x', 200) AS x FROM seq_1_to_30000000",
        blocked="SELECT concat(sleep(60), 'left') AS x",
        at_work=lambda: _at_work(server, database),
        socket="/run/mysqld/mysqld.sock",
    )


def mssql(server: TdsServer, driver: str) -> Source:
    """The double of SQL Server by one of the drivers for it."""
    if "leave" not in server.databases:
        rows = [(f"{number:1000d}",) for number in range(20_000)]
        server.table("leave", "facts", {"x": "varchar(1000)"}, rows)
    return Source(
        name=f"mssql, {driver}",
        task=mssql_kit.session_task(server, "leave", mssql_kit.DRIVERS[driver]()),
        flowing="SELECT a.x FROM facts AS a CROSS JOIN facts AS b",
        blocked="SELECT count(*) AS x FROM facts AS a CROSS JOIN facts AS b CROSS JOIN facts AS c",
        at_work=lambda: len(server.running()),
    )


def at_hand(folder: Path, closes: ExitStack) -> dict[str, Callable[[], Source]]:
    """By name what makes each of them that this machine has, until the stack is closed."""
    server, own = Server(), MysqlServer()
    closes.callback(server.clear)
    closes.callback(own.clear)
    found = {
        "sqlite": lambda: sqlite(folder),
        "postgresql": lambda: postgresql(server, server.database()),
        "mysql": lambda: mysql(own, own.database()),
    }
    if not odbc_kit.missing(odbc_kit.POSTGRESQL):
        found["psqlODBC"] = lambda: psqlodbc(server, server.database())
    if not odbc_kit.missing(odbc_kit.MARIADB):
        found["MariaDB ODBC"] = lambda: mariadb_odbc(own, own.database())
    double = closes.enter_context(mssql_kit.serving(folder))
    for driver in mssql_kit.DRIVERS:
        found[f"mssql, {driver}"] = partial(mssql, double, driver)
    return found
