"""Which dialect of SQL a connection's database speaks."""

from collections.abc import Mapping

from etltui.domain.job import Connection

UNKNOWN = ""
_NATIVE = frozenset({"postgresql", "mysql", "mssql", "sqlite"})
"""Kinds whose name is their dialect's."""
FILES = frozenset({"duckdb", "sqlite"})
"""SQLAlchemy's names of dialects whose database is a file."""
_OF_DRIVERS: Mapping[str, str] = {
    "postgres": "postgresql",
    "psqlodbc": "postgresql",
    "redshift": "postgresql",
    "mariadb": "mysql",
    "maodbc": "mysql",
    "mysql": "mysql",
    "myodbc": "mysql",
    "sqlite": "sqlite",
    "sql server": "mssql",
    "msodbcsql": "mssql",
    "freetds": "mssql",
    "tdsodbc": "mssql",
    "duckdb": "duckdb",
    "oracle": "oracle",
    "snowflake": "snowflake",
}
"""From a piece of a driver's name to what its database speaks."""
_OF_NAMES: Mapping[str, str] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "cockroachdb": "postgresql",
    "redshift": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "mssql",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "oracle": "oracle",
    "snowflake": "snowflake",
}
"""From SQLAlchemy's name of a dialect."""


def dialect_of(connection: Connection) -> str:
    """Its name, such as `postgresql`; `UNKNOWN` where the url does not tell."""
    if connection.kind in _NATIVE:
        return connection.kind
    if connection.kind == "odbc":
        named = {key.casefold(): value.casefold() for key, value in connection.options.items()}
        driver = named.get("driver", "")
        return next((said for piece, said in _OF_DRIVERS.items() if piece in driver), UNKNOWN)
    scheme = connection.url.partition(":")[0].casefold()
    name = scheme.removeprefix("sqlalchemy+").partition("+")[0]
    return _OF_NAMES.get(name, UNKNOWN)
