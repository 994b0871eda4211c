"""The bytes of workbooks: what other programs read in them, their sameness, damage refused."""

import csv
import os
import shutil
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
import zipfile
import zlib
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import openpyxl
import pytest
import python_calamine

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.writers import excel_assemble
from etltui.writers.excel_styles import HEADER, STYLES
from etltui.writers.zip_parts import ZipParts

COLUMNS = (Column(name="n", type="int"), Column(name="name", type="text"))
NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rows_of(start, count):
    return [(n, f"row {n}") for n in range(start, start + count)]


def values(book, sheet):
    workbook = openpyxl.load_workbook(book)
    return list(workbook[sheet].iter_rows(values_only=True))


PAYLOADS = [
    start + body
    for start in ("=", "+", "-", "@", "\t=", "\r=", "=-", "＝")
    for body in ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://x","y")', "#REF!", "A1")
]


def test_no_text_is_ever_a_formula(bench):
    columns = (Column(name="=A1", type="text"), Column(name="+1", type="mixed"))
    rows = [(text, {"text": text, "number": False}) for text in PAYLOADS]
    parts = bench.parts(columns, rows, connection="=1+1")
    bad = bench.failed("=2+2", message="=3")
    book, _ = bench.publish(columns, bench.entry(parts), bad, facts=(("=4", "@5"),), title="=6")
    assert len(PAYLOADS) == 40
    workbook = openpyxl.load_workbook(book)
    for sheet in workbook:
        assert {cell.data_type for row in sheet for cell in row} <= {"s", "n", "inlineStr"}
    found = [row[0] for row in values(book, "=1+1")]
    assert found == ["=A1", *PAYLOADS]
    with zipfile.ZipFile(book) as file:
        assert not any(b"<f>" in file.read(name) for name in file.namelist())


def test_styles_are_the_ones_that_parts_refer_to(bench):
    book, _ = bench.publish(COLUMNS, bench.stored(COLUMNS, "A", rows_of(0, 1)))
    with zipfile.ZipFile(book) as file:
        root = ET.fromstring(file.read("xl/styles.xml"))
    formats = {f.get("numFmtId"): f.get("formatCode") for f in root.iter(f"{NS}numFmt")}
    builtin = {"0": "General", "1": "0", "2": "0.00", "49": "@"}
    fonts = list(root.find(f"{NS}fonts"))
    found = [
        (
            {**builtin, **formats}[xf.get("numFmtId")],
            fonts[int(xf.get("fontId"))].find(f"{NS}b") is not None,
            fonts[int(xf.get("fontId"))].find(f"{NS}u") is not None,
        )
        for xf in root.find(f"{NS}cellXfs")
    ]
    assert found == [
        ("General", False, False),
        ("@", False, False),
        ("yyyy-mm-dd", False, False),
        ("yyyy-mm-dd hh:mm:ss", False, False),
        ("yyyy-mm-dd hh:mm:ss.000", False, False),
        ("hh:mm:ss", False, False),
        ("hh:mm:ss.000", False, False),
        ("@", True, False),
        ("0", False, False),
        *[("0." + "0" * scale, False, False) for scale in range(1, 11)],
        ("@", False, True),
    ]
    assert len(found) == len(STYLES)


def test_openpyxl_numbering_styles_otherwise_is_noticed(bench, monkeypatch):
    monkeypatch.setattr("etltui.writers.excel_scaffold.STYLES", STYLES[1:])
    with pytest.raises(Failure) as caught:
        bench.publish(COLUMNS)
    assert caught.value.error_class is ErrorClass.INTERNAL


def test_elements_stand_in_the_order_of_the_schema(bench):
    book, _ = bench.publish(COLUMNS, bench.stored(COLUMNS, "A", rows_of(0, 2)))
    with zipfile.ZipFile(book) as file:
        root = ET.fromstring(file.read("xl/worksheets/sheet2.xml"))
        workbook = file.read("xl/workbook.xml").decode()
    assert [child.tag.removeprefix(NS) for child in root] == [
        "dimension",
        "sheetViews",
        "sheetFormatPr",
        "cols",
        "sheetData",
        "autoFilter",
    ]
    assert root[0].get("ref") == root[-1].get("ref") == "A1:B3"
    header = root.find(f"{NS}sheetData/{NS}row")
    assert {cell.get("s") for cell in header} == {str(HEADER)}
    assert [float(col.get("width")) for col in root.find(f"{NS}cols")] == [4, 8]
    assert "'A'!$A$1:$B$3</definedName>" in workbook


def test_header_and_filter_are_a_choice(bench):
    options = {"autofilter": False, "freeze_header": False}
    book, _ = bench.publish(COLUMNS, bench.stored(COLUMNS, "A", rows_of(0, 2)), options=options)
    with zipfile.ZipFile(book) as file:
        root = ET.fromstring(file.read("xl/worksheets/sheet2.xml"))
    tags = [child.tag.removeprefix(NS) for child in root]
    assert tags == ["dimension", "sheetFormatPr", "cols", "sheetData"]


def test_the_same_result_makes_the_same_bytes_but_for_the_run_sheet(bench):
    def made(name, fact):
        entries = [bench.stored(COLUMNS, "A", rows_of(0, 99)), bench.failed("B")]
        renamed = [
            replace(e, receipts=tuple(replace(r, run="r") for r in e.receipts)) for e in entries
        ]
        return bench.publish(COLUMNS, *renamed, name=name, facts=(("id", fact),))

    (one, first), (two, second) = made("1.xlsx", "x"), made("2.xlsx", "a longer fact")
    (three, _) = made("3.xlsx", "x")
    assert one.read_bytes() == three.read_bytes()
    with zipfile.ZipFile(one) as left, zipfile.ZipFile(two) as right:
        assert left.namelist() == right.namelist()
        differing = [name for name in left.namelist() if left.read(name) != right.read(name)]
    assert differing == ["xl/worksheets/sheet3.xml"]
    assert first.members == second.members


def test_the_same_bytes_in_another_process(tmp_path):
    script = (
        "import sys, pathlib\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from conftest import Workbench\n"
        "from etltui.domain.columns import Column\n"
        "folder = pathlib.Path(sys.argv[2]); folder.mkdir()\n"
        "bench = Workbench(folder); columns = (Column(name='n', type='int'),)\n"
        "print(bench.publish(columns, bench.entry(bench.parts(columns, [(1,)])))[1].crc)\n"
    )
    crcs = {
        subprocess.run(
            [sys.executable, "-c", script, Path(__file__).parent, tmp_path / seed],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(crcs) == 1


@pytest.mark.parametrize("where", [0, 5, -5, "gone", "cut"])
def test_a_damaged_part_is_refused(bench, where):
    good, bad = (
        bench.stored(COLUMNS, "Good", rows_of(0, 9)),
        bench.stored(COLUMNS, "Bad", rows_of(0, 9)),
    )
    path = bench.folder / bad.receipts[0].path
    content = bytearray(path.read_bytes())
    if where == "gone":
        path.unlink()
    elif where == "cut":
        path.write_bytes(content[:-1])
    else:
        content[where] ^= 1
        path.write_bytes(content)
    with pytest.raises(Failure, match="Bad") as caught:
        bench.publish(COLUMNS, good, bad)
    assert caught.value.error_class is ErrorClass.CORRUPT
    assert caught.value.facts["connection"] == "Bad"
    assert not (bench.folder / "book.xlsx").exists()


def test_a_part_of_another_attempt_is_refused(bench):
    [receipt] = bench.stored(COLUMNS, "A", rows_of(0, 9)).receipts
    with pytest.raises(Failure) as caught:
        bench.publish(COLUMNS, bench.entry([replace(receipt, attempt=2)]))
    assert caught.value.error_class is ErrorClass.CORRUPT


class Faulty(ZipParts):
    """A disk that changes a byte of a part, or loses the directory."""

    def __init__(self, fd, *, fault):
        super().__init__(fd)
        self.fd, self.fault = fd, fault

    def add(self, name, pieces):
        offsets = super().add(name, pieces)
        if self.fault == "byte" and len(pieces) == 3:
            old = os.pread(self.fd, 1, offsets[1])
            os.pwrite(self.fd, bytes([old[0] ^ 1]), offsets[1])
        return offsets

    def finish(self):
        super().finish()
        if self.fault == "directory":
            os.ftruncate(self.fd, self.position - 30)
        if self.fault == "local":
            os.pwrite(self.fd, b"XX", 0)


@pytest.mark.parametrize("fault", ["byte", "directory", "local"])
def test_a_file_that_is_not_what_was_written_is_refused(bench, monkeypatch, fault):
    monkeypatch.setattr(excel_assemble, "ZipParts", partial(Faulty, fault=fault))
    with pytest.raises(Failure, match="does not hold") as caught:
        bench.publish(COLUMNS, bench.stored(COLUMNS, "A", rows_of(0, 9)))
    assert caught.value.error_class is ErrorClass.TARGET


def test_a_target_that_cannot_be_written_is_a_failure(bench):
    with pytest.raises(Failure) as caught:
        bench.publish(COLUMNS, bench.stored(COLUMNS, "A", []), name="missing/book.xlsx")
    assert caught.value.error_class is ErrorClass.TARGET


def test_file_and_folder_are_durable(bench, monkeypatch):
    synced = []
    real = os.fsync
    part = bench.stored(COLUMNS, "A", [])

    def noting(fd):
        synced.append(Path(f"/proc/self/fd/{fd}").readlink())
        real(fd)

    monkeypatch.setattr(os, "fsync", noting)
    book, _ = bench.publish(COLUMNS, part)
    assert synced == [book, bench.folder]


def test_an_old_temporary_file_is_replaced_and_obeys_the_umask(bench):
    old = os.umask(0o027)
    try:
        book, published = bench.publish(COLUMNS, bench.stored(COLUMNS, "A", rows_of(0, 2)))
    finally:
        os.umask(old)
    assert book.stat().st_mode & 0o777 == 0o640
    book.write_bytes(b"x" * 1_000_000)
    again, second = bench.publish(COLUMNS, bench.stored(COLUMNS, "A", rows_of(0, 2)))
    assert again.stat().st_size == second.bytes == published.bytes


def test_a_book_of_two_hundred_connections(bench):
    entries = [bench.stored(COLUMNS, f"Branch_{n:03d}", rows_of(n, 1)) for n in range(200)]
    book, published = bench.publish(COLUMNS, *entries)
    names = python_calamine.CalamineWorkbook.from_path(book).sheet_names
    assert len(names) == 202
    assert published.rows == 200


@pytest.mark.slow
@pytest.mark.timeout(90)
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_reads_every_cell(bench, tmp_path):
    columns = (
        *COLUMNS,
        Column(name="d", type="date"),
        Column(name="at", type="timestamp"),
        Column(name="m", type="decimal(20,2)"),
        Column(name="b", type="bool"),
    )
    texts = ["007", " <&> ", "=1+1", "_x0041_", "a\nb", "राम", "😀", "+1", "'", '"']
    rows = [
        (n, text, 20_000 + n, 1_700_000_000_000_000 + n * 10**6, Decimal(n * 17).scaleb(-2), n > 4)
        for n, text in enumerate(texts)
    ]
    book, _ = bench.publish(columns, bench.entry(bench.parts(columns, rows)))
    which = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2"
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{tmp_path}/office",
            "--headless",
            "--convert-to",
            which,
            "--outdir",
            tmp_path / "out",
            book,
        ],
        check=True,
        capture_output=True,
    )
    [path] = (tmp_path / "out").iterdir()
    with path.open(newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == [column.name for column in columns]
    assert [row[1] for row in found[1:]] == texts
    assert found[1] == ["0", "007", "2024-10-04", "2023-11-14 22:13:20", "0", "FALSE"]
    assert found[10][4:] == ["1.53", "TRUE"]


def test_the_xml_of_a_row(bench):
    """Parts of two versions may meet in one book, so this changes on purpose only."""
    [receipt] = bench.parts(COLUMNS, [(1, "a<"), (None, None)])
    assert zlib.decompressobj(-15).decompress(bench.payload(receipt)).decode() == (
        '<row><c><v>1</v></c><c t="inlineStr" s="1"><is><t xml:space="preserve">a&lt;</t></is></c>'
        "</row><row><c/><c/></row>"
    )


def test_lxml_is_not_used_where_it_is_installed(tmp_path):
    """By a process of its own, since openpyxl decides when it is imported."""
    lxml = tmp_path / "site" / "lxml"
    lxml.mkdir(parents=True)
    (lxml / "__init__.py").touch()
    (lxml / "etree.py").write_text("LXML_VERSION = (6, 0, 0, 0)\n")
    script = f"""
        import sys
        sys.path[:0] = {[str(lxml.parent), *sys.path]!r}
        from etltui.domain.task import PublishTask
        from etltui.writers.excel import assemble
        assemble(PublishTask(
            destination=0, type="excel", parts="", temporary={str(tmp_path / "other.xlsx")!r},
            target="", options={{}}, queries=("main",), columns=((),), entries=(),
        ))
        import openpyxl
        print(openpyxl.LXML)
    """
    environment = {k: v for k, v in os.environ.items() if k != "OPENPYXL_LXML"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.stdout == "False\n", done.stderr
