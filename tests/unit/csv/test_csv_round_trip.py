"""What was written is read back as the same rows, and its bytes depend on the rows only."""

import csv as readers
import gzip
import io
import zlib
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etltui.writers.text import canonical
from unit.csv.csv_kit import Kit, batch

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NASTY = st.text(st.sampled_from(list("a,;\"\r\n\t=+-@ '\\N§|Ж🙂\x00")), max_size=8)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXT | NASTY,
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(),
        st.none() | NASTY | st.sampled_from(["", "NULL", "\\N"]),
    ),
    max_size=12,
)
OPTIONS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|", "§"]),
        "quoting": st.sampled_from(["minimal", "text", "all"]),
        "null": st.sampled_from(["", "NULL", "\\N"]),
        "line_end": st.sampled_from(["lf", "crlf"]),
        "encoding": st.sampled_from(["utf-8", "utf-16", "utf-32-be", "utf-8-sig", "gb18030"]),
    },
)
ON_DISK = settings(deadline=None, max_examples=60)
TYPES = (pa.string(), pa.int64(), pa.float64(), pa.string())


def _batch(rows):
    columns = list(zip(*rows, strict=True)) if rows else [[]] * len(TYPES)
    arrays = [pa.array(c, kind) for c, kind in zip(columns, TYPES, strict=True)]
    return pa.record_batch(arrays, names=list("abcd"))


def _fields(text, delimiter):
    """Fields of each row with whether each was quoted: Python's reader does not tell."""
    rows, row, position = [], [], 0
    while position < len(text):
        quoted = text[position] == '"'
        field = ""
        if quoted:
            position += 1
            while True:
                end = text.index('"', position)
                field += text[position:end]
                position = end + 1
                if text[position : position + 1] != '"':
                    break
                field += '"'
                position += 1
        else:
            start = position
            while text[position] not in (delimiter, "\r", "\n"):
                position += 1
            field = text[start:position]
        row.append((field, quoted))
        if text[position] == delimiter:
            position += 1
            if position == len(text) or text[position] in "\r\n":
                row.append(("", False))
            else:
                continue
        position += 2 if text[position] == "\r" else 1
        rows.append(row)
        row = []
    return rows


@ON_DISK
@given(ROWS, OPTIONS)
def test_rows_come_back_with_null_and_empty_text_distinct(tmp_path_factory, rows, options):
    kit = Kit(tmp_path_factory.mktemp("csv"), options=options)
    source = _batch(rows)
    receipt = kit.part([source])
    _, content = kit.assembled([receipt])
    text = content.decode(options["encoding"])
    header, *read = _fields(text, options["delimiter"])
    assert [name for name, _ in header] == list("abcd")
    texts = zip(*(canonical(column).to_pylist() for column in source.columns), strict=True)
    assert [
        [None if field == options["null"] and not quoted else field for field, quoted in row]
        for row in read
    ] == [list(row) for row in texts]


@ON_DISK
@given(ROWS, st.sampled_from(["minimal", "text", "all"]))
def test_pythons_reader_agrees(tmp_path_factory, rows, quoting):
    kit = Kit(tmp_path_factory.mktemp("csv"), options={"quoting": quoting, "null": "\\N"})
    source = _batch(rows)
    text = kit.payload(kit.part([source])).decode()
    texts = zip(*(canonical(column).to_pylist() for column in source.columns), strict=True)
    wanted = [["\\N" if field is None else field for field in row] for row in texts]
    assert list(readers.reader(io.StringIO(text, newline=""))) == wanted


@pytest.mark.parametrize("target", ["out.csv", "out.csv.gz"])
@ON_DISK
@given(rows=ROWS, cuts=st.lists(st.integers(0, 12)), encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_the_bytes_do_not_depend_on_batches(tmp_path_factory, target, rows, cuts, encoding):
    kit = Kit(tmp_path_factory.mktemp("csv"), target, {"encoding": encoding})
    whole = _batch(rows)
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    pieces = [whole.slice(a, b - a) for a, b in pairwise(bounds)]
    copies = [_batch(rows[a:b]) for a, b in pairwise(bounds)]
    one = kit.part([whole])
    for number, batches in enumerate((pieces, copies), start=1):
        other = kit.part(batches, whole.schema, number=number)
        assert kit.payload(other) == kit.payload(one)
        assert (other.rows, other.raw_crc, other.raw_bytes) == (
            one.rows,
            one.raw_crc,
            one.raw_bytes,
        )


@pytest.mark.parametrize("rows", [1, 8191, 8192, 8193, 20_000])
def test_rows_beyond_one_slice_are_all_there(kit, rows):
    numbers = batch(n=pa.array(range(rows)))
    receipt = kit.part([numbers])
    assert kit.payload(receipt).decode() == "".join(f"{n}\n" for n in range(rows))
    assert receipt.rows == rows


def test_a_receipt_says_what_the_part_is(kit):
    receipt = kit.part([batch(t=pa.array(["é", None]))])
    payload = kit.payload(receipt)
    assert payload == "é\n\n".encode()
    assert (receipt.rows, receipt.bytes, receipt.raw_bytes) == (2, 4, 4)
    assert receipt.crc == receipt.raw_crc == zlib.crc32(payload)
    assert (receipt.compressor, receipt.widths, receipt.segment) == ("none", (), 0)


def test_no_rows_make_one_empty_part(kit):
    receipt = kit.part([], pa.schema([("a", pa.int64())]))
    assert (receipt.rows, receipt.bytes, kit.payload(receipt)) == (0, 0, b"")
    _, content = kit.assembled([receipt])
    assert content == b"a\n"


class TestGzip:
    @pytest.fixture
    def big(self):
        # incompressible enough to need several blocks of 1 MiB
        return batch(n=pa.array([(n * 2654435761) % 2**40 for n in range(300_000)]))

    def test_a_part_is_a_whole_member(self, kit, big):
        kit.target = "OUT.CSV.GZ"
        receipt = kit.part([big])
        payload = kit.payload(receipt)
        text = gzip.decompress(payload)
        assert payload[:10] == bytes.fromhex("1f8b08000000000000ff")
        assert (len(text), zlib.crc32(text)) == (receipt.raw_bytes, receipt.raw_crc)
        assert (receipt.bytes, receipt.crc) == (len(payload), zlib.crc32(payload))
        assert receipt.compressor in {"isal-1", "zlib-1"}
        assert receipt.variant == "gzip"
        kit.target = "plain.csv"
        assert kit.payload(kit.part([big], number=1)) == text

    def test_the_bytes_are_stable_over_batch_sizes(self, kit, big):
        kit.target = "out.csv.gz"
        one = kit.payload(kit.part([big]))
        small = [big.slice(start, 997) for start in range(0, len(big), 997)]
        assert kit.payload(kit.part(small, number=1)) == one

    def test_an_empty_part_is_an_empty_member(self, kit):
        kit.target = "out.csv.gz"
        receipt = kit.part([], pa.schema([("a", pa.int64())]))
        assert gzip.decompress(kit.payload(receipt)) == b""

    def test_zlib_serves_where_isal_is_missing(self, kit, big, monkeypatch):
        monkeypatch.setattr("etltui.writers.gzip_member._isal", None)
        kit.target = "out.csv.gz"
        receipt = kit.part([big])
        assert receipt.compressor == "zlib-1"
        assert len(gzip.decompress(kit.payload(receipt))) == receipt.raw_bytes
