"""Which dialect of SQL a connection's database speaks."""

import pytest

from etltui.domain.dialect import dialect_of
from etltui.domain.job import Connection


@pytest.mark.parametrize(
    ("kind", "url", "options", "dialect"),
    [
        ("postgresql", "postgresql://h/d", {}, "postgresql"),
        ("mysql", "mariadb://h/d", {}, "mysql"),
        ("mssql", "mssql://h/d", {"driver": "FreeTDS"}, "mssql"),
        ("sqlite", "sqlite:///a.db", {}, "sqlite"),
        ("odbc", "odbc:…", {"Driver": "PostgreSQL Unicode"}, "postgresql"),
        ("odbc", "odbc:…", {"DRIVER": "MariaDB Unicode"}, "mysql"),
        ("odbc", "odbc:…", {"driver": "ODBC Driver 18 for SQL Server"}, "mssql"),
        ("odbc", "odbc:…", {"Driver": "FreeTDS"}, "mssql"),
        ("odbc", "odbc:…", {"Driver": "SQLite3"}, "sqlite"),
        ("odbc", "odbc:…", {"Driver": "/opt/lib/libmaodbc.so"}, "mysql"),
        ("odbc", "odbc:…", {"Driver": "IBM DB2"}, ""),
        ("odbc", "odbc:DSN=branch", {"DSN": "branch"}, ""),
        ("sqlalchemy", "duckdb:///a.duckdb", {}, "duckdb"),
        ("sqlalchemy", "sqlalchemy+oracle+oracledb://h/d", {}, "oracle"),
        ("sqlalchemy", "sqlalchemy+postgresql+pg8000://h/d", {}, "postgresql"),
        ("sqlalchemy", "sqlalchemy+firebird://h/d", {}, ""),
    ],
)
def test_n_32_the_url_tells_it(kind, url, options, dialect):
    connection = Connection(name="a", kind=kind, url=url, options=options)
    assert dialect_of(connection) == dialect
