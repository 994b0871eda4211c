"""`etltui audit`: who did what, and whether anybody has changed the record of it."""

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from etltui.cli import noted
from etltui.domain.audit import Act, Caller, Doing, recording
from etltui.domain.errors import StateError
from etltui.store.audit import HEAD
from etltui.store.folder import DATABASE

RAVI = Caller(
    user="ravi", host="desk", pid=7, login="asha", terminal="pts/3", address="10.0.0.9", said="x@y"
)


@pytest.fixture
def book(desk):
    """Three records, the first an hour old."""
    desk.configure()
    now = desk.now.timestamp()

    async def fill():
        async with await desk.open() as store:
            for number, what in enumerate(("submit", "cancel", "queue.pause")):
                at = now - 3600 + number * 1800
                details = {"reason": f"why {number}"} if number else {}
                act = Act(at=at, caller=RAVI, what=what, target="sales", details=details)
                await store.put_audit(Doing(act))

    asyncio.run(fill())
    return desk


def tamper(desk, statement):
    with closing(sqlite3.connect(desk.state / DATABASE)) as connection:
        for name in ("is_not_changed", "is_not_cut", "grows_at_its_end"):
            connection.execute(f"DROP TRIGGER audit_{name}")
        connection.execute(statement)
        connection.commit()


def objects(asked):
    return [json.loads(line) for line in asked.output.splitlines()]


def test_records_are_listed_the_oldest_first_with_who_and_what(book):
    asked = book.ask("audit")
    assert asked.exit_code == 0
    first, second, third = asked.output.splitlines()
    assert "ravi@desk (login asha, pts/3, from 10.0.0.9, as x@y)  submit sales" in first
    assert second.endswith("cancel sales reason=why 1")
    assert third.split()[0] == "3"


def test_without_a_record_there_is_nothing_to_show(desk):
    desk.configure()
    assert (desk.ask("audit").output, desk.ask("audit").exit_code) == ("", 0)
    assert desk.ask("audit", "--verify").output == "✓ 0 records, none changed, none missing\n"


def test_only_what_came_since_a_time_is_listed_but_all_is_verified(book):
    assert len(book.ask("audit", "--since", "45m").output.splitlines()) == 2
    assert "✓ 3 records" in book.ask("audit", "--verify", "--since", "45m").output


def test_records_are_exported_a_line_each_with_their_hashes(book):
    found = objects(book.ask("audit", "--json"))
    assert [each["seq"] for each in found] == [1, 2, 3]
    assert found[1]["previous"] == found[0]["hash"]
    assert found[2]["details"] == {"reason": "why 2"}
    assert json.loads(found[0]["record"])["act"] == "submit"
    assert objects(book.ask("audit", "--json", "--verify")) == []


def test_a_chain_that_is_whole_says_its_last_hash(book):
    asked = book.ask("audit", "--verify")
    end = json.loads((book.state / HEAD).read_text())["hash"]
    assert asked.output == f"✓ 3 records, none changed, none missing, the last of them {end}\n"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET record = '{}' WHERE seq = 2", "✗ record 2: it was changed"),
        ("DELETE FROM audit WHERE seq = 2", "✗ record 2: it is missing"),
        ("DELETE FROM audit WHERE seq = 3", "✗ record 3: it is missing"),
    ],
)
def test_the_first_record_that_is_wrong_is_named_and_the_exit_code_is_1(book, statement, said):
    tamper(book, statement)
    asked = book.ask("audit", "--verify")
    assert asked.exit_code == 1
    assert said in asked.output.splitlines()[0]
    assert said in book.ask("audit").output
    (problem,) = objects(book.ask("audit", "--json", "--verify"))
    assert problem["type"] == "problem"
    assert said in f"✗ record {problem['seq']}: {problem['problem']}"
    assert book.ask("audit", "--json").exit_code == 1


def test_of_many_that_are_wrong_ten_are_named(book):
    tamper(book, "DELETE FROM audit WHERE seq = 1")
    with closing(sqlite3.connect(book.state / DATABASE)) as connection:
        rows = [(-number, "{}", "", "") for number in range(11)]
        connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", rows)
        connection.commit()
    lines = book.ask("audit", "--verify").output.splitlines()
    assert len([line for line in lines if line.startswith("✗ record")]) == 10
    assert lines[10].startswith("✗ and ")


@pytest.mark.parametrize("record", ["{", "[]", '{"at": "x"}', '{"details": 1}'])
def test_a_record_that_cannot_be_read_is_listed_nevertheless(book, record):
    tamper(book, f"UPDATE audit SET record = '{record}' WHERE seq = 2")
    lines = book.ask("audit", "--since", "1s").output.splitlines()
    assert lines[0] == "     2 ?  ?@?  ?"
    assert objects(book.ask("audit", "--json"))[1]["record"] == record


def test_a_setting_that_is_set_where_no_engine_runs_is_recorded(desk):
    desk.configure()
    assert desk.ask("config", "set", "max_jobs", "5").exit_code == 0
    (found,) = objects(desk.ask("audit", "--json"))
    assert (found["act"], found["object"], found["details"]) == (
        "config set",
        "max_jobs",
        {"detail": "5", "outcome": "done"},
    )
    assert found["pid"]


def test_a_setting_that_cannot_be_recorded_is_not_set(desk):
    desk.configure()
    asyncio.run(desk.record())
    with closing(sqlite3.connect(desk.state / DATABASE)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END",
        )
        connection.commit()
    asked = desk.ask("config", "set", "max_jobs", "5")
    assert (asked.exit_code, "full" in asked.output) == (2, True)
    assert not (desk.folder / "etltui.local.toml").exists()


def test_a_setting_that_is_set_beside_an_engine_is_recorded_by_it(desk, monkeypatch):
    desk.configure()
    calls = []

    class Remote:
        async def call(self, name, **arguments):
            calls.append((name, arguments))
            if len(calls) > 1:
                raise StateError("full")

    @asynccontextmanager
    async def listening(_):
        yield Remote()

    monkeypatch.setattr(noted, "listening", listening)
    assert desk.ask("config", "set", "max_jobs", "5").exit_code == 0
    assert calls == [("records.act", {"what": "config set", "target": "max_jobs", "detail": "5"})]
    assert desk.ask("config", "set", "max_jobs", "6").exit_code == 2
    assert desk.config.settings.max_jobs == 5


def test_each_command_leaves_one_record_where_no_engine_runs(desk):
    desk.configure()
    for words in (
        ("queue", "pause", "sales"),
        ("hold", "A", "--reason", "line is cut"),
        ("release", "A"),
        ("identities", "approve", "A"),
    ):
        assert desk.ask(*words).exit_code == 0
    assert [each["act"] for each in objects(desk.ask("audit", "--json"))] == [
        "queue.pause",
        "records.hold",
        "records.release",
        "records.approve",
    ]


def test_a_block_that_fails_behind_its_record_is_taken_back(book):
    async def fail():
        async with await book.open() as store, recording(store, Act(at=1.0, caller=RAVI, what="x")):
            await store.pause("sales", paused=True)
            raise KeyError("lost")

    with pytest.raises(KeyError):
        asyncio.run(fail())
    assert [each["act"] for each in objects(book.ask("audit", "--json"))][3:] == ["x", "failed"]
