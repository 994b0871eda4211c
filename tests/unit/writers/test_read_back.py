"""S3: what is written is read back, every cell; whatever differs is told, by its connection."""

import shutil
from dataclasses import replace

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from etltui.domain.job import CsvOptions
from etltui.domain.read_back import ReadTask
from etltui.writers.content import BrokenError, Range
from etltui.writers.grammar import csv_rows, excel_rows, json_rows, matched
from etltui.writers.gzip_member import stored_member
from etltui.writers.read_back import read_back
from unit.writers.format_kit import ROWS, Kit, flip

PLAIN = [
    ("excel", "out.xlsx", {}),
    ("csv", "out.csv", {}),
    ("csv", "out.csv.gz", {"connection_column": "branch"}),
    ("jsonl", "out.jsonl", {}),
    ("jsonl", "out.jsonl.gz", {"connection_column": ""}),
    ("json", "out.json", {}),
    ("json", "out.json.gz", {}),
    ("parquet", "out.parquet", {"text_columns": ("any",)}),
    ("parquet", "out", {"text_columns": ("any",), "layout": "folder"}),
]
HARD = [
    ("csv", "out.csv", {"delimiter": ";", "quoting": "all", "line_end": "crlf"}),
    ("csv", "out.csv", {"encoding": "utf-16", "quoting": "text", "null": "NULL"}),
    ("csv", "out.csv", {"encoding": "utf-8-sig", "formula_guard": "tab", "delimiter": "\t"}),
    ("csv", "out.csv", {"decimal": ",", "thousands": "indian", "delimiter": "|"}),
    ("excel", "out.xlsx", {"layout": "single"}),
    ("excel", "out.xlsx", {"compression": "zlib", "text_columns": ("id",)}),
]


def target(root, kind, name, options, *, rows=ROWS):
    """What reads a target of three connections back; the second has no row."""
    kit = Kit(root, kind, name, **options)
    if kind == "excel":
        kit.variant = "single" if options.get("layout") == "single" else "sheets"
    parts = [
        kit.part(rows, connection="north"),
        kit.part(schema=rows.schema, connection="empty"),
        kit.part(rows, rows.slice(1), connection="south"),
    ]
    published = kit.assemble(parts)
    final = root / name
    kit.temporary.rename(final)
    return ReadTask(
        type=kind,
        target=str(final),
        options=kit.options,
        published=published,
        receipts=tuple(parts),
        connections=("north", "empty", "south"),
        queries=("main",),
    )


def numbers(found):
    return {each.connection: (each.written, each.read) for each in found.connections}


@pytest.mark.parametrize(("kind", "name", "options"), PLAIN + HARD)
def test_every_cell_of_what_was_written_is_read_back(tmp_path, kind, name, options):
    found = read_back(target(tmp_path, kind, name, options))
    assert found.differences == ()
    assert numbers(found) == {"north": (3, 3), "empty": (0, 0), "south": (5, 5)}
    labelled = bool(found.connections[0].cells % (3 * ROWS.num_columns))
    cells = [each.cells for each in found.connections]
    assert cells == [rows * (ROWS.num_columns + labelled) for rows in (3, 0, 5)]
    assert len({each.checksum for each in found.connections}) == 3


@pytest.mark.parametrize(("kind", "name", "options"), PLAIN[:-1])
def test_no_flipped_bit_passes_and_the_connection_is_named(tmp_path, kind, name, options):
    task = target(tmp_path, kind, name, options)
    places = {m.connection: (m.offset, m.offset + m.length) for m in task.published.members}
    step = max(1, task.published.bytes // 150)
    for offset in range(0, task.published.bytes, step):
        flip(tmp_path / name, offset)
        found = read_back(task)
        flip(tmp_path / name, offset)
        assert found.differences
        whose = {name for name, (first, end) in places.items() if first <= offset < end}
        assert {each.connection for each in found.connections if each.problem} == whose, offset
    assert read_back(task).differences == ()


def test_a_flipped_bit_in_a_folder_is_told(tmp_path):
    task = target(tmp_path, *PLAIN[-1])
    flip(tmp_path / "out" / "south.parquet", 200)
    found = read_back(task)
    assert [each.connection for each in found.connections if each.problem] == ["south"]
    assert found.problem == "its files are not those that were published"


def without_a_line(content, mark, which):
    """One line less: the first or the last that holds a mark."""
    lines = content.splitlines(keepends=True)
    place = which(number for number, line in enumerate(lines) if mark in line)
    return b"".join(lines[:place] + lines[place + 1 :])


@pytest.mark.parametrize(("kind", "name"), [("csv", "out.csv"), ("jsonl", "out.jsonl")])
@pytest.mark.parametrize(
    ("which", "whose", "written"), [(min, "north", 20_000), (max, "south", 39_999)]
)
def test_a_row_that_somebody_dropped_is_counted_at_its_connection(
    tmp_path, kind, name, which, whose, written
):
    many = pa.record_batch({"id": pa.array(range(20_000)), "name": pa.array(["ä"] * 20_000)})
    task = target(tmp_path, kind, name, {}, rows=many)
    path = tmp_path / name
    path.write_bytes(without_a_line(path.read_bytes(), b"19998", which))
    found = read_back(task)
    every = {"north": (20_000, 20_000), "empty": (0, 0), "south": (39_999, 39_999)}
    assert numbers(found) == every | {whose: (written, written - 1)}
    assert "bytes were written" in found.problem
    (said,) = found.differences[1:]
    assert said.startswith(f"{whose}: {written:,} rows written, {written - 1:,} read back; ")


@pytest.mark.parametrize(("layout", "sheet"), [("sheets", "south"), ("single", "Data")])
def test_a_workbook_that_was_saved_anew_is_counted_as_any_reader_would(tmp_path, layout, sheet):
    task = target(tmp_path, "excel", "out.xlsx", {"layout": layout})
    book = openpyxl.load_workbook(task.target)
    book[sheet].delete_rows(book[sheet].max_row)
    book.save(task.target)
    found = read_back(task)
    assert numbers(found) == {"north": (3, 3), "empty": (0, 0), "south": (5, 4)}
    assert [each.connection for each in found.connections if each.problem] == ["south"]
    assert "bytes were written" in found.problem


def test_a_sheet_that_is_gone_has_no_row(tmp_path):
    task = target(tmp_path, "excel", "out.xlsx", {})
    book = openpyxl.load_workbook(task.target)
    del book["south"]
    book.save(task.target)
    assert numbers(read_back(task))["south"] == (5, 0)


def test_parquet_that_was_written_anew_is_counted_by_its_label(tmp_path):
    task = target(tmp_path, *PLAIN[-2])
    parquet.write_table(parquet.read_table(task.target).slice(1), task.target)
    found = read_back(task)
    assert numbers(found) == {"north": (3, 2), "empty": (0, 0), "south": (5, 5)}
    assert [each.connection for each in found.connections if each.problem] == ["north"]


@pytest.mark.parametrize(("kind", "name", "options"), PLAIN)
def test_what_is_something_else_altogether_is_told_in_words(tmp_path, kind, name, options):
    task = target(tmp_path, kind, name, options)
    path = tmp_path / name
    if path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
    else:
        path.write_bytes(b"")
    found = read_back(task)
    assert {each.connection for each in found.connections if each.problem} >= {"north", "south"}
    assert found.problem


@pytest.mark.parametrize(("kind", "name"), [("csv", "a.csv.gz"), ("excel", "a.xlsx")])
def test_content_that_was_compressed_wrongly_is_told_although_its_bytes_are_there(
    tmp_path, kind, name
):
    task = target(tmp_path, kind, name, {})
    north, *rest = task.receipts
    wrong = replace(task, receipts=(replace(north, raw_crc=north.raw_crc ^ 1), *rest))
    (said,) = read_back(wrong).differences
    assert said.startswith("north: 3 rows written; their content does not have the checksum")


@pytest.mark.parametrize(("kind", "name", "options"), PLAIN)
def test_other_rows_than_the_receipt_says_are_told(tmp_path, kind, name, options):
    task = target(tmp_path, kind, name, options)
    north, *rest = task.receipts
    wrong = replace(task, receipts=(replace(north, rows=2), *rest))
    (said,) = read_back(wrong).differences
    assert said.startswith("north: 2 rows written, 3 read back; ")


def test_a_connection_that_was_read_again_since_is_told(tmp_path):
    task = target(tmp_path, "csv", "out.csv", {})
    north, *rest = task.receipts
    renewed = replace(task, receipts=(replace(north, crc=north.crc ^ 1), *rest))
    (said,) = read_back(renewed).differences
    assert "read again since" in said
    more = replace(task, receipts=(*task.receipts, replace(north, connection="late")))
    (said,) = read_back(more).differences
    assert said == "late: 3 rows written; the target was published without them"


def test_the_place_is_told_where_a_name_alone_does_not(tmp_path):
    task = target(tmp_path, "excel", "out.xlsx", {"layout": "single"})
    task = replace(task, queries=("main", "second"))
    flip(tmp_path / "out.xlsx", task.published.members[0].offset + 3)
    said = read_back(task).differences[1]
    assert said.startswith("north (main, stacked sheet): 3 rows written")


CELL = b'<c t="inlineStr" s="1"><is><t xml:space="preserve">a</t></is></c>'


@pytest.mark.parametrize(
    "row",
    [
        b"<row><c/></row>",
        b"<row><c/><c/><c/></row>",
        b"<row><c/><c><v>one</v></c></row>",
        b'<row><c/><c t="b"><v>2</v></c></row>',
        b"<row><c/>" + CELL.replace(b">a<", b"><b/><") + b"</row>",
        b"<row><c/><c/>",
        b"x<row><c/><c/></row>",
    ],
)
def test_what_is_no_row_of_a_sheet_is_not_counted(row):
    good = (
        b"<row><c/>" + CELL + b'</row><row><c t="b"><v>1</v></c><c s="3"><v>-1.5e-07</v></c></row>'
    )
    assert excel_rows(2)([good]) == 2
    with pytest.raises(BrokenError, match="row 3 of it"):
        excel_rows(2)([good + row])


@pytest.mark.parametrize("line", [b"1\n", b"1,2,3\n", b'1,"2\n', b'1,a"b"\n', b"1,2", b"1,2\r\n"])
def test_what_is_no_line_of_a_csv_file_is_not_counted(line):
    count = csv_rows(2, CsvOptions())
    assert count([b'1,"a,""\n"\n', b",\n"]) == 2
    with pytest.raises(BrokenError, match="row 3 of it"):
        count([b'1,"a,""\n"\n,\n' + line])


@pytest.mark.parametrize(
    "line", [b"{}\n", b'{"a":1}\n', b'{"a":1,"b":2,"c":3}\n', b"[1,2]\n", b"{\n"]
)
def test_what_is_no_object_is_not_counted(line):
    count = json_rows(2, array=False)
    assert count([b'{"a":1', b',"b":[{}]}\n']) == 1
    with pytest.raises(BrokenError, match="row 2 of it"):
        count([b'{"a":1,"b":2}\n' + line])


def test_rows_are_the_same_however_their_blocks_fall():
    content = '1,"ä\r\n""x"""\r\n,\r\n3,"y"\r\n'.encode("utf-16-le") * 3
    count = csv_rows(2, CsvOptions(line_end="crlf", encoding="utf-16"))
    for size in range(1, 40):
        blocks = [content[start : start + size] for start in range(0, len(content), size)]
        assert count(blocks) == 9, size


def test_a_long_cell_costs_no_more_than_it_is_long():
    """Looked at again when it is twice as long: 12 times in 4,096 blocks."""
    looks = []

    class Nothing:
        def match(self, rest, _at):
            looks.append(len(rest))

    with pytest.raises(BrokenError, match="row 1 of it"):
        list(matched(Nothing(), [b"x"] * 4096, b""))
    assert len(looks) < 20
    assert looks[-1] == 4096


@pytest.mark.parametrize("cut", [1, 8, 15])
def test_a_gzip_member_without_its_end_is_told(tmp_path, cut):
    path = tmp_path / "a.gz"
    whole = stored_member(b"1\n") + stored_member(b"2\n")
    path.write_bytes(whole[:-cut])
    assert b"".join(Range(path=path, offset=0, length=len(whole) // 2).unzipped()) == b"1\n"
    with pytest.raises(BrokenError, match="end too early"):
        list(Range(path=path, offset=0, length=len(whole)).unzipped())
