"""What people really ask is never refused: a query that is, nobody can run; N-32."""

import subprocess
import sys

import pytest

from etltui.domain.task import GuardTask
from etltui.guard.sql import refusal
from harmless_queries import HARMLESS

CASES = [(sql, dialect) for dialect, queries in HARMLESS.items() for sql in queries]


@pytest.mark.parametrize(("sql", "dialect"), CASES)
def test_n_32_a_query_that_only_reads_is_let_through(sql, dialect):
    assert refusal(GuardTask(dialect=dialect, sql=sql)) == ""


@pytest.mark.parametrize("dialect", HARMLESS)
def test_n_32_there_are_many_of_each_dialect(dialect):
    assert len(set(HARMLESS[dialect])) >= 60


@pytest.mark.parametrize("dialect", HARMLESS)
def test_n_32_a_large_one_takes_no_time_worth_a_word(dialect):
    """A list of 20,000 branches as text, within the 60 s of any test."""
    names = ", ".join(f"'branch {number}; DELETE'" for number in range(20_000))
    assert refusal(GuardTask(dialect=dialect, sql=f"SELECT a FROM t WHERE b IN ({names})")) == ""


def test_n_30_a_plain_query_needs_no_parser():
    script = (
        "import sys\n"
        "from etltui.domain.task import GuardTask\n"
        "from etltui.guard.sql import refusal\n"
        "assert refusal(GuardTask(dialect='postgresql', sql='SELECT a FROM t')) == ''\n"
        "assert refusal(GuardTask(dialect='mssql', sql='DELETE FROM t'))\n"
        "assert 'sqlglot' not in sys.modules\n"
        "assert refusal(GuardTask(dialect='postgresql', sql='SELECT (delete) FROM t')) == ''\n"
        "assert 'sqlglot' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
