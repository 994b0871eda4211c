"""The tokenizer finds parameters and ends where SQLite finds them."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.readers.sqlite_sql import bare, first_word, numbered, tokens, without_parameters

PIECES = st.sampled_from(
    [
        "':a'",
        "'it''s :b'",
        '":c"',
        "`:d`",
        "[:e]",
        "-- :f\n",
        "/* :g ; */",
        ":h",
        "@i",
        "$j",
        "?",
        "?7",
        ";",
        "a$b",
        "x'00'",
        "1.5e3",
        "SELECT",
        "विभा",
        "(",
        ",",
        " ",
        "\n",
        "'open",
        "/* open",
        "->>",
        "\x00",
    ],
)


@given(st.lists(PIECES).map("".join))
def test_tokens_are_the_whole_statement(sql):
    assert "".join(text for _, text in tokens(sql)) == sql


@given(st.text())
def test_any_text_is_taken_apart_and_put_together(sql):
    assert "".join(text for _, text in tokens(sql)) == sql


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("SELECT :a, @b, $c, ?, ?12", "SELECT NULL, NULL, NULL, NULL, NULL"),
        ("SELECT ':a', \":b\", `:c`, [:d]", "SELECT ':a', \":b\", `:c`, [:d]"),
        ("SELECT 'it''s :a' || :b", "SELECT 'it''s :a' || NULL"),
        ("SELECT 1 -- :a\n, :b", "SELECT 1 -- :a\n, NULL"),
        ("SELECT /* :a */ :b", "SELECT /* :a */ NULL"),
        ("SELECT a$b, $b", "SELECT a$b, NULL"),
        ("SELECT :राशि, x", "SELECT NULL, x"),
        ("SELECT $a::b", "SELECT NULL"),
    ],
)
def test_parameters_become_null_and_nothing_else(sql, plain):
    assert without_parameters(sql) == plain


@pytest.mark.parametrize(
    ("sql", "stripped"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("  SELECT 1 ; -- that is all\n;", "SELECT 1"),
        ("SELECT 1 /* no end", "SELECT 1"),
        ("-- first\nSELECT ';' /* a */ FROM t", "SELECT ';'   FROM t"),
        ("SELECT '--'", "SELECT '--'"),
    ],
)
def test_bare_fits_in_brackets(sql, stripped):
    assert bare(sql) == stripped


def test_numbered_names_each_parameter_once():
    sql, names = numbered("SELECT :b, ':x', :a, @b")
    assert sql == "SELECT ?1, ':x', ?2, ?1"
    assert names == ("b", "a")


@given(st.lists(PIECES.filter(lambda piece: "open" not in piece and piece != "\x00")))
def test_numbered_finds_as_many_parameters_as_sqlite(pieces):
    """SQLite says how many bindings a statement has when it gets too few."""
    inner = " ".join(piece for piece in pieces if piece[0] in ":@$'[\"`-/")
    wanted = {piece[1:] for piece in inner.split() if piece in {":h", "@i", "$j"}}
    sql, names = numbered(inner)
    assert set(names) == wanted
    assert without_parameters(inner).count("NULL") == sum(
        kind == "parameter" for kind, _ in tokens(sql)
    )
    values = ", ".join(piece for piece in pieces if piece in {":h", "@i", "$j", "':a'"})
    if values:
        with closing(sqlite3.connect(":memory:")) as db:
            plain, own = numbered(f"SELECT {values} -- :f")
            db.execute(plain, ["v"] * len(own)).fetchall()


@pytest.mark.parametrize(
    ("sql", "word"),
    [("select 1", "SELECT"), ("-- x\n /* y */ With a", "WITH"), ("(select 1)", ""), ("", "")],
)
def test_first_word(sql, word):
    assert first_word(sql) == word
