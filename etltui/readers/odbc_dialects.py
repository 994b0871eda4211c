"""How the databases behind ODBC differ: how to only read, what types are, who they are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import get_args

from etltui.domain.job import Scalar
from etltui.domain.policy import Isolation, ReadPolicy
from etltui.readers import (
    mssql_settings,
    mysql_session,
    mysql_sql,
    odbc_sql,
    odbc_sqlite,
    postgresql_session,
    postgresql_sql,
    sqlite_sql,
)
from etltui.readers import odbc_api as api
from etltui.readers.odbc_batches import Found, canonical
from etltui.readers.odbc_blocks import MOMENTS
from etltui.readers.postgresql_print import BEFORE_CHRIST
from etltui.readers.tokens import Tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """A database behind ODBC.

    Attributes:
        name: As SQL_DBMS_NAME says; empty for any other.
        tokens: Of its statements.
        check: Lets only a bare statement pass that reads.
        kind_of: The canonical type of a column.
        wrapped: The statement in which the server spells what the driver would not keep; given
            the columns and the positions of those that are read as `mixed`.
        spelled: Canonical types that come as text then.
        opening: Makes a session read-only and gentle, and its values mean what we think they do.
        formed: A column with the form of its values, where its type does not say it all.
        literal: How a value is written into the statement; None: values are bound.
        begin: Makes a transaction one state that all queries see, by isolation.
        end: Ends it; empty where ODBC's own switch begins and ends transactions.
        limit: Lets the server end a query after so many milliseconds or seconds.
        facts: Asked until one is answered; one row: identity, seconds since 1970 by its clock, when
            it was started, whether the line is encrypted.
        explain: Before a statement; its rows are the plan.
        alive: Gives a row as long as the database is there.
        apart: What a query sets of its session before it reads, and the rest of it.
    """

    name: str = ""
    tokens: Tokens = odbc_sql.tokens
    check: Callable[[str], None] = odbc_sql.check_reading
    kind_of: Callable[[api.Field], str] = canonical
    wrapped: Callable[[str, Sequence[Found], Collection[int]], str] = lambda sql, *_: sql
    spelled: frozenset[str] = frozenset()
    opening: Callable[[ReadPolicy], Sequence[str]] = lambda _: ()
    formed: Callable[[Found], Found] = lambda found: found
    literal: Callable[[Scalar], str] | None = None
    begin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    end: str = ""
    limit: str = ""
    facts: tuple[str, ...] = ()
    explain: str = ""
    alive: str = "SELECT 1"
    apart: Callable[[str], tuple[tuple[str, ...], str]] = lambda sql: ((), sql)


def _names(count: int) -> str:
    return ", ".join(f"c{number}" for number in range(1, count + 1))


def _alias(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_POSTGRESQL_AS_THEY_ARE = frozenset(
    {"bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "bytea", "text",
     "varchar", "bpchar", "char", "name", "inet", "cidr", "macaddr"},
)  # fmt: skip
"""The driver makes 9999-12-31 of an infinity, 44 of 44 BC and a float of money; what the server
itself turns into text it passes on."""
_UNBOUNDED = (28, 6)
"""What the driver says of a numeric without a declared scale."""
_MOST_DIGITS = 38
"""As many as a column has that is read without this driver."""


def _postgresql_kind(found: api.Field) -> str:
    if found.type_name.startswith(("timestamptz", "timestamp with time zone")):
        return "timestamptz"
    if found.sql_type == api.NUMERIC and (
        (found.size, found.digits) == _UNBOUNDED or found.size > _MOST_DIGITS
    ):
        return "mixed"
    return "text" if found.type_name == "money" else canonical(found)


def _postgresql_value(name: str, found: Found, *, odd: bool) -> str:
    """A column as the driver can pass it on, of all columns in the wrapped query."""
    if found.field.type_name in _POSTGRESQL_AS_THEY_ARE:
        return name
    kind = found.column.type
    if odd and kind in {"date", "timestamp", "timestamptz"}:
        return BEFORE_CHRIST.format(name)
    return f"({name} AT TIME ZONE 'UTC')::text" if kind == "timestamptz" else f"{name}::text"


def _postgresql_wrapped(sql: str, found: Sequence[Found], misfits: Collection[int]) -> str:
    wanted = [
        f"{_postgresql_value(f'c{number + 1}', each, odd=number in misfits)} "
        f"AS {_alias(each.column.name)}"
        for number, each in enumerate(found)
    ]
    if all(each.field.type_name in _POSTGRESQL_AS_THEY_ARE for each in found):
        return sql
    # The query is the operator's own, and names are quoted.
    return f"SELECT {', '.join(wanted)} FROM ({sql}\n) AS q({_names(len(found))})"  # noqa: S608


def _check_postgresql(sql: str) -> None:
    postgresql_sql.check_reading(sql)


def _postgresql_opening(policy: ReadPolicy) -> Sequence[str]:
    return [f"SET {name} = '{value}'" for name, value in postgresql_session.SETTINGS.items()] + (
        postgresql_session.gentle(policy)
    )


_POSTGRESQL = Dialect(
    name="PostgreSQL",
    tokens=postgresql_sql.tokens,
    check=_check_postgresql,
    kind_of=_postgresql_kind,
    wrapped=_postgresql_wrapped,
    spelled=MOMENTS,
    opening=_postgresql_opening,
    begin=MappingProxyType(
        {
            # With a first query: only with it is the state chosen that all others see.
            isolation: (f"SET TRANSACTION ISOLATION LEVEL {level}, READ ONLY", "SELECT 1")
            for isolation, level in postgresql_session.LEVELS.items()
        },
    ),
    limit="SET statement_timeout = {ms}",
    facts=(
        # The identity as the reader without this driver makes it: it may be the same database.
        (
            "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || "
            "(SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || "
            "CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE "
            "(SELECT timeline_id FROM pg_control_checkpoint())::text END, "
            "extract(epoch FROM clock_timestamp())::float8, "
            "extract(epoch FROM pg_postmaster_start_time())::numeric(20, 6)::text, "
            "(SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())"
        ),
    ),
    explain="EXPLAIN ",
)


def _mariadb_opening(policy: ReadPolicy) -> Sequence[str]:
    return [mysql_session.setting(policy), "SET SESSION TRANSACTION READ ONLY"]


def _mariadb_kind(found: api.Field) -> str:
    if found.sql_type == api.TIMESTAMP and found.type_name == "timestamp":
        return "timestamptz"
    return canonical(found)


_PLACE = "CONCAT(@@hostname, ':', @@port, ':', @@datadir)"
_BORN = (
    ("@@server_uid", "information_schema"),
    (_PLACE, "information_schema"),
    ("@@server_uuid", "performance_schema"),
)
"""What tells a server from others, and where its state stands: MariaDB's, an old one's, MySQL's."""
_MARIADB = Dialect(
    name="MariaDB",
    # A bound text with a character beyond U+FFFF gets a NUL at its end from the driver.
    literal=mysql_sql.literal,
    tokens=mysql_sql.tokens,
    check=mysql_sql.check_reading,
    kind_of=_mariadb_kind,
    spelled=MOMENTS,
    opening=_mariadb_opening,
    begin=MappingProxyType(
        {
            isolation: (
                f"SET SESSION TRANSACTION ISOLATION LEVEL {level}",
                mysql_session.begin(isolation),
            )
            for isolation, level in mysql_session.LEVELS.items()
        },
    ),
    limit="SET max_statement_time = {seconds}",
    facts=tuple(
        # The identity as the reader without this driver makes it: it may be the same database.
        f"SELECT CONCAT({born}, '/', @@server_id, '/', DATABASE()), "  # noqa: S608 - the names are ours
        "UNIX_TIMESTAMP(NOW(6)) + 0e0, "
        "(SELECT CAST(CAST(UNIX_TIMESTAMP(NOW()) - VARIABLE_VALUE AS SIGNED) AS CHAR) FROM "
        f"{schema}.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'), "
        f"(SELECT VARIABLE_VALUE <> '' FROM {schema}.SESSION_STATUS "
        "WHERE VARIABLE_NAME = 'SSL_CIPHER')"
        for born, schema in _BORN
    ),
    explain="EXPLAIN ",
    alive=(
        "SELECT 1 FROM DUAL WHERE DATABASE() IS NULL OR EXISTS (SELECT 1 FROM "
        "information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE())"
    ),
)


_SQLITE = Dialect(
    name="SQLite",
    tokens=odbc_sqlite.tokens,
    check=lambda sql: odbc_sql.check_reading(sql, sqlite_sql.tokens),
    kind_of=odbc_sqlite.kind_of,
    wrapped=odbc_sqlite.wrapped,
    spelled=odbc_sqlite.SPELLED,
    opening=lambda _: ("PRAGMA query_only = 1",),
    formed=odbc_sqlite.formed,
    # Within a transaction of ODBC's, and for bound values, the driver keeps all rows in memory.
    literal=odbc_sqlite.literal,
    begin=MappingProxyType(
        dict.fromkeys(get_args(Isolation), ("BEGIN", "SELECT 1 FROM sqlite_master LIMIT 1")),
    ),
    end="ROLLBACK",
    explain="EXPLAIN QUERY PLAN ",
    alive="SELECT count(*) FROM sqlite_master",
)
_MSSQL = Dialect(name="Microsoft SQL Server", apart=mssql_settings.apart)
_OTHER = Dialect()
_DIALECTS = {
    "postgresql": _POSTGRESQL,
    "mariadb": _MARIADB,
    "mysql": _MARIADB,
    "sqlite": _SQLITE,
    "microsoft sql server": _MSSQL,
}


def dialect_of(name: str) -> Dialect:
    """The dialect of a database by its SQL_DBMS_NAME."""
    return _DIALECTS.get(name.casefold(), _OTHER)
