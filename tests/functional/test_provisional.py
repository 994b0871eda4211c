"""Days that a branch had not closed when they were read: N-9."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from functional.cli_kit import etltui

CONFIG = """
[settings]
state_dir = "state"
timezone = "Asia/Kolkata"
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
[jobs.daily]
connections = ["a", "b"]
query = "SELECT id FROM bills WHERE day = :day"
day_closed = "SELECT MAX(done) FROM days WHERE day = :day"
retry = { retries = 0 }
[[jobs.daily.destinations]]
type = "csv"
path = "{day}.csv"
connection_column = "branch"
[[jobs.daily.destinations]]
type = "excel"
path = "{day}.xlsx"
"""
DAY = str(datetime.now(ZoneInfo("Asia/Kolkata")).date() - timedelta(days=3))


def sold(folder, branch, *statements):
    with closing(sqlite3.connect(folder / f"{branch}.db")) as db, db:
        for statement in statements:
            db.execute(statement.replace("DAY", f"'{DAY}'"))


@pytest.fixture
def desk(tmp_path):
    """A desk that has read a day which branch b had not closed."""
    for branch in "ab":
        sold(
            tmp_path,
            branch,
            "CREATE TABLE bills (id INTEGER, day TEXT)",
            "CREATE TABLE days (day TEXT, done INTEGER)",
            "INSERT INTO bills VALUES (1, DAY)",
        )
    sold(tmp_path, "a", "INSERT INTO days VALUES (DAY, 1)")
    (tmp_path / "etltui.toml").write_text(CONFIG)
    first = call(tmp_path, "run", "daily", "--json", "--day", DAY)
    assert first.finished["status"] == "completed", first.err
    assert lines(tmp_path) == ["branch,id", "a,1", "b,1"]
    (tmp_path / "run").write_text(first.finished["run"])
    # Were it read again, its rows would be others.
    sold(tmp_path, "a", "DELETE FROM bills")
    return tmp_path


def call(desk, *words):
    return etltui(*words, "--config", desk / "etltui.toml")


def lines(desk):
    return (desk / f"{DAY}.csv").read_text().splitlines()


def night(desk):
    """The next night's run, of another day."""
    done = call(desk, "run", "daily", "--json")
    assert done.finished["status"] == "completed", done.err
    return done


def marks(desk):
    """Of the run of that day, why each connection is provisional."""
    shown = json.loads(call(desk, "show", (desk / "run").read_text(), "--json").out)
    assert shown["status"] == "completed"
    return [each["provisional"] for each in shown["results"]]


OPEN = ["", "the day is not closed"]
CLOSED = ["", ""]


def test_n_9_it_is_marked_and_shown(desk):
    assert marks(desk) == OPEN
    assert "provisional: the day is not closed" in call(desk, "show", "daily").out


def test_n_9_the_next_night_patches_it_until_it_is_closed(desk):
    sold(desk, "b", "INSERT INTO bills VALUES (2, DAY)")
    assert "reading days again that were not closed: 1 run" in night(desk).err
    assert lines(desk) == ["branch,id", "a,1", "b,1", "b,2"]
    assert marks(desk) == OPEN
    sold(desk, "b", "INSERT INTO bills VALUES (3, DAY)", "INSERT INTO days VALUES (DAY, 1)")
    night(desk)
    assert lines(desk)[1:] == ["a,1", "b,1", "b,2", "b,3"]
    assert marks(desk) == CLOSED
    assert "reading days again" not in night(desk).err


def test_n_9_twice_the_same_rows_end_it_too(desk):
    night(desk)
    assert lines(desk) == ["branch,id", "a,1", "b,1"]
    assert marks(desk) == CLOSED


def test_a_branch_that_is_away_keeps_the_rows_that_it_had(desk):
    (desk / "b.db").rename(desk / "b.away")
    done = call(desk, "run", "daily", "--json")
    assert done.finished["status"] == "completed_with_errors"
    assert lines(desk) == ["branch,id", "a,1", "b,1"]
    assert marks(desk) == OPEN
    (desk / "b.away").rename(desk / "b.db")
    sold(desk, "b", "INSERT INTO bills VALUES (2, DAY)", "INSERT INTO days VALUES (DAY, 1)")
    night(desk)
    assert lines(desk)[1:] == ["a,1", "b,1", "b,2"]
    assert marks(desk) == CLOSED


def test_a_target_that_every_night_replaces_is_not_patched(desk):
    config = desk / "etltui.toml"
    config.write_text(CONFIG.replace("{day}.", "always.").replace("{day}.", "always."))
    call(desk, "run", "daily", "--json", "--day", DAY)
    sold(desk, "b", "INSERT INTO bills VALUES (2, DAY)")
    assert (desk / "always.csv").read_text().splitlines() == ["branch,id", "b,1"]
    night(desk)
    assert (desk / "always.csv").read_text().splitlines() == ["branch,id"]


def test_days_of_long_ago_stay_as_they_are(desk):
    config = desk / "etltui.toml"
    config.write_text(CONFIG.replace("retry =", "provisional_days = 2\nretry ="))
    sold(desk, "b", "INSERT INTO bills VALUES (2, DAY)")
    assert "reading days again" not in night(desk).err
    assert lines(desk) == ["branch,id", "a,1", "b,1"]


def test_the_day_may_be_told_by_the_last_bill(desk):
    config = desk / "etltui.toml"
    config.write_text(
        CONFIG.replace(
            'day_closed = "SELECT MAX(done) FROM days WHERE day = :day"',
            "day_until = \"SELECT MAX(day) || ' 21:00:00' FROM bills WHERE day = :day\"",
        )
    )
    sold(desk, "a", "INSERT INTO bills VALUES (9, DAY)")
    done = call(desk, "run", "daily", "--json", "--day", DAY)
    assert done.code == 0
    found = json.loads(call(desk, "show", "daily", "--json").out)["results"]
    assert [each["provisional"] for each in found] == CLOSED
    config.write_text(config.read_text().replace("21:00:00", "11:00:00"))
    call(desk, "run", "daily", "--json", "--day", DAY)
    found = json.loads(call(desk, "show", "daily", "--json").out)["results"]
    assert [each["provisional"] for each in found] == [f"the last row is of {DAY} 11:00"] * 2
