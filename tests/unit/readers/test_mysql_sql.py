"""What of a MySQL statement is a parameter, a comment, its end, or more than reading."""

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mysql_sql import bare, bound, check_reading, literal, tokens


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a;b', \"c:d\", `e?f` -- :g ?\n, 1",
        "SELECT 'it''s', 'a\\'b:c', \"say \\\"?\\\"\" # :x\n",
        "SELECT /* :x ? ; */ 1 /*+ MAX_EXECUTION_TIME(1) */",
        "SELECT 1--1, 5 --:a",
        "SELECT @a := 1, t.into",
        "SELECT '",
        "",
    ],
)
def test_tokens_joined_are_the_statement(sql):
    assert "".join(text for _, text in tokens(sql)) == sql


@pytest.mark.parametrize(
    ("sql", "stripped"),
    [
        ("  SELECT 1 ; -- end", "SELECT 1"),
        ("SELECT 1;;\n# bye", "SELECT 1"),
        ("SELECT ';' /* ; */", "SELECT ';'"),
        ("SELECT 1--1", "SELECT 1--1"),
        ("SELECT 1 --", "SELECT 1"),
    ],
)
def test_what_ends_a_statement_goes(sql, stripped):
    assert bare(sql) == stripped


def test_a_dash_pair_is_a_comment_only_before_a_blank():
    assert bound("SELECT 5--:n\n-- :n\n--\t:n\n+ :n", {"n": 2}) == (
        "SELECT 5--2\n-- :n\n--\t:n\n+ 2"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (False, "FALSE"),
        (7, "7"),
        (-7, "(-7)"),
        (1.5, "1.5e0"),
        (-1e300, "(-1e+300)"),
        ("", "''"),
        ("it's", "'it''s'"),
        ("\\' OR 1=1 -- ", "'\\\\'' OR 1=1 -- '"),
        ("a\0b\n", "'a\\0b\n'"),
    ],
)
def test_a_value_is_a_literal_of_its_type(value, text):
    assert literal(value) == text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_mysql_has_no_word_for(value):
    with pytest.raises(Failure) as caught:
        literal(value)
    assert caught.value.error_class is ErrorClass.VALUE


def test_names_are_bound_outside_texts_only():
    sql = "SELECT ':a', `:a`, \":a\", :a, :ab, @x := :a /* :a */"
    assert bound(sql, {"a": 1, "ab": "x"}) == (
        "SELECT ':a', `:a`, \":a\", 1, 'x', @x := 1 /* :a */"
    )


@pytest.mark.parametrize("sql", ["SELECT :b", "SELECT ?"])
def test_what_has_no_value_is_told(sql):
    with pytest.raises(Failure) as caught:
        bound(sql, {"a": 1})
    assert caught.value.error_class is ErrorClass.SYNTAX
    assert "has no value" in caught.value.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  -- note\n select 1",
        "(SELECT 1)",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "VALUES (1)",
        "TABLE t",
        "SELECT t.into, `into`, 'INTO', t . outfile FROM t",
        "SELECT SUBSTRING('abc' FROM 1 FOR 2)",
        "SELECT * FROM t USE INDEX FOR JOIN (a)",
        "SELECT /* for update */ 1 /* ! not executed */",
        "SELECT '/*! */'",
        "SELECT /*+ SET_VAR(sort_buffer_size = 1) */ 1",
    ],
)
def test_what_reads_passes(sql):
    check_reading(sql)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM t", "begins with DELETE; only SELECT, WITH, VALUES and TABLE are read"),
        ("SHOW TABLES", "begins with SHOW"),
        ("SELECT 1 INTO OUTFILE 'x'", "INTO a file"),
        ("select 1 union select 2 into @x", "INTO a file"),
        ("SELECT 1 /*! INTO OUTFILE 'x' */", "a comment that is executed"),
        ("SELECT 1 /*M! + 1 */", "a comment that is executed"),
        ("SELECT 1 /*!99999 + 1 */", "a comment that is executed"),
        ("SELECT 1 FOR /* x */ UPDATE", "locks rows (FOR UPDATE)"),
        ("SELECT 1 for share", "locks rows (FOR SHARE)"),
        ("SELECT 1 LOCK IN SHARE MODE", "locks rows (LOCK IN)"),
    ],
)
def test_what_does_more_than_read_is_refused(sql, words):
    with pytest.raises(Failure) as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.PERMISSION
    assert words in caught.value.message


@pytest.mark.parametrize("sql", ["", " ", "-- only a note", "/* a note */"])
def test_nothing_is_no_statement(sql):
    with pytest.raises(Failure) as caught:
        check_reading(sql)
    assert caught.value.error_class is ErrorClass.SYNTAX
