"""Several queries of a job, a file each, as an operator meets them: S4-38."""

import json
import sqlite3
from contextlib import closing

import openpyxl
import pytest

from functional.cli_kit import Ended, etltui

CONFIG = """
[settings]
state_dir = "state"
timezone = "Asia/Kolkata"
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
[jobs.day]
connections = ["a", "b"]
business_day = "today"
retry = { retries = 0 }
[jobs.day.queries]
bills = "SELECT id, amount FROM bills"
items = { sql = "SELECT code FROM items", control = "SELECT COUNT(*) AS rows FROM items" }
[[jobs.day.destinations]]
type = "csv"
path = "{query}/{job}_{query}.csv"
connection_column = "branch"
[[jobs.day.destinations]]
type = "jsonl"
path = "{query}.jsonl.gz"
[[jobs.day.destinations]]
type = "parquet"
path = "{query}.parquet"
[[jobs.day.destinations]]
type = "excel"
path = "all.xlsx"
[[jobs.day.destinations]]
type = "excel"
path = "of {query}.xlsx"
layout = "both"
"""
BILLS = {"a": [(1, "1.50"), (2, "2.50")], "b": [(3, "3.50")]}
ITEMS = {"a": ["x"], "b": ["y", "z"]}


@pytest.fixture
def desk(tmp_path):
    for name in "ab":
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as db, db:
            db.execute("CREATE TABLE bills (id INTEGER, amount DECIMAL(9,2))")
            db.execute("CREATE TABLE items (code TEXT)")
            db.executemany("INSERT INTO bills VALUES (?, ?)", BILLS[name])
            db.executemany("INSERT INTO items VALUES (?)", [(each,) for each in ITEMS[name]])
    (tmp_path / "etltui.toml").write_text(CONFIG)
    return tmp_path


def call(desk, *words) -> Ended:
    return etltui(*words, "--config", desk / "etltui.toml")


def lines(desk, name):
    return (desk / name).read_text().splitlines()


BILLS_CSV = ["branch,id,amount", "a,1,1.50", "a,2,2.50", "b,3,3.50"]
ITEMS_CSV = ["branch,code", "a,x", "b,y", "b,z"]


def test_each_query_has_a_file_of_its_own(desk):
    """S3-13."""
    done = call(desk, "run", "day", "--json")
    assert done.code == 0, done.err
    assert done.finished["rows"] == 6
    rows = {each["path"].rpartition("/")[2]: each["rows"] for each in done.finished["outputs"]}
    assert rows == {
        "day_bills.csv": 3,
        "day_items.csv": 3,
        "bills.jsonl.gz": 3,
        "items.jsonl.gz": 3,
        "bills.parquet": 3,
        "items.parquet": 3,
        "all.xlsx": 6,
        "of bills.xlsx": 3,
        "of items.xlsx": 3,
    }
    assert lines(desk, "bills/day_bills.csv") == BILLS_CSV
    assert lines(desk, "items/day_items.csv") == ITEMS_CSV
    book = openpyxl.load_workbook(desk / "of items.xlsx")
    assert [row[4] for row in book["Index"].values] == ["Rows", 1, 2, 3]
    assert [row[0] for row in book["b"].values] == ["code", "y", "z"]
    assert book.sheetnames == ["Index", "items", "a", "b", "Run"]


def hide(desk, name):
    (desk / f"{name}.db").rename(desk / f"{name}.away")


def test_a_branch_that_comes_late_is_patched_into_each_file(desk):
    hide(desk, "b")
    first = call(desk, "run", "day", "--json")
    assert first.finished["status"] == "completed_with_errors"
    assert lines(desk, "items/day_items.csv") == ITEMS_CSV[:2]
    (desk / "b.away").rename(desk / "b.db")
    # The parts are gone: what is kept comes out of the targets.
    for part in (desk / "state" / "parts").rglob("*.part"):
        part.unlink()
    # Were it read again, its rows would be others.
    with closing(sqlite3.connect(desk / "a.db")) as db, db:
        db.execute("DELETE FROM items")
    second = call(desk, "retry", "day", "--json")
    assert second.finished["status"] == "completed", second.err
    assert lines(desk, "bills/day_bills.csv") == BILLS_CSV
    assert lines(desk, "items/day_items.csv") == ITEMS_CSV


def test_a_run_that_stopped_goes_on_where_it_was(desk):
    config = desk / "etltui.toml"
    config.write_text(CONFIG.replace("retry =", "canary = true\nretry ="))
    hide(desk, "b")
    first = call(desk, "run", "day", "--json")
    assert first.finished["connections"]["completed"] == 1
    (desk / "b.away").rename(desk / "b.db")
    with closing(sqlite3.connect(desk / "a.db")) as db, db:
        db.execute("DELETE FROM items")
    assert first.finished["status"] == "stopped"
    second = call(desk, "run", "day", "--resume", "--json")
    assert second.finished["connections"] == {
        "total": 2,
        "completed": 1,
        "failed": 0,
        "skipped": 1,
    }
    assert lines(desk, "items/day_items.csv") == ITEMS_CSV


def test_it_is_listed_and_tried_query_by_query(desk):
    listed = call(desk, "jobs", "day").out
    assert "bills/{job}_bills.csv" in listed
    assert "items/{job}_items.csv" in listed
    checked = call(desk, "check")
    assert checked.code == 0, checked.err


def test_n_7_the_control_of_one_query_fails_the_connection(desk):
    config = desk / "etltui.toml"
    config.write_text(CONFIG.replace("SELECT COUNT(*)", "SELECT COUNT(*) + (MAX(code) = 'z')"))
    done = call(desk, "run", "day", "--json")
    assert done.finished["connections"]["failed"] == 1
    shown = json.loads(call(desk, "show", "day", "--json").out)["results"]
    assert shown[0]["controls"] == [
        {"query": "items", "what": "rows", "expected": "1", "got": "1", "agrees": True}
    ]
    assert shown[1]["error"]["class"] == "control"
    assert shown[1]["error"]["message"] == "rows 2 written, 3 at the source"
