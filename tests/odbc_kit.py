"""ODBC sources for tests: the drivers that this machine has, at the servers of the other kits."""

import importlib

import mysql_kit
from etltui.domain.task import SessionTask
from postgresql_kit import HOST, PASSWORD, PORT, USER

POSTGRESQL, MARIADB, SQLITE = "PostgreSQL Unicode", "MariaDB Unicode", "SQLite3"


def missing(driver: str) -> str:
    """Why a driver cannot be tested with here; empty where it can."""
    try:
        pyodbc = importlib.import_module("pyodbc")
    except ImportError as error:
        return f"no ODBC: {error}"
    return "" if driver in pyodbc.drivers() else f"no ODBC driver {driver}"


def odbc_task(keys: dict, **changes) -> SessionTask:
    """How to open a session with such keys."""
    made = {
        "connection": "c",
        "kind": "odbc",
        "host": keys.get("Server", ""),
        "port": int(keys.get("Port", 0)),
        "database": keys.get("Database", ""),
        "user": "",
        "password": "",
        "options": keys,
        "connect_timeout_s": 10.0,
    }
    return SessionTask(**{**made, **changes})


def postgresql_task(database: str, *, port: int = PORT, keys: dict | None = None, **changes):
    """A session by psqlODBC, without encryption: the line is this machine's own."""
    said = {
        "Driver": POSTGRESQL,
        "Server": HOST,
        "Port": str(port),
        "Database": database,
        "SSLmode": "disable",
        **(keys or {}),
    }
    return odbc_task(said, user=USER, password=PASSWORD, **changes)


def mariadb_task(database: str, *, port: int = mysql_kit.PORT, keys: dict | None = None, **changes):
    """A session by MariaDB's driver, without encryption."""
    said = {
        "Driver": MARIADB,
        "Server": mysql_kit.HOST,
        "Port": str(port),
        "Database": database,
        "FORCETLS": "0",
        **(keys or {}),
    }
    return odbc_task(said, user=mysql_kit.USER, password=mysql_kit.PASSWORD, **changes)


def sqlite_task(path, **changes) -> SessionTask:
    """A session on a file."""
    return odbc_task({"Driver": SQLITE, "Database": str(path)}, **changes)
