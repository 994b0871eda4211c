"""What is remembered of pools that come and go: health, and the statements that ran."""

import hashlib

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.pools import PoolHistory, StatementRun
from fakes import Script, failure
from unit.pool.pool_kit import connection, steps

DOWN = Failure(ErrorClass.UNREACHABLE, "nobody there")


def ran(sql="select 1", rows=3, seconds=0.5):
    return StatementRun(sql=sql, rows=rows, seconds=seconds)


def history(room, pool=0):
    return room.manager.get_history()[pool]


async def test_s4_38_each_statement_is_counted_with_its_times_and_rows(rooms):
    room = rooms()
    long = "select  a,\n b from t where " + "x" * 100
    room.manager.ran(connection(), [ran(seconds=1.0), ran(long)])
    room.manager.ran(connection(), [ran(rows=4, seconds=0.25)])
    first, second = history(room).statements
    assert (first.text, first.count, first.rows) == ("select 1", 2, 7)
    assert (first.total_s, first.mean_s, first.max_s) == (1.25, 0.625, 1.0)
    assert first.hash == hashlib.sha256(b"select 1").hexdigest()[:12]
    assert second.text == ("select a, b from t where " + "x" * 100)[:60]
    assert (second.count, second.rows) == (1, 3)


async def test_s4_38_of_many_statements_the_one_that_was_not_used_for_longest_goes(rooms):
    room = rooms()
    room.manager.ran(connection(), [ran(f"select {number}") for number in range(100)])
    room.manager.ran(connection(), [ran("select 0"), ran("select 100")])
    texts = [each.text for each in history(room).statements]
    assert len(texts) == 100
    assert texts[:2] == ["select 100", "select 0"]
    assert "select 1" not in texts
    assert texts[-1] == "select 2"


async def test_what_is_known_of_a_pool_outlives_its_sessions(rooms):
    room = rooms()
    await room.once()
    room.manager.ran(connection(), [ran()])
    room.manager.close_idle()
    await steps()
    assert room.manager.get_info() == ()
    room.clock.turn(5)
    assert history(room) == PoolHistory(
        pool="mysql h:3306/one",
        proved_s=5.0,
        proofs_failed=0,
        statements=history(room).statements,
    )
    assert history(room).healthy
    assert len(history(room).statements) == 1


async def test_s4_38_a_database_that_cannot_be_opened_is_not_healthy_until_it_is(rooms):
    room = rooms()
    room.door.opens["one"] = Script(DOWN, DOWN, None)
    for failed in (1, 2):
        with pytest.raises(Failure):
            await room.once()
        assert (history(room).proofs_failed, history(room).proved_s) == (failed, None)
        assert not history(room).healthy
        assert "nobody there" in history(room).last_error
    await room.once()
    assert (history(room).proofs_failed, history(room).proved_s) == (0, 0.0)
    assert history(room).healthy
    assert history(room).last_error == ""


async def test_a_pool_is_told_its_own_error_and_not_that_of_another_on_its_server(rooms):
    room = rooms()
    other = connection("two")
    room.door.opens["one"] = Script(failure(ErrorClass.NO_DATABASE, "no such login"))
    room.door.opens["two"] = Script(failure(ErrorClass.NO_DATABASE, "no such database"))
    for each in (connection(), other):
        with pytest.raises(Failure):
            await room.once(each)
    told = {each.pool: each.last_error for each in room.manager.get_history()}
    assert {key: text.rpartition(": ")[2] for key, text in told.items()} == {
        "mysql h:3306/one": "no such login",
        "mysql h:3306/two": "no such database",
    }


async def test_s4_38_proofs_are_what_answers_and_what_comes_back_in_order(rooms):
    room = rooms(validate_after_s=10)
    async with room.manager.lease(connection()):
        room.clock.turn(5)
        assert history(room).proved_s == 5
    assert history(room).proved_s == 0
    room.clock.turn(20)
    async with room.manager.lease(connection()):
        assert (room.door.pinged, history(room).proved_s) == ([1], 0)


async def test_s4_38_a_session_that_does_not_answer_or_is_lost_counts_against_its_database(rooms):
    room = rooms(validate_after_s=10)
    await room.once()
    room.clock.turn(20)
    room.door.pings = Script(DOWN, None)
    room.door.opens["one"] = Script(DOWN, None)
    with pytest.raises(Failure):
        await room.once()
    assert (history(room).proofs_failed, history(room).proved_s) == (2, 20)
    assert not history(room).healthy
    with pytest.raises(Failure):
        async with room.manager.lease(connection()):
            raise Failure(ErrorClass.LOST, "gone")
    assert (history(room).proofs_failed, history(room).proved_s) == (1, 0)


async def test_statements_may_be_noted_of_a_pool_that_never_lent(rooms):
    room = rooms()
    room.manager.ran(connection(), [])
    assert (history(room).proved_s, history(room).healthy) == (None, False)
