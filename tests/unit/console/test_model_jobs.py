"""The list of jobs, worked out without a screen."""

import pytest

import console_world as cw
from console_past import HOUR, crashed, entry, row
from etltui.console.glyphs import ASCII, UNICODE
from etltui.console.model.acted import who_began
from etltui.console.model.difference import difference, usual_of
from etltui.console.model.job_rows import next_cell, row_of_job
from etltui.console.model.jobs import (
    JobLine,
    Known,
    Turn,
    clock,
    job_lines,
    latest,
    newest,
    place,
    reading,
    turns,
    usual_rows,
)
from etltui.domain.logbook import Action
from etltui.domain.queue import QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.words import local

S = ConnectionStatus


@pytest.mark.parametrize(
    ("rows", "usual", "text"),
    [
        (1004, 1000, "+0.4%"),
        (0, 1000, "−100%"),
        (1000, 1000, "0%"),
        (1_000_001, 1_000_000, "0%"),
        (500, 1000, "−50%"),
        (25_000, 1000, "x25"),
        (5, None, ""),
        (5, 0, "new"),
        (0, 0, "0%"),
    ],
)
def test_a_difference_is_told_in_few_characters(rows, usual, text):
    assert difference(rows, usual, "−") == text
    assert len(text) <= 6


def test_usual_is_the_median_of_the_ten_newest():
    assert usual_of([1, 2, 3]) == 2
    assert usual_of([]) is None
    assert usual_of([1] * 10 + [9] * 100) == 1


def test_a_run_at_work_counts_more_than_a_newer_one_that_ended():
    patched = cw.run("20261118T070000Z-AAAA", status=RunStatus.RUNNING)
    ended = cw.run("20261118T080000Z-BBBB", status=RunStatus.FAILED)
    queued = cw.run("20261118T090000Z-CCCC", status=RunStatus.QUEUED)
    assert newest([patched, ended, queued])["gst_sales"] is patched
    assert latest(patched, row(), 8, "").run == patched.run


def test_of_store_and_engine_the_newer_one_is_shown():
    ended = cw.run("20261118T070000Z-AAAA", status=RunStatus.FAILED)
    assert latest(ended, row(), 8, "op@hq").run == row().run
    assert latest(ended, row(), 8, "op@hq").owner == "op@hq"
    assert latest(ended, None, 8, "").run == ended.run
    assert latest(None, None, 8, "") is None


def test_a_crashed_run_has_no_numbers_but_its_total():
    found = latest(None, crashed(), 8, "")
    assert (found.rows, found.completed, found.total) == (None, None, 8)
    line = JobLine(job=None, result=found)
    assert line.resumable
    assert not line.patchable


def test_only_whole_completed_runs_before_it_are_what_is_usual():
    past = [
        row("20261118T080000Z-NEW1", rows=1),
        row("20261117T080000Z-PART", rows=900, left_out=4),
        row("20261116T080000Z-ERRS", rows=3, status=RunStatus.COMPLETED_WITH_ERRORS),
        crashed(),
        row("20261114T080000Z-GOOD", rows=400),
    ]
    assert usual_rows(past, latest(None, past[0], 8, "")) == 400
    assert usual_rows(past, latest(None, past[1], 8, "")) is None
    assert usual_rows(past, None) is None
    part = cw.run(status=RunStatus.COMPLETED, connections=[cw.connection(1, S.COMPLETED)])
    assert usual_rows(past, latest(part, None, 8, "")) is None


def test_what_waits_is_told_by_its_place_and_what_is_late_by_its_time():
    found = turns(
        [
            entry("a", job="one"),
            entry("b", job="late", not_before=cw.AT + HOUR),
            entry("c", job="two"),
            entry("d", job="late"),
            entry("e", job="two"),
        ],
        cw.AT,
    )
    assert found["one"].place == 1
    assert found["two"].place == 2
    assert (found["late"].place, found["late"].due) == (3, 0.0)
    assert turns([entry("b", not_before=cw.AT + 1)], cw.AT)["gst_sales"].due == cw.AT + 1


def test_who_asked_is_known_by_the_run_that_came_of_it():
    acts = [
        Action(at=2.0, who="b@hq", what="retry", target="R1", outcome="R2"),
        Action(at=1.0, who="a@hq", what="submit", target="gst_sales", outcome="R1"),
        Action(at=0.0, who="c@hq", what="queue.pause", target="gst_sales", outcome="done"),
    ]
    assert who_began(acts) == {"R1": "a@hq", "R2": "b@hq"}


@pytest.mark.parametrize(
    ("ago", "text"), [(60, "11:05"), (86400 * 2, "16 Nov"), (86400 * 400, "2025")]
)
def test_a_moment_is_told_in_six_characters(ago, text):
    assert clock(cw.AT - ago, cw.AT, "UTC") == text


def test_places_are_counted_as_people_do():
    words = [place(count) for count in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert words == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]


def test_each_job_becomes_a_line(tmp_path):
    config = cw.configured(tmp_path)
    reads = reading(config, local(cw.AT, "UTC").date())
    assert len(reads["gst_sales"]) == 8
    assert len(reads["stock"]) == 4
    shown = cw.snapshot(
        [cw.run(connections=[cw.connection(1, S.RUNNING)])],
        pending=[entry("x", job="stock")],
        queue=QueueMetrics(pending=1, running=1, paused_jobs=("stock",)),
    )
    known = Known(last={"gst_sales": row()}, reads=reads)
    gst, stock = job_lines(config.jobs, known, shown)
    assert gst.live is not None
    assert not gst.paused
    assert (stock.result, stock.paused, stock.turn.place) == (None, True, 1)
    whole = cw.snapshot(queue=QueueMetrics(paused=True))
    assert all(line.paused for line in job_lines(config.jobs, known, whole))


def test_the_last_column_says_what_keeps_a_job_from_running(tmp_path):
    jobs = cw.configured(tmp_path, more="\n[jobs.gst_sales.retry]\nretries = 1\n").jobs
    job = jobs["gst_sales"]

    def told(**facts):
        cell = next_cell(JobLine(job=job, **facts), cw.AT, UNICODE, "UTC", 13)
        return cell if isinstance(cell, str) else cell.text

    assert told() == "–"
    assert told(paused=True) == "‖ paused"
    assert told(paused=True, turn=Turn(place=2)) == "‖ paused, 2nd"
    assert told(turn=Turn(place=3)) == "· 3rd in turn"
    assert told(turn=Turn(due=cw.AT + HOUR)) == "at 12:06"
    live = cw.run(
        connections=[
            cw.connection(1, S.COMPLETED),
            cw.connection(2, S.RUNNING, rows=50, usual_rows=100),
        ],
        total=4,
    )
    assert told(live=live).endswith(" 38%")


def test_rows_far_from_usual_stand_out(tmp_path):
    job = cw.configured(tmp_path).jobs["gst_sales"]
    line = JobLine(job=job, result=latest(None, row(rows=100), 8, "op@hq"), usual=1000)
    shown = row_of_job(line, cw.AT, ASCII, "UTC", 13)
    assert shown.rows.role == "warn"
    assert shown.usual == ("-90%", "warn")
    unread = row_of_job(JobLine(job=job, read=False), cw.AT, ASCII, "UTC", 13)
    assert unread.status == ("reading ~", "muted")
    stopped = JobLine(job=job, result=latest(None, crashed(), 8, ""), connections=9)
    assert row_of_job(stopped, cw.AT, UNICODE, "UTC", 13).connections == ("–/8", "muted")
    near = JobLine(job=job, result=latest(None, row(rows=990), 8, ""), usual=1000)
    assert row_of_job(near, cw.AT, UNICODE, "UTC", 13).rows == "990"
