"""Branches whose tables differ, as an operator meets them: N-4."""

import json
import sqlite3
from contextlib import closing

import pytest

from functional.cli_kit import etltui

TABLES = {
    "a": "id INTEGER, amount REAL",
    "b": "id INTEGER, amount REAL, town TEXT",
    "c": "id INTEGER, amount REAL",
    "d": "id INTEGER, note TEXT",
}
CONFIG = """
[settings]
state_dir = "state"
[jobs.sales]
connections = ["*"]
query = "SELECT * FROM bills"
drift = "{mode}"
[[jobs.sales.destinations]]
type = "csv"
path = "sales.csv"
"""


@pytest.fixture
def shops(tmp_path):
    for name, columns in TABLES.items():
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as db, db:
            db.execute(f"CREATE TABLE bills ({columns})")
            values = ", ".join(["1"] * len(columns.split(",")))
            db.execute(f"INSERT INTO bills VALUES ({values})")
    return tmp_path


def run(shops, mode):
    """The run's events, and the lines of its target."""
    urls = [f'[connections.{name}]\nurl = "sqlite:///{name}.db"' for name in TABLES]
    config = shops / "etltui.toml"
    config.write_text("\n".join([CONFIG.format(mode=mode), *urls]))
    done = etltui("run", "sales", "--json", "--config", config)
    target = shops / "sales.csv"
    return done.finished["connections"], target.read_text().splitlines(), config


def drift(config, *more):
    return etltui("drift", "sales", "--config", config, *more)


def test_n_4_the_run_takes_the_columns_of_all(shops):
    counts, lines, config = run(shops, "evolve")
    assert counts["completed"] == 4
    assert lines == ["id,amount,town,note", "1,1,,", "1,1,1,", "1,1,,", "1,,,1"]
    told = json.loads(drift(config, "--json").out)
    [query] = told["queries"]
    assert query["differing"] == {"b": {"town": "text"}, "d": {"amount": None, "note": "text"}}
    assert query["connections"] == 4


def test_n_4_extra_columns_are_dropped_and_missing_ones_refused(shops):
    counts, lines, config = run(shops, "drop")
    assert (counts["completed"], counts["failed"]) == (3, 1)
    assert lines == ["id,amount", "1,1", "1,1", "1,1"]
    shown = etltui("show", "sales", "--config", config).out
    assert "columns dropped: town" in shown
    assert "d  drift: the columns differ: lacks amount" in shown


def test_n_4_the_matrix_shows_who_differs_whether_it_failed_or_not(shops):
    *_, config = run(shops, "fail")
    lines = drift(config).out.splitlines()
    assert "main: the columns of 4 connections" in lines
    assert "  2 connections of 4 differ:" in lines
    assert [line.split() for line in lines[-3:]] == [
        ["CONNECTION", "amount", "town", "note"],
        ["b", "·", "text", "·"],
        ["d", "lacks", "·", "text"],
    ]


def test_a_job_without_runs_is_told(shops):
    *_, config = run(shops, "align")
    other = etltui("drift", "none", "--config", config)
    assert other.code == 2
    assert "no run of 'none' whose columns are known" in other.err
    wrong = drift(config, "--run", "zzzz")
    assert "no run 'zzzz' of 'sales'" in wrong.err
