"""A query that does more than read, as an operator meets it; N-32. And hours and tags; N-31."""

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from functional.cli_kit import etltui

BASE = """
[settings]
timezone = "UTC"
state_dir = "state"
[tags.till]
rows_per_s = 1000000
hours = "{hours}"
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
tags = ["till"]
[jobs.sales]
connections = ["*"]
query = "SELECT bill FROM sales"
{more}
[[jobs.sales.destinations]]
type = "csv"
path = "out.csv"
"""


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database, database:
            database.execute("CREATE TABLE sales (bill INTEGER)")
            database.execute("INSERT INTO sales VALUES (1)")
    return tmp_path


def told(folder, *words, hours="", more=""):
    (folder / "etltui.toml").write_text(BASE.format(hours=hours, more=more))
    return etltui(*words, "--config", folder / "etltui.toml")


def sums(folder):
    return {name: hashlib.sha256((folder / f"{name}.db").read_bytes()).digest() for name in "ab"}


def test_n_32_check_names_job_override_reason_and_way_out(folder):
    ended = told(folder, "check", more='overrides = { b = "DELETE FROM sales" }')
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"etltui: {folder / 'etltui.toml'}: jobs.sales.overrides.b: the query is not sent to b: "
        "it begins with DELETE, and a job only reads. Write one SELECT that only reads; a name "
        "that reads like a command stands in quotes, and a procedure in the job's procedures\n"
    )
    good = told(folder, "check")
    assert (good.code, good.err) == (0, "")


def test_n_32_a_run_is_refused_before_any_database_is_opened(folder):
    before = sums(folder)
    ended = told(folder, "run", "sales", more='overrides = { a = "SELECT 1; DROP TABLE sales" }')
    assert ended.code == 2
    assert "holds more than one statement" in ended.err
    assert sums(folder) == before
    assert not (folder / "out.csv").exists()
    assert told(folder, "runs", "--json").out in {"", "[]\n"}


def test_n_31_a_branch_outside_its_hours_is_named_and_the_rest_is_there(folder):
    hour = datetime.now(UTC).hour
    far = f"{(hour + 4) % 24:02}:00-{(hour + 5) % 24:02}:00"
    ended = told(folder, "run", "sales", hours=far)
    assert ended.code == 3
    assert "outside hours" in ended.out
    assert (folder / "out.csv").read_text().split()[-1] == "1"


def test_n_31_without_hours_all_is_read(folder):
    ended = told(folder, "run", "sales", "--json")
    finished = json.loads(ended.out.splitlines()[-1])
    assert (ended.code, finished["connections"]["completed"]) == (0, 2), ended.err
