"""Owner files of Excel and LibreOffice: whom they name, however damaged or hostile they are."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from etltui.domain.owner_file import is_owner_file, owner, owner_files
from etltui.domain.targets import beside_path, lock_path
from owner_kit import excel

AT = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Anna", "Jörg Müller", "अन्ना"])
def test_excel_names_its_user(name):
    assert len(excel("Anna")) == 165
    assert owner("~$branches.xlsx", excel(name)) == name


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", ""),
        (b"\x04Anna", "Anna"),
        (b"\x04Anna".ljust(55) + b"\xff\xff" + b"A\0", "Anna"),
        (b"\xffAn", "An"),
        (excel("Anna", wide=""), "Anna"),
    ],
)
def test_a_damaged_one_names_what_is_left_of_it(content, name):
    assert owner("~$a.xlsx", content) == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            ",anna,till-3,23.11.2026 03:15,file:///home/anna/.config;",
            "anna on till-3",
        ),
        ("Anna Rao,anna,till-3,23.11.2026 03:15,file:///x;", "Anna Rao on till-3"),
        ("Rao\\, Anna,anna,till-3,23.11.2026 03:15,file:///x;", "Rao, Anna on till-3"),
        ("Anna,,,,", "Anna"),
        (",,,,;", ""),
        ("", ""),
    ],
)
def test_libreoffice_names_its_user(line, name):
    assert owner(".~lock.branches.xlsx#", line.encode()) == name


def test_a_name_is_harmless_and_short():
    said = owner("~$a.xlsx", excel("A\x1b[31m\u202e\n" + "x" * 44))
    assert said.isprintable()
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) <= 40


def test_where_they_stand():
    names = [path.name for path in owner_files(Path("/out/a.xlsx"))]
    assert names == ["~$a.xlsx", ".~lock.a.xlsx#"]
    assert all(map(is_owner_file, names))
    assert not any(map(is_owner_file, ["a.xlsx", ".~lock.a", "$a"]))


@pytest.mark.parametrize(
    ("target", "why", "beside"),
    [
        ("gst.xlsx", "held by Anna", "gst (held by Anna, 2026-11-23 03.15).xlsx"),
        ("gst.csv.gz", "not replaced", "gst (not replaced, 2026-11-23 03.15).csv.gz"),
        ("folder", "read-only", "folder (read-only, 2026-11-23 03.15)"),
        ("a.xlsx", "held by ../../x:*?\n", "a (held by .. .. x, 2026-11-23 03.15).xlsx"),
    ],
)
def test_the_name_in_sight_says_why_and_since_when(target, why, beside):
    assert beside_path(Path("/out") / target, why, AT) == Path("/out") / beside


def test_the_name_in_sight_fits_every_disk():
    name = beside_path(Path("/out") / ("न" * 78 + ".xlsx"), "held by " + "अ" * 30, AT).name
    assert len(name.encode()) <= 250
    assert name.endswith(", 2026-11-23 03.15).xlsx")


def test_the_lock_stands_beside_the_target():
    assert lock_path(Path("/out/a.xlsx")) == Path("/out/.a.xlsx.etltui-lock")
