"""Parts: their bytes are a function of their rows, they can follow each other, they keep limits."""

import random
import zlib
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.limits import EXCEL
from etltui.extractors.arrow import arrow_schema
from etltui.writers import excel_part
from etltui.writers.excel import part_writer
from etltui.writers.excel_part import ExcelPartWriter
from etltui.writers.part import verified

COLUMNS = (
    Column(name="n", type="int"),
    Column(name="t", type="text"),
    Column(name="f", type="float"),
    Column(name="at", type="timestamp"),
    Column(name="m", type="mixed"),
)
VALUES = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.none() | st.floats(),
    st.none() | st.integers(-(10**15), 10**16),
    st.none()
    | st.sampled_from(
        [
            {"text": "1", "number": True},
            {"text": "1" * 20, "number": True},
            {"text": "a&\x00", "number": False},
        ],
    ),
)
again = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def facts(receipt):
    """What a receipt says of its rows."""
    return replace(receipt, path="", run="")


def inflated(payload):
    return zlib.decompressobj(-15).decompress(payload)


@again
@given(
    rows=st.lists(VALUES, max_size=40),
    sizes=st.lists(st.integers(0, 9), max_size=8),
    limit=st.integers(2, 12),
    xml=st.integers(50, 5_000),
)
def test_bytes_and_segments_do_not_depend_on_batches(bench, rows, sizes, limit, xml):
    limits = replace(EXCEL, rows=limit, xml=xml)
    whole = bench.parts(COLUMNS, rows, limits=limits)
    torn = bench.parts(COLUMNS, rows, limits=limits, sizes=sizes)
    assert [facts(one) for one in torn] == [facts(one) for one in whole]
    assert [bench.payload(one) for one in torn] == [bench.payload(one) for one in whole]
    assert sum(one.rows for one in whole) == len(rows)
    assert all(one.rows < limit for one in whole)
    assert all(one.raw_bytes <= xml or one.rows == 1 for one in whole)


@pytest.mark.parametrize("compression", ["auto", "zlib"])
def test_blocks_of_a_mebibyte_whatever_the_batches(bench, compression):
    dice = random.Random(1)  # isal's output depends on its calls where the input is of this kind
    columns = (Column(name="f", type="float"), Column(name="n", type="int"))
    rows = [(dice.random(), dice.randrange(10 ** dice.randrange(1, 9))) for _ in range(60_000)]
    [whole] = bench.parts(columns, rows, compression=compression)
    [torn] = bench.parts(columns, rows, compression=compression, sizes=[1, 9_999, *[500] * 20])
    assert whole.raw_bytes > 3 << 20
    assert bench.payload(whole) == bench.payload(torn)
    xml = inflated(bench.payload(whole))
    assert (whole.raw_bytes, whole.raw_crc) == (len(xml), zlib.crc32(xml))
    assert (whole.bytes, whole.crc) == (
        len(bench.payload(whole)),
        zlib.crc32(bench.payload(whole)),
    )
    assert xml.count(b"<row>") == whole.rows == 60_000


def test_parts_of_both_compressors_follow_each_other_in_one_stream(bench, column):
    rows = [("x" * 50,)] * 500
    receipts = [
        bench.parts([column("text")], rows, compression="auto")[0],
        bench.parts([column("text")], [], compression="auto")[0],
        bench.parts([column("text")], rows, compression="zlib")[0],
        bench.parts([column("text")], [], compression="zlib")[0],
        bench.parts([column("text")], rows, compression="auto")[0],
    ]
    tail = zlib.compressobj(wbits=-15)
    stream = zlib.decompressobj(-15)
    payloads = b"".join(bench.payload(receipt) for receipt in receipts)
    xml = stream.decompress(payloads + tail.compress(b"end") + tail.flush())
    assert stream.eof
    assert xml == inflated(bench.payload(receipts[0])) * 3 + b"end"


def test_the_compressor_is_recorded(bench, column, monkeypatch):
    def used(compression):
        return bench.parts([column("int")], [(1,)], compression=compression)[0].compressor

    assert used("auto") == "isal-1"
    assert used("zlib") == "zlib-1"
    monkeypatch.setattr(excel_part, "isal_zlib", None)
    assert used("auto") == "zlib-1"


def test_a_sheet_takes_as_many_rows_as_fit_under_its_header(bench, column):
    limits = replace(EXCEL, rows=11)
    assert [r.rows for r in bench.parts([column("int")], [(1,)] * 10, limits=limits)] == [10]
    receipts = bench.parts([column("int")], [(1,)] * 25, limits=limits)
    assert [(r.segment, r.rows) for r in receipts] == [(0, 10), (1, 10), (2, 5)]


def test_counts_stand_in_the_first_segment_only(bench, column):
    receipts = bench.parts([column("text")], [("a\x00",)] * 5, limits=replace(EXCEL, rows=3))
    assert [dict(receipt.notes) for receipt in receipts] == [
        {"control characters removed": 5},
        {},
        {},
    ]


def test_a_row_longer_than_a_sheet_still_gets_one(bench, column):
    receipts = bench.parts([column("text")], [("x" * 500,)] * 3, limits=replace(EXCEL, xml=100))
    assert [receipt.rows for receipt in receipts] == [1, 1, 1]


def test_no_rows_make_one_empty_part(bench, column):
    [receipt] = bench.parts([column("int")], [])
    assert (receipt.rows, receipt.raw_bytes, receipt.widths) == (0, 0, (0,))
    assert verified(bench.folder, receipt)


def test_widths_are_of_the_first_thousand_rows(bench, column):
    rows = [("x",)] * 999 + [("x" * 7,)] + [("x" * 30,)]
    assert bench.parts([column("text")], rows, sizes=[500, 3])[0].widths == (7,)
    assert bench.parts([column("text")], [("x" * 999,)])[0].widths == (60,)


def test_the_single_variant_begins_with_the_connection(bench, column):
    [receipt] = bench.parts([column("int")], [(5,)], variant="single", connection="A & B")
    assert b">A &amp; B</t></is></c><c><v>5</v></c></row>" in inflated(bench.payload(receipt))


def test_more_columns_than_a_sheet_holds_are_refused(bench):
    columns = tuple(Column(name=f"c{n}", type="int") for n in range(16_385))
    with pytest.raises(Failure, match=r"16,385 columns.*16,384") as caught:
        part_writer(bench.task(columns))
    assert caught.value.error_class is ErrorClass.VALUE
    with pytest.raises(Failure, match="16,385"):
        part_writer(bench.task(columns[:-1], variant="single"))
    task = bench.task(columns[:-1])
    writer = part_writer(task)
    writer.write(
        pa.RecordBatch.from_arrays(
            [pa.array([1, 2])] * 16_384,
            schema=arrow_schema(columns[:-1]),
        ),
    )
    assert writer.close()[0].rows == 2


def test_abandon_deletes_every_segment_also_sealed_ones(bench, column):
    columns = (column("int"),)
    task = bench.task(columns)
    writer = ExcelPartWriter(task, replace(EXCEL, rows=3))
    writer.write(pa.RecordBatch.from_arrays([pa.array(range(9))], schema=arrow_schema(columns)))
    assert task.path(2).exists()
    writer.close()
    writer.abandon()
    writer.abandon()
    assert not list(task.path(0).parent.iterdir())


def test_a_full_disk_is_a_failure(column, bench):
    columns = (column("int"),)
    task = bench.task(columns)
    task.path(0).symlink_to("/dev/full")
    with pytest.raises(Failure) as caught:
        part_writer(task)
    assert caught.value.error_class is ErrorClass.DISK


def test_columns_of_a_near_type_are_taken(bench, column):
    columns = (column("text"),)
    writer = part_writer(bench.task(columns))
    writer.write(pa.RecordBatch.from_arrays([pa.array(["a"], pa.large_string())], names=["value"]))
    [receipt] = writer.close()
    assert b">a</t>" in inflated(bench.payload(receipt))
