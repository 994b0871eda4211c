"""`etltui verify` and `verify = "full"`, with the program as an operator runs it."""

import json

import openpyxl
import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import end, start

BRANCHES, ROWS = 3, 200
MORE = """
[[jobs.gst_sales.destinations]]
type = "parquet"
path = "output/{job}.parquet"

[[jobs.gst_sales.destinations]]
type = "json"
path = "output/{job}.json.gz"
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=ROWS))
    config = made / "config.toml"
    text = config.read_text().replace("[jobs.gst_sales]\n", '[jobs.gst_sales]\nverify = "full"\n')
    assert 'verify = "full"' in text
    config.write_text(text + MORE)
    return made


def ask(folder, *words):
    config, state = folder / "config.toml", folder / "state"
    return end(start(*words, "--config", config, "--state-dir", state))


def verified(folder, *words):
    told = ask(folder, "verify", *words, "--json")
    return told.code, json.loads(told.out) if told.out else told.err


def test_every_target_of_a_run_is_read_back_on_any_day(folder):
    first = ask(folder, "run", "gst_sales", "--json")
    assert first.code == 0, first.err
    code, found = verified(folder, "gst_sales")
    assert (code, found["agrees"]) == (0, True)
    assert len(found["targets"]) >= 3
    for target in found["targets"]:
        rows = {c["connection"]: c["rows_read_back"] for c in target["connections"]}
        assert rows == {f"branch_{n:03d}": ROWS for n in range(1, BRANCHES + 1)}, target["path"]
        assert all(c["rows_written"] == ROWS and c["cells"] >= ROWS for c in target["connections"])
    shown = ask(folder, "show", "gst_sales")
    assert f"{BRANCHES * ROWS} rows read = written = read back, 3 of 3" in shown.out
    results = json.loads(ask(folder, "show", "gst_sales", "--json").out)["results"]
    assert {(r["rows_written"], r["rows_read_back"]) for r in results} == {(ROWS, ROWS)}
    assert ask(folder, "run", "gst_sales").code == 0
    code, found = verified(folder, first.finished["run"])
    assert code == 2
    assert all("was replaced by the run" in each["gone"] for each in found["targets"])


def test_the_connection_that_differs_is_named(folder):
    assert ask(folder, "run", "gst_sales").code == 0
    _, found = verified(folder, "gst_sales")
    path = next(each["path"] for each in found["targets"] if each["path"].endswith(".xlsx"))
    book = openpyxl.load_workbook(path)
    assert ("Read back", "every cell, before this file got its name") in book["Run"].values
    sheet = next(each for each in book if "branch_002" in each.title)
    sheet.delete_rows(50)
    book.save(path)
    told = ask(folder, "verify", "gst_sales")
    assert told.code == 1
    assert "branch_002: 200 rows written, 199 read back" in told.out
    assert "branch_001" not in told.out
    assert "last changed" in told.out


def test_a_run_or_a_target_that_is_not_there_is_told(folder):
    code, said = verified(folder, "nothing")
    assert code == 2
    assert "there is no run or job 'nothing'" in said
    assert ask(folder, "run", "gst_sales").code == 0
    (folder / "output" / "gst_sales.parquet").unlink()
    code, found = verified(folder, "gst_sales")
    gone = {each["path"].rpartition("/")[2]: each["gone"] for each in found["targets"]}
    assert code == 2
    assert gone["gst_sales.parquet"] == "is not there any more"
