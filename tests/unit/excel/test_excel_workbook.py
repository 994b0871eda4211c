"""Whole workbooks: which sheets they have, what the Index and the Run sheet tell."""

import zipfile
import zlib
from dataclasses import replace

import openpyxl
import pytest

from etltui.domain.columns import Column
from etltui.domain.control import compared
from etltui.domain.errors import ADVICE, ErrorClass, Trouble
from etltui.domain.limits import EXCEL
from etltui.domain.logbook import Hold
from etltui.writers.excel_index import INDEX_HEAD
from etltui.writers.part import crc_of

COLUMNS = (Column(name="n", type="int"), Column(name="name", type="text"))


def rows_of(start, count):
    return [(n, f"row {n}") for n in range(start, start + count)]


def values(book, sheet):
    workbook = openpyxl.load_workbook(book)
    return list(workbook[sheet].iter_rows(values_only=True))


def index(book):
    return [dict(zip(dict(INDEX_HEAD), row, strict=True)) for row in values(book, "Index")[1:]]


def test_a_sheet_for_each_connection_between_index_and_run(bench):
    entries = [
        bench.stored(COLUMNS, "B", rows_of(0, 3)),
        bench.failed("X"),
        bench.stored(COLUMNS, "A", []),
    ]
    book, published = bench.publish(COLUMNS, *entries)
    assert openpyxl.load_workbook(book).sheetnames == ["Index", "B", "A", "Run"]
    assert values(book, "B") == [("n", "name"), (0, "row 0"), (1, "row 1"), (2, "row 2")]
    assert values(book, "A") == [("n", "name")]
    assert (published.rows, len(published.members)) == (3, 2)
    with zipfile.ZipFile(book) as file:
        assert file.testzip() is None


def test_what_is_published_is_in_the_file(bench):
    book, published = bench.publish(
        COLUMNS,
        bench.stored(COLUMNS, "A", rows_of(0, 50)),
        bench.stored(COLUMNS, "B", rows_of(50, 50)),
    )
    whole = book.read_bytes()
    assert (published.bytes, published.crc) == (len(whole), zlib.crc32(whole))
    for member in published.members:
        assert crc_of(book, offset=member.offset, length=member.length) == member.crc
        payload = whole[member.offset : member.offset + member.length]
        assert zlib.decompressobj(-15).decompress(payload).startswith(b"<row>")


def test_the_index_tells_what_happened(bench):
    entries = [
        bench.stored(
            COLUMNS,
            "A",
            rows_of(0, 2),
            contact="call 1",
            notes={"extra columns dropped": 2},
            controls=compared("main", {"rows": 2}, {"rows": 2}, 0),
        ),
        bench.failed("B", ErrorClass.UNREACHABLE),
        bench.stored(COLUMNS, "Run", [(1, "a\x00" * 20_000)]),
    ]
    book, _ = bench.publish(COLUMNS, *entries)
    first, second, third, total = index(book)
    advice = ADVICE[ErrorClass.UNREACHABLE]
    assert first == {
        "#": 1,
        "Connection": "A",
        "Sheet": "A",
        "Status": "completed",
        "Rows": 2,
        "Usual rows": None,
        "Columns": 2,
        "Checksum": f"{entries[0].receipts[0].raw_crc:08x}",
        "Error class": None,
        "What it means": None,
        "What to try": None,
        "Contact": "call 1",
        "Day": None,
        "Control": "agrees: rows",
        "Drift": None,
        "Changes": "2 x extra columns dropped",
    }
    assert (second["Status"], second["Rows"], second["Sheet"]) == ("failed", None, None)
    assert second["Error class"] == "unreachable"
    assert (second["What it means"], second["What to try"]) == (advice.means, advice.try_)
    assert third["Sheet"].startswith("Run~")
    assert third["Changes"] == (
        f"20,000 x control characters removed; sheet renamed: {third['Sheet']}"
    )
    assert (total["Connection"], total["Sheet"], total["Rows"]) == (
        "Total",
        "2 of 3 connections",
        3,
    )


def test_the_index_tells_what_is_usual_and_what_is_far_from_it(bench):
    entries = [
        bench.stored(COLUMNS, "near", rows_of(0, 2), usual=3),
        bench.stored(COLUMNS, "empty", [], usual=1234),
        bench.stored(COLUMNS, "less", rows_of(0, 1), usual=3, notes={"missing: y": 1}),
        replace(bench.failed("failed"), usual=5),
    ]
    book, _ = bench.publish(COLUMNS, *entries)
    assert [(row["Usual rows"], row["Changes"]) for row in index(book)] == [
        (3, None),
        (1234, "empty, usually 1,234"),
        (3, "less than half the usual 3"),
        (5, None),
        (None, None),
    ]


@pytest.mark.parametrize("layouts", [["sheets"], ["single"], ["sheets", "single"]])
def test_a_change_is_counted_once_whatever_else_is_made_of_the_rows(bench, layouts):
    rows = [(10**15 + n, "a\x00") for n in range(3)]
    entry = bench.stored(COLUMNS, "A", rows, variants=layouts)
    drift = {"columns dropped: x": 1, "missing: y": 1, "column c is mixed instead of date": 1}
    of_all_targets = {
        "control characters removed": 9,
        "long number as text": 9,
        "text cut at 32,767": 1,
        "formula guarded": 2,
        "characters replaced": 2,
    }
    entry = replace(entry, notes=drift | of_all_targets)
    layout = {"layout": "both" if len(layouts) > 1 else layouts[0]}
    book, _ = bench.publish(COLUMNS, entry, options=layout)
    [changes, _] = [row["Changes"] for row in index(book)]
    assert changes.removesuffix("; also on Data").split("; ") == [
        "3 x control characters removed",
        "3 x long number as text",
    ]
    assert index(book)[0]["Drift"] == (
        "column c is mixed instead of date; columns dropped: x; missing: y"
    )


def test_a_class_of_failure_is_said_in_words(bench):
    failed = bench.failed("failed")
    trouble = Trouble(error_class=ErrorClass.NO_DATABASE, message="x")
    book, _ = bench.publish(COLUMNS, replace(failed, trouble=trouble))
    assert index(book)[0]["Error class"] == "no database"


def test_of_a_held_connection_the_index_says_why_and_who_holds_it(bench):
    failed = bench.failed("Branch 01")
    held = Hold(connection="Branch 01", reason="line is cut", who="asha@desk", since=1.0)
    entry = replace(failed, status="skipped", trouble=held.trouble("2026-11-22 04:35"))
    book, _ = bench.publish(COLUMNS, entry)
    row = index(book)[0]
    assert (row["Status"], row["Error class"]) == ("skipped", "held")
    assert row["What it means"] == "held: line is cut (asha@desk, since 2026-11-22 04:35)"
    assert row["What to try"] == ADVICE[ErrorClass.HELD].try_


def test_changes_of_several_queries_add_up(bench):
    parts = [
        part
        for query in range(2)
        for variant in ("sheets", "single")
        for part in bench.parts(COLUMNS, [(1, "a\x00")], query=query, variant=variant)
    ]
    entry = bench.entry(parts, notes={"control characters removed": 4})
    book, _ = bench.publish(
        (COLUMNS, COLUMNS),
        entry,
        queries=("one", "two"),
        options={"layout": "both"},
    )
    assert index(book)[0]["Changes"].startswith("2 x control characters removed; also on ")


def test_the_index_leads_to_the_sheets(bench):
    book, published = bench.publish(
        COLUMNS,
        bench.stored(COLUMNS, "it's", rows_of(0, 1)),
        bench.stored(COLUMNS, "a/b", rows_of(0, 1)),
        bench.failed("x"),
    )
    sheet = openpyxl.load_workbook(book)["Index"]
    assert sheet["C2"].hyperlink.location == "'it''s'!A2"
    assert sheet["C3"].hyperlink.location == "'a_b~yfgn'!A2"
    assert sheet["C4"].hyperlink is None
    assert published.notes == {"sheet renamed": 1}
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:P4"


def test_a_connection_over_several_sheets(bench):
    limits = replace(EXCEL, rows=11)
    entries = [bench.stored(COLUMNS, "A", rows_of(0, 25), limits=limits)]
    book, published = bench.publish(COLUMNS, *entries, limits=limits)
    names = openpyxl.load_workbook(book).sheetnames
    assert names == ["Index", "A", "A (2)", "A (3)", "Run"]
    found = [row for name in names[1:-1] for row in values(book, name)[1:]]
    assert found == rows_of(0, 25)
    assert index(book)[0]["Changes"] == "also on A (2); also on A (3)"
    whole = bench.stored(COLUMNS, "A", rows_of(0, 25))
    assert index(book)[0]["Checksum"] == f"{whole.receipts[0].raw_crc:08x}"
    assert published.rows == 25


def test_several_queries_have_sheets_of_their_own(bench):
    parts = [
        *bench.parts(COLUMNS, rows_of(0, 1), connection="A", query=0),
        *bench.parts(COLUMNS[:1], [(7,)], connection="A", query=1),
    ]
    book, published = bench.publish(
        (COLUMNS, COLUMNS[:1]),
        bench.entry(parts),
        queries=("sales", "stock"),
    )
    assert openpyxl.load_workbook(book).sheetnames == ["Index", "A sales", "A stock", "Run"]
    assert values(book, "A stock") == [("n",), (7,)]
    assert published.rows == 2


SINGLE = {"options": {"layout": "single", "connection_column": "branch"}}


def test_one_stacked_sheet(bench):
    entries = [
        bench.stored(COLUMNS, name, rows_of(start, 3), variants=["single"])
        for name, start in (("A", 0), ("=B", 3))
    ]
    book, published = bench.publish(COLUMNS, *entries, bench.failed("X"), **SINGLE)
    assert openpyxl.load_workbook(book).sheetnames == ["Index", "Data", "Run"]
    wanted = [("A", n, f"row {n}") for n in range(3)] + [("=B", n, f"row {n}") for n in range(3, 6)]
    assert values(book, "Data") == [("branch", "n", "name"), *wanted]
    assert openpyxl.load_workbook(book)["Index"]["C3"].hyperlink.location == "'Data'!A5"
    assert (published.rows, len(published.members)) == (6, 2)


def test_a_stacked_sheet_overflows_before_a_connection(bench):
    limits = replace(EXCEL, rows=11)
    counts = {"A": 6, "B": 5, "C": 4, "D": 25, "E": 0, "F": 5, "G": 1}
    entries = [
        bench.stored(COLUMNS, name, rows_of(0, count), variants=["single"], limits=limits)
        for name, count in counts.items()
    ]
    book, _ = bench.publish(COLUMNS, *entries, limits=limits, title="GST sales", **SINGLE)
    names = openpyxl.load_workbook(book).sheetnames[1:-1]
    assert names == ["GST sales"] + [f"GST sales ({n})" for n in range(2, 7)]
    sheets = [[row[0] for row in values(book, name)[1:]] for name in names]
    assert [[(c, s.count(c)) for c in dict.fromkeys(s)] for s in sheets] == [
        [("A", 6)],
        [("B", 5), ("C", 4)],
        [("D", 10)],
        [("D", 10)],
        [("D", 5), ("F", 5)],
        [("G", 1)],
    ]


def test_a_stacked_sheet_ends_before_too_much_xml(bench):
    entries = [bench.stored(COLUMNS, name, rows_of(0, 9), variants=["single"]) for name in "ABC"]
    size = entries[0].receipts[0].raw_bytes
    book, _ = bench.publish(COLUMNS, *entries, limits=replace(EXCEL, xml=size * 2), **SINGLE)
    assert openpyxl.load_workbook(book).sheetnames == ["Index", "Data", "Data (2)", "Run"]


def test_both_layouts_in_one_book(bench):
    entries = [
        bench.stored(COLUMNS, name, [(1, "a\x00")], variants=["sheets", "single"])
        for name in ("A", "Data")
    ]
    book, published = bench.publish(COLUMNS, *entries, options={"layout": "both"})
    names = openpyxl.load_workbook(book).sheetnames
    assert names[:3] == ["Index", "Data", "A"]
    assert names[3].startswith("Data~")
    assert (published.rows, len(published.members)) == (2, 4)
    assert index(book)[0]["Changes"] == "1 x control characters removed; also on Data"
    assert index(book)[0]["Sheet"] == "A"
    assert index(book)[0]["Checksum"] == f"{entries[0].receipts[0].raw_crc:08x}"


def test_the_run_sheet_holds_what_differs(bench):
    entries = [bench.failed("B", message="=cmd|' /C calc'!A0 \x00 bad")]
    facts = (("Run", "20261121T230500Z-ABCD"), ("Operator", "=HYPERLINK(1)"))
    book, _ = bench.publish(COLUMNS, *entries, facts=facts)
    assert values(book, "Run") == [
        ("What", "Value"),
        *facts,
        ("B", "=cmd|' /C calc'!A0  bad"),
    ]
