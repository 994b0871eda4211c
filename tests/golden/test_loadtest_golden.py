"""The report of a load test as text, page and JSON: `GOLDEN=write` writes them anew."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from etltui.loadtest import record, text
from etltui.loadtest.compare import compared, differences
from etltui.loadtest.html import page
from loadtest_kit import ORDER, report

FOLDER = Path(__file__).parent / "loadtest"
FAILED = {"wrong": ("1 session leaked", "the target of load_1 has of branch_001 3 rows too few")}
BEFORE = report(
    order=replace(ORDER, connections=70, seed=2), rows_per_s=1600.0, cpu_s=5.0, failures={}
)


def told(found, against):
    """The three of them."""
    ratios = compared(found, against) if against else ()
    unlike = tuple(differences(found, against)) if against else ()
    return {
        "txt": "\n".join(text.lines(found, ratios, unlike)) + "\n",
        "html": page(found, ratios, unlike, timezone="UTC"),
        "json": record.as_json(found, ratios),
    }


@pytest.mark.parametrize(
    ("name", "found", "against"),
    [
        ("passed", report(), None),
        ("failed", report(**FAILED), BEFORE),
    ],
)
@pytest.mark.parametrize("form", ["txt", "html", "json"])
def test_s0_138_a_report_is_its_golden_file(name, found, against, form):
    made, path = told(found, against)[form], FOLDER / f"{name}.{form}"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


def test_the_page_asks_nobody_for_anything_and_runs_nothing():
    made = page(report(**FAILED), compared(report(), BEFORE))
    assert "<script" not in made
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:)\w+:", made)
    assert "default-src 'none'" in made
    assert "prefers-color-scheme: dark" in made


def test_foreign_names_are_never_markup():
    made = page(report())
    assert "<b>&" not in made
    assert "&lt;b&gt;&amp;" in made


def test_no_line_is_longer_than_a_terminal_has_columns():
    found = report(order=ORDER, wrong=("x " * 200,), notes=("y " * 200,))
    assert max(len(line) for line in text.lines(found, compared(found, BEFORE))) < 80


def test_of_a_test_that_was_too_short_nothing_is_drawn_or_divided():
    found = report(
        points=(), beats=(), lag=type(BEFORE.lag)(), seconds=0.0, rows=0, events={}, failures={}
    )
    made = told(found, found)
    assert "too short to tell" in made["html"]
    assert "not measured: too short" in made["txt"]
