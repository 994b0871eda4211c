"""Urls of databases that are read through SQLAlchemy."""

from pathlib import Path

import pytest

from etltui.config.checks import RefusedError
from etltui.config.urls import Address, address

FOLDER = Path("/srv/etl")


@pytest.mark.parametrize(
    ("url", "database", "dialect"),
    [
        ("duckdb:///data/a.duckdb", "/srv/etl/data/a.duckdb", "duckdb"),
        ("duckdb:////data/a%20b.duckdb", "/data/a b.duckdb", "duckdb"),
        ("DuckDB:///a.duckdb", "/srv/etl/a.duckdb", "duckdb"),
        ("sqlalchemy+duckdb:///a.duckdb", "/srv/etl/a.duckdb", "duckdb"),
        ("sqlalchemy+sqlite+pysqlite:///a.db", "/srv/etl/a.db", "sqlite+pysqlite"),
    ],
)
def test_a_file_is_read_from_the_folder_of_the_configuration(url, database, dialect):
    assert address(url, FOLDER) == Address(
        kind="sqlalchemy",
        database=database,
        options={"dialect": dialect},
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "sqlalchemy+oracle+oracledb://h:1521/?service_name=sales",
            ("h", 1521, "", {"dialect": "oracle+oracledb", "service_name": "sales"}),
        ),
        ("sqlalchemy+trino://h/hive/default", ("h", 0, "hive/default", {"dialect": "trino"})),
        ("sqlalchemy+db2://h:50000/x", ("h", 50000, "x", {"dialect": "db2"})),
    ],
)
def test_a_server_of_any_dialect(url, expected):
    host, port, database, options = expected
    assert address(url, FOLDER) == Address(
        kind="sqlalchemy",
        host=host,
        port=port,
        database=database,
        options=options,
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlalchemy://h/x", "names no dialect"),
        ("sqlalchemy+://h/x", "names no dialect"),
        ("sqlalchemy+a+b+c://h/x", "is no name of a dialect"),
        ("sqlalchemy+oracle:///x", "names no host"),
        ("sqlalchemy+oracle://h:0/x", "port is out of range"),
        ("sqlalchemy+oracle://h:99999/x", "port is out of range"),
        ("sqlalchemy+oracle://u@h/x", "names a user"),
        ("sqlalchemy+oracle://u:p@h/x", "holds a password"),
        ("sqlalchemy+oracle://h/x?a=1&a=2", "is said twice"),
        ("sqlalchemy+oracle://h/x?dialect=db2", "stands before ://"),
        ("sqlalchemy+snowflake://h/x?private_key=CANARY", "looks like a secret"),
        ("sqlalchemy+snowflake://h/x?PWD=CANARY", "looks like a secret"),
        ("sqlalchemy+snowflake://h/x%00", "holds a NUL"),
        ("duckdb://h/a.duckdb", "names a host"),
        ("duckdb:///:memory:", "names no file"),
        ("duckdb:///", "names no file"),
        ("duckdb:///C:/a.duckdb", "Windows path"),
        ("duckdb:///a.duckdb?password=CANARY", "takes no options"),
    ],
)
def test_a_wrong_url_is_refused_in_words_without_its_secrets(url, said):
    with pytest.raises(RefusedError) as caught:
        address(url, FOLDER)
    assert said in str(caught.value)
    assert "CANARY" not in str(caught.value)
