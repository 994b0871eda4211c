"""Taking a PostgreSQL statement apart: what is a parameter, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.postgresql_sql import (
    bare,
    bound,
    check_reading,
    identifier,
    literal,
    numbered,
    quoted,
    tokens,
)


@given(st.text(st.sampled_from("aE'\"$:x;-/*\\ \n1.[]é"), max_size=30))
def test_the_tokens_are_the_statement(sql):
    assert "".join(text for _, text in tokens(sql)) == sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ':x'",
        "SELECT 'it''s :x'",
        r"SELECT E'\':x'",
        "SELECT E'a'\n  'b\\':x'",
        "SELECT E'a' -- why\n -- not\n'b\\':x'",
        'SELECT ":x"',
        'SELECT "a"":x"',
        "SELECT $$ :x ' $$",
        "SELECT $t$ :x $$ :x $t$",
        "SELECT 1 -- :x",
        "SELECT /* :x /* :x */ :x */ 1",
        "SELECT 1 /* :x",
        "SELECT a::x",
        "SELECT f(a := 1)",
        "SELECT a[1:2]",
        "SELECT a$x$ FROM b$x$",
        "SELECT N':x', B':x', X':x', U&':x'",
    ],
)
def test_what_only_looks_like_a_parameter(sql):
    assert numbered(sql, {"x": 1}) == (sql, ())


@pytest.mark.parametrize(
    ("sql", "out", "names"),
    [
        ("SELECT :x, :y, :x", "SELECT $1, $2, $1", ("x", "y")),
        ("SELECT :x::int", "SELECT $1::int", ("x",)),
        ("SELECT a[1::x]", "SELECT a[1::x]", ()),
        ("SELECT 'a\\' || :x || '\\'", "SELECT 'a\\' || $1 || '\\'", ("x",)),
        ("SELECT e'\\\\' || :x", "SELECT e'\\\\' || $1", ("x",)),
        ("SELECT E'a' || 'b\\' || :x", "SELECT E'a' || 'b\\' || $1", ("x",)),
        ("SELECT name':x' -- '\n, :x", "SELECT name':x' -- '\n, $1", ("x",)),
        ("SELECT 1-:x", "SELECT 1-$1", ("x",)),
        ("SELECT a[:x: 2]", "SELECT a[$1: 2]", ("x",)),
        ("SELECT /*+ hint */ :y", "SELECT /*+ hint */ $1", ("y",)),
    ],
)
def test_parameters_are_numbered(sql, out, names):
    assert numbered(sql, {"x": 1, "y": 2}) == (out, names)


def test_a_literal_stands_for_each_parameter():
    found = bound("SELECT ':x', :x, :x", {"x": "'5'::int"}, {"x": 5})
    assert found == "SELECT ':x', '5'::int, '5'::int"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT :absent", ":absent has no value in params; a slice"),
        ("SELECT $1", r"$1 has no value; write :name"),
    ],
)
def test_a_parameter_without_a_value_is_syntax(sql, said):
    with pytest.raises(Failure) as caught:
        numbered(sql, {"x": 1})
    assert caught.value.error_class is ErrorClass.SYNTAX
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL::t"),
        (True, "'true'::t"),
        (False, "'false'::t"),
        (5, "'5'::t"),
        (1e22, "'1e+22'::t"),
        ("a'b\\", "'a''b\\'::t"),
        ("'); DROP TABLE x; --", "'''); DROP TABLE x; --'::t"),
    ],
)
def test_values_become_literals(value, text):
    assert literal(value, "t") == text


def test_a_value_with_nul_is_refused():
    with pytest.raises(Failure) as caught:
        literal("a\0b", "t")
    assert caught.value.error_class is ErrorClass.VALUE


def test_names_and_texts_are_quoted():
    assert identifier('a"b') == '"a""b"'
    assert quoted("a'b") == "'a''b'"


@pytest.mark.parametrize(
    ("sql", "out"),
    [
        ("  SELECT 1 ; -- bye\n", "SELECT 1"),
        ("SELECT 1;;", "SELECT 1"),
        ("SELECT /* keep */ 1 /* drop */", "SELECT /* keep */ 1"),
        ("SELECT 1; SELECT 2;", "SELECT 1; SELECT 2"),
        (" -- nothing", ""),
        ("SELECT ';'", "SELECT ';'"),
    ],
)
def test_what_ends_a_statement_is_taken_off(sql, out):
    assert bare(sql) == out


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "-- why\n select 1", "/* a */ WITH x AS (SELECT 1) TABLE x", "(SELECT 1)",
     "values (1)", "TABLE x"],
)  # fmt: skip
def test_queries_pass(sql):
    check_reading(sql)


@pytest.mark.parametrize("sql", ["DELETE FROM x", "COPY x TO 'f'", "SHOW all", "5", "EXPLAIN x"])
def test_what_is_no_query_is_refused(sql):
    with pytest.raises(Failure, match="only SELECT, WITH, VALUES and TABLE are read") as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.PERMISSION


@pytest.mark.parametrize("sql", ["", " -- x", ";", "/* x"])
def test_nothing_is_no_query(sql):
    with pytest.raises(Failure, match="the query is empty") as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.SYNTAX
