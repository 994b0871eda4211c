"""Every type as a cell: what the XML says, and what two readers make of it."""
# ruff: noqa: DTZ001 - a database's timestamp has no zone

from datetime import UTC, date, datetime, time
from decimal import Decimal

import openpyxl
import pytest
import python_calamine

from etltui.domain.columns import Column
from etltui.writers.excel_styles import (
    DATE,
    DECIMAL,
    GENERAL,
    TEXT,
    TIME,
    TIME_MS,
    TIMESTAMP,
    TIMESTAMP_MS,
)
from etltui.writers.notes import (
    BINARY,
    CLOCK_CUT,
    LONG_NUMBER,
    NOT_FINITE,
    OUTSIDE_CALENDAR,
    REMOVED,
    of_a_part,
)


def number(text, style=GENERAL):
    return ("n", style, text)


def words(text):
    return ("inlineStr", TEXT, text)


LONG_INT = 10**15
CASES = [
    ("bool", True, ("b", GENERAL, "1")),
    ("bool", False, ("b", GENERAL, "0")),
    ("bool", None, None),
    ("int", 0, number("0")),
    ("int", LONG_INT - 1, number("999999999999999")),
    ("int", 1 - LONG_INT, number("-999999999999999")),
    ("int", LONG_INT, words("1000000000000000")),
    ("int", -LONG_INT, words("-1000000000000000")),
    ("int", -(2**63), words("-9223372036854775808")),
    ("int", None, None),
    ("float", 0.1 + 0.2, number("0.30000000000000004")),
    ("float", -0.0, number("-0")),
    ("float", 1e300, number("1e+300")),
    ("float", float("nan"), words("NaN")),
    ("float", float("-inf"), words("-Infinity")),
    ("float", None, None),
    ("decimal(12,2)", Decimal("12.50"), number("12.50", DECIMAL + 2)),
    ("decimal(12,0)", Decimal(7), number("7", DECIMAL)),
    ("decimal(38,20)", Decimal("1.5"), number("1.50000000000000000000", DECIMAL + 10)),
    ("decimal(38,9)", Decimal("0E-9"), number("0.000000000", DECIMAL + 9)),
    ("decimal(20,2)", Decimal("9999999999999.99"), number("9999999999999.99", DECIMAL + 2)),
    ("decimal(20,2)", Decimal("10000000000000.01"), words("10000000000000.01")),
    ("decimal(20,2)", Decimal("999999999999999.00"), number("999999999999999.00", DECIMAL + 2)),
    ("decimal(20,2)", Decimal("-1000000000000000.00"), words("-1000000000000000.00")),
    ("decimal(38,18)", Decimal("0.000000000000001234"), number("0.000000000000001234", 18)),
    ("decimal(76,30)", Decimal("1e-30"), number("0.000000000000000000000000000001", 18)),
    ("decimal(20,2)", None, None),
    ("date", date(1900, 3, 1), number("61", DATE)),
    ("date", date(9999, 12, 31), number("2958465", DATE)),
    ("date", date(1900, 2, 28), words("1900-02-28")),
    ("date", date(1, 1, 1), words("0001-01-01")),
    ("date", None, None),
    ("timestamp", datetime(2026, 11, 21, 12), number("46347.5", TIMESTAMP)),
    ("timestamp", datetime(1900, 3, 1), number("61", TIMESTAMP)),
    ("timestamp", datetime(1900, 2, 28, 23, 59, 59), words("1900-02-28 23:59:59")),
    ("timestamp", datetime(2026, 11, 21, 6, 0, 0, 500_000), ("n", TIMESTAMP_MS, None)),
    ("timestamp", datetime(9999, 12, 31, 23, 59, 59), ("n", TIMESTAMP, None)),
    ("timestamp", datetime(9999, 12, 31, 23, 59, 59, 999_000), ("n", TIMESTAMP_MS, None)),
    ("timestamp", datetime(9999, 12, 31, 23, 59, 59, 999_001), words("9999-12-31 23:59:59.999001")),
    ("timestamp", datetime(9999, 12, 31, 23, 59, 59, 999_999), words("9999-12-31 23:59:59.999999")),
    ("timestamp", None, None),
    ("timestamptz", datetime(2026, 11, 21, 12, tzinfo=UTC), number("46347.5", TIMESTAMP)),
    (
        "timestamptz",
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        words("9999-12-31 23:59:59.999999+00"),
    ),
    ("timestamptz", datetime(1800, 1, 1, tzinfo=UTC), words("1800-01-01 00:00:00+00")),
    ("time", time(18), number("0.75", TIME)),
    ("time", time(18, 0, 0, 1), ("n", TIME_MS, None)),
    ("time", time(23, 59, 59, 999_999), number("0.999999988425926", TIME_MS)),
    ("time", time(23, 59, 59, 999_000), number("0.999999988425926", TIME_MS)),
    ("time", None, None),
    ("text", "", words("")),
    ("text", "007", words("007")),
    ("text", "  <a & b>\t\n\r\n ]]> ", words("  <a & b>\t\n\r\n ]]> ")),
    ("text", "अनिता 王 😀", words("अनिता 王 😀")),
    ("text", "_x000D_ _x0041_x0042_ _x12_", words("_x000D_ _x0041_x0042_ _x12_")),
    ("text", "a\x00b\x0bc\x1f\ufffe\uffffd\x7f", words("abcd\x7f")),
    ("text", "only \x0b", words("only ")),
    ("text", "only \ufffe", words("only ")),
    ("text", "only \uffff", words("only ")),
    ("text", None, None),
    ("binary", b"\x00\xff", words("\\x00ff")),
    ("binary", b"", words("\\x")),
    ("mixed", {"text": "12.5", "number": True}, number("12.5")),
    ("mixed", {"text": "-999999999999999", "number": True}, number("-999999999999999")),
    ("mixed", {"text": "1000000000000000", "number": True}, words("1000000000000000")),
    ("mixed", {"text": "0.30000000000000004", "number": True}, number("0.30000000000000004")),
    ("mixed", {"text": "1e+20", "number": True}, number("1e+20")),
    ("mixed", {"text": "007<", "number": False}, words("007<")),
    ("mixed", None, None),
    ("unknown", {"text": "x", "number": False}, words("x")),
]


@pytest.mark.parametrize(("kind", "value", "expected"), CASES, ids=lambda x: repr(x)[:40])
def test_a_value_becomes_its_cell(bench, kind, value, expected):
    [[cell]] = bench.cells([Column(name="v", type=kind)], [(value,)])
    if expected and expected[2] is None:
        assert cell[:2] == expected[:2]
    else:
        assert cell == expected


def test_a_cell_is_the_same_beside_any_other_value_of_its_column(bench):
    kinds = sorted({kind for kind, *_ in CASES})
    for kind in kinds:
        cases = [(value, expected) for other, value, expected in CASES if other == kind]
        cells = bench.cells([Column(name="v", type=kind)], [(value,) for value, _ in cases])
        for (cell,), (value, expected) in zip(cells, cases, strict=True):
            alone = bench.cells([Column(name="v", type=kind)], [(value,)])
            assert [cell] == alone[0], (kind, value)
            assert (cell is None) == (expected is None)


COUNTS = [
    ("int", [LONG_INT, 1, None, -LONG_INT], {LONG_NUMBER: 2}),
    ("decimal(20,2)", [Decimal("10000000000000.01"), None], {LONG_NUMBER: 1}),
    ("float", [float("inf"), float("nan"), 1.0, None], {NOT_FINITE: 2}),
    ("date", [date(1899, 1, 1), date(2000, 1, 1), None], {OUTSIDE_CALENDAR: 1}),
    ("timestamp", [datetime(1899, 1, 1), datetime(2000, 1, 1), None], {OUTSIDE_CALENDAR: 1}),
    (
        "timestamp",
        [datetime(9999, 12, 31, 23, 59, 59, us) for us in (0, 999_000, 999_500, 999_999)],
        {OUTSIDE_CALENDAR: 2},
    ),
    ("time", [time(23, 59, 59, us) for us in (0, 999_000, 999_500, 999_999)], {CLOCK_CUT: 2}),
    ("time", [time(23, 59, 59, 999_999), None], {CLOCK_CUT: 1}),
    ("binary", [b"", b"a", None], {BINARY: 2}),
    ("binary", [None], {}),
    (
        "mixed",
        [
            *({"text": text, "number": False} for text in ("NaN", "Infinity", "-Infinity")),
            *({"text": text, "number": False} for text in ("\\x", "\\x00ff")),
            *({"text": text, "number": False} for text in ("Nan", "x00", "\\x0", "\\xFF", "\\xg0")),
            {"text": "1.5", "number": True},
            None,
        ],
        {NOT_FINITE: 3, BINARY: 2},
    ),
    ("text", ["a\x00\x01", "b\x02", "c\t", None], {REMOVED: 3}),
    ("text", ["x" * 32_768, "é" * 20_000, "😀" * 16_384], {"text cut at 32,767": 2}),
    (
        "mixed",
        [
            {"text": "1" * 16, "number": True},
            {"text": "1" * 16, "number": False},
            {"text": "a\x00", "number": False},
            None,
        ],
        {LONG_NUMBER: 1, REMOVED: 1},
    ),
]


@pytest.mark.parametrize(("kind", "values", "notes"), COUNTS, ids=lambda x: repr(x)[:30])
def test_what_is_changed_is_counted(bench, kind, values, notes):
    """N-17: control characters, too."""
    [receipt] = bench.parts([Column(name="v", type=kind)], [(value,) for value in values])
    assert receipt.notes == notes
    assert all(map(of_a_part, notes))


def test_the_last_moments_are_read_as_what_they_are(bench, column):
    columns = [column("timestamp", "at"), column("time", "c")]
    last = [(datetime(9999, 12, 31, 23, 59, 59, us), time(23, 59, 59, us)) for us in (0, 999_000)]
    ends = [(at, c.replace(microsecond=999_999)) for at, c in last]
    book, _ = bench.publish(columns, bench.entry(bench.parts(columns, last + ends)))
    rows = openpyxl.load_workbook(book)["Branch"].iter_rows(min_row=2, values_only=True)
    assert list(rows) == [*last, (last[0][0], last[1][1]), (last[1][0], last[1][1])]


def test_a_text_is_cut_between_characters(bench, column):
    cells = bench.cells([column("text")], [("x" + "😀" * 16_384,), ("é" * 32_767,)])
    assert cells[0][0][2] == "x" + "😀" * 16_383
    assert cells[1][0][2] == "é" * 32_767


def test_text_columns_are_text_in_canonical_form(bench):
    values = {
        "int": (12, "12"),
        "bool": (True, "true"),
        "float": (1.5, "1.5"),
        "decimal(5,2)": (Decimal("1.50"), "1.50"),
        "date": (date(2026, 1, 2), "2026-01-02"),
        "timestamp": (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        "mixed": ({"text": "5", "number": True}, "5"),
    }
    columns = [Column(name=f"c{kind}", type=kind) for kind in values]
    names = [column.name for column in columns]
    rows = [tuple(value for value, _ in values.values()), (None,) * len(values)]
    cells = bench.cells(columns, rows, text_columns=names)
    assert cells[0] == [words(text) for _, text in values.values()]
    assert cells[1] == [None] * len(values)


TABLE = [
    Column(name="i", type="int"),
    Column(name="t", type="text"),
    Column(name="d", type="date"),
    Column(name="at", type="timestamp"),
    Column(name="m", type="decimal(12,2)"),
    Column(name="b", type="bool"),
    Column(name="f", type="float"),
    Column(name="c", type="time"),
]
ROWS = [
    (
        n - 50,
        [None, "", "007", "=1+1", "a\r\nb", "  x ", "राम & <b>", "王😀"][n % 8],
        date(1900 + n, 3, 1 + n % 28),
        datetime(1950 + n, 12, 31, 23, 59, n % 60, (n % 3) * 250_000),
        None if n % 7 == 0 else Decimal(n * 12_345).scaleb(-2),
        n % 2 == 0,
        n / 7,
        time(n % 24, n % 60, 7),
    )
    for n in range(100)
]


def test_openpyxl_reads_every_cell_as_it_was(bench):
    book, _ = bench.publish(TABLE, bench.entry(bench.parts(TABLE, ROWS)))
    for read_only in (False, True):
        workbook = openpyxl.load_workbook(book, read_only=read_only)
        rows = list(workbook["Branch"].iter_rows(min_row=2, values_only=True))
        workbook.close()
        assert len(rows) == len(ROWS)
        for found, wanted in zip(rows, ROWS, strict=True):
            i, t, d, at, m, b, f, c = wanted
            assert (found[0], found[5], found[6]) == (i, b, f)
            assert (found[1] or "") == (t or "")
            assert found[2] == datetime(d.year, d.month, d.day)
            assert abs((found[3] - at).total_seconds()) < 0.001
            assert found[4] == (None if m is None else float(m))
            assert found[7] == c


def test_calamine_reads_every_cell_as_it_was(bench):
    book, _ = bench.publish(TABLE, bench.entry(bench.parts(TABLE, ROWS)))
    rows = python_calamine.CalamineWorkbook.from_path(book).get_sheet_by_name("Branch").to_python()
    assert rows[0] == [column.name for column in TABLE]
    for found, wanted in zip(rows[1:], ROWS, strict=True):
        i, t, d, at, m, b, f, _ = wanted
        assert (found[0], found[1], found[5], found[6]) == (i, t or "", b, f)
        assert found[2] == d
        moment = found[3] if isinstance(found[3], datetime) else datetime(*found[3].timetuple()[:3])
        assert abs((moment - at).total_seconds()) < 0.001
        assert found[4] == ("" if m is None else float(m))
