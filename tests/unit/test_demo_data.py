"""The demo's databases: believable, the same from the same seed, and made in one piece."""

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from etltui.cli import demo_data
from etltui.cli.demo_data import Demo, existing, gstin_check, make

ROWS = 2000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("demo")
    make(made, branches=3, rows=ROWS, seed=7)
    return made


def rows(path: Path) -> list[dict]:
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM sales ORDER BY bill_id")]


def digests(folder: Path) -> dict[str, str]:
    files = sorted((folder / "data").iterdir())
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_files_and_their_marker(folder):
    assert list(digests(folder)) == ["branch_001.db", "branch_002.db", "branch_003.db"]
    marked = json.loads((folder / "demo.json").read_text())
    assert marked == {"seed": 7, "branches": 3, "rows": ROWS, "version": demo_data._VERSION}
    assert existing(folder) == Demo(seed=7, branches=3, rows=ROWS)
    assert {path.name for path in folder.iterdir()} == {"data", "demo.json"}


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    make(tmp_path, branches=3, rows=ROWS, seed=7)
    assert digests(tmp_path) == digests(folder)


def test_another_seed_and_another_branch_give_other_rows(folder, tmp_path):
    make(tmp_path, branches=1, rows=ROWS, seed=8)
    assert digests(tmp_path)["branch_001.db"] != digests(folder)["branch_001.db"]
    assert len(set(digests(folder).values())) == 3


def test_fewer_branches_are_a_beginning_of_more(folder, tmp_path):
    make(tmp_path, branches=1, rows=ROWS, seed=7)
    assert digests(tmp_path)["branch_001.db"] == digests(folder)["branch_001.db"]


def test_every_value_is_exactly_what_its_column_declares(folder):
    for number, row in enumerate(rows(folder / "data" / "branch_002.db"), 1):
        assert row["bill_id"] == number
        assert row["bill_no"] == f"B002/26/{number:06d}"
        assert date(2026, 11, 1) <= date.fromisoformat(row["sale_date"]) <= date(2026, 11, 21)
        assert str(datetime.fromisoformat(row["sold_at"])) == row["sold_at"]
        assert row["sold_at"].startswith(row["sale_date"])
        for column, scale in (("quantity", 3), ("price", 2), ("tax", 2)):
            value = Decimal(repr(row[column]))
            assert value == value.quantize(Decimal(1).scaleb(-scale))
        assert row["paid"] in {0, 1}
        assert row["discount"] is None or isinstance(row["discount"], float)
        assert re.fullmatch(r"\d{2}[A-Z]{5}\d{4}[A-Z][12]Z[0-9A-Z]", row["gstin"])
        assert gstin_check(row["gstin"][:14]) == row["gstin"][14]
        assert row["hsn"] is None or re.fullmatch(r"\d{4,8}", row["hsn"])


def test_the_check_character_of_a_published_number():
    assert gstin_check("27AAPFU0939F1Z") == "V"


def test_the_rows_are_hard_on_file_formats(folder):
    found = [row for n in (1, 2, 3) for row in rows(folder / "data" / f"branch_00{n}.db")]
    names = {row["customer"] for row in found}
    for script in ("ऀ-ॿ", "஀-௿", "ঀ-৿", "؀-ۿ", "一-鿿", "A-Z", "🪔"):
        assert any(re.search(f"[{script}]", name) for name in names)
    assert {"=1+1", "+91 98200 00000"} <= names
    assert any('"' in name and "," in name for name in names)
    assert any("\n" in name for name in names)
    assert any((row["hsn"] or "").startswith("0") for row in found)
    assert {row["hsn"] is None for row in found} == {True, False}
    assert {row["discount"] is None for row in found} == {True, False}
    assert {type(row["price"]) for row in found} == {int, float}
    out = io.StringIO()
    csv.writer(out).writerows(row.values() for row in found)
    assert len(list(csv.reader(io.StringIO(out.getvalue())))) == len(found)


def test_an_interrupted_making_goes_on(folder, tmp_path, monkeypatch):
    class Interrupted(Exception):  # noqa: N818 - stands for a killed process
        pass

    real = demo_data._sales

    def sales(demo, branch):
        for number, row in enumerate(real(demo, branch)):
            if branch == 2 and number == 1000:
                raise Interrupted
            yield row

    monkeypatch.setattr(demo_data, "_sales", sales)
    with pytest.raises(Interrupted):
        make(tmp_path, branches=3, rows=ROWS, seed=7)
    assert list(digests(tmp_path)) == ["branch_001.db"]
    assert existing(tmp_path) is None
    # A killed process leaves its temporary file.
    (tmp_path / "data" / "branch_002.db.tmp").write_bytes(b"half")
    monkeypatch.undo()
    kept = (tmp_path / "data" / "branch_001.db").stat().st_mtime_ns
    make(tmp_path, branches=3, rows=ROWS, seed=7)
    assert digests(tmp_path) == digests(folder)
    assert (tmp_path / "data" / "branch_001.db").stat().st_mtime_ns == kept


def test_another_demo_in_the_folder_is_replaced(tmp_path):
    make(tmp_path, branches=3, rows=50, seed=1)
    before = digests(tmp_path)
    make(tmp_path, branches=2, rows=50, seed=2)
    assert list(digests(tmp_path)) == ["branch_001.db", "branch_002.db"]
    assert not set(before.values()) & set(digests(tmp_path).values())
    assert existing(tmp_path) == Demo(seed=2, branches=2, rows=50)


def test_other_people_s_files_are_not_replaced(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "branch_001.db").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="choose another folder"):
        make(tmp_path, branches=1, rows=5, seed=1)
    assert (tmp_path / "data" / "branch_001.db").read_bytes() == b"mine"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seed": "x"}', '{"other": 1}', "null"])
def test_an_unreadable_marker_is_no_demo(tmp_path, text):
    (tmp_path / "demo.json").write_text(text)
    assert existing(tmp_path) is None


def test_a_demo_that_lost_a_file_is_not_there(tmp_path):
    make(tmp_path, branches=2, rows=5, seed=1)
    (tmp_path / "data" / "branch_002.db").unlink()
    assert existing(tmp_path) is None
    make(tmp_path, branches=2, rows=5, seed=1)
    assert existing(tmp_path) == Demo(seed=1, branches=2, rows=5)


def test_no_rows(tmp_path):
    make(tmp_path, branches=1, rows=0, seed=1)
    assert rows(tmp_path / "data" / "branch_001.db") == []
