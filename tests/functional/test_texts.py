"""Texts that are not what they should be, as an operator hears of them: N-17."""

import json
import sqlite3
from contextlib import closing

import openpyxl

from functional.cli_kit import etltui

CONFIG = """
[settings]
state_dir = "state"
[connections.north]
url = "sqlite:///north.db"
[jobs.sales]
connections = ["north"]
query = "SELECT customer FROM sales ORDER BY id"
[[jobs.sales.destinations]]
type = "csv"
path = "out.csv"
[[jobs.sales.destinations]]
type = "excel"
path = "out.xlsx"
"""
TEXTS = ("Müller", "Müller".encode().decode("cp1252"), "Grüße".encode().decode("cp1252"), "a\x01b")


def test_n_17_what_was_encoded_twice_and_what_a_sheet_cannot_hold_is_counted(tmp_path):
    with closing(sqlite3.connect(tmp_path / "north.db")) as db, db:
        db.execute("CREATE TABLE sales (id INTEGER, customer TEXT)")
        db.executemany("INSERT INTO sales VALUES (?, ?)", enumerate(TEXTS))
    config = tmp_path / "etltui.toml"
    config.write_text(CONFIG)
    done = etltui("run", "sales", "--config", config)
    assert done.code == 0, done.err
    (found,) = json.loads(etltui("show", "sales", "--json", "--config", config).out)["results"]
    notes = {"texts of customer that look encoded twice": 2, "control characters removed": 1}
    assert found["notes"] == notes
    shown = etltui("show", "sales", "--config", config).out
    assert "2 x texts of customer that look encoded twice" in shown
    index = list(openpyxl.load_workbook(tmp_path / "out.xlsx")["Index"].values)
    assert "2 x texts of customer that look encoded twice" in str(index)
    # What it meant nobody can know: it is written as it is.
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == list(TEXTS)
