"""Statements by the tokens of their dialect: what is bound, and what is not let through."""

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers import mysql_sql, odbc_sql, postgresql_sql, sqlite_sql
from etltui.readers.odbc_sql import bare, check_reading, literal, positional

SPLITS = {
    "other": odbc_sql.tokens,
    "postgresql": postgresql_sql.tokens,
    "mariadb": mysql_sql.tokens,
    "sqlite": sqlite_sql.tokens,
}


@pytest.fixture(params=SPLITS)
def split(request):
    return SPLITS[request.param]


def test_names_become_question_marks_in_order(split):
    sql = "SELECT ':a', \":b\" /* :c */ FROM t -- :d\nWHERE x = :a AND y < :b AND z = :a"
    made, values = positional(sql, {"a": 1, "b": "two"}, split)
    assert made == sql.replace("= :a", "= ?").replace("< :b", "< ?")
    assert values == (1, "two", 1)


def test_values_are_written_where_they_cannot_be_bound(split):
    made, values = positional("SELECT :a, :b", {"a": "it's", "b": None}, split, written=literal)
    assert (made, values) == ("SELECT 'it''s', NULL", ())


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "NULL"), (True, "(1)"), (False, "(0)"), (-3, "(-3)"), (0.5, "(0.5)"), ("'", "''''")],
)
def test_a_value_as_a_literal(value, words):
    assert literal(value) == words


@pytest.mark.parametrize("value", ["a\0b", float("inf"), float("nan")])
def test_what_cannot_be_written_is_said(value):
    with pytest.raises(Failure) as caught:
        literal(value)
    assert caught.value.error_class is ErrorClass.VALUE


@pytest.mark.parametrize("sql", ["SELECT :absent", "SELECT ?", "SELECT a ?| b"])
def test_a_parameter_without_a_value_is_syntax(split, sql):
    with pytest.raises(Failure) as caught:
        positional(sql, {}, split)
    assert caught.value.error_class is ErrorClass.SYNTAX


def test_what_ends_a_statement_is_taken_off(split):
    assert bare("  SELECT 1 ;; -- done\n", split) == "SELECT 1"
    assert bare("SELECT ';'", split) == "SELECT ';'"


def test_a_second_statement_is_refused(split):
    with pytest.raises(Failure, match="more than one statement") as caught:
        bare("SELECT 1; DROP TABLE t", split)
    assert caught.value.error_class is ErrorClass.PERMISSION


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "{call p}",
        "EXEC p",
        "SELECT * INTO t FROM u",
        "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
        "SELECT * FROM t FOR UPDATE",
    ],
)
def test_nothing_that_writes_passes_where_nobody_else_refuses_it(sql):
    with pytest.raises(Failure) as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.PERMISSION


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT t.update FROM t",
        "SELECT 'DELETE'",
        'SELECT "into" FROM t',
        "(SELECT 1)",
        "VALUES (1)",
    ],
)
def test_what_reads_passes(sql):
    check_reading(sql)


def test_nothing_is_no_query():
    with pytest.raises(Failure) as caught:
        check_reading(" -- nothing")
    assert caught.value.error_class is ErrorClass.SYNTAX
