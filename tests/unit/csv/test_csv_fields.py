"""Every option that decides how a field looks."""

from decimal import Decimal

import pyarrow as pa
import pytest

from etltui.extractors.arrow import MIXED
from etltui.writers.text import content_of
from unit.csv.csv_kit import batch


def _texts(*values):
    return batch(t=pa.array(values, pa.string()))


def _mixed(*values):
    return batch(m=pa.array([v and {"text": v[0], "number": v[1]} for v in values], MIXED))


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("plain", "plain"),
        (" spaces stay ", " spaces stay "),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
        ("two\nlines", '"two\nlines"'),
        ("carriage\rreturn", '"carriage\rreturn"'),
        ("", '""'),
        ('"', '""""'),
        ("semi;colon", "semi;colon"),
        (None, ""),
    ],
)
def test_minimal_quotes_what_needs_it(lines, value, field):
    assert lines(_texts(value)) == f"{field}\n"


def test_one_value_that_needs_quotes_leaves_its_neighbours_alone(lines):
    assert lines(_texts("a", "b,c", None, "d", "")) == 'a\n"b,c"\n\nd\n""\n'


@pytest.mark.parametrize("null", ["", "NULL"])
def test_an_empty_text_is_two_quotes_whatever_stands_for_null(lines, null):
    assert lines(_texts("", None), null=null) == f'""\n{null}\n'


@pytest.mark.parametrize("null", ["NULL", "\\N", "0", "true", "1.50"])
def test_a_value_that_reads_as_null_is_quoted_whatever_its_type(lines, null):
    for column in (
        pa.array([null, None, f"{null}x"]),
        pa.array([{"text": null, "number": False}, None, {"text": "x", "number": False}], MIXED),
    ):
        first, second, third = lines(batch(c=column), null=null).splitlines()
        assert (first, second) == (f'"{null}"', null)
        assert third in {f"{null}x", "x"}
    numbers = lines(batch(c=pa.array([0, None, 7])), null="0")
    assert numbers == '"0"\n0\n7\n'
    decimals = lines(batch(c=pa.array([Decimal("1.50"), None], pa.decimal128(5, 2))), null="1.50")
    assert decimals == '"1.50"\n1.50\n'


@pytest.mark.parametrize(
    ("delimiter", "column", "line"),
    [
        (";", pa.array(["a;b"]), '"a;b"'),
        ("\t", pa.array(["a\tb"]), '"a\tb"'),
        ("|", pa.array(["a,b|c"]), '"a,b|c"'),
        ("§", pa.array(["a§b"]), '"a§b"'),
        ("||", pa.array(["a||b|"]), '"a||b|"'),
        (".", pa.array([1.5]), '"1.5"'),
        ("-", pa.array([0], pa.date32()), '"1970-01-01"'),
        (" ", pa.array([0], pa.timestamp("us")), '"1970-01-01 00:00:00"'),
        ("e", pa.array([True]), '"true"'),
        ("\\", pa.array([b"a"]), '"\\x61"'),
    ],
)
def test_the_delimiter_is_quoted_in_every_type(lines, delimiter, column, line):
    assert lines(batch(c=column), delimiter=delimiter) == f"{line}\n"


def test_quoting_text_leaves_other_types_alone(lines):
    row = batch(
        t=pa.array(["a", None]),
        i=pa.array([1, None]),
        d=pa.array([0, None], pa.date32()),
        m=pa.array([{"text": "x", "number": False}, {"text": "5", "number": True}], MIXED),
    )
    assert lines(row, quoting="text") == '"a",1,1970-01-01,"x"\n,,,5\n'


def test_quoting_all_quotes_everything_but_null(lines):
    row = batch(t=pa.array(['a"', None]), i=pa.array([1, None]), b=pa.array([True, None]))
    assert lines(row, quoting="all", null="NULL") == '"a""","1","true"\nNULL,NULL,NULL\n'


@pytest.mark.parametrize("start", list("=+-@\t\r"))
@pytest.mark.parametrize(("guard", "mark"), [("quote", "'"), ("tab", "\t")])
def test_formulas_are_guarded_in_text(lines, start, guard, mark):
    made = lines(_texts(f"{start}1", "safe", None, "1="), formula_guard=guard)
    field = f"{mark}{start}1"
    field = f'"{field}"' if start == "\r" else field
    assert made == f"{field}\nsafe\n\n1=\n"


def test_a_guarded_formula_is_quoted_like_any_text(lines):
    assert lines(_texts("=A1,B1"), formula_guard="quote") == '"\'=A1,B1"\n'


def test_numbers_are_never_guarded(lines):
    row = batch(
        i=pa.array([-1]),
        f=pa.array([float("-inf")]),
        d=pa.array([Decimal("-1.5")], pa.decimal128(5, 1)),
    )
    assert lines(row, formula_guard="quote") == "-1,-Infinity,-1.5\n"
    assert lines(_mixed(("-5", True), ("-5", False)), formula_guard="quote") == "-5\n'-5\n"


def test_the_guard_is_off_unless_asked_for(lines):
    assert lines(_texts("=1")) == "=1\n"


def test_guarded_formulas_are_counted_in_the_receipt(kit):
    kit.options = {"formula_guard": "tab", "connection_column": "branch"}
    receipt = kit.part([_texts("=1", "x", None), _texts("@2")], connection="=B")
    assert receipt.notes == {"formula guarded": 6}  # two values, and the name in four rows
    kit.options = {}
    assert kit.part([_texts("=1")], number=1).notes == {}


def test_columns_of_nothing_but_null(lines):
    row = batch(t=pa.nulls(2, pa.string()), i=pa.nulls(2, pa.int64()), m=pa.nulls(2, MIXED))
    for quoting in ("minimal", "text", "all"):
        assert lines(row, quoting=quoting, formula_guard="tab", null="x") == "x,x,x\nx,x,x\n"


def test_a_guarded_file_without_formulas_is_as_it_was(lines):
    assert lines(_texts("a", None), formula_guard="quote") == "a\n\n"


def test_content_is_what_a_slice_holds():
    whole = pa.array(["ab", None, "", "çd"])
    assert bytes(content_of(whole.slice(1))) == "çd".encode()
    assert bytes(content_of(whole.slice(4))) == b""
    assert bytes(content_of(pa.array([], pa.string()))) == b""


def test_line_ends_and_delimiters(lines):
    row = batch(a=pa.array([1, 2]), b=pa.array(["x", "y"]))
    assert lines(row, delimiter=";", line_end="crlf") == "1;x\r\n2;y\r\n"


def test_a_connection_column_comes_first_and_is_text(lines):
    row = batch(a=pa.array([1, 2]))
    assert lines(row, connection_column="branch") == "B1,1\nB1,2\n"
    assert lines(row, connection="B,1", connection_column="branch") == '"B,1",1\n"B,1",2\n'
    assert lines(row, connection_column="branch", quoting="text") == '"B1",1\n"B1",2\n'
