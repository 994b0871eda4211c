"""What happens and what waits, as plain lines."""

from etltui.domain.events import ConnectionCompleted, ConnectionProgress, LineDown, LineUp
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.encode import queue_lines
from etltui.encode.changes import Changes

NIGHT = 1_795_000_000.0
DONE = ConnectionCompleted(
    run="R-7F3K",
    job="sales",
    at=NIGHT,
    connection="branch\x1b[2J",
    result=ConnectionResult(
        connection="branch", status=ConnectionStatus.COMPLETED, tries=1, rows=3
    ),
)


def test_a_line_stands_behind_its_time_and_can_move_no_terminal():
    changes = Changes("UTC")
    changes.begun("R-7F3K", 4, 56)
    assert changes.stamped(DONE) == "11:06:40 done branch␛[2J 3 rows 0.0s (5/56)"


def test_progress_has_no_line():
    progress = ConnectionProgress(
        run="R", job="sales", at=NIGHT, connection="b", step="Querying", rows=1, bytes=2
    )
    assert Changes("UTC").stamped(progress) == ""


def test_the_queue_says_what_is_paused_and_who_waits_for_when():
    entry = QueueEntry(
        run="20261118T110640Z-7F3K",
        job="sales",
        type="batch",
        priority=5,
        submitted=NIGHT - 60,
        not_before=NIGHT + 60,
        owner="ravi@till",
    )
    metrics = QueueMetrics(pending=1, delayed=1, paused=True, paused_jobs=("stock",))
    assert queue_lines.counts(metrics) == (
        "1 waiting (1 not due yet), 0 running, 0 completed, 0 failed"
    )
    assert queue_lines.counts(metrics, ended=False) == "1 waiting (1 not due yet), 0 running"
    assert [*queue_lines.pauses(metrics)][1:] == ["Paused jobs: stock"]
    head, line, due = queue_lines.entries((), (entry,), NIGHT, "UTC")
    assert head.split() == ["RUN", "JOB", "PRIO", "SINCE", "STATE", "OWNER"]
    assert line.split() == [entry.run, "sales", "5", "1", "min", "waiting", "ravi@till"]
    assert due == "    not before 2026-11-18 11:07:40"
    assert [*queue_lines.entries((), (), NIGHT, "UTC")] == []
    assert queue_lines.counts(QueueMetrics()) == "0 waiting, 0 running, 0 completed, 0 failed"
    assert [*queue_lines.pauses(QueueMetrics())] == []


def test_n_3_a_line_that_is_down_is_said_once_and_when_it_is_up_again():
    changes = Changes("UTC")
    met = "branch_004: unreachable: no answer"
    down = LineDown(at=NIGHT, line="gateway north", connections=("b",), error=met)
    assert changes.stamped(down) == (
        "11:06:40 down gateway north: all behind it wait while one at a time is tried; "
        "branch_004: unreachable: no answer"
    )
    up = LineUp(at=NIGHT, line="gateway north", connections=("a", "b"), down_s=62.0)
    assert changes.stamped(up) == (
        "11:06:40 up gateway north after 1:02: 2 connections waited for it"
    )
