"""`etltui test --explain` in this process: plans of real databases, and what there is without."""

import json
import sqlite3
from contextlib import closing

import pytest

from etltui.cli.explain import as_lines
from etltui.domain.inquiry import Explained, QueryPlan

CONFIG = """
[connections.A]
url = "sqlite:///a.db"
[connections.B]
url = "sqlite:///b.db"
contact = "Asha +91"
[connections.C]
url = "sqlite:///a.db"
[jobs.sales]
connections = ["A", "B"]
query = "SELECT * FROM sales WHERE id = :id"
params = { id = 7 }
[jobs.sales.overrides]
B = "SELECT * FROM sales"
[[jobs.sales.destinations]]
type = "csv"
path = "out.csv"
"""


@pytest.fixture
def branches(desk):
    """A desk with one database that answers and one that is not there."""
    desk.configure(CONFIG, "extractors = 0")
    with closing(sqlite3.connect(desk.folder / "a.db")) as db:
        db.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY)")
    return desk


def test_n_25_each_connection_of_a_job_tells_its_plan(branches):
    """N-25: EXPLAIN per branch."""
    asked = branches.ask("test", "--explain", "sales")
    assert asked.exit_code == 3, asked.output
    lines = asked.stdout.splitlines()
    at = lines.index("✓ A")
    plan = "    SEARCH sales USING INTEGER PRIMARY KEY (rowid=?)"
    assert lines[at + 1 : at + 3] == ["  main:", plan]
    assert "✗ B" in lines
    assert "no database: there is no file" in " ".join(asked.stdout.split())
    assert "Contact: Asha +91." in asked.stdout
    assert lines[-1] == "1 of 2 connections answered"
    assert not branches.state.exists()


def test_programs_are_told_as_json(branches):
    asked = branches.ask("test", "A", "B", "--explain", "sales", "--json")
    told = {each["connection"]: each for each in map(json.loads, asked.stdout.splitlines())}
    assert told["A"]["queries"][0]["name"] == "main"
    assert (told["A"]["type"], told["A"]["error"]) == ("query_plans", None)
    assert (told["B"]["queries"], told["B"]["error"]["class"]) == ([], "no_database")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--explain", "sale"), "sales"),
        (("C", "--explain", "sales"), "C"),
    ],
)
def test_what_cannot_be_meant_is_refused(branches, words, said):
    asked = branches.ask("test", *words)
    assert asked.exit_code == 2, asked.output
    assert said in asked.output


def test_a_database_that_tells_none_says_so():
    told = Explained(job="j", connection="A\x1b", queries=(QueryPlan(name="main", plan=""),))
    assert as_lines(told) == ["✓ A␛", "  main:", "    this kind of database tells no plan"]
