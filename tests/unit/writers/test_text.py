"""Properties of the canonical text: what was written can be read back as the same value."""

import struct
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etltui.writers.text import canonical

ALWAYS = settings(deadline=None)
PRECISE = pa.decimal128(38, 12)


def _text(value, kind):
    return canonical(pa.array([value], kind))[0].as_py()


@ALWAYS
@given(st.floats(allow_nan=False))
def test_a_float_reads_back_as_the_same_bits(value):
    assert struct.pack("d", float(_text(value, pa.float64()))) == struct.pack("d", value)


@ALWAYS
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_has_no_more_digits_than_python_needs(value):
    ours, theirs = Decimal(_text(value, pa.float64())), Decimal(repr(value))
    assert len(ours.normalize().as_tuple().digits) <= len(theirs.normalize().as_tuple().digits)


@ALWAYS
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_has_an_exponent_only_where_the_form_says_so(value):
    plain = value == 0 or 1e-4 <= abs(value) < 1e15
    assert ("e" not in _text(value, pa.float64())) == plain


@ALWAYS
@given(st.floats(width=32, allow_nan=False))
def test_a_narrow_float_reads_back_as_the_same_bits(value):
    assert struct.pack("f", float(_text(value, pa.float32()))) == struct.pack("f", value)


@ALWAYS
@given(st.decimals(-(10**20), 10**20, places=12))
def test_a_decimal_keeps_all_digits_of_its_scale(value):
    """N-16."""
    assert _text(value, PRECISE) == f"{value:f}"


@ALWAYS
@given(st.datetimes())
def test_a_timestamp_reads_back(value):
    text = _text(value, pa.timestamp("us"))
    assert datetime.fromisoformat(text.partition(".")[0]) == value.replace(microsecond=0)
    assert text.partition(".")[2] == f"{value.microsecond:06d}".rstrip("0")


@ALWAYS
@given(st.dates())
def test_a_date_reads_back(value):
    assert date.fromisoformat(_text(value, pa.date32())) == value


@ALWAYS
@given(st.lists(st.none() | st.binary(max_size=20)), st.integers(0, 5))
def test_bytes_become_hexadecimal_digits(values, start):
    made = canonical(pa.array(values, pa.binary()).slice(start)).to_pylist()
    assert made == [None if v is None else f"\\x{v.hex()}" for v in values[start:]]


def test_a_type_that_no_reader_produces_is_refused():
    with pytest.raises(TypeError, match="no canonical type"):
        canonical(pa.array([[1]], pa.list_(pa.int64())))
