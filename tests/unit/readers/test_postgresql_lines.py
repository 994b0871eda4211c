"""Lines that a server printed: how many rows they are, who takes them, what is asked for."""

import csv
import io
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.job import CsvOptions, ExcelOptions
from etltui.domain.task import WriterTask
from etltui.extractors.lines import LineForm, Printed
from etltui.readers.postgresql_lines import rows_in
from etltui.readers.postgresql_print import (
    lines_select,
    odd_column,
    quoted_columns,
    values_select,
)
from etltui.readers.postgresql_types import Field
from etltui.writers.csv_lines import shared_form

PLAIN = LineForm(delimiter=",", quoting="minimal")
INT, TEXT, DAY = Field(name="i", oid=23), Field(name="t", oid=25), Field(name="d", oid=1082)
FLOAT, NUMERIC = Field(name="f", oid=701), Field(name="n", oid=1700)


@given(st.lists(st.lists(st.text(st.sampled_from('a",\n\r ')), min_size=2, max_size=3)))
def test_rows_are_counted_whatever_stands_in_quotes(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    assert rows_in(out.getvalue().encode()) == len(rows)


def test_lines_know_their_length():
    assert Printed(data=b"1,2\n", num_rows=1).nbytes == 4


def writer(kind="csv", **options):
    made = asdict(ExcelOptions() if kind == "excel" else CsvOptions(**options))
    return WriterTask(destination=0, type=kind, folder="", options=made)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig", "utf_8"])
def test_csv_files_take_lines(encoding):
    assert shared_form([writer(encoding=encoding)], "c") == PLAIN


def test_a_connection_column_is_the_lines_label():
    form = shared_form([writer(connection_column="branch", delimiter=";", quoting="all")], "B 1")
    assert form == LineForm(delimiter=";", quoting="all", label="B 1")


@pytest.mark.parametrize(
    "options",
    [{"encoding": "latin-1"}, {"line_end": "crlf"}, {"null": "NULL"}, {"delimiter": "§"},
     {"formula_guard": "tab"}],
)  # fmt: skip
def test_other_options_take_values(options):
    assert shared_form([writer(**options)], "c") is None


def test_destinations_take_lines_only_together():
    assert shared_form([writer(), writer()], "c") == PLAIN
    assert shared_form([writer(), writer(delimiter=";")], "c") is None
    assert shared_form([writer(), writer("excel")], "c") is None
    assert shared_form([], "c") is None


def test_the_query_itself_is_asked_where_all_values_fit():
    assert values_select("SELECT 1", [INT, DAY], set()) == "SELECT 1"
    assert "CASE WHEN q.c1 < '0001" in values_select("SELECT 1", [INT, DAY], {1})
    assert "q.c0::text AS o0" in values_select("SELECT 1", [NUMERIC], {0})


@pytest.mark.parametrize(
    ("fields", "form", "version"),
    [
        ([TEXT], PLAIN, 15),
        ([INT, FLOAT], PLAIN, 11),
        ([INT, NUMERIC], LineForm(delimiter=",", quoting="text"), 15),
    ],
)
def test_what_is_not_proven_is_not_printed(fields, form, version):
    assert lines_select("SELECT 1", fields, form, version=version) is None


def test_lines_are_asked_for_by_place_and_with_the_label():
    form = LineForm(delimiter=",", quoting="minimal", label="B's")
    asked = lines_select("SELECT 1 --", [TEXT], form, version=15)
    assert asked == "SELECT 'B''s'::text AS o0, q.c0 AS o1 FROM (SELECT 1 --\n) AS q (c0)"


@pytest.mark.parametrize(
    ("quoting", "label", "columns"),
    [
        ("minimal", None, None),
        ("all", "B", True),
        ("text", None, ["o1"]),
        ("text", "B", ["o0", "o2"]),
    ],
)
def test_the_columns_in_quotes(quoting, label, columns):
    form = LineForm(delimiter=",", quoting=quoting, label=label)
    assert quoted_columns([INT, TEXT, DAY], form) == columns
    assert not quoted_columns([INT], LineForm(delimiter=",", quoting="text"))


def test_an_error_names_its_odd_column():
    assert odd_column('invalid input syntax for type date: "etltui column 12 infinity"') == 12
    assert odd_column("division by zero") is None
