"""Numbers, dates and times as a country writes them, exact to the last digit."""

from decimal import Decimal

import pyarrow as pa
import pytest

from etltui.domain.task import WriterTask
from etltui.extractors.arrow import MIXED
from etltui.writers.csv_lines import shared_form
from unit.csv.csv_kit import batch

GERMAN = {"delimiter": ";", "decimal": ",", "thousands": "."}


@pytest.mark.parametrize(
    ("thousands", "expected"),
    [
        ("", "1,-12,-123,1234,-1234567,0,null"),
        (".", "1,-12,-123,1.234,-1.234.567,0,null"),
        ("'", "1,-12,-123,1'234,-1'234'567,0,null"),
        (" ", "1,-12,-123,1 234,-1 234 567,0,null"),
        ("indian", "1,-12,-123,1,234,-12,34,567,0,null"),
    ],
)
def test_n_16_whole_numbers_are_grouped(lines, thousands, expected):
    numbers = pa.array([1, -12, -123, 1234, -1234567, 0, None])
    decimal = "," if thousands == "." else "."
    made = lines(batch(n=numbers), thousands=thousands, delimiter="|", null="null", decimal=decimal)
    assert made.replace("\n", ",") == f"{expected},"


@pytest.mark.parametrize(
    ("value", "german", "indian"),
    [
        ("123456.50", "123.456,50", "1,23,456.50"),
        ("-1234567.00", "-1.234.567,00", "-12,34,567.00"),
        ("0.05", "0,05", "0.05"),
        ("999.99", "999,99", "999.99"),
        ("-1000.10", "-1.000,10", "-1,000.10"),
        (
            "123456789012345678901234567890123456.78",
            "123.456.789.012.345.678.901.234.567.890.123.456,78",
            "1,23,45,67,89,01,23,45,67,89,01,23,45,67,89,01,23,456.78",
        ),
    ],
)
def test_n_16_a_decimal_is_exact_in_every_profile(lines, value, german, indian):
    """No number is computed on its way: 38 digits stay 38 digits."""
    amounts = batch(a=pa.array([Decimal(value), None], pa.decimal128(38, 2)))
    assert lines(amounts, **GERMAN) == f"{german}\n\n"
    assert lines(amounts, delimiter="|", thousands="indian") == f"{indian}\n\n"


def test_n_16_fine_decimals_keep_all_their_digits(lines):
    fine = pa.array([Decimal("0.00000000000000000001"), Decimal(1)], pa.decimal128(30, 20))
    assert lines(batch(a=fine), **GERMAN) == f"0,{'0' * 19}1\n1,{'0' * 20}\n"


def test_n_16_floats_with_an_exponent_get_no_groups_and_what_is_no_number_stays(lines):
    floats = pa.array([1234.5, 1.5e-7, 1e15, 2.5e300, -0.0, float("nan"), float("-inf"), None])
    assert lines(batch(f=floats), **GERMAN).splitlines() == [
        "1.234,5",
        "1,5e-07",
        "1e+15",
        "2,5e+300",
        "-0",
        "NaN",
        "-Infinity",
        "",
    ]


def test_n_16_where_each_value_has_its_type_only_numbers_are_touched(lines):
    values = [("1234.5", True), ("1234.5", False), ("-1234", True), None]
    mixed = pa.array([v and {"text": v[0], "number": v[1]} for v in values], MIXED)
    assert lines(batch(m=mixed), **GERMAN) == "1.234,5\n1234.5\n-1.234\n\n"


def test_n_16_text_and_all_that_is_no_number_stays(lines):
    columns = batch(
        t=pa.array(["1234.5"]),
        b=pa.array([True]),
        x=pa.array([b"\x12\x34"]),
        c=pa.array([1_500_000], pa.time64("us")),
        d=pa.array([0], pa.date32()),
        s=pa.array([0], pa.timestamp("us")),
    )
    assert lines(columns, **GERMAN) == (
        "1234.5;true;\\x1234;00:00:01.5;1970-01-01;1970-01-01 00:00:00\n"
    )


DAYS = pa.array([0, -719_163, -719_529, 2_932_897, None], pa.date32())


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("%d/%m/%Y", ["01/01/1970", "31/12/0000", "31/12/-0001", "01/01/10000", ""]),
        ("%Y%m%d", ["19700101", "00001231", "-00011231", "100000101", ""]),
        ("%m-%d-%Y", ["01-01-1970", "12-31-0000", "12-31--0001", "01-01-10000", ""]),
    ],
)
def test_n_16_days_of_any_year(lines, form, expected):
    assert lines(batch(d=DAYS), date_format=form).splitlines() == expected


def test_n_16_moments_keep_their_fraction_and_say_their_zone_where_asked(lines):
    micros = [0, 1_500_000, 86_399_999_999, None]
    local, zoned = pa.array(micros, pa.timestamp("us")), pa.array(micros, pa.timestamp("us", "UTC"))
    given = batch(a=local, b=zoned)
    form = "%d.%m.%Y %H:%M:%S%z"
    assert lines(given, timestamp_format=form, **GERMAN).splitlines() == [
        "01.01.1970 00:00:00;01.01.1970 00:00:00+00",
        "01.01.1970 00:00:01,5;01.01.1970 00:00:01,5+00",
        "01.01.1970 23:59:59,999999;01.01.1970 23:59:59,999999+00",
        ";",
    ]
    whole = batch(a=local.slice(0, 1))
    assert lines(whole, timestamp_format=form) == "01.01.1970 00:00:00\n"
    bare = lines(batch(b=zoned), timestamp_format="%Y%m%dT%H%M%S").splitlines()
    assert bare == ["19700101T000000", "19700101T000001.5", "19700101T235959.999999", ""]


@pytest.mark.parametrize(
    ("options", "column", "line"),
    [
        ({"decimal": ","}, pa.array([1.5]), '"1,5"'),
        ({"thousands": "indian"}, pa.array([1234, 123]), '"1,234"\n123'),
        ({"date_format": "%d,%m,%Y"}, pa.array([0], pa.date32()), '"01,01,1970"'),
        ({"decimal": ",", "null": "1,5", "delimiter": ";"}, pa.array([1.5, None]), '"1,5"\n1,5'),
        ({"thousands": "'", "delimiter": "'"}, pa.array([1234]), '"1\'234"'),
    ],
)
def test_what_a_profile_brings_in_is_quoted_where_it_must_be(lines, options, column, line):
    assert lines(batch(c=column), **options) == f"{line}\n"


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({}, True),
        ({"decimal": ",", "delimiter": ";"}, False),
        ({"thousands": " "}, False),
        ({"date_format": "%d/%m/%Y"}, False),
        ({"timestamp_format": "%Y-%m-%d %H:%M:%S"}, False),
    ],
)
def test_n_16_lines_that_a_server_prints_have_no_profile(options, printed):
    writer = WriterTask(destination=0, type="csv", folder="", options=options)
    assert (shared_form([writer], "A") is not None) is printed
