"""One run without a screen: how it stands, in which order, and against what is usual."""

from dataclasses import replace

import pytest

import console_world as cw
from etltui.console.bridge import Moment
from etltui.console.cells import Styled, text_of
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model.pace import Paces
from etltui.console.model.run import (
    against_usual,
    by_urgency,
    classes_of,
    gathered,
    head,
    named_run,
    newest_run,
    subject_of_row,
    subject_of_view,
    target_lines,
    took,
)
from etltui.console.steps import note
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.pools import BreakerStats
from etltui.domain.progress import Eta
from etltui.domain.run import (
    ConnectionResult,
    ConnectionStatus,
    Output,
    RunResult,
    RunStatus,
    Step,
)
from etltui.domain.stored import ConnectionRow, RunRow
from etltui.domain.usual import Usual
from etltui.domain.verdict import Judged, Verdict

S = ConnectionStatus
LOST = Trouble(error_class=ErrorClass.LOST, message="the line was cut")
LOGIN = Trouble(error_class=ErrorClass.LOGIN, message="password refused")


def said(cells):
    return "".join(map(text_of, cells))


def row(number, result=None):
    name = f"branch_{number:03d}"
    return ConnectionRow(run="R", number=number, connection=name, hash="", result=result)


def ended(number, status, **facts):
    return ConnectionResult(connection=f"branch_{number:03d}", status=status, **facts)


def stored(status=RunStatus.COMPLETED_WITH_ERRORS, **facts):
    facts.setdefault("plan_hash", "abc")
    return RunRow(
        run="20261117T090000Z-OLDD",
        job="gst_sales",
        title="GST sales",
        status=status,
        attempt=1,
        total=3,
        started=cw.AT - 9000,
        **facts,
    )


def moment(*runs):
    return Moment(snapshot=cw.snapshot(runs), paces=Paces())


def test_what_fails_comes_first_then_what_runs_then_the_order_of_the_job():
    found = [
        (n, cw.connection(n, status))
        for n, status in enumerate(
            (S.COMPLETED, S.RUNNING, S.RETRYING, S.WAITING, S.FAILED, S.SKIPPED), start=1
        )
    ]
    assert [number for number, _ in by_urgency(found)] == [5, 3, 2, 1, 4, 6]


def test_what_the_engine_remembers_is_newer_than_what_the_store_says():
    run = cw.run(connections=[cw.connection(2, S.RUNNING, rows=7), cw.connection(9, S.WAITING)])
    rows = [row(1, ended(1, S.COMPLETED, rows=5)), row(2, ended(2, S.FAILED, trouble=LOST))]
    found = gathered(run, rows, {"branch_001": Usual(rows=4, seconds=2.0)})
    assert [(number, view.status) for number, view in found] == [
        (1, S.COMPLETED),
        (2, S.RUNNING),
        (0, S.WAITING),
    ]
    assert (found[0][1].usual_rows, found[0][1].usual_s) == (4, 2.0)


def test_a_past_run_has_all_its_connections_from_the_store():
    found = gathered(None, [row(1, ended(1, S.FAILED, trouble=LOST, tries=4)), row(2)], {})
    assert found[0][1].trouble == LOST
    assert found[0][1].tries == 4
    assert found[1][1].status is S.WAITING


def test_the_head_of_a_run_at_work_says_how_far_it_is_and_when_it_is_done():
    run = cw.run(
        connections=[
            cw.connection(1, S.COMPLETED, rows=10),
            cw.connection(2, S.FAILED, trouble=LOGIN),
            cw.connection(3, S.RETRYING, trouble=LOST),
        ],
        total=8,
        eta=Eta(left_s=72.0, band_s=9.0),
    )
    subject = subject_of_view(run, cw.AT)
    left, right = head(subject, UNICODE, wide=True)
    assert said(left) == "◐ running  1/8 done · 2 failing · eta 1:12 ±9.0s · 10 rows"
    assert said(right) == "20261118T090000Z-AAAA  1:00"
    assert said(head(subject, UNICODE, wide=False)[1]) == "1:00"
    assert said(head(subject, ASCII, wide=True)[0]).isascii()
    assert not subject.retried


DOWN = BreakerStats(name="gateway VPN-North", open_s=30.0, waiting=("branch_002",), probe_in_s=20.0)


def test_n_3_the_head_of_a_run_names_the_lines_that_it_waits_for():
    run = cw.run(connections=[cw.connection(1, S.RUNNING), cw.connection(2, S.WAITING)], total=2)
    other = replace(DOWN, name="gateway VPN-South", waiting=("branch_077",))
    subject = subject_of_view(run, cw.AT, breakers=[other, DOWN])
    assert subject.down == ("gateway VPN-North is down: 1 connection waits, next probe in 20 s",)
    assert f" · {subject.down[0]}" in said(head(subject, UNICODE, wide=False)[0])
    probing = replace(DOWN, waiting=(), probing="branch_001")
    assert subject_of_view(run, cw.AT, breakers=[probing]).down
    ended_run = replace(run, status=RunStatus.COMPLETED)
    assert subject_of_view(ended_run, cw.AT, breakers=[DOWN]).down == ()


@pytest.mark.parametrize(
    ("judged", "text", "role"),
    [
        (None, "empty, usually 40", "warn"),
        (Judged(verdict=Verdict.EMPTY, why="empty, usually 40 on Sundays"), None, "warn"),
        (Judged(verdict=Verdict.DAY_OFF, why="a holiday in the calendar tamil"), None, "muted"),
        (Judged(verdict=Verdict.OK_EMPTY, why="empty, as usual"), None, "muted"),
        (Judged(verdict=Verdict.OK), "", ""),
    ],
)
def test_n_8_a_connection_says_what_is_to_be_thought_of_its_rows(judged, text, role):
    view = cw.connection(1, S.COMPLETED, rows=0, usual_rows=40, judged=judged)
    shown = note(UNICODE, view, cw.AT, 3, 20)
    assert text_of(shown) == (judged.why if text is None else text)
    assert not text_of(shown) or shown.role == role
    assert against_usual(view, UNICODE).role == (role if role == "warn" else "muted")


def test_n_8_a_past_run_says_the_same_from_the_store():
    off = Judged(verdict=Verdict.DAY_OFF, why="a holiday in the calendar tamil")
    (found,) = gathered(
        None, [row(1, ended(1, S.COMPLETED, rows=0, judged=off, limit="3 x 28 s"))], {}
    )
    assert (found[1].remark, found[1].far, found[1].limit) == (off.why, "", "3 x 28 s")


def test_a_guessed_time_is_marked_as_one():
    run = cw.run(eta=Eta(left_s=5.0, band_s=0.0, guess=True))
    assert "eta ~5.0s" in said(head(subject_of_view(run, cw.AT), UNICODE, wide=True)[0])


def test_a_run_that_waits_has_taken_no_time_and_has_no_plan():
    subject = subject_of_view(cw.run(status=RunStatus.QUEUED, total=0), cw.AT)
    assert subject.seconds is None
    assert not subject.planned
    left, right = head(subject, UNICODE, wide=False)
    assert (said(left), right) == ("· queued", [])


def test_a_past_run_is_counted_by_its_result_and_a_crashed_one_by_its_connections():
    result = RunResult(
        run="R",
        job="gst_sales",
        status=RunStatus.COMPLETED_WITH_ERRORS,
        total=3,
        completed=2,
        failed=1,
        skipped=0,
        rows=50,
        seconds=61.0,
        outputs=(Output(type="csv", path="/out/gst.csv", rows=50, bytes=2000, final=True),),
    )
    subject = subject_of_row(stored(result=result), [])
    assert said(head(subject, UNICODE, wide=False)[0]) == (
        "! with errors  2/3 done · 1 failed · 50 rows"
    )
    assert subject.seconds == 61.0
    assert subject.retried
    assert said(target_lines(subject, ())) == "/out/gst.csv  csv, 50 rows, 2.0 kB"
    crashed = subject_of_row(
        stored(RunStatus.STOPPED, reason="the engine was killed"),
        [row(1, ended(1, S.COMPLETED, rows=5)), row(2, ended(2, S.FAILED, trouble=LOST)), row(3)],
    )
    assert (crashed.completed, crashed.failing, crashed.rows) == (1, 1, 5)
    assert "the engine was killed" in said(head(crashed, UNICODE, wide=False)[0])
    assert crashed.retried


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (RunStatus.RUNNING, "Nothing is there yet"),
        (RunStatus.FAILED, "has published nothing"),
    ],
)
def test_a_run_without_targets_says_where_they_would_be(status, text):
    subject = subject_of_view(cw.run(status=status), cw.AT)
    lines = target_lines(subject, ["/out/gst.csv"])
    assert text in said(lines)
    assert lines[-1] == "/out/gst.csv"


def test_a_partial_target_is_called_one():
    output = Output(type="csv", path="/out/gst.partial.csv", rows=1, bytes=2, final=False)
    subject = subject_of_view(cw.run(outputs=(output,)), cw.AT)
    assert "partial: the run has not ended" in said(target_lines(subject, ()))


@pytest.mark.parametrize(
    ("rows", "usual", "text", "role"),
    [
        (1004, 1000, "+0.4%", "muted"),
        (1000, 1000, "0%", "muted"),
        (0, 1000, "−100%", "warn"),
        (400, 1000, "−60%", "warn"),
        (21_000, 1000, "x21", "warn"),
        (5, 0, "new", "warn"),
        (5, None, "–", "muted"),
    ],
)
def test_rows_are_told_against_what_is_usual(rows, usual, text, role):
    view = cw.connection(1, S.COMPLETED, rows=rows, usual_rows=usual)
    assert against_usual(view, UNICODE) == (text, role)


def test_what_is_usual_stands_there_until_a_connection_completed():
    view = cw.connection(1, S.RUNNING, rows=3, usual_rows=9410)
    assert text_of(against_usual(view, UNICODE)) == "9,410"


def test_each_class_of_error_that_stands_is_named_once():
    views = [
        cw.connection(1, S.FAILED, trouble=LOST),
        cw.connection(2, S.FAILED, trouble=LOST),
        cw.connection(3, S.FAILED, trouble=LOGIN),
        cw.connection(4, S.COMPLETED),
        cw.connection(5, S.RETRYING, trouble=Trouble(error_class=ErrorClass.BUSY, message="")),
    ]
    assert classes_of(views) == [ErrorClass.LOGIN, ErrorClass.LOST]


def test_the_time_of_a_try_is_what_it_took_or_has_taken():
    assert took(cw.connection(1, S.RUNNING, since=cw.AT - 4), cw.AT) == 4
    assert took(cw.connection(1, S.RUNNING), cw.AT) is None
    assert took(cw.connection(1, S.FAILED, seconds={"connect": 0.5}), cw.AT) == 0.5
    assert took(cw.connection(1, S.WAITING), cw.AT) is None


def test_a_run_is_found_by_its_id_by_an_end_of_it_and_by_its_job():
    one = cw.run("20261118T090000Z-AAAA")
    other = cw.run("20261118T090500Z-BBBB", job="stock")
    now = moment(one, other)
    assert named_run(now, "20261118T090000Z-AAAA") is one
    assert named_run(now, "bbbb") is other
    assert named_run(now, "stock") is other
    assert named_run(now, "CCCC") is None
    assert named_run(moment(one, cw.run("20261117T090000Z-AAAA")), "AAAA") is None


def test_the_newest_run_is_the_one_at_work_before_one_that_waits_or_ended_later():
    ended_run = cw.run("E", status=RunStatus.COMPLETED)
    queued = cw.run("Q", status=RunStatus.QUEUED)
    running = cw.run("R")
    assert newest_run(moment(running, queued, ended_run)) is running
    assert newest_run(moment(queued, ended_run)) is queued
    assert newest_run(moment(ended_run)) is ended_run
    assert newest_run(moment()) is None


@pytest.mark.parametrize(
    ("due", "eta", "text", "role"),
    [
        (2400, Eta(left_s=1200, band_s=480), "finishes 11:26 ± 8 min, 11:46 safe", "ok"),
        (1260, Eta(left_s=1200, band_s=480), "finishes 11:26 ± 8 min, 11:27 at risk", "warn"),
        (-60, Eta(left_s=60, band_s=0), "finishes 11:07, 11:05 missed", "bad"),
        (-60, None, "due 11:05 missed", "bad"),
        (60, None, "due 11:07", ""),
    ],
)
def test_n_26_the_head_says_what_becomes_of_a_deadline(due, eta, text, role):
    """N-26: finishes 06:40 ± 8 min, 07:00 deadline safe."""
    subject = subject_of_view(cw.run(due=cw.AT + due, eta=eta), cw.AT, "UTC")
    left, _ = head(subject, UNICODE, wide=False)
    assert f" · {text}" in said(left)
    assert "eta" not in said(left)
    assert [cell.role for cell in left if isinstance(cell, Styled)][-1] == role
    assert said(head(subject, ASCII, wide=False)[0]).isascii()


def test_n_25_the_head_says_that_a_run_begins_with_few():
    """N-25: canary."""
    canary = cw.run(step="Canary 5 of 56", total=56, completed=1)
    left, _ = head(subject_of_view(canary, cw.AT), UNICODE, wide=False)
    assert "1/56 done · canary 5 of 56" in said(left)
    for step in ("", *Step):
        assert subject_of_view(cw.run(step=step), cw.AT).stage == ""
    stopped = cw.run(step="Canary 1 of 2", status=RunStatus.STOPPED)
    assert subject_of_view(stopped, cw.AT).stage == ""
