"""S0-127: a server's sessions, their limit and waits, and what a user who may not see them is told.

PostgreSQL's and MariaDB's own answers, then the judgement over any answers.
"""

from contextlib import closing
from dataclasses import replace

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.server import ServerReading
from etltui.extractors.asking import readings_of
from etltui.readers.mssql_check import QUESTIONS as MSSQL
from etltui.readers.mysql_check import questions
from etltui.readers.postgresql_check import QUESTIONS as POSTGRESQL
from etltui.readers.reader import Checker
from etltui.readers.registry import connect
from etltui.readers.server_check import checked
from mssql_kit import freetds, serving
from mssql_kit import session_task as session_task_of
from postgresql_kit import session_task

_BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"


def answering(asked, **answers):
    """An `ask` that gives rows for the questions that are named, or raises what is given."""

    def ask(sql):
        name = next(name for name in answers if getattr(asked, name) == sql)
        if isinstance(answers[name], Failure):
            raise answers[name]
        return answers[name]

    return ask


def judged(asked=POSTGRESQL, **changes):
    usual = {"seen": [("t",)], "sessions": [(3, 1)], "limit": [(100,)], "waits": []}
    return {each.name: each for each in checked(asked, answering(asked, **(usual | changes)))}


def test_a_server_with_room():
    found = judged()
    assert list(found) == ["sessions", "limit", "waits"]
    assert found["sessions"] == ServerReading(
        name="sessions", value="3 of 100", meaning="1 of them work at this moment."
    )
    assert found["limit"].value == "100"
    assert found["waits"].value == "nothing"
    assert not any(each.warns for each in found.values())


@pytest.mark.parametrize(("there", "warns"), [(79, False), (80, True), (100, True)])
def test_a_server_that_is_nearly_full_warns(there, warns):
    reading = judged(sessions=[(str(there), "2")])["sessions"]
    assert reading.warns is warns
    assert ("Nearly all are taken" in reading.meaning) is warns


def test_a_server_without_a_limit():
    found = judged(limit=[(0,)], sessions=[(5000, None)])
    assert found["sessions"].value == "5,000"
    assert found["limit"].value == "none"
    assert not found["sessions"].warns


@pytest.mark.parametrize(
    ("asked", "what", "warns"),
    [
        (POSTGRESQL, "Lock relation", True),
        (POSTGRESQL, "IO DataFileRead", False),
        (questions(is_mariadb=True), "row lock", True),
        (MSSQL, "LCK_M_S", False),
        (MSSQL, "PAGEIOLATCH_SH", False),
        (MSSQL, "SOS_BLOCKED", False),
    ],
)
def test_locks_warn_and_other_waits_only_tell_where_to_look(asked, what, warns):
    waits = judged(asked, waits=[(what, 2), ("nothing of it", 0)])["waits"]
    assert waits.value.startswith(f"{what} 2 ")
    assert "nothing of it" not in waits.value
    assert waits.warns is warns


@pytest.mark.parametrize("name", ["sessions", "limit", "waits"])
def test_what_the_user_may_not_see_is_said_in_words(name):
    denied = Failure(ErrorClass.PERMISSION, "permission denied")
    reading = judged(**{name: denied})[name]
    assert reading.value == ""
    assert "may not see it (permission denied)" in reading.meaning
    assert "GRANT pg_read_all_stats" in reading.meaning
    assert not reading.warns


@pytest.mark.parametrize("seen", [[("f",)], [(0,)], [(None,)], [], Failure(ErrorClass.SYNTAX, "x")])
def test_who_sees_only_its_own_sessions_is_told_so(seen):
    found = judged(seen=seen)
    for name in ("sessions", "waits"):
        assert "its own sessions only; GRANT pg_read_all_stats TO it" in found[name].meaning


def test_what_is_summed_up_since_the_start_is_said_so_and_warns_nobody():
    waits = judged(MSSQL, waits=[("LCK_M_S", 7)])["waits"]
    assert "by locks" in waits.meaning
    assert "since the server started" in waits.meaning
    assert not waits.warns


@pytest.mark.parametrize("allowed", [True, False])
def test_sql_server_tells_all_three(tmp_path, allowed):
    """S0-127."""
    with serving(tmp_path) as server:
        server.may_kill = allowed
        with closing(connect(session_task_of(server, "master", freetds()))) as reader:
            found = {each.name: each for each in readings_of(reader)}
    assert found["limit"].value == "32,767"
    assert found["sessions"].value.endswith(" of 32,767")
    assert "LCK_M_S 4 seconds" in found["waits"].value
    assert ("VIEW SERVER STATE" in found["sessions"].meaning) is not allowed


def test_a_server_that_is_gone_is_no_reading():
    with pytest.raises(Failure, match="gone"):
        judged(limit=Failure(ErrorClass.LOST, "gone"))


def test_a_reader_of_files_tells_nothing():
    class Silent:
        pass

    assert readings_of(Silent()) == ()


@pytest.mark.server
def test_postgresql_tells_all_three(postgresql):
    """S0-127."""
    task = session_task(postgresql.database())
    with closing(connect(task)) as reader:
        assert isinstance(reader, Checker)
        found = {each.name: each for each in readings_of(reader)}
        reader.ping()
    there, most = found["sessions"].value.replace(",", "").split(" of ")
    assert 1 <= int(there) <= int(most) == int(found["limit"].value.replace(",", ""))
    assert found["waits"].value
    assert "own sessions" not in found["sessions"].meaning


@pytest.mark.server
def test_a_sparing_user_of_postgresql_is_told_what_to_grant(postgresql):
    database = postgresql.database()
    task = session_task(database)
    role = postgresql.role("LOGIN")
    with closing(connect(replace(task, user=role, password=""))) as reader:
        found = {each.name: each for each in readings_of(reader)}
    assert "GRANT pg_read_all_stats" in found["sessions"].meaning
    assert found["limit"].value


@pytest.mark.server
def test_a_lock_that_somebody_waits_for_is_seen(postgresql):
    import asyncio

    import asyncpg

    database = postgresql.database("CREATE TABLE t (a INT)")
    task = session_task(database)

    async def held() -> str:
        given = {"host": task.host, "port": task.port, "user": task.user, "ssl": False}
        one, two, eye = [await asyncpg.connect(database=database, **given) for _ in range(3)]
        try:
            await one.execute("BEGIN; LOCK TABLE t")
            waiting = asyncio.ensure_future(two.execute("SELECT * FROM t"))
            while not await eye.fetchval(_BLOCKED, database):
                pass
            found = await asyncio.to_thread(look)
            await one.execute("ROLLBACK")
            await waiting
            return found
        finally:
            await one.close()
            await two.close()
            await eye.close()

    def look() -> str:
        with closing(connect(task)) as reader:
            return next(each.value for each in readings_of(reader) if each.name == "waits")

    assert "Lock relation 1 session" in asyncio.run(held())
