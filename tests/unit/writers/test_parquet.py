"""Parquet: types, row groups, one footer over many parts, and what does not fit a column."""

import struct
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import ParquetOptions
from etltui.extractors.arrow import MIXED
from etltui.writers import parquet_groups, parquet_target
from etltui.writers.notes import LONG_NUMBER, MISFIT, NUMBER_AS_TEXT, RENAMED
from etltui.writers.parquet_fit import fitted
from etltui.writers.parquet_footer import merged
from etltui.writers.parquet_part import schema_of
from etltui.writers.parquet_thrift import changed, fields, integer, to_integer
from unit.writers.format_kit import ROWS, Kit, columns_of


def footer(content):
    (length,) = struct.unpack("<I", content[-8:-4])
    return content[-8 - length : -8]


def mixed(*values):
    """Values as a reader of SQLite gives them: numbers as numbers, texts as texts."""
    return pa.array(
        [None if v is None else {"text": str(v), "number": not isinstance(v, str)} for v in values],
        MIXED,
    )


def numbers(*values):
    return pa.record_batch({"n": pa.array(values, pa.int64())})


def test_every_type_reads_back_as_it_was(tmp_path):
    kit = Kit(tmp_path)
    kit.assemble([kit.part(ROWS)])
    table = parquet.read_table(kit.temporary)
    assert table.schema.names == ["connection", *ROWS.schema.names]
    assert table["connection"].to_pylist() == ["B1"] * 3
    for name in ROWS.schema.names[:-1]:
        assert table.schema.field(name).type == ROWS.schema.field(name).type
        assert str(table[name].to_pylist()) == str(ROWS[name].to_pylist())
    assert table["any"].to_pylist() == ["-5", "-x", None]


def test_row_groups_end_by_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_groups, "GROUP_ROWS", 10)
    kit = Kit(tmp_path)
    parts = [kit.part(numbers(*range(n)), connection=f"B{n}") for n in (25, 0, 10, 7)]
    assert kit.assemble(parts).rows == 42
    found = parquet.read_metadata(kit.temporary)
    groups = [found.row_group(number) for number in range(found.num_row_groups)]
    assert [group.num_rows for group in groups] == [10, 10, 5, 10, 7]
    names = [group.column(0).statistics for group in groups]
    assert [(s.min, s.max) for s in names] == [(n, n) for n in ["B25"] * 3 + ["B10", "B7"]]
    table = parquet.read_table(kit.temporary)
    assert table["n"].to_pylist() == [*range(25), *range(10), *range(7)]
    only = parquet.read_table(kit.temporary, filters=[("connection", "=", "B10")])
    assert only["n"].to_pylist() == list(range(10))


@given(st.lists(st.integers(0, 40), max_size=30), st.lists(st.integers(1, 9), min_size=1))
def test_row_groups_end_by_bytes_wherever_batches_end(tmp_path_factory, lengths, sizes):
    kit = Kit(tmp_path_factory.mktemp("kit"))
    rows = pa.record_batch({"t": pa.array(["x" * n if n else None for n in lengths], pa.string())})
    batches = [rows.slice(0, 0)]
    start = 0
    while start < len(lengths):
        size = sizes[len(batches) % len(sizes)]
        batches.append(rows.slice(start, size))
        start += size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_groups, "GROUP_BYTES", 50)
        one, other = kit.part(rows), kit.part(*batches)
    assert kit.payload(one) == kit.payload(other)
    found = parquet.read_metadata(pa.BufferReader(kit.payload(one)))
    ends = [found.row_group(n).num_rows for n in range(found.num_row_groups)]
    assert sum(ends) == len(lengths)
    begin = 0
    for rows_in in ends[:-1]:
        assert sum(lengths[begin : begin + rows_in]) >= 50
        assert sum(lengths[begin : begin + rows_in - 1]) < 50
        begin += rows_in


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_compression_and_the_connection_column_follow_the_options(tmp_path, compression):
    kit = Kit(tmp_path, compression=compression, connection_column="")
    kit.assemble([kit.part(numbers(1, 2))])
    found = parquet.read_metadata(kit.temporary)
    assert found.schema.names == ["n"]
    said = {"none": "UNCOMPRESSED"}.get(compression, compression.upper())
    assert found.row_group(0).column(0).compression == said


def test_names_are_never_alike_and_the_change_is_counted(tmp_path):
    rows = pa.record_batch([pa.array([n]) for n in range(4)], names=["id", "connection", "id", "x"])
    kit = Kit(tmp_path)
    part = kit.part(rows)
    kit.assemble([part])
    names = ["connection", "id", "connection_2", "id_2", "x"]
    assert parquet.read_metadata(kit.temporary).schema.names == names
    assert part.notes == {RENAMED: 2}


def test_what_parquet_cannot_hold_is_text_and_counted(tmp_path):
    wide = Decimal(10) ** 40
    rows = pa.record_batch(
        {
            "wide": pa.array([wide, None], pa.decimal256(42, 0)),
            "any": mixed(5, "five"),
            "code": mixed(7, "007"),
        },
    )
    kit = Kit(tmp_path, text_columns=("code",))
    part = kit.part(rows)
    kit.assemble([part])
    table = parquet.read_table(kit.temporary, columns=["wide", "any", "code"])
    assert table.to_pydict() == {
        "wide": [f"{wide:f}", None],
        "any": ["5", "five"],
        "code": ["7", "007"],
    }
    assert part.notes == {LONG_NUMBER: 1, NUMBER_AS_TEXT: 1}


def test_parts_of_connections_with_other_types_have_one_schema(tmp_path):
    fixed = (Column(name="n", type="int"), Column(name="d", type="date"))
    kit = Kit(tmp_path)
    parts = [
        kit.part(
            pa.record_batch({"n": pa.array([1]), "d": pa.array([0], pa.date32())}), columns=fixed
        ),
        kit.part(
            pa.record_batch({"n": mixed(2, None), "d": mixed("2026-11-21", None)}), columns=fixed
        ),
    ]
    assert kit.assemble(parts, columns=fixed).rows == 3
    found = parquet.read_table(kit.temporary, columns=["n", "d"]).to_pydict()
    assert found["n"] == [1, 2, None]
    assert [str(day) for day in found["d"]] == ["1970-01-01", "2026-11-21", "None"]


def test_a_misfit_refuses_the_connection_or_is_counted(tmp_path):
    fixed = (Column(name="n", type="int"),)
    rows = pa.record_batch({"n": mixed(1, 2, "n/a", None, "007")})
    with pytest.raises(Failure, match=r"^row 3, column 'n': \"n/a\" is no int; name") as caught:
        Kit(tmp_path / "a").part(rows, columns=fixed)
    assert caught.value.error_class is ErrorClass.VALUE
    assert caught.value.facts == {"row": "3", "column": "n"}
    kit = Kit(tmp_path / "b", misfits="null")
    part = kit.part(rows, rows, columns=fixed)
    assert part.notes == {MISFIT: 4}
    kit.assemble([part], columns=fixed)
    found = parquet.read_table(kit.temporary)["n"].to_pylist()
    assert found == [1, 2, None, None, None] * 2


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("timestamptz", "2026-11-21 10:00:00", '"2026-11-21 10:00:00" is no timestamptz;'),
        ("decimal(10,2)", "n/a", '"n/a" is no decimal(10,2);'),
        ("date", "\x1b[2J", '"␛[2J" is no date;'),
        ("bool", "x" * 50, f'"{"x" * 19}…{"x" * 20}" is no bool;'),
    ],
)
def test_a_misfit_is_told_as_it_stands_there_in_words_of_no_format(tmp_path, kind, value, said):
    rows = pa.record_batch({"c": mixed(value)})
    with pytest.raises(Failure) as caught:
        Kit(tmp_path).part(rows, columns=(Column(name="c", type=kind),))
    assert f"row 1, column 'c': {said}" in caught.value.message


INT, FLOAT, MONEY = pa.int64(), pa.float64(), pa.decimal128(12, 2)


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        (mixed(1, -2, "3", "03", "x", None), INT, [1, -2, 3, None, None, None]),
        (pa.array([1e15, 2.0, 0.5, float("nan")]), INT, [10**15, 2, None, None]),
        (pa.array([Decimal("2.00"), Decimal("2.50")]), INT, [2, None]),
        (mixed(2**63, 2**63 - 1), INT, [None, 2**63 - 1]),
        (mixed(0.5, "0.5", "0.50", 1e30), FLOAT, [0.5, 0.5, None, 1e30]),
        (mixed(2**53, 2**53 + 1, 1), FLOAT, [2.0**53, None, 1.0]),
        (pa.array([Decimal("0.10"), None]), FLOAT, [0.1, None]),
        (pa.array([Decimal("0.12345678901234567890")]), FLOAT, [None]),
        (pa.array([0.125, 0.5, 3.0]), MONEY, [None, Decimal("0.50"), Decimal(3)]),
        (pa.array([7, 10**11]), MONEY, [Decimal(7), None]),
        (mixed(1, 0, 2, "true", "yes"), pa.bool_(), [True, False, None, True, None]),
        (mixed("\\x00ff", "\\x0", "\\xZZ", "x", None), pa.binary(), [b"\0\xff", *[None] * 4]),
    ],
)
def test_a_value_fits_where_it_means_the_same(values, kind, wanted):
    found, misfits = fitted(values, kind)
    assert (found.type, found.to_pylist()) == (kind, wanted)
    odd = [w is None and v is not None for v, w in zip(values.to_pylist(), wanted, strict=True)]
    assert (misfits.to_pylist() if misfits else [False] * len(odd)) == odd


@pytest.mark.parametrize(
    ("kind", "fits", "misfit"),
    [
        (pa.date32(), "2026-11-21", "21.11.2026"),
        (pa.time64("us"), "10:00:00.5", "10h"),
        (pa.timestamp("us"), "2026-11-21 10:00:00.000001", "2026-11-21 10:00:00+00"),
        (pa.timestamp("us", tz="UTC"), "2026-11-21 10:00:00+05:30", "2026-11-21 10:00:00"),
    ],
)
def test_a_moment_fits_where_it_can_be_read(kind, fits, misfit):
    found, misfits = fitted(mixed(fits, misfit), kind)
    assert found.is_valid().to_pylist() == [True, False]
    assert misfits.to_pylist() == [False, True]


def test_without_a_column_that_is_known_there_is_a_target(tmp_path):
    kit = Kit(tmp_path)
    assert kit.assemble([]).rows == 0
    assert parquet.read_metadata(kit.temporary).schema.names == ["connection"]


def test_a_footer_that_is_walked_without_a_change_stays_as_it_is(tmp_path):
    kit = Kit(tmp_path)
    one = footer(kit.payload(kit.part(ROWS)))
    assert changed(one, 0, {}) == (one, len(one))
    assert merged([(one, 0)]) == one


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_number_is_read_as_it_was_written(number):
    assert integer(to_integer(number), 0) == number


def test_a_structure_of_every_type_is_walked():
    # ids 1 to 8: true, false, byte, i64, double, binary, list of booleans, set of bytes; 200: i64
    known = bytes(
        [
            *(0x11, 0x12, 0x13, 9, 0x16, 0x96, 1, 0x17, *range(8), 0x18, 2, 65, 66),
            *(0x19, 0x21, 1, 2, 0x1A, 0x13, 5, 0x06, 0x90, 3, 2),
        ],
    )
    found, end = fields(known + b"\0", 0)
    assert list(found) == [1, 2, 3, 4, 5, 6, 7, 8, 200]
    assert end == len(known) + 1
    with pytest.raises(ValueError, match="no Thrift type"):
        fields(b"\x1b\0\0", 0)


@pytest.mark.parametrize("broken", [b"", b"\x15", b"\x1b\0", b"\x15\x02\0"])
def test_a_broken_footer_is_a_corrupt_part(broken):
    with pytest.raises(Failure, match="cannot be read") as caught:
        merged([(broken, 0)])
    assert caught.value.error_class is ErrorClass.CORRUPT


def test_parts_with_other_columns_are_never_merged(tmp_path):
    kit = Kit(tmp_path)
    one = kit.part(numbers(1))
    other = kit.part(pa.record_batch({"m": pa.array([1])}))
    with pytest.raises(Failure, match="have not the same columns"):
        kit.assemble([one, other])
    assert not kit.temporary.exists()


def test_an_index_that_would_need_to_move_is_refused(tmp_path):
    parquet.write_table(pa.table({"n": [1]}), tmp_path / "x", write_page_index=True)
    with pytest.raises(Failure, match="index that nobody asked for"):
        merged([(footer((tmp_path / "x").read_bytes()), 4)])


def test_a_receipt_of_something_else_is_no_parquet(tmp_path):
    lines, kit = Kit(tmp_path, "jsonl"), Kit(tmp_path)
    with pytest.raises(Failure, match="B1: its part is no Parquet file"):
        kit.assemble([lines.part(ROWS)])


def test_the_schema_depends_on_the_fixed_columns_only():
    columns = columns_of(ROWS.schema)
    assert schema_of(columns, ParquetOptions()).names == ["connection", *ROWS.schema.names]
    text = schema_of(columns, ParquetOptions(text_columns=("id",), connection_column=""))
    assert text.field("id").type == pa.string()


def test_more_columns_and_row_groups_than_a_short_list_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_groups, "GROUP_ROWS", 1)
    wide = pa.record_batch({f"c{n}": pa.array(range(n, n + 20)) for n in range(20)})
    kit = Kit(tmp_path)
    kit.assemble([kit.part(wide), kit.part(wide, connection="B2")])
    assert parquet.read_metadata(kit.temporary).num_row_groups == 40
    table = parquet.read_table(kit.temporary)
    assert table["c19"].to_pylist() == [*range(19, 39)] * 2
    assert table["connection"].to_pylist() == ["B1"] * 20 + ["B2"] * 20


def test_a_target_that_arrow_would_not_read_is_removed(tmp_path):
    path = tmp_path / "made"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(Failure, match="made cannot be read") as caught:
        parquet_target._check_rows(path, 0)
    assert caught.value.error_class is ErrorClass.TARGET
    kit = Kit(tmp_path)
    kit.assemble([kit.part(numbers(1, 2))])
    with pytest.raises(Failure, match="has 2 rows instead of 3"):
        parquet_target._check_rows(kit.temporary, 3)
    assert [each.name for each in tmp_path.iterdir()] == ["parts"]


@pytest.mark.parametrize("reader", ["duckdb", "polars"])
def test_other_programs_read_a_target_of_many_parts(tmp_path, reader, monkeypatch):
    module = pytest.importorskip(reader)
    monkeypatch.setattr(parquet_groups, "GROUP_ROWS", 100)
    kit = Kit(tmp_path)
    kit.assemble([kit.part(numbers(*range(n)), connection=f"B{n}") for n in (250, 0, 333)])
    path = str(kit.temporary)
    if reader == "duckdb":
        found = module.sql(
            f"SELECT connection, count(*), sum(n) FROM read_parquet('{path}') GROUP BY 1"
        ).fetchall()
        assert sorted(found) == [("B250", 250, 250 * 249 / 2), ("B333", 333, 333 * 332 / 2)]
    else:
        found = module.read_parquet(path)
        assert (found.shape, found["n"].sum()) == ((583, 2), 250 * 249 / 2 + 333 * 332 / 2)
