"""What the guard refuses changes nothing either where it reaches a database after all; N-32.

Each statement is sent past the guard, through the kind's real reader, by a user who may write:
the read-only transaction and the reader are what is left, and nothing may come of it.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import asyncpg
import pymysql
import pytest

import mysql_kit
import postgresql_kit
from etltui.domain.errors import Failure
from etltui.domain.task import GuardTask, QueryTask, SessionTask
from etltui.guard.sql import refusal
from etltui.readers.registry import connect
from hostile_queries import HOSTILE

TABLES = (
    "CREATE TABLE t (a INTEGER)",
    "CREATE TABLE s (a INTEGER)",
    "INSERT INTO t VALUES (1), (2)",
    "INSERT INTO s VALUES (1)",
)


@dataclass(frozen=True)
class Target:
    """A database with rows in it.

    Attributes:
        task: How to open a session, as a user who may write.
        state: Everything that could have changed.
    """

    task: SessionTask
    state: Callable[[], object]


def sqlite(folder, _request):
    path = folder / "t.db"
    with closing(sqlite3.connect(path)) as database, database:
        for statement in TABLES:
            database.execute(statement)
    task = SessionTask(
        connection="c", kind="sqlite", host="", port=0, database=str(path), user="", password=""
    )

    def state():
        with closing(sqlite3.connect(path)) as database:
            return "\n".join(database.iterdump()), path.read_bytes()[:100]

    return Target(task, state)


def postgresql(_folder, request):
    server = request.getfixturevalue("postgresql")
    role = server.role("LOGIN PASSWORD 'x'")
    name = server.database(
        *TABLES,
        "CREATE SEQUENCE s_numbers",
        f"ALTER TABLE t OWNER TO {role}",
        f"ALTER TABLE s OWNER TO {role}",
        f"ALTER SEQUENCE s_numbers OWNER TO {role}",
        f"GRANT CREATE ON SCHEMA public TO {role}",
    )

    def state():
        asked = [
            "SELECT * FROM t",
            "SELECT last_value, is_called FROM s_numbers",
            (
                "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                "ORDER BY 1"
            ),
            "SELECT oid FROM pg_largeobject_metadata",
            "SELECT relacl::text FROM pg_class WHERE relname = 't'",
        ]
        return [[tuple(row) for row in server.execute(sql, database=name)] for sql in asked]

    task = postgresql_kit.session_task(name, user=role, password="x")
    return Target(task, state)


def mysql(_folder, request):
    server = request.getfixturevalue("mysql")
    name = server.database(*TABLES)
    user = server.user("IDENTIFIED BY 'x'", f"ALL ON {name}.*")

    def state():
        asked = [
            f"SELECT * FROM {name}.t",
            (
                f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}' "
                "ORDER BY 1"
            ),
            f"SHOW COLUMNS FROM {name}.t",
        ]
        return [server.execute(sql) for sql in asked]

    return Target(mysql_kit.mysql_task(name, user=user, password="x"), state)


SERVER = pytest.mark.server
KINDS = [
    pytest.param("sqlite", sqlite, id="sqlite"),
    pytest.param("postgresql", postgresql, id="postgresql", marks=SERVER),
    pytest.param("mysql", mysql, id="mysql", marks=SERVER),
]


def sent(task, sql):
    """Have a statement read to its end, whatever comes of it; whether rows or nothing came."""
    try:
        reader = connect(task)
    except Failure:
        pytest.fail("the database is there")
    with closing(reader):
        try:
            with (
                reader.snapshot(),
                reader.read(
                    QueryTask(name="q", sql=sql, limit_s=5.0),
                    batch_bytes=lambda: 65536,
                    exact=False,
                ) as result,
            ):
                for _ in result.batches:
                    pass
        except Failure:
            return False
    return True


@pytest.mark.parametrize(("dialect", "prepare"), KINDS)
@pytest.mark.timeout(120)
def test_n_32_no_hostile_statement_changes_anything(dialect, prepare, tmp_path, request):
    target = prepare(tmp_path, request)
    files = tmp_path / "files"
    files.mkdir()
    files.chmod(0o777)
    tmp_path.chmod(0o755)
    before = target.state()
    answered = []
    for sql, dialects in HOSTILE:
        if dialect not in dialects:
            continue
        assert refusal(GuardTask(dialect=dialect, sql=sql))
        if sent(target.task, sql.replace("/tmp/", f"{files}/")):
            answered.append(sql)
        assert target.state() == before, sql
        assert not list(files.iterdir()), sql
    # The reader lets some through that only ask: what they would have done, they have not.
    assert not [sql for sql in answered if sql.startswith(("UPDATE", "DELETE", "INSERT", "DROP"))]


@pytest.mark.parametrize(("dialect", "prepare"), KINDS)
def test_n_32_the_user_could_have_written(dialect, prepare, tmp_path, request):
    """Otherwise the test above would prove nothing."""
    target = prepare(tmp_path, request)
    before = target.state()
    {"sqlite": _in_sqlite, "postgresql": _in_postgresql, "mysql": _in_mysql}[dialect](target)
    assert target.state() != before


def _in_sqlite(target):
    with closing(sqlite3.connect(target.task.database)) as database, database:
        database.execute("DELETE FROM t")


def _in_postgresql(target):
    async def delete():
        task = target.task
        connection = await asyncpg.connect(
            host=task.host,
            port=task.port,
            user=task.user,
            password=task.password,
            database=task.database,
            ssl=False,
        )
        await connection.execute("DELETE FROM t")
        await connection.close()

    asyncio.run(delete())


def _in_mysql(target):
    task = target.task
    connection = pymysql.connect(
        host=task.host,
        port=task.port,
        user=task.user,
        password=task.password,
        database=task.database,
        autocommit=True,
    )
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("DELETE FROM t")
