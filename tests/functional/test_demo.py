"""The main job from the command line: the same bytes twice, every cell as in the databases."""

import csv
import filecmp
import shutil
import subprocess
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import python_calamine

from faults.kills import data_of
from functional.cli_kit import etltui, rows_of

BRANCHES, ROWS = 5, 400

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "one"
    ended = make(folder)
    assert ended.code == 0, ended
    return folder


def make(folder: Path, *more: object):
    size = ("--branches", BRANCHES, "--rows", ROWS, "--headless")
    return etltui("demo", "--dir", folder, *size, *more)


def test_two_folders_of_one_seed_hold_the_same_data(demo, tmp_path):
    assert make(tmp_path / "two").code == 0
    one, two = demo / "output", tmp_path / "two" / "output"
    assert filecmp.cmp(one / "gst_sales.csv", two / "gst_sales.csv", shallow=False)
    assert data_of(one / "gst_sales.xlsx") == data_of(two / "gst_sales.xlsx")


def test_another_seed_holds_other_data(demo, tmp_path):
    assert make(tmp_path / "two", "--seed", 2).code == 0
    one, two = demo / "output", tmp_path / "two" / "output"
    assert not filecmp.cmp(one / "gst_sales.csv", two / "gst_sales.csv", shallow=False)


def test_a_demo_of_the_same_size_is_used_again_and_another_refused(demo):
    before = (demo / "data" / "branch_001.db").stat().st_mtime_ns
    assert make(demo).code == 0
    assert (demo / "data" / "branch_001.db").stat().st_mtime_ns == before
    refused = make(demo, "--seed", 9)
    assert refused.code == 2
    assert "holds another demo" in refused.err


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    refused = make(tmp_path)
    assert refused.code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt"]


def as_source(value: object) -> object:
    """A cell as SQLite would hold it."""
    if isinstance(value, datetime):
        return str(value)
    if isinstance(value, date | time):
        return str(value)
    return value


def same(found: object, stored: object) -> bool:
    """Whether a cell holds what the database does; empty text and NULL are one in a workbook."""
    found = as_source(found)
    if found in {None, ""}:
        return stored in {None, ""}
    if isinstance(found, bool):
        return found == bool(stored)
    if isinstance(stored, int | float) and isinstance(found, int | float):
        return Decimal(repr(found)) == Decimal(repr(stored)) or found == stored
    if isinstance(found, str) and isinstance(stored, str):
        # A date alone reads back as midnight, a timestamp with its time.
        return found in (stored, f"{stored} 00:00:00")
    return found == stored


@pytest.mark.parametrize("branch", [1, 3, 5])
def test_every_cell_reads_back_as_it_is_in_the_database(demo, branch):
    target = demo / "output" / "gst_sales.xlsx"
    stored = rows_of(demo, branch)
    book = openpyxl.load_workbook(target, read_only=True)
    by_openpyxl = list(book[f"branch_{branch:03d}"].iter_rows(values_only=True))[1:]
    book.close()
    workbook = python_calamine.CalamineWorkbook.from_path(str(target))
    by_calamine = workbook.get_sheet_by_name(f"branch_{branch:03d}").to_python()[1:]
    assert len(by_openpyxl) == len(by_calamine) == len(stored) == ROWS
    for reader in (by_openpyxl, by_calamine):
        for found, row in zip(reader, stored, strict=True):
            wrong = [pair for pair in zip(found, row, strict=True) if not same(*pair)]
            assert not wrong


def test_sheets_and_rows_are_those_of_the_databases(demo):
    book = openpyxl.load_workbook(demo / "output" / "gst_sales.xlsx", read_only=True)
    names = [f"branch_{number:03d}" for number in range(1, BRANCHES + 1)]
    assert book.sheetnames == ["Index", *names, "Run"]
    index = list(book["Index"].iter_rows(values_only=True))
    book.close()
    listed = {row[1]: row for row in index if row[1] in names}
    assert [(listed[name][3], listed[name][4]) for name in names] == [
        ("completed", ROWS)
    ] * BRANCHES


def test_the_csv_holds_every_row_under_its_branch(demo):
    with (demo / "output" / "gst_sales.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head[:2] == ["branch", "bill_id"]
    assert len(rows) == BRANCHES * ROWS
    stored = [row for branch in range(1, BRANCHES + 1) for row in rows_of(demo, branch)]
    assert [int(row[1]) for row in rows] == [row[0] for row in stored]
    assert [row[8] for row in rows] == [row[7] for row in stored]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_converts_the_workbook(demo, tmp_path):
    target = str(demo / "output" / "gst_sales.xlsx")
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "ods", "--outdir", str(tmp_path)]
    done = subprocess.run([*command, target], capture_output=True, text=True, check=True)
    assert "error" not in done.stderr.lower()
    assert (tmp_path / "gst_sales.ods").stat().st_size > 0


def test_nothing_is_left_behind(demo):
    assert sorted(path.name for path in (demo / "output").iterdir()) == [
        "gst_sales.csv",
        "gst_sales.xlsx",
    ]
    assert list((demo / "state" / "parts").iterdir()) == []
    assert list((demo / "state" / "checkpoints").iterdir()) == []
    private = [demo / "state", *(demo / "state").rglob("*")]
    assert not [path for path in private if path.stat().st_mode & 0o077]
