"""A run of an earlier engine as a row: how far it came, when, and why no further."""

from dataclasses import replace

import pytest

import console_world as cw
from etltui.console.cells import Styled, text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model.ended import ended_at, ended_row
from etltui.domain.run import RunResult, RunStatus
from etltui.domain.stored import RunRow

ROW = RunRow(
    run="R",
    job="gst_sales",
    title="GST sales",
    status=RunStatus.COMPLETED_WITH_ERRORS,
    plan_hash="abc",
    attempt=1,
    total=56,
    started=cw.AT - 9000,
    ended=cw.AT - 60,
    result=RunResult(
        run="R",
        job="gst_sales",
        status=RunStatus.COMPLETED_WITH_ERRORS,
        total=56,
        completed=53,
        failed=3,
        skipped=0,
        rows=1_911_004,
        seconds=252.0,
        outputs=(),
    ),
)


def cells(row, glyphs=UNICODE):
    return ended_row(row, "GST", glyphs, at=cw.AT, timezone="UTC").cells


def test_it_says_how_it_ended():
    found = [text_of(cell) for cell in cells(ROW)]
    assert found == ["▸ GST (56)", "! with errors", "1,911,004", "–", "4:12", "53/56 at 11:05"]
    assert all(text_of(cell).isascii() for cell in cells(ROW, ASCII))


def test_of_a_crash_only_what_is_known():
    crashed = replace(ROW, status=RunStatus.STOPPED, reason="crash", result=None)
    found = cells(crashed)
    assert [text_of(cell) for cell in found[2:5]] == ["–"] * 3
    assert found[5] == Styled("at 11:05: crash", "warn")
    assert cells(replace(crashed, ended=None))[5] == Styled("crash", "warn")
    assert cells(replace(crashed, ended=None, reason=""))[5] == ""


def test_why_a_run_failed_stands_behind_how_far_it_came():
    failed = replace(ROW, status=RunStatus.FAILED, reason="no branch answered")
    assert cells(failed)[5] == Styled("53/56 at 11:05: no branch answered", "bad")


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (cw.AT - 60, "at 11:05"),
        (cw.AT - 12 * 3600, "on 17 Nov 23:06"),
        (None, ""),
    ],
)
def test_the_day_stands_there_where_it_is_not_today(ended, said):
    assert ended_at(ended, cw.AT, "UTC") == said


def test_today_is_that_of_the_operator():
    assert ended_at(cw.AT - 12 * 3600, cw.AT, "Asia/Kolkata") == "at 04:36"
