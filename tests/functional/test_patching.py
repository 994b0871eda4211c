"""One branch is read again by itself: its rows go into the finished targets, no other byte."""

import gzip
import json
import re
import shutil
import sqlite3
import struct
import zipfile
from contextlib import closing

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from functional.cli_kit import etltui

NAMES = ("a", "b", "c", "d")
CONFIG = """
[settings]
state_dir = "state"
timezone = "Asia/Kolkata"
extractors = 1
[jobs.sales]
connections = ["*"]
query = "SELECT number, name, price FROM sales ORDER BY number"
retry = { retries = 0 }
keep_parts_days = 7
destinations = [
    { type = "excel", path = "out/sheets.xlsx" },
    { type = "excel", path = "out/both.xlsx", layout = "both" },
    { type = "csv", path = "out/sales.csv", connection_column = "branch" },
    { type = "csv", path = "out/sales.csv.gz", connection_column = "branch" },
    { type = "parquet", path = "out/sales.parquet" },
    { type = "parquet", path = "out/lake", layout = "folder" },
    { type = "jsonl", path = "out/sales.jsonl" },
    { type = "json", path = "out/sales.json" },
]
"""
OTHERS = ("a", "c", "d")


def sell(folder, branch, rows):
    with closing(sqlite3.connect(folder / f"{branch}.db")) as db, db:
        db.execute("CREATE TABLE sales (number INTEGER, name TEXT, price REAL)")
        values = ((n, f"{branch} article {n}", n / 4) for n in range(rows))
        db.executemany("INSERT INTO sales VALUES (?, ?, ?)", values)


def call(desk, *words):
    return etltui(*words, "--config", desk / "etltui.toml")


def lacking(folder):
    """A desk whose targets lack branch b, which has come back since."""
    tables = [f'[connections.{name}]\nurl = "sqlite:///{name}.db"\n' for name in NAMES]
    (folder / "etltui.toml").write_text(CONFIG + "".join(tables))
    for name in OTHERS:
        sell(folder, name, 2000)
    first = call(folder, "run", "sales", "--json")
    assert first.finished["status"] == "completed_with_errors", first.err
    shutil.copytree(folder / "out", folder / "before")
    sell(folder, "b", 700)
    # Were they read again, their rows would be others, or none.
    for name in OTHERS:
        (folder / f"{name}.db").unlink()
    return folder


@pytest.fixture(scope="module", params=["with its parts", "without its parts"])
def desk(request, tmp_path_factory):
    """A desk that was patched; its parts are there, or gone as after `keep_parts_days`."""
    folder = lacking(tmp_path_factory.mktemp("desk"))
    if request.param == "without its parts":
        shutil.rmtree(folder / "state" / "parts")
    done = call(folder, "retry", "sales", "--json")
    assert done.finished["status"] == "completed", done.err
    assert done.finished["rows"] == 6700
    return folder


@pytest.fixture
def both(desk):
    """The folders of the targets before and after."""
    return desk / "before", desk / "out"


def raw_members(book):
    """The compressed bytes of each member of a workbook, by its name."""
    found = {}
    with zipfile.ZipFile(book) as archive, book.open("rb") as file:
        for info in archive.infolist():
            file.seek(info.header_offset)
            head = file.read(30)
            name, extra = struct.unpack("<HH", head[26:30])
            file.seek(info.header_offset + 30 + name + extra)
            found[info.filename] = file.read(info.compress_size)
    return found


def sheet_files(book):
    """From the name of each sheet to the name of its file."""
    with zipfile.ZipFile(book) as archive:
        return {
            name: f"xl/worksheets/sheet{number}.xml"
            for number, name in enumerate(load_workbook(book, read_only=True).sheetnames, 1)
            if f"xl/worksheets/sheet{number}.xml" in archive.namelist()
        }


def test_each_other_sheet_keeps_its_compressed_bytes(both):
    before, after = both
    old, new = raw_members(before / "sheets.xlsx"), raw_members(after / "sheets.xlsx")
    was, now = sheet_files(before / "sheets.xlsx"), sheet_files(after / "sheets.xlsx")
    assert list(was) == ["Index", "a", "c", "d", "Run"]
    assert list(now) == ["Index", "a", "b", "c", "d", "Run"]
    for name in OTHERS:
        assert old[was[name]] == new[now[name]]
    changed = {name for name in old if name in new and old[name] != new[name]}
    # What lists the sheets has one more; the others' files have moved on by one.
    lists = {"[Content_Types].xml", "docProps/app.xml", "xl/workbook.xml"}
    lists |= {"xl/_rels/workbook.xml.rels"}
    assert {name for name in changed if "worksheets/sheet" not in name} <= lists
    assert old["xl/styles.xml"] == new["xl/styles.xml"]


def test_of_a_csv_the_other_branches_rows_stay_in_their_order(both):
    before, after = both
    for name, opened in (("sales.csv", open), ("sales.csv.gz", gzip.open)):
        with opened(before / name, "rb") as old, opened(after / name, "rb") as new:
            was, now = old.read().splitlines(), new.read().splitlines()
        assert [line for line in now if not line.startswith(b"b,")] == was
        assert len(now) == 6701
        assert [line[:1] for line in now[2000:2702]] == [b"a", *([b"b"] * 700), b"c"]


def alike(one, other):
    """How many bytes are the same from the beginning on."""
    return next((n for n, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), len(one))


def test_gzip_members_of_other_branches_are_the_same_bytes(both):
    before, after = both
    old = (before / "sales.csv.gz").read_bytes()
    new = (after / "sales.csv.gz").read_bytes()
    head, tail = alike(old, new), alike(old[::-1], new[::-1])
    # Nothing but b's own was put in between, in one place.
    assert head + tail >= len(old)
    assert len(new) > len(old)


def row_groups(path):
    """The bytes of each row group, by the branch whose rows it holds."""
    found = {}
    data = path.read_bytes()
    file = pq.ParquetFile(path)
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        columns = [group.column(n) for n in range(group.num_columns)]
        starts = [c.dictionary_page_offset or c.data_page_offset for c in columns]
        pieces = [
            data[at : at + column.total_compressed_size]
            for at, column in zip(starts, columns, strict=True)
        ]
        (branch,) = set(file.read_row_group(number, ["connection"])["connection"].to_pylist())
        found.setdefault(branch, []).append(pieces)
    return found


def test_row_groups_of_other_branches_are_the_same_bytes(both):
    before, after = both
    old, new = row_groups(before / "sales.parquet"), row_groups(after / "sales.parquet")
    assert (list(old), list(new)) == (list(OTHERS), list(NAMES))
    assert {name: new[name] for name in OTHERS} == old


def test_files_of_other_branches_in_a_folder_are_the_same_bytes(both):
    before, after = both
    old = {path.name: path.read_bytes() for path in (before / "lake").glob("*.parquet")}
    new = {path.name: path.read_bytes() for path in (after / "lake").glob("*.parquet")}
    assert len(new) == len(old) + 1
    # Their names carry a number, that of the connection in the job: it stays.
    assert {name: new[name] for name in old} == old


def test_json_of_other_branches_is_the_same_bytes(both):
    before, after = both
    was = (before / "sales.jsonl").read_bytes().splitlines()
    now = (after / "sales.jsonl").read_bytes().splitlines()
    assert [line for line in now if b'"connection":"b"' not in line.replace(b" ", b"")] == was
    old, new = (json.loads((each / "sales.json").read_text()) for each in (before, after))
    assert [row for row in new if row["connection"] != "b"] == old


def test_a_stacked_sheet_keeps_the_other_branches_rows_in_their_order(both):
    before, after = both

    def stacked(book):
        sheet = load_workbook(book, read_only=True)
        (name,) = set(sheet.sheetnames) - {"Index", "Run", *NAMES}
        return list(sheet[name].iter_rows(values_only=True))

    was, now = stacked(before / "both.xlsx"), stacked(after / "both.xlsx")
    assert [row for row in now if row[0] != "b"] == was
    assert len(now) == 6701


def test_what_was_patched_is_what_one_run_would_have_made(desk):
    """But for the Run sheet, which tells the times and the attempt, and the Index's revision."""
    after, whole = desk / "out", desk / "whole"
    whole.mkdir()
    for name, rows in zip(NAMES, (2000, 700, 2000, 2000), strict=True):
        sell(whole, name, rows)
    shutil.copy(desk / "etltui.toml", whole)
    assert call(whole, "run", "sales", "--json").finished["status"] == "completed"
    for name in ("sales.csv", "sales.csv.gz", "sales.parquet", "sales.jsonl", "sales.json"):
        assert (after / name).read_bytes() == (whole / "out" / name).read_bytes(), name
    old, new = raw_members(whole / "out" / "sheets.xlsx"), raw_members(after / "sheets.xlsx")
    files = sheet_files(after / "sheets.xlsx")
    told = {files["Index"], files["Run"]}
    assert {name for name in old if old[name] != new[name]} <= told | {"docProps/core.xml"}


def test_the_index_says_which_revision_it_is_what_changed_who_and_when(both):
    before, after = both

    def told(book):
        rows = load_workbook(book, read_only=True)["Index"].iter_rows(values_only=True)
        return [row for row in rows if str(row[1]).startswith("Revision")]

    assert told(before / "sheets.xlsx") == []
    (row,) = told(after / "sheets.xlsx")
    assert row[1] == "Revision 2"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0530 by \S+@\S+", row[2])
    assert row[-1] == "b added, 700 rows"
    (other,) = told(after / "both.xlsx")
    assert (other[1], other[-1]) == (row[1], row[-1])


def test_show_says_it_too(desk):
    shown = call(desk, "show", "sales").out
    assert re.search(r"revision 2 of sheets.xlsx, .* by \S+@\S+: b added, 700 rows", shown)
    assert len(re.findall("revision 2 of", shown)) == 8
