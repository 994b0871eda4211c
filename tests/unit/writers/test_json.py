"""JSON: exact numbers, texts escaped as far as they must be, and what JSON has no form for."""

import json
from decimal import Decimal
from itertools import count

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.extractors.arrow import MIXED
from etltui.writers.notes import LONG_NUMBER, NOT_FINITE, NOT_FINITE_NULL, RENAMED
from unit.writers.format_kit import ROWS, Kit


@pytest.fixture
def lines(tmp_path):
    """The lines of one part with these options, and what was counted."""

    made = count()

    def write(rows, **options):
        kit = Kit(tmp_path / f"{next(made)}", "jsonl", **{"connection_column": "", **options})
        receipt = kit.part(rows)
        return kit.payload(receipt).decode().splitlines(), receipt.notes

    return write


def column(*values, kind=None):
    return pa.record_batch({"v": pa.array(values, kind)})


def values(found):
    return [line.removeprefix('{"v":').removesuffix("}") for line in found[0]]


@given(st.lists(st.text() | st.none(), min_size=1), st.text(min_size=1))
def test_any_text_reads_back(tmp_path_factory, texts, name):
    kit = Kit(tmp_path_factory.mktemp("kit"), "json", connection_column="")
    rows = pa.record_batch([pa.array(texts, pa.string())], names=[name])
    receipt = kit.part(rows.slice(0, 1), rows.slice(1), connection=name)
    kit.assemble([receipt])
    assert json.loads(kit.temporary.read_bytes()) == [{name: text} for text in texts]


def test_nothing_is_escaped_but_what_must_be(lines):
    rows = column("plain", "é山\x7f/", 'a"b\\c', "\n\r\t\x01")
    wanted = ['"plain"', '"é山\x7f/"', '"a\\"b\\\\c"', '"\\n\\r\\t\\u0001"']
    assert values(lines(rows)) == wanted


def test_numbers_keep_every_digit(lines):
    """N-16."""
    assert values(lines(column(2**63 - 1, -1, None))) == ["9223372036854775807", "-1", "null"]
    money = column(Decimal("1.50"), Decimal("-0.01"), kind=pa.decimal128(38, 2))
    assert values(lines(money)) == ["1.50", "-0.01"]
    assert values(lines(column(0.1, 1e15, -0.0, 1.5e-7))) == ["0.1", "1e+15", "-0", "1.5e-07"]


def test_numbers_that_many_programs_would_round_may_be_texts(lines):
    options = {"big_numbers": "text"}
    big = 1 << 53
    found = lines(column(big, big + 1, -big - 1, None, -(2**63)), **options)
    assert values(found) == [
        f"{big}",
        f'"{big + 1}"',
        f'"{-big - 1}"',
        "null",
        '"-9223372036854775808"',
    ]
    assert found[1] == {LONG_NUMBER: 3}
    digits = [Decimal("0.0123456789012345"), Decimal("-1234567890123.456"), None]
    found = lines(column(*digits, kind=pa.decimal128(38, 16)), **options)
    long = "-1234567890123.4560000000000000"
    assert values(found) == ["0.0123456789012345", f'"{long}"', "null"]
    mixed = [
        {"text": t, "number": n} for t, n in [("1", True), ("9" * 16, True), ("9" * 16, False)]
    ]
    found = lines(column(*mixed, kind=MIXED), **options)
    assert values(found) == ["1", f'"{"9" * 16}"', f'"{"9" * 16}"']
    assert found[1] == {LONG_NUMBER: 1}
    assert values(lines(column(0.1234567890123456), **options)) == ["0.1234567890123456"]


def test_what_is_no_number_is_null_or_text_and_counted(lines):
    rows = column(float("nan"), float("inf"), float("-inf"), 1.0, None)
    found = lines(rows)
    assert values(found) == ["null", "null", "null", "1", "null"]
    assert found[1] == {NOT_FINITE_NULL: 3}
    found = lines(rows, not_finite="text")
    assert values(found) == ['"NaN"', '"Infinity"', '"-Infinity"', "1", "null"]
    assert found[1] == {NOT_FINITE: 3}


def test_binary_is_base64_or_hexadecimal(lines):
    rows = column(b"\x00\xff", b"", None)
    assert values(lines(rows)) == ['"AP8="', '""', "null"]
    assert values(lines(rows, binary="hex")) == ['"00ff"', '""', "null"]


def test_days_and_moments_are_texts_in_canonical_form(lines):
    rows = ROWS.select(["day", "clock", "at", "seen", "on", "any"])
    first, second, _ = (json.loads(line) for line in lines(rows)[0])
    assert first == {
        "day": "1970-01-01",
        "clock": "00:00:00",
        "at": "1970-01-01 00:00:00",
        "seen": "1970-01-01 00:00:00+00",
        "on": True,
        "any": -5,
    }
    assert second["any"] == "-x"


def test_the_connection_comes_first_and_no_two_keys_are_alike(lines):
    rows = pa.record_batch([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "B", "a"])
    found, notes = lines(rows, connection_column="B")
    assert found == ['{"B":"B1","a":1,"B_2":2,"a_2":3}']
    assert notes == {RENAMED: 2}


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([], "[\n]\n"),
        ([0], "[\n]\n"),
        ([1], "[\n{'v':0}\n]\n"),
        ([0, 2, 0, 1], "[\n{'v':0},\n{'v':1},\n{'v':0}\n]\n"),
    ],
)
def test_an_array_of_parts_is_an_array(tmp_path, counts, text):
    kit = Kit(tmp_path, "json", connection_column="")
    columns = None
    parts = [kit.part(column(*range(n), kind=pa.int64())) for n in counts]
    kit.assemble(parts, columns=columns)
    assert kit.temporary.read_text() == text.replace("'", '"')
