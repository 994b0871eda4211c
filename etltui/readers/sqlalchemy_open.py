"""Opens a connection through SQLAlchemy: its dialect found, its driver there, nothing writable."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import NullPool

from etltui.domain.dialect import FILES
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import SessionTask
from etltui.readers.reach import REACH_S, reached
from etltui.readers.sqlalchemy_duckdb import CONFIG
from etltui.readers.sqlalchemy_errors import failure_of, told
from etltui.readers.sqlite_open import check_file

DUCKDB = "duckdb"

_ISOLATION: Mapping[str, tuple[str, ...]] = {
    "": ("REPEATABLE READ", "SNAPSHOT", "SERIALIZABLE"),
    "snapshot": ("SNAPSHOT", "REPEATABLE READ", "SERIALIZABLE"),
    "committed": ("READ COMMITTED",),
    "dirty": ("READ UNCOMMITTED",),
}
"""What each policy is called; the first that the dialect knows."""
_QUIET = frozenset({DUCKDB, "sqlite", "oracle"})
"""Have a state of their own for each transaction already, or set it below."""

_READ_ONLY: Mapping[str, str] = {
    "cockroachdb": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "redshift": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = 1",
}
"""Said once for a session."""
BEGINS: Mapping[str, str] = {"oracle": "SET TRANSACTION READ ONLY"}
"""Said at each transaction's start: Oracle's also makes it see one state."""

PACKAGES: Mapping[str, str] = {
    "access": "sqlalchemy-access",
    "awsathena": "PyAthena[SQLAlchemy]",
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "clickhousedb": "clickhouse-connect",
    "cockroachdb": "sqlalchemy-cockroachdb",
    "databricks": "databricks-sqlalchemy",
    "db2": "ibm-db-sa",
    "duckdb": "etltui[duckdb]",
    "exa": "sqlalchemy-exasol",
    "firebird": "sqlalchemy-firebird",
    "hana": "sqlalchemy-hana",
    "hive": "pyhive",
    "ibmi": "sqlalchemy-ibmi",
    "impala": "impyla",
    "informix": "IfxAlchemy",
    "oracle": "oracledb",
    "presto": "pyhive",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
    "teradatasql": "teradatasqlalchemy",
    "trino": "trino",
    "vertica": "sqlalchemy-vertica-python",
}
"""What makes SQLAlchemy know a dialect, by the dialect's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A connection and what it is.

    Attributes:
        connection: SQLAlchemy's, in no transaction.
        driver: What the driver calls its connection.
    """

    engine: sa.Engine
    connection: sa.Connection
    driver: Any

    @property
    def dialect(self) -> str:
        """Its name."""
        return self.engine.dialect.name


def open_connection(task: SessionTask) -> Opened:
    """Open a connection.

    Raises:
        Failure: With the class that says why; no text of it holds the password.
    """
    name = task.options.get("dialect", "")
    if name.partition("+")[0] in FILES:
        check_file(task.database)
    elif task.host and task.port:
        reached(task.host, task.port, min(REACH_S, task.connect_timeout_s / 2)).close()
    engine = _engine(task, name)
    try:
        with told(task.password):
            connection = engine.connect()
            _settle(connection, task)
    except BaseException:
        engine.dispose()
        raise
    return Opened(
        engine=engine,
        connection=connection,
        driver=connection.connection.driver_connection,
    )


def _engine(task: SessionTask, name: str) -> sa.Engine:
    """The engine of a url; nothing is opened. A file asks for no login, whatever is configured."""
    at_server = name.partition("+")[0] not in FILES
    url = sa.URL.create(
        name,
        username=(at_server and task.user) or None,
        password=(at_server and task.password) or None,
        host=task.host or None,
        port=task.port or None,
        database=task.database or None,
        query={key: value for key, value in task.options.items() if key != "dialect"},
    )
    arguments: dict[str, Any] = {}
    if name == DUCKDB:
        arguments = {"read_only": True, "config": dict(CONFIG)}
    try:
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=arguments)
    except exc.NoSuchModuleError as error:
        raise Failure(ErrorClass.DRIVER, no_dialect(name)) from error
    except ImportError as error:
        raise Failure(ErrorClass.DRIVER, no_driver(name, error)) from error
    except Exception as error:
        raise failure_of(error, task.password) from error
    if engine.dialect.is_async:
        raise Failure(
            ErrorClass.DRIVER,
            f"{name} is a driver for asynchronous programs; name another behind the plus sign of "
            "the url, as in sqlalchemy+DIALECT+DRIVER://",
        )
    return engine


def no_dialect(name: str) -> str:
    """What to install where SQLAlchemy does not know a dialect."""
    dialect = name.partition("+")[0]
    package = PACKAGES.get(dialect)
    if package is None:
        return (
            f"SQLAlchemy knows no dialect {name}: check its spelling, or install the package that "
            "brings it; `etltui drivers` lists those that are there"
        )
    return f"the dialect {name} is not installed: pip install '{package}'"


def no_driver(name: str, error: ImportError) -> str:
    """What to install where a dialect's driver is missing."""
    missing = error.name or str(error)
    package = PACKAGES.get(name.partition("+")[0], missing)
    if error.name and package != error.name and package.partition("[")[0] != "etltui":
        package = error.name
    return f"the driver of {name} is not installed (no module {missing}): pip install '{package}'"


def _settle(connection: sa.Connection, task: SessionTask) -> None:
    """Make the session read only, and see what the policy says, as far as its dialect can."""
    dialect = connection.dialect
    if (said := _READ_ONLY.get(dialect.name)) is not None:
        connection.exec_driver_sql(said)
        # What was said for the session must outlive its first transaction, on PostgreSQL too.
        connection.commit()
    asked = task.policy.isolation
    if dialect.name in _QUIET and not asked:
        return
    raw = connection.connection.dbapi_connection
    known: set[str] = set()
    with suppress(NotImplementedError):
        known.update(() if raw is None else dialect.get_isolation_level_values(raw))
    level = next((each for each in _ISOLATION[asked] if each in known), None)
    if level is not None:
        connection.execution_options(isolation_level=level)
    elif asked:
        raise Failure(
            ErrorClass.SYNTAX,
            f'{dialect.name} cannot read with isolation = "{asked}"; take it out of the connection '
            "or its tags",
        )
