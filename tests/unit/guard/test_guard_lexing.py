"""How each dialect takes a query apart."""

import pytest

from etltui.guard.lexing import LEXINGS, Sort, UnclearError, tokens


def apart(sql, dialect):
    """Words, names in lower case within <>, values as a dot, signs."""
    shapes = {
        Sort.WORD: lambda text: text,
        Sort.NAME: lambda text: f"<{text.lower()}>",
        Sort.VALUE: lambda _: ".",
        Sort.SIGN: lambda text: text,
        Sort.RUNS: lambda _: "!",
    }
    found = tokens(sql, LEXINGS[dialect][0])
    return " ".join(shapes[each.sort](each.text) for each in found)


@pytest.mark.parametrize(
    ("sql", "dialect", "parts"),
    [
        ("select a", "sqlite", "SELECT A"),
        ("a'b''c'd", "sqlite", "A . D"),
        ("'a\\'b", "postgresql", ". B"),
        ("'a\\'b'", "mysql", "."),
        ("E'a\\'b' x", "postgresql", ". X"),
        ("e 'a\\' x", "postgresql", "E . X"),
        ("date'2026-11-22'x", "postgresql", "DATE . X"),
        ("$$a;$b$'$$ x $1", "postgresql", ". X $ ."),
        ("$t$a $$ ; $t$ x", "duckdb", ". X"),
        ("a$b$c", "postgresql", "A$B$C"),
        ("$$ ; x", "mssql", "$ $ ; X"),
        ('"a""b;"', "oracle", '<a""b;>'),
        ("`a``b;`", "mysql", "<a``b;>"),
        ("[a]]b;] x", "mssql", "<a]]b;> X"),
        ("a[1]", "postgresql", "A [ . ]"),
        ("a -- b\nc", "sqlite", "A C"),
        ("a --b\nc", "mysql", "A - - B C"),
        ("a --\tb\nc --", "mysql", "A C"),
        ("a # b\nc", "mysql", "A C"),
        ("a #> b", "postgresql", "A # > B"),
        ("#a @b @@c", "mssql", "# <a> @ <b> @ @ <c>"),
        ("@ a:b", "mssql", "@ A : B"),
        (":a x::b", "postgresql", ": <a> X : : <b>"),
        ("/* a /* b */ c */ d", "postgresql", "D"),
        ("/* a /* b */ c", "mysql", "C"),
        ("/*/ a */ b", "mssql", "B"),
        ("a /*! b */ c /*M! d */ /*+ e */", "mysql", "A ! C !"),
        ("a /*! b */ c", "postgresql", "A C"),
        ("1.5e-3x .5 0x1Fg 1eg 1.d", "mssql", ". X . . G . G . D"),
        ("नाम ñ_1\u00a0x", "sqlite", "नाम Ñ_1 X"),
    ],
)
def test_n_32_a_query_comes_apart_as_its_database_reads_it(sql, dialect, parts):
    assert apart(sql, dialect) == parts


@pytest.mark.parametrize(
    ("sql", "dialect", "lacks"),
    [
        ("'a", "sqlite", "'"),
        ("'a\\'", "mysql", "'"),
        ('"a', "oracle", '"'),
        ("[a]]", "mssql", "]"),
        ("/* a", "mysql", "*/"),
        ("/* /* */", "postgresql", "*/"),
        ("$t$ $$", "postgresql", "$t$"),
    ],
)
def test_n_32_what_does_not_end_is_said(sql, dialect, lacks):
    with pytest.raises(UnclearError) as caught:
        apart(sql, dialect)
    assert str(caught.value) == lacks


def test_n_32_lines_count_from_one_over_texts_and_comments():
    found = tokens("a /* \n */ 'x\ny'\n\n b", LEXINGS["sqlite"][0])
    assert [each.line for each in found] == [1, 2, 5]
