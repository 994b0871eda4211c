r"""Lines that PostgreSQL printed and lines made of values are the same bytes in the same part.

The file beside this test says what they are; it changes with a writer's version only.
"""

import os
import random
import struct
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etltui.domain.job import CsvOptions, ExcelOptions
from etltui.domain.task import ExtractTask, QueryTask, WriterTask
from etltui.extractors.extract import Watch, extract
from etltui.extractors.gate import Gate
from etltui.readers.postgresql import connect
from postgresql_kit import session_task

pytestmark = pytest.mark.server

GOLDEN = Path(__file__).with_name("postgresql_usual.csv")

USUAL = """
    SELECT i, b, d, r, n::numeric(12,2) AS n, u, t, day, at, atz, clock, raw, span, many, doc, id,
      pad::char(3) AS pad
    FROM (VALUES
      (1, true, 0.1::float8, 0.1::real, 1.50, 1.500::numeric, 'plain'::text,
       DATE '2026-11-21', TIMESTAMP '2026-11-21 23:59:59',
       TIMESTAMPTZ '2026-11-21 23:59:59.5+05:30',
       TIME '10:00', '\\x00ff'::bytea, INTERVAL '1 mon 2 days -00:00:01', ARRAY['a,b','c"d',NULL],
       '{"a": [1, "x"]}'::jsonb, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 'x'),
      (-2147483648, false, '-0', '-0', -0.05, -0.00, '',
       '0001-01-01', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00',
       '23:59:59.999999', '', '0', '{}', '""', NULL, ''),
      (2147483647, NULL, 'NaN', 'NaN', 9999999999.99, 'NaN', 'NULL',
       '9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00',
       '00:00:00.000001', '\\x22', '-1 year', '{NULL,""}', 'null', NULL, '"'),
      (NULL, NULL, 'Infinity', '-Infinity', NULL, 'Infinity', NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (0, true, 5e-324, 1.401298464324817e-45, 0, 1e-20, E'a,b;c|d\\te''f"g\\nh\\ri\\\\j',
       '1969-12-31', '1969-12-31 23:59:59.000001', '1970-01-01', '12:34:56.7', '\\x0a',
       '1 day', '{1}', '{}', NULL, 'ab'),
      (5, true, -2.2250738585072014e-308, 1.17549435e-38, 1, 123456789012345678901234567890,
       E'\\\\.', '2000-02-29', '2000-02-29 12:00:00.10', '2000-02-29 12:00:00.120+14',
       '01:02:03', '\\x', '0.000001 s', '{"\\\\."}', '1e400', NULL, '\\.'),
      (6, true, 999999999999999, 1234567, 1, 0.000, 'विभा Łukasz 张伟 👍🏽 é',
       '2024-01-01', '2024-01-01', '2024-01-01', '00:00', '\\xe0', '1 h', '{é}', '"é"', NULL, 'é'),
      (7, true, 9007199254740991, 1e-5, 1, -99999999999999.5, '=1+1',
       '2024-01-01', '2024-01-01', '2024-01-01',
       '00:00', '\\x3d', '2 h', '{=}', '"="', NULL, '='),
      (8, true, 1e-5, 16777216, 1, 1, E'\\x01\\x1b\\x7f\\u0085\\u2028\\ufeff', '2024-01-01',
       '2024-01-01', '2024-01-01', '00:00', NULL, NULL, NULL, NULL, NULL, NULL),
      (9, false, 0.0001, 100000, 1, 1, '"', '2024-01-01', '2024-01-01', '2024-01-01', '00:00',
       NULL, NULL, NULL, NULL, NULL, NULL),
      (10, false, 999999999999999, 999999, 1, 1, ' lead and trail ', '2024-01-01', '2024-01-01',
       '2024-01-01', '00:00', NULL, NULL, NULL, NULL, NULL, NULL)
    ) AS v (i, b, d, r, n, u, t, day, at, atz, clock, raw, span, many, doc, id, pad)
"""

ODD = {
    "date": ["infinity", "-infinity", "0044-03-15 BC", "0001-12-31 BC", "4713-01-01 BC",
             "10000-01-01", "5874897-12-31"],
    "timestamp": ["infinity", "-infinity", "0044-03-15 10:00:00.5 BC", "294276-12-31 23:59:59",
                  "0001-01-01 00:00:00 BC", "10000-01-01 00:00:00"],
    "timestamptz": ["infinity", "-infinity", "0044-03-15 10:00:00.5+00 BC", "10000-01-01 00:00+00"],
    "time": ["24:00:00"],
    "numeric(12,2)": ["NaN"],
}  # fmt: skip
"""Values that Arrow's type of their column lacks."""


class Spy:
    """The reader, counting which lane gave batches; without lines where told so."""

    local = False

    def __init__(self, reader, lanes):
        self.reader, self.lanes = reader, lanes

    def snapshot(self):
        return self.reader.snapshot()

    @contextmanager
    def read(self, query, **options):
        with self.reader.read(query, **options) as result:
            yield replace(result, batches=self._counted("values", result.batches))

    def _counted(self, lane, batches):
        for batch in batches:
            self.lanes[lane] += 1
            yield batch


class LinesSpy(Spy):
    """The same with lines."""

    @contextmanager
    def lines(self, query, **options):
        with self.reader.lines(query, **options) as result:
            yield result and replace(result, batches=self._counted("lines", result.batches))


@pytest.fixture(scope="module")
def reader(postgresql):
    with closing(connect(session_task(postgresql.database()))) as opened:
        yield opened


def part(spy, folder, sql, options, variant="", kind="csv"):
    """What an extract leaves: the receipt, the payload and what was noted."""
    folder = folder / type(spy).__name__ / "0"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    query = QueryTask(name="q", sql=sql)
    query = replace(query, columns=spy.reader.describe(query))
    writer = WriterTask(
        destination=0,
        type=kind,
        folder=str(folder),
        options=asdict(options),
        variant=variant,
    )
    task = ExtractTask(
        run="r",
        connection="Branch, 001",
        number=1,
        attempt=1,
        queries=(query,),
        writers=(writer,),
        plan_hash="p",
        connection_hash="c",
    )
    done = extract(spy, task, Gate(1), Watch())
    (receipt,) = done.receipts
    payload = (folder.parent / receipt.path).read_bytes()[: receipt.bytes]
    return payload, receipt, done.notes, done.rows


def both(reader, folder, sql, options=None, variant=""):
    """The part of either lane, and the lanes that the faster one took."""
    lanes = Counter()
    options = options or CsvOptions()
    made = part(LinesSpy(reader, lanes), folder, sql, options, variant)
    values = part(Spy(reader, Counter()), folder, sql, options, variant)
    assert made == values
    return made, lanes


def test_the_bytes_are_these(reader, tmp_path):
    made, lanes = both(reader, tmp_path, USUAL)
    assert set(lanes) == {"lines"}
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_bytes(made[0])
    assert made[0] == GOLDEN.read_bytes()


@pytest.mark.parametrize("quoting", ["minimal", "all"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "-", ".", "1", "a", "\\", " "])
@pytest.mark.parametrize("label", ["", "connection"])
def test_both_lanes_agree_whatever_the_form(reader, tmp_path, quoting, delimiter, label):
    options = CsvOptions(delimiter=delimiter, quoting=quoting, connection_column=label)
    _, lanes = both(reader, tmp_path, USUAL, options)
    assert set(lanes) == {"lines"}


@pytest.mark.parametrize("label", ["", "connection"])
def test_both_lanes_quote_the_same_texts(reader, tmp_path, label):
    options = CsvOptions(quoting="text", connection_column=label)
    _, lanes = both(
        reader, tmp_path, f"SELECT i, t, b, raw, day, n, pad FROM ({USUAL}) AS u", options
    )
    assert set(lanes) == {"lines"}
    _, lanes = both(reader, tmp_path, f"SELECT i, n, b FROM ({USUAL}) AS u", options)
    assert set(lanes) == {"lines"}


def test_a_compressed_part_is_the_same_too(reader, tmp_path):
    _, lanes = both(reader, tmp_path, USUAL, variant="gzip")
    assert set(lanes) == {"lines"}


@pytest.mark.parametrize(
    "changed",
    [
        {"line_end": "crlf"},
        {"encoding": "utf-16-le"},
        {"null": "NULL"},
        {"formula_guard": "quote"},
        {"quoting": "text"},
        {"delimiter": "¦"},
    ],
)
def test_what_a_server_cannot_print_is_made_of_values(reader, tmp_path, changed):
    _, lanes = both(reader, tmp_path, USUAL, CsvOptions(**changed))
    assert set(lanes) == {"values"}


def test_a_sheet_takes_every_type(reader, tmp_path):
    lanes = Counter()
    odd = "date 'infinity' AS o, time '24:00' AS p, 'NaN'::numeric(9,2) AS q"
    sql = f"SELECT u.*, {odd} FROM ({USUAL}) AS u"
    _, receipt, notes, rows = part(
        LinesSpy(reader, lanes), tmp_path, sql, ExcelOptions(), "sheets", "excel"
    )
    assert (receipt.rows, rows, set(lanes)) == (11, 11, {"values"})
    assert {"column o is mixed instead of date", "column p is mixed instead of time"} < set(notes)


def test_a_single_column_is_made_of_values(reader, tmp_path):
    made, lanes = both(
        reader, tmp_path, r"SELECT '\.' AS a UNION ALL SELECT '' UNION ALL SELECT NULL"
    )
    assert set(lanes) == {"values"}
    assert made[0] == b'\\.\n""\n\n'


@pytest.mark.parametrize(
    ("kind", "value"),
    [(kind, value) for kind, values in ODD.items() for value in values],
)
def test_an_odd_value_leaves_the_lines(reader, tmp_path, kind, value):
    usual = {"time": "10:00:00", "numeric(12,2)": "1.50"}.get(kind, "2024-01-01")
    values = f"(VALUES (1, '{usual}'), (2, '{value}'), (3, NULL)) AS v (i, x)"
    sql = f"SELECT i, x::{kind} AS x FROM {values}"
    (payload, receipt, notes, rows), lanes = both(reader, tmp_path, sql)
    assert lanes["values"]
    assert rows == 3
    assert [column.type for column in receipt.columns] == ["int", "mixed"]
    assert list(notes) == [f"column x is mixed instead of {reader_type(kind)}"]
    assert payload.splitlines()[2] == b"3,"


def reader_type(kind):
    return {"numeric(12,2)": "decimal(12,2)"}.get(kind, kind)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("DATE '0001-12-31 BC'", "0000-12-31"),
        ("DATE '0002-01-01 BC'", "-0001-01-01"),
        ("DATE '4713-01-01 BC'", "-4712-01-01"),
        ("TIMESTAMP '0044-03-15 10:00:00.5 BC'", "-0043-03-15 10:00:00.5"),
        ("TIMESTAMPTZ '0044-03-15 10:00:00+00 BC'", "-0043-03-15 10:00:00+00"),
        ("DATE '12345-06-07'", "12345-06-07"),
        ("TIMESTAMP '-infinity'", "-infinity"),
        ("TIME '24:00:00'", "24:00:00"),
    ],
)
def test_odd_values_have_the_canonical_text(reader, tmp_path, value, text):
    made, _ = both(reader, tmp_path, f"SELECT 1 AS i, {value} AS x")
    assert made[0] == f"1,{text}\n".encode()


@pytest.mark.parametrize("label", ["", "connection"])
def test_what_reads_like_an_odd_value_is_none(reader, tmp_path, label):
    sql = (
        "SELECT 1.5::numeric(9,1) AS n, 'NaN' AS t, DATE '2026-11-21' AS d, '1 BC' AS u, true AS b"
    )
    options = CsvOptions(connection_column=label, delimiter=";")
    (_, receipt, notes, _), lanes = both(reader, tmp_path, sql, options)
    assert (notes, set(lanes)) == ({}, {"lines"})
    assert receipt.columns[0].type == "decimal(9,1)"


@pytest.mark.parametrize(
    "value",
    ["36209333115586460", "9007199254740993", "1e22", "1.7976931348623157e308", "-1e23"],
)
def test_a_double_that_postgresql_prints_otherwise_is_made_of_values(reader, tmp_path, value):
    sql = f"SELECT 1 AS i, {value}::float8 AS f"
    (payload, receipt, notes, _), lanes = both(reader, tmp_path, sql)
    assert (notes, set(lanes)) == ({}, {"values"})
    assert receipt.columns[1].type == "float"
    digits = payload.decode().strip().partition(",")[2]
    assert float(digits) == float(value)


def test_the_fewest_digits_of_many_doubles(reader, tmp_path):
    chance = random.Random(1)
    bits = [chance.getrandbits(64) for _ in range(5000)]
    doubles = [struct.unpack("<d", struct.pack("<Q", b))[0] for b in bits]
    usual = [d for d in doubles if abs(d) < 2**53] + [chance.random() * 10**e for e in range(15)]
    values = ", ".join(f"('{d!r}'::float8, '{struct.unpack('f', struct.pack('f', d))[0]!r}'::real)"
                       for d in usual)  # fmt: skip
    _, lanes = both(reader, tmp_path, f"VALUES {values}")
    assert set(lanes) == {"lines"}


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
sharp = st.text(st.sampled_from("\",;\n\r\\.'=N\t -"), max_size=6)
days = st.dates().map(str)
moments = st.datetimes().map(lambda at: str(at).replace("T", " "))
CELLS = [
    (st.integers(-(2**63), 2**63 - 1).map(lambda n: f"'{n}'"), "bigint"),
    (st.one_of(texts, sharp).map(quoted), "text"),
    (st.floats().map(lambda f: quoted(repr(f))), "float8"),
    (st.floats(width=32).map(lambda f: quoted(repr(f))), "real"),
    (st.decimals(-(10**9), 10**9, places=2).map(lambda n: quoted(str(n))), "numeric(12,2)"),
    (st.decimals(allow_nan=False, allow_infinity=False, places=9).map(lambda n: quoted(str(n))),
     "numeric"),
    (st.one_of(days, st.sampled_from(ODD["date"])).map(quoted), "date"),
    (st.one_of(moments, st.sampled_from(ODD["timestamp"])).map(quoted), "timestamp"),
    (moments.map(quoted), "timestamptz"),
    (st.one_of(st.times().map(str), st.just("24:00:00")).map(quoted), "time"),
    (st.booleans().map(lambda b: f"'{b}'"), "bool"),
    (st.binary(max_size=8).map(lambda b: f"'\\x{b.hex()}'"), "bytea"),
]  # fmt: skip
row = st.tuples(
    *(st.one_of(st.just("NULL"), cell).map(lambda v, k=kind: f"{v}::{k}") for cell, kind in CELLS),
)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(row, min_size=1, max_size=4),
    quoting=st.sampled_from(["minimal", "all", "text"]),
    delimiter=st.sampled_from(",;\t"),
    label=st.sampled_from(["", "connection"]),
)
def test_both_lanes_agree_on_whatever_comes(reader, tmp_path, rows, quoting, delimiter, label):
    sql = "VALUES " + ", ".join(f"({', '.join(cells)})" for cells in rows)
    options = CsvOptions(quoting=quoting, delimiter=delimiter, connection_column=label)
    both(reader, tmp_path, sql, options)
