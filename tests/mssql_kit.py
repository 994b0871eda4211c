"""Drivers for SQL Server that tests may use, and sessions at the double of it."""

from contextlib import suppress
from pathlib import Path

import pyodbc
import pytest

from etltui.domain.errors import Failure
from etltui.domain.task import SessionTask
from etltui.readers.mssql_drivers import chosen
from tds.server import TdsServer

USER, PASSWORD = "reader", "Pa55-w0rd;{x?"


def microsoft() -> str:
    """Microsoft's driver: the system's, or the one that comes with a Python package."""
    for asked in ("msodbcsql18", "mssql-python", "msodbcsql17"):
        with suppress(Failure):
            chosen(asked, pyodbc.drivers())
            return asked
    pytest.skip("Microsoft's driver is not here: install msodbcsql18 or mssql-python")
    return ""


def freetds() -> str:
    """FreeTDS as the driver manager knows it."""
    if "FreeTDS" not in pyodbc.drivers():
        pytest.skip("FreeTDS is not here: apt install tdsodbc")
    return "freetds"


DRIVERS = {"microsoft": microsoft, "freetds": freetds}


def serving(folder: Path, **changes) -> TdsServer:
    """A double with the user that `session_task` has."""
    return TdsServer(**{"folder": folder, "users": {USER: PASSWORD}, **changes})


def session_task(server: TdsServer, database: str, driver: str = "", **changes) -> SessionTask:
    """How to open a session there, unencrypted unless the options say otherwise."""
    options = {"driver": driver or microsoft(), "sslmode": "disable", **changes.pop("options", {})}
    made = {
        "connection": "c",
        "kind": "mssql",
        "host": "127.0.0.1",
        "port": server.port,
        "database": database,
        "user": USER,
        "password": PASSWORD,
        "options": options,
        "connect_timeout_s": 10.0,
    }
    return SessionTask(**{**made, **changes})
