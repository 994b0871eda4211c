"""One value of a database, asked over a session beside its rows: as text, and never a change."""

import sqlite3

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.task import QueryTask, SessionTask
from etltui.extractors import protocol as p
from etltui.extractors.asking import told, value_of
from etltui.readers.registry import connect


@pytest.fixture
def reader(tmp_path):
    path = tmp_path / "branch.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE company (code TEXT, founded INT)")
        made.execute("INSERT INTO company VALUES (' 017 ', 1999)")
        made.execute("CREATE TABLE many (n)")
        made.executemany("INSERT INTO many VALUES (?)", [(1,), ("x",), (None,)])
    made.close()
    task = SessionTask(
        connection="A", kind="sqlite", host="", port=0, database=str(path), user="", password=""
    )
    opened = connect(task)
    yield opened
    opened.close()


def asked(sql):
    return QueryTask(name="identity_query", sql=sql)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT code FROM company", "017"),
        ("SELECT founded FROM company", "1999"),
        ("SELECT 1.5", "1.5"),
        ("SELECT n FROM many WHERE n = 'x'", "x"),
        ("SELECT CAST('a' AS BLOB)", r"\x61"),
    ],
)
def test_n_18_the_value_is_text_without_space_around_it(reader, sql, value):
    done = told(reader, p.Ask(id=7, session=1, query=asked(sql), dialect="sqlite"))
    assert done == p.Done(id=7, value=value)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT code FROM company WHERE 0", "no row"),
        ("SELECT n FROM many", "several rows"),
        ("SELECT code, founded FROM company", "2 columns"),
        ("SELECT NULL", "NULL"),
        ("SELECT '  '", "an empty text"),
        ("SELECT replace(hex(zeroblob(500)), '0', 'a')", "a text of 1,000 characters"),
    ],
)
def test_n_18_anything_but_one_value_is_refused_with_a_way_out(reader, sql, what):
    with pytest.raises(Failure, match=f"identity_query gives {what}; it must give one") as met:
        value_of(reader, asked(sql), "sqlite")
    assert met.value.error_class is ErrorClass.IDENTITY
    assert 'write identity_query = "" where there is nothing to ask' in met.value.message


def test_a_question_that_changes_something_is_not_sent(reader):
    with pytest.raises(Failure, match="identity_query is not sent: it begins with DELETE") as met:
        value_of(reader, asked("DELETE FROM company"), "sqlite")
    assert met.value.error_class is ErrorClass.PERMISSION
    assert value_of(reader, asked("SELECT code FROM company"), "sqlite") == "017"


def test_a_question_that_the_database_does_not_understand_is_named(reader):
    with pytest.raises(Failure, match=r"identity_query: .*no such table"):
        value_of(reader, asked("SELECT code FROM nowhere"), "sqlite")
