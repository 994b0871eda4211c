"""No value changes on its way: each lane proves it, or the column is read as mixed."""

import datetime as dt
import math
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass, Failure
from etltui.extractors.arrow import MIXED
from etltui.readers.reader import RereadError
from etltui.readers.sqlite_values import mixed
from etltui.writers.text import canonical as text_form
from unit.readers.sqlite_bench import Bench

TYPES = (
    "INTEGER",
    "BOOLEAN",
    "REAL",
    "DECIMAL(12,2)",
    "DECIMAL(20,4)",
    "DATE",
    "TIMESTAMP",
    "TIME",
    "TEXT",
    "BLOB",
    "NUMERIC",
    "",
)

BIG = 2**63
NUMBERS = st.one_of(
    st.integers(-BIG, BIG - 1),
    st.integers(-2, 2),
    st.floats(allow_nan=False),
    st.integers(-(10**9), 10**9).map(lambda n: n / 100),
    st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, 1e15, 123456789.125, 0.1234, -0.0, 1e-7]),
)
ODD_TEXTS = (
    *("2026-13-45", "2026-1-5", "2026-11-21T10:11:12Z", "2026-11-21 10:11", "0000-01-01"),
    *("12.50", "0012", " 12", "1e3", "-0", "٣", "nan", "Infinity", "a\x00b", "", "24:00:00"),
)
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.dates(dt.date(1, 1, 1)).map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda t: t.isoformat(timespec="milliseconds")),
    st.times().map(str),
    st.sampled_from(ODD_TEXTS),
)
ANY = st.one_of(st.none(), NUMBERS, TEXTS, st.binary(max_size=8))
LIKELY = {
    "INTEGER": st.integers(-BIG, BIG - 1),
    "BOOLEAN": st.integers(0, 1),
    "REAL": st.floats(allow_nan=False),
    "DECIMAL(12,2)": st.integers(-(10**12), 10**12).map(lambda n: n / 100),
    "DECIMAL(20,4)": st.integers(-(10**16), 10**16).map(lambda n: n / 10_000),
    "DATE": st.dates(dt.date(1, 1, 1)).map(str),
    "TIMESTAMP": st.datetimes().map(str),
    "TIME": st.times().map(str),
    "TEXT": TEXTS,
    "BLOB": st.binary(max_size=8),
    "NUMERIC": NUMBERS,
    "": ANY,
}


def mixed_form(value: object) -> dict | None:
    """What a mixed column says of a value, worked out once more."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return {"text": "\\x" + value.hex(), "number": False}
    if isinstance(value, str):
        return {"text": value, "number": False}
    if isinstance(value, float):
        [text] = text_form(pa.array([value])).to_pylist()
        return {"text": text, "number": math.isfinite(value)}
    return {"text": str(value), "number": True}


def source_form(got: object, source: object) -> object:
    """A typed value as its source would have written it."""
    if isinstance(got, Decimal):
        return Decimal(repr(source) if isinstance(source, float) else str(source))
    if isinstance(got, dt.datetime):
        return dt.datetime.fromisoformat(source)
    if isinstance(got, dt.date | dt.time):
        return type(got).fromisoformat(source)
    return source


def same(kind: pa.DataType, got: object, source: object) -> bool:
    """Whether a value of a result is the value of the source."""
    if kind == MIXED:
        return got == mixed_form(source)
    if got is None or source is None:
        return got is source
    return got == source_form(got, source) and got not in {math.inf, -math.inf}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_value_ever_changes(data):
    """Whatever the columns are declared as and whatever they hold."""
    types = data.draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
    strange = data.draw(st.integers(0, 3))
    cell = [
        ANY if place == strange else st.none() | LIKELY[kind] for place, kind in enumerate(types)
    ]
    rows = data.draw(st.lists(st.tuples(*cell), min_size=1, max_size=12))
    with TemporaryDirectory() as folder, ExitStack() as closes:
        bench = Bench(Path(folder) / "b.db", closes)
        bench.write(f"CREATE TABLE t ({', '.join(f'c{n} {kind}' for n, kind in enumerate(types))})")
        bench.insert("t", rows)
        table, tries = bench.reread("SELECT * FROM t ORDER BY rowid")
        stored = bench.reader._db.execute("SELECT * FROM t ORDER BY rowid").fetchall()
        assert tries <= 3
        assert table.num_rows == len(stored)
        for position, column in enumerate(table.columns):
            for got, row in zip(column.to_pylist(), stored, strict=True):
                assert same(column.type, got, row[position]), (types[position], got, row[position])


@pytest.mark.parametrize("declared", [kind for kind in TYPES if kind not in {"NUMERIC", ""}])
def test_likely_values_need_no_second_reading(bench, declared):
    examples = {
        "INTEGER": [1, -(2**63), 2**63 - 1],
        "BOOLEAN": [0, 1],
        "REAL": [0.1, -1e-300, 12.0],
        "DECIMAL(12,2)": [12, 12.5, -0.01, 9_999_999_999.99],
        "DECIMAL(20,4)": [1.0001, 99_999_999_999.9999],
        "DATE": ["2026-11-21", "0001-01-01", "9999-12-31"],
        "TIMESTAMP": ["2026-11-21 10:11:12", "2026-11-21T10:11:12.5", "0001-01-01 00:00:00"],
        "TIME": ["00:00:00", "23:59:59.999999"],
        "TEXT": ["", "=1+1", "a\x00b", "0012", "विभा"],
        "BLOB": [b"", b"\x00\xff"],
    }[declared]
    bench.write(f"CREATE TABLE t (c {declared})")
    bench.insert("t", [(value,) for value in [None, *examples, None]])
    fast = bench.read("SELECT c FROM t", exact=False)
    assert fast.schema.types != [MIXED]
    assert fast.equals(bench.read("SELECT c FROM t", exact=True))


@pytest.mark.usefixtures("fast_only")
def test_the_fast_lane_is_taken(bench):
    bench.write("CREATE TABLE t (a INTEGER, b TEXT, c DECIMAL(5,1))")
    bench.insert("t", [(n, None if n < 2000 else str(n), n / 2) for n in range(3000)])
    table = bench.read("SELECT * FROM t WHERE a < :n ORDER BY a DESC; -- all", exact=False, n=2900)
    assert table["a"].to_pylist() == list(range(2899, -1, -1))
    assert table["c"].to_pylist() == [Decimal(n) / 2 for n in range(2899, -1, -1)]


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("INTEGER", "ten"),
        ("INTEGER", 3.75),
        ("INTEGER", b"x"),
        ("BOOLEAN", 2),
        ("REAL", "much"),
        ("REAL", math.inf),
        ("DECIMAL(12,2)", 0.1234),
        ("DECIMAL(12,2)", "n/a"),
        ("DECIMAL(12,2)", 10_000_000_000.5),
        ("DECIMAL(12,2)", 10_000_000_000),
        ("DECIMAL(12,2)", 2**62),
        ("DECIMAL(12,2)", b"1"),
        ("DATE", "2026-13-45"),
        ("DATE", "2026-1-5"),
        ("DATE", 20261121),
        ("DATE", b"2026-11-21"),
        ("DATE", "0000-01-01"),
        ("TIMESTAMP", "0000-01-01 00:00:00"),
        ("TIME", "10:11"),
        ("TIME", "10:11:12Z"),
        ("TIMESTAMP", "2026-11-21"),
        ("TIMESTAMP", "2026-11-21 10:11:12Z"),
        ("TIMESTAMP", 1_795_000_000),
        ("TEXT", b"bytes"),
        ("TEXT", b""),
        ("BLOB", "text"),
        ("BLOB", 5),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 600])
def test_a_misfit_makes_its_column_mixed(bench, declared, value, place):
    """From the first row on, right after it, or batches later."""
    likely = {"INTEGER": 1, "BOOLEAN": 1, "REAL": 1.5, "DECIMAL(12,2)": 12.5, "BLOB": b"b"}
    likely |= {"DATE": "2026-11-21", "TIME": "10:11:12"}
    usual = likely.get(declared, "2026-11-21 10:11:12")
    column = [usual] * 700
    column[place] = value
    bench.write(f"CREATE TABLE t (other INTEGER, c {declared})")
    bench.insert("t", list(enumerate(column)))
    with pytest.raises(RereadError):
        bench.read("SELECT * FROM t", exact=False, size=10_000)
    table, _ = bench.reread("SELECT * FROM t")
    assert table.schema.types == [pa.int64(), MIXED]
    assert table["c"].to_pylist() == [mixed_form(source) for source in column]


def test_a_number_among_texts_is_not_printed(bench):
    """ADBC would print 123456789.125 as 1.234568e+08: the condition in the statement stops it."""
    bench.write(
        "CREATE TABLE a (c TEXT)",
        "CREATE TABLE b (c NUMERIC)",
        "INSERT INTO a VALUES ('first')",
        "INSERT INTO b VALUES (123456789.125), (7)",
    )
    sql = "SELECT c FROM a UNION ALL SELECT c FROM b"
    with pytest.raises(RereadError):
        bench.read(sql, exact=False)
    table, _ = bench.reread(sql)
    assert table["c"].to_pylist() == [mixed_form(v) for v in ("first", 123456789.125, 7)]


def test_integers_among_doubles_keep_their_last_digit(bench):
    """2^53 + 1 has no double: the fast lane proves nothing from 2^53 on."""
    bench.write(
        "CREATE TABLE a (c REAL)",
        "CREATE TABLE b (c INTEGER)",
        "INSERT INTO a VALUES (0.5)",
        f"INSERT INTO b VALUES ({2**53 + 1})",
    )
    table, _ = bench.reread("SELECT c FROM a UNION ALL SELECT c FROM b")
    assert table["c"].to_pylist() == [mixed_form(0.5), mixed_form(2**53 + 1)]


def test_a_wide_decimal_is_the_double_s_shortest_form(bench):
    """With 17 digits many decimals share a double: dividing back would prove …0.0032, too."""
    bench.write("CREATE TABLE t (c DECIMAL(20,4))", "INSERT INTO t VALUES (8000000000000.003)")
    table, _ = bench.reread("SELECT c FROM t")
    assert table["c"].to_pylist() == [Decimal("8000000000000.003")]


@pytest.mark.parametrize(
    "text", ["0012", "-0", " 12", "1e3", "1_0", "१२", "+1", "nan", "sNaN", "1."]
)
def test_text_with_a_form_of_its_own_is_no_decimal(bench, text):
    bench.write("CREATE TABLE a (c DECIMAL(12,2))", "CREATE TABLE b (c TEXT)")
    bench.insert("a", [(1.5,)])
    bench.insert("b", [("12.5",), (text,)])
    table, _ = bench.reread("SELECT c FROM a UNION ALL SELECT c FROM b")
    assert table["c"].to_pylist() == [mixed_form(value) for value in (1.5, "12.5", text)]


@pytest.mark.parametrize("value", [10_000_000_000, -10_000_000_000, 2**62, -(2**63)])
def test_an_integer_too_wide_for_its_decimal(bench, value):
    """Integers alone take the way that multiplies, where 2^62 would wrap around."""
    bench.write("CREATE TABLE t (c DECIMAL(12,2))")
    bench.insert("t", [(9_999_999_999,), (value,)])
    table, _ = bench.reread("SELECT c FROM t")
    assert table["c"].to_pylist() == [mixed_form(9_999_999_999), mixed_form(value)]


def test_plain_numeric_text_is_a_decimal(bench):
    bench.write("CREATE TABLE a (c DECIMAL(12,2))", "CREATE TABLE b (c TEXT)")
    bench.insert("a", [(1.5,)])
    bench.insert("b", [("-12.50",), ("7",)])
    table, _ = bench.reread("SELECT c FROM a UNION ALL SELECT c FROM b")
    assert table["c"].to_pylist() == [Decimal("1.5"), Decimal("-12.5"), Decimal(7)]


def test_large_doubles_stay_doubles(bench):
    bench.write("CREATE TABLE t (c REAL)", "INSERT INTO t VALUES (1e300), (1.5)")
    table, tries = bench.reread("SELECT c FROM t")
    assert (table["c"].to_pylist(), tries) == ([1e300, 1.5], 2)


def test_all_misfits_are_found_at_once(bench):
    """So that two readings by rows are enough, however many columns misfit and wherever."""
    bench.write("CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER, d INTEGER)")
    bench.insert(
        "t", [(1, 2, 3, 4)] * 2000 + [("x", 2, 3, 4), *[(1, 2, 3, 4)] * 2000, (1, "y", "z", 4)]
    )
    with pytest.raises(RereadError):
        bench.read("SELECT * FROM t", exact=True)
    table = bench.read("SELECT * FROM t", exact=True)
    assert table.schema.types == [MIXED, MIXED, MIXED, pa.int64()]


def test_text_that_is_not_utf8_fails_and_names_its_column(bench):
    bench.write(
        "CREATE TABLE t (ok TEXT, bad TEXT)", "INSERT INTO t VALUES ('a', CAST(x'61ff' AS TEXT))"
    )
    with pytest.raises(Failure) as caught:
        bench.reread("SELECT * FROM t")
    assert caught.value.error_class is ErrorClass.VALUE
    assert caught.value.facts == {"column": "bad"}


@pytest.mark.usefixtures("fast_only")
def test_bad_utf8_does_not_pass_the_fast_lane(bench):
    bench.write("CREATE TABLE t (bad TEXT)", "INSERT INTO t VALUES (CAST(x'61ff' AS TEXT))")
    with pytest.raises(RereadError):
        bench.read("SELECT * FROM t", exact=False)


def test_expressions_are_mixed_value_by_value(bench):
    bench.write("CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1), (2), (3)")
    table, tries = bench.reread("SELECT a, a / 2.0 AS half, iif(a > 1, 'x', NULL) FROM t")
    assert tries == 1
    assert table.schema.types == [pa.int64(), MIXED, MIXED]
    assert table["half"].to_pylist() == [mixed_form(v) for v in (0.5, 1.0, 1.5)]


def test_names_are_the_query_s_own(bench):
    bench.write("CREATE TABLE t (id INTEGER, x TEXT)", "INSERT INTO t VALUES (1, 'a')")
    sql = 'SELECT a.id, b.id, a.id AS ID, b.x AS "x:1", count( * ) FROM t a, t b GROUP BY 1'
    table, _ = bench.reread(sql)
    assert table.schema.names == ["id", "id", "ID", "x:1", "count( * )"]


@pytest.mark.parametrize("exact", [False, True])
def test_a_sudden_run_of_long_texts_is_not_held_at_once(bench, exact):
    """Short rows first: the lane that counts rows gives up, the other one closes its batch."""
    bench.write("CREATE TABLE t (c TEXT)")
    bench.insert("t", [("short",)] * 2000 + [("long" * 25_000,)] * 200)
    if not exact:
        with pytest.raises(RereadError):
            bench.read("SELECT c FROM t", exact=False)
        return
    table = bench.read("SELECT c FROM t", exact=True)
    assert max(chunk.nbytes for chunk in table["c"].chunks) < 110 * (1 << 20)
    assert table.num_rows == 2200


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT c FROM wide", id="rows too wide to count"),
        pytest.param("SELECT n FROM chance", id="a function that changes its answer"),
        pytest.param("SELECT pageno FROM dbstat", id="a virtual table"),
        pytest.param("SELECT n + 0 FROM narrow", id="an expression"),
        pytest.param("SELECT n FROM etltui_rows", id="a name that the wrapping needs"),
    ],
)
def test_what_the_fast_lane_cannot_prove_goes_by_rows(bench, monkeypatch, sql):
    bench.write(
        "CREATE TABLE wide (c TEXT)",
        "CREATE TABLE narrow (n INTEGER)",
        "INSERT INTO narrow VALUES (1), (2), (3)",
        "CREATE TABLE etltui_rows (n INTEGER)",
        "INSERT INTO etltui_rows SELECT n FROM narrow",
        "CREATE VIEW chance AS SELECT n FROM narrow WHERE random() IS NOT NULL",
    )
    bench.insert("wide", [("x" * 40_000,)] * 3)
    monkeypatch.setattr(bench.reader._arrow, "batches", None)
    assert bench.read(sql, exact=False).num_rows >= 3


def test_mixed_forms_are_the_canonical_ones():
    floats = [0.1, 1.0, -0.0, 1e15, 123456789012345.6, 1e16, 1e-4, 1.5e-7, 5e-324, 1e300, math.inf]
    values = [*floats, None, 7, "t", b"\x0f"]
    assert mixed(values).to_pylist() == [mixed_form(value) for value in values]
