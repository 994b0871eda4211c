"""What does more than read is refused before any database is asked; N-32."""

import pytest

from etltui.domain.task import GuardTask
from etltui.guard.sql import refusal, refusals
from hostile_queries import CHANGING, HOSTILE

CASES = [(sql, dialect) for sql, dialects in HOSTILE for dialect in dialects] + CHANGING
LISTED = ("dbo.report",)


def asked(sql, dialect, procedures=LISTED):
    return GuardTask(dialect=dialect, sql=sql, procedures=procedures)


@pytest.mark.parametrize(("sql", "dialect"), CASES)
def test_n_32_what_changes_anything_is_refused_in_words(sql, dialect):
    said = refusal(asked(sql, dialect))
    assert said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("sql", "dialect", "said"),
    [
        ("UPDATE t SET a = 0", "postgresql", "it begins with UPDATE, and a job only reads"),
        ("SELECT 1;\nSELECT 2", "mysql", "it holds more than one statement: one ends in line 1"),
        (
            "SELECT a\nFROM t\nDELETE FROM t",
            "mssql",
            "DELETE in line 3 begins a statement of its own, and a job only reads",
        ),
        (
            "SELECT a\nINTO u FROM t",
            "mssql",
            "INTO in line 2 writes what is selected, and a job only reads",
        ),
        (
            "SELECT a FROM t\nFOR  /* x */ UPDATE",
            "postgresql",
            "FOR UPDATE in line 2 locks rows, and a job only reads",
        ),
        (
            "WITH x AS (\nDELETE FROM t RETURNING a) SELECT a FROM x",
            "postgresql",
            "DELETE in line 2 begins a change, and a job only reads",
        ),
        (
            "SELECT 1\n/*! x */",
            "mysql",
            "the comment in line 2 begins with ! and is run by MySQL as if it were none",
        ),
        ("SELECT Nextval('s')", "postgresql", "the function nextval in line 1 changes something"),
        (
            "EXEC dbo.cleanup 1",
            "mssql",
            (
                "EXEC in line 1 calls the procedure dbo.cleanup, which is not among the job's "
                "procedures"
            ),
        ),
        (
            "EXEC ('x')",
            "mssql",
            (
                "EXEC in line 1 calls what is no procedure's name, which is not among the job's "
                "procedures"
            ),
        ),
        (
            "CALL report()",
            "sqlite",
            "it begins with CALL, and the database has no procedures",
        ),
        ("", "sqlite", "it is empty"),
        ("SELECT 'a", "sqlite", "a text, name or comment in it lacks its closing '"),
    ],
)
def test_n_32_the_reason_names_the_word_and_its_line(sql, dialect, said):
    assert refusal(asked(sql, dialect)) == said


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("EXEC dbo.report", "mssql"),
        ("exec DBO.Report @day = '2026-11-22', @text = 'DELETE FROM t'", "mssql"),
        ("EXECUTE [dbo].[report] 1, 2;", "mssql"),
        ("EXEC @code = dbo.report :day", "mssql"),
        ("{CALL dbo.report(:day)}", "mssql"),
        ("CALL dbo.report(:day)", "mysql"),
        ('CALL "dbo"."report"(:day)', "postgresql"),
        ("CALL dbo.report()", "oracle"),
        ("EXEC dbo.report 5", ""),
    ],
)
def test_n_32_a_procedure_that_the_job_lists_may_be_called(sql, dialect):
    assert refusal(asked(sql, dialect)) == ""
    assert refusal(asked(sql, dialect, procedures=("dbo.other",)))


def test_each_query_gets_its_own_answer_in_order():
    answers = refusals([asked("SELECT 1", "mysql"), asked("DELETE FROM t", "mysql")])
    assert answers[0] == ""
    assert answers[1].startswith("it begins with DELETE")
