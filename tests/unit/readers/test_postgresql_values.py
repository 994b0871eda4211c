"""From the server's CSV to batches and lines, without a server: what it might send is said here."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.extractors.lines import LineForm
from etltui.readers.postgresql_lines import lines
from etltui.readers.postgresql_types import Field
from etltui.readers.postgresql_values import Values
from etltui.readers.reader import RereadError

PLAIN = LineForm(delimiter=",", quoting="minimal")
OIDS = {
    "bool": 16, "bytea": 17, "int8": 20, "text": 25, "float8": 701, "date": 1082, "time": 1083,
    "timestamp": 1114, "timestamptz": 1184, "numeric": 1700,
}  # fmt: skip


def fields(*names):
    made = []
    for name in names:
        kind, _, modifier = name.partition("(")
        digits, _, scale = modifier.rstrip(")").partition(",")
        packed = (int(digits) << 16 | int(scale)) + 4 if modifier else -1
        made.append(Field(name=name, oid=OIDS[kind], modifier=packed))
    return made


class Sent:
    """A copy that gives these blocks, whatever is wanted."""

    def __init__(self, *blocks, fails=None):
        self.blocks, self.fails = list(blocks), fails
        self.wanted, self.checked = [], None

    def pull(self, wanted):
        self.wanted.append(wanted)
        if self.blocks:
            return self.blocks.pop(0)
        if self.fails:
            raise self.fails
        return b""

    def check_rows(self, rows):
        self.checked = rows


def rows(kinds, block, misfits=()):
    batch = Values(fields(*kinds), set(misfits)).batch(block)
    return [tuple(row.values()) for row in batch.to_pylist()]


def test_every_type_has_its_value():
    kinds = ["bool", "int8", "float8", "numeric(12,2)", "text", "date", "time", "timestamp",
             "timestamptz", "bytea"]  # fmt: skip
    block = (
        b't,-5,1e-05,1.50,"a,""b\n",2026-11-21,10:00:00.5,2026-11-21 10:00:00,'
        b"2026-11-21 10:00:00.25+00,\\x00ff\n" + b"," * 9 + b"\n"
    )
    noon = datetime(2026, 11, 21, 10)  # noqa: DTZ001 - the type has no zone
    assert rows(kinds, block) == [
        (True, -5, 1e-05, Decimal("1.50"), 'a,"b\n', date(2026, 11, 21), time(10, 0, 0, 500_000),
         noon, noon.replace(microsecond=250_000, tzinfo=UTC), b"\x00\xff"),
        (None,) * 10,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "found"),
    [
        (b"\\x\n\n\\x41\n\\x4243\n", [b"", None, b"A", b"BC"]),
        (b"\n\n", [None, None]),
        (b"\\x\n", [b""]),
    ],
)
def test_bytes_come_as_digits(block, found):
    assert [value for (value,) in rows(["bytea"], block)] == found


def test_null_and_empty_text_are_two_things():
    assert rows(["text"], b'\n""\n" "\n') == [(None,), ("",), (" ",)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", True), ("-0.10", True), ("123456789012345", True), ("1234567890123456", True),
        ("0.123456789012345", True), ("0.1234567890123456", False), ("-1.000000000000000000", True),
        ("NaN", False), ("Infinity", False), ("-Infinity", False), ("1" + "0" * 40, True),
    ],
)  # fmt: skip
def test_numerics_of_any_scale_say_whether_a_spreadsheet_keeps_them(text, number):
    assert rows(["numeric"], f"{text}\n\n".encode()) == [
        ({"text": text, "number": number},),
        (None,),
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "infinity"), ("date", "10000-01-01"), ("date", "0044-03-15 BC"),
        ("timestamp", "-infinity"), ("timestamptz", "infinity"), ("time", "24:00:00"),
        ("numeric(12,2)", "NaN"),
    ],
)  # fmt: skip
def test_an_odd_value_makes_its_column_mixed_next_time(kind, value):
    misfits = set()
    block = f"1,{value}\n2,\n".encode()
    with pytest.raises(RereadError):
        Values(fields("int8", kind), misfits).batch(block)
    assert misfits == {1}
    again = Values(fields("int8", kind), misfits)
    assert [column.type for column in again.columns] == ["int", "mixed"]
    assert again.batch(block).to_pylist()[0][kind] == {"text": value, "number": False}


@pytest.mark.parametrize("block", [b"1,\xff\n", b"1\n", b"1,2,3\n"])
def test_what_is_no_csv_is_a_broken_line(block):
    with pytest.raises(Failure) as caught:
        Values(fields("int8", "text"), set()).batch(block)
    assert caught.value.error_class is ErrorClass.LOST


def test_a_block_is_cut_into_batches_and_the_rows_are_counted():
    sent = Sent(b"1,ab\n" * 1000, b"2,cd\n")
    asked = [4000, 8000]
    batches = list(Values(fields("int8", "text"), set()).batches(sent, lambda: asked[0]))
    assert [sum(b.num_rows for b in batches), batches[-1].num_rows] == [1001, 1]
    assert max(batch.nbytes for batch in batches) <= 4000
    assert sent.checked == 1001


def printed(kinds, *blocks, form=PLAIN, fails=None):
    misfits = set()
    sent = Sent(*blocks, fails=fails)
    found = list(lines(sent, fields(*kinds), form, misfits, lambda: 1 << 30))
    assert max(sent.wanted) == 1 << 20
    assert sent.checked == sum(each.num_rows for each in found)
    return [(each.data, each.num_rows) for each in found]


def test_lines_are_handed_on_as_they_are():
    blocks = [b'1,"a\nb"\n2,c\n', b"3,\n"]
    assert printed(["int8", "text"], *blocks) == [(blocks[0], 2), (blocks[1], 1)]


@pytest.mark.parametrize(
    ("kinds", "block"),
    [
        (["int8", "date"], b"1,-infinity\n"),
        (["int8", "timestamp"], b"1,0044-03-15 10:00:00 BC\n"),
        (["date", "int8"], b"0044-03-15 BC,1\n"),
        (["time", "int8"], b'"24:00:00",1\n'),
        (["numeric(12,2)", "int8"], b"NaN,1\n"),
        (["float8", "int8"], b"1e+16,1\n"),
        (["float8", "int8"], b"-1.5e+300,1\n"),
    ],
)
def test_an_odd_value_ends_the_lines(kinds, block):
    with pytest.raises(RereadError):
        printed(kinds, b"\n" * 0 + block)


@pytest.mark.parametrize(
    ("kinds", "block"),
    [
        (["date", "text"], b"2026-11-21,-infinity\n"),
        (["date", "text"], b"2026-11-21,Vancouver BC\n"),
        (["numeric(12,2)", "float8"], b"1.50,NaN\n"),
        (["numeric(12,2)", "text"], b"1.50,NaN bread\n"),
        (["float8", "text"], b"1e+15,e+5\n"),
        (["float8", "text"], b"Infinity,e+5\n"),
        (["int8", "text"], b"1,NaN\n"),
    ],
)
def test_what_only_reads_like_an_odd_value(kinds, block):
    assert printed(kinds, block) == [(block, 1)]


def test_the_label_is_no_value():
    form = LineForm(delimiter=";", quoting="minimal", label="NaN")
    assert printed(["numeric(12,2)"], b"NaN;1.50\n", form=form) == [(b"NaN;1.50\n", 1)]
    with pytest.raises(RereadError):
        printed(["numeric(12,2)"], b"NaN;NaN\n", form=form)


def test_an_odd_day_that_the_server_names_is_remembered():
    misfits = set()
    failure = Failure(ErrorClass.VALUE, 'invalid input: "etltui column 1 infinity"')
    with pytest.raises(RereadError):
        list(lines(Sent(fails=failure), fields("int8", "date"), PLAIN, misfits, lambda: 1))
    assert misfits == {1}


def test_a_failure_of_the_query_stays_one():
    with pytest.raises(Failure, match="division by zero"):
        printed(["int8"], fails=Failure(ErrorClass.VALUE, "division by zero"))
