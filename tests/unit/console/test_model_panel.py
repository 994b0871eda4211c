"""The floating panel without a screen: which runs, what it says of them, where it stands."""

import pytest

import console_world as cw
from etltui.console.bridge import Moment
from etltui.console.cells import text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model.pace import Paces
from etltui.console.model.panel import (
    Box,
    Shape,
    badge,
    fading,
    length,
    panel_box,
    panel_lines,
    panel_runs,
    panel_width,
)
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.run import ConnectionStatus, RunStatus

S = ConnectionStatus
LOST = Trouble(error_class=ErrorClass.LOST, message="the line was cut")


def moment(*runs, at=cw.AT):
    return Moment(snapshot=cw.snapshot(runs, at=at), paces=Paces())


def at_work():
    return cw.run(
        title="GST sales",
        step="Processing results",
        connections=[
            cw.connection(1, S.COMPLETED, rows=10),
            cw.connection(2, S.RUNNING, rows=50, usual_rows=100, step="Processing results"),
            cw.connection(3, S.RETRYING, trouble=LOST, again_at=cw.AT + 8),
            cw.connection(4, S.FAILED, trouble=LOST),
            cw.connection(5, S.RUNNING, step="Executing query"),
        ],
        total=8,
    )


def said(run, *, opened=(), width=32, glyphs=UNICODE):
    lines = panel_lines(moment(run), [run], opened=opened, glyphs=glyphs, width=width)
    return ["".join(map(text_of, line.cells)).rstrip() for line in lines]


def test_a_run_says_what_it_is_how_it_stands_its_step_how_far_and_how_many():
    """S0-109…S0-112, S0-114."""
    first, second = said(at_work())
    assert first.split() == ["▸", "GST", "sales", "◐", "running", "31%"]
    assert second.split() == ["fetching", "█▉", "1/8", "1", "failed"]


def test_an_open_run_lists_what_fails_and_what_runs_with_bar_rows_and_error():
    """S0-105, S0-113."""
    run = at_work()
    lines = said(run, opened={run.run})
    assert lines[0].startswith("▾ GST sales")
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "branch_004 ✗ lost",
        "the line was cut",
        "branch_003 ↻ lost",
        "again in 8s: the line was cut",
        "branch_002 ◐ fetching 50",
        "██████████▌ 50%",
        "branch_005 ◐ querying",
        "1 completed · 3 waiting",
    ]


def test_every_line_is_as_wide_as_the_panel_at_most():
    run = cw.run(title="A title that is far too long for any panel", total=500, failed=123)
    lines = panel_lines(moment(run), [run], opened=(), glyphs=ASCII, width=32)
    assert max(length(line.cells) for line in lines) <= 32
    assert all(text_of(cell).isascii() for line in lines for cell in line.cells)


@pytest.mark.parametrize(
    ("status", "seconds"),
    [(RunStatus.COMPLETED, 5), (RunStatus.FAILED, 30), (RunStatus.COMPLETED_WITH_ERRORS, 30)],
)
def test_a_run_that_ended_leaves_after_some_seconds(status, seconds):
    """S0-108: five after it completed."""
    run = cw.run(status=status, changed=cw.AT)
    assert panel_runs(moment(run, at=cw.AT + seconds - 0.1)) == [run]
    assert panel_runs(moment(run, at=cw.AT + seconds)) == []


def test_a_run_that_waits_is_not_shown():
    assert panel_runs(moment(cw.run(status=RunStatus.QUEUED))) == []


def test_an_ended_run_says_what_came_of_it():
    """S0-115, S0-116."""
    done = cw.run(status=RunStatus.COMPLETED, total=8, completed=8, rows=1234)
    assert said(done)[0].endswith("✓ completed")
    assert said(done)[1] == "  8/8 · 1,234 rows"
    failed = cw.run(status=RunStatus.FAILED, total=8, failed=8, reason="the disk is full")
    lines = panel_lines(moment(failed), [failed], opened=(), glyphs=UNICODE, width=32)
    assert lines[0].cells[-1] == ("✗ failed", "bad")
    assert said(failed)[1] == "  0/8 8 failed · the disk is full"


def test_it_is_looked_at_again_until_a_completed_run_has_left():
    run = cw.run(status=RunStatus.COMPLETED, changed=cw.AT)
    assert fading(moment(run, at=cw.AT + 4.9))
    assert not fading(moment(run, at=cw.AT + 5))
    assert not fading(moment(cw.run(status=RunStatus.FAILED, changed=cw.AT)))


def test_the_badge_counts():
    """S0-106."""
    ended = cw.run("B", status=RunStatus.FAILED)
    assert "".join(map(text_of, badge([at_work(), ended], UNICODE))) == (
        "1 running · 1 ended · 2 failing"
    )
    assert "".join(map(text_of, badge([ended], UNICODE))) == "1 ended"


def test_its_shapes_come_one_after_the_other():
    assert [shape.next for shape in Shape] == [Shape.BADGE, Shape.CLOSED, Shape.FULL]


def box(lines, cursor, *, screen=(80, 24), top=2, bottom=22):
    return panel_box(lines, 34, screen=screen, top=top, bottom=bottom, cursor=cursor)


def test_it_stands_at_the_bottom_right_and_is_small_on_a_small_screen():
    """S0-103."""
    assert box(20, -1) == Box(x=46, y=16, width=34, height=6)
    assert box(3, 10) == Box(x=46, y=19, width=34, height=3)
    assert box(20, -1, screen=(120, 40), bottom=38).height == 13
    assert (panel_width(80), panel_width(120), panel_width(30)) == (34, 46, 28)


@pytest.mark.parametrize("bottom", [5, 8, 10, 22])
def test_it_never_covers_the_line_of_the_cursor(bottom):
    for cursor in range(2, bottom):
        found = box(6, cursor, bottom=bottom)
        assert not found.y <= cursor < found.y + found.height
        assert found.y >= 2
        assert found.y + found.height <= bottom


def test_it_makes_way_to_the_top_while_the_cursor_is_at_the_bottom():
    assert box(6, 15) == Box(x=46, y=16, width=34, height=6)
    assert box(6, 16) == Box(x=46, y=2, width=34, height=6)
