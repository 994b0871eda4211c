"""Toasts of runs: said once, few at a time, and silent where the operator wants it."""

from dataclasses import replace

import pytest

import console_world as cw
from etltui.console.bridge import Moment
from etltui.console.model.pace import Paces
from etltui.console.model.toasts import Toasts
from etltui.domain.pools import BreakerStats
from etltui.domain.progress import Eta
from etltui.domain.run import Output, RunStatus


def moment(*runs, at=cw.AT):
    return Moment(snapshot=cw.snapshot(runs, at=at), paces=Paces())


def run(name="A", status=RunStatus.RUNNING, **facts):
    facts.setdefault("total", 56)
    facts.setdefault("completed", 0)
    facts.setdefault("title", f"Job {name}")
    return cw.run(f"20261118T090000Z-{name}", status=status, **facts)


@pytest.fixture
def toasts():
    """Toasts that have seen an engine without runs."""
    made = Toasts()
    assert made.take(moment()) == []
    return made


def texts(found):
    return [each.text for each in found]


def test_what_stood_there_at_first_is_no_news():
    toasts = Toasts()
    first = moment(run(percent=60), run("B", RunStatus.FAILED))
    assert toasts.take(first) == []
    assert toasts.take(first) == []


def test_a_run_is_told_when_it_begins_and_when_it_is_taken_up_again(toasts):
    """S1-24."""
    assert toasts.take(moment(run(status=RunStatus.QUEUED))) == []
    assert texts(toasts.take(moment(run()))) == ["Job A started, 56 connections"]
    assert toasts.take(moment(run())) == []
    toasts.take(moment(run(status=RunStatus.STOPPED)))
    again = run(attempt=2, skipped=55)
    assert texts(toasts.take(moment(again))) == ["Job A started, 1 connection"]


def test_n_3_a_line_that_is_down_is_told_once_and_so_is_its_return(toasts):
    def stands(*breakers):
        now = moment()
        return replace(
            now,
            snapshot=replace(now.snapshot, pools=replace(now.snapshot.pools, breakers=breakers)),
        )

    down = BreakerStats(name="gateway VPN", open_s=1.0, waiting=("A", "B"), probe_in_s=4.0)
    assert texts(toasts.take(stands(down), all_of_it=False)) == [
        "gateway VPN is down: all behind it wait while one at a time is tried"
    ]
    assert toasts.take(stands(replace(down, probe_in_s=2.0))) == []
    assert texts(toasts.take(stands())) == ["gateway VPN is up again"]
    assert Toasts().take(stands(down)) == []


def test_each_quarter_is_told_once(toasts):
    """S0-135."""
    toasts.take(moment(run()))
    said = []
    for step, percent in enumerate((10, 24, 25, 30, 55, 49, 75, 80, 99), start=1):
        now = moment(run(percent=percent, completed=percent // 2), at=cw.AT + step * 10)
        said += texts(toasts.take(now))
    assert said == [
        "Job A: 25 %, 12 of 56 done",
        "Job A: 50 %, 27 of 56 done",
        "Job A: 75 %, 37 of 56 done",
    ]


def test_a_fast_run_does_not_pile_toasts_up(toasts):
    toasts.take(moment(run()))
    assert toasts.take(moment(run(percent=50), at=cw.AT + 4.9)) == []
    # What was passed meanwhile is not told later.
    assert toasts.take(moment(run(percent=60), at=cw.AT + 20)) == []
    assert len(toasts.take(moment(run(percent=75), at=cw.AT + 21))) == 1


def test_a_result_says_how_much_how_long_and_where(toasts):
    """S0-128."""
    toasts.take(moment(run()))
    outputs = (
        Output(type="csv", path="/out/a.csv", rows=9, bytes=9, final=True),
        Output(type="excel", path="/out/a.xlsx", rows=9, bytes=9, final=True),
    )
    done = run(
        status=RunStatus.COMPLETED_WITH_ERRORS,
        completed=53,
        failed=3,
        rows=1_911_004,
        outputs=outputs,
        started=cw.AT - 72,
        changed=cw.AT,
    )
    [toast] = toasts.take(moment(done))
    assert toast.text.split("\n") == [
        "Job A completed with errors",
        "53 of 56 done, 3 failed, 1,911,004 rows, 1:12",
        "/out/a.csv and 1 more",
    ]
    assert toast.severity == "warning"
    assert toasts.take(moment(done)) == []


def test_a_run_that_began_and_ended_between_two_looks_is_told(toasts):
    [toast] = toasts.take(moment(run(status=RunStatus.COMPLETED, completed=56)))
    assert toast.severity == "information"
    assert "Job A completed" in toast.text


def test_a_run_that_is_stopped_says_why_and_what_to_do(toasts):
    toasts.take(moment(run()))
    stopped = run(status=RunStatus.STOPPED, reason="memory is at 1.0 GB of 1.0 GB")
    [toast] = toasts.take(moment(stopped))
    assert "Job A stopped: memory is at 1.0 GB" in toast.text
    assert "9 shows what it holds" in toast.text
    assert toast.severity == "error"


def test_a_run_that_gets_another_turn_says_why(toasts):
    toasts.take(moment(run()))
    [toast] = toasts.take(moment(run(status=RunStatus.QUEUED, reason="the share is away")))
    assert toast.text == "Job A will be tried again: the share is away"
    assert toast.severity == "warning"
    assert toasts.take(moment(run(status=RunStatus.QUEUED, reason="the share is away"))) == []


def test_many_at_once_are_one_toast(toasts):
    names = ("A", "B", "C", "D")
    started = toasts.take(moment(*(run(name) for name in names)))
    assert texts(started) == ["4 runs started: Job A, Job B, Job C and 1 more"]
    half = moment(*(run(name, percent=50) for name in names), at=cw.AT + 10)
    [toast] = toasts.take(half)
    assert toast.text.split("\n")[3] == "and 1 more"
    done = toasts.take(moment(*(run(name, RunStatus.COMPLETED) for name in names)))
    assert texts(done) == ["4 runs completed: Job A, Job B, Job C and 1 more"]


def test_many_that_end_badly_are_one_toast(toasts):
    failed = [run(name, RunStatus.FAILED) for name in ("A", "B", "C", "D")]
    [toast] = toasts.take(moment(*failed))
    assert toast.text == "4 runs ended with errors: Job A, Job B, Job C and 1 more"
    assert toast.severity == "error"


def test_without_toasts_only_results_with_errors_are_told(toasts):
    before = [run(name) for name in ("A", "B", "C")]
    assert toasts.take(moment(*before), all_of_it=False) == []
    after = moment(
        run("A", RunStatus.COMPLETED),
        run("B", RunStatus.CANCELLED),
        run("C", RunStatus.FAILED, reason="the disk is full"),
    )
    [toast] = toasts.take(after, all_of_it=False)
    assert toast.text.startswith("Job C failed: the disk is full")


def test_a_cancelled_run_is_told(toasts):
    toasts.take(moment(run()))
    [toast] = toasts.take(moment(run(status=RunStatus.CANCELLED, reason="cancelled by hand")))
    assert toast.text.startswith("Job A cancelled by hand")
    assert toast.severity == "information"


def late(left_s, **facts):
    return run(due=cw.AT + 1200, eta=Eta(left_s=left_s, band_s=60), **facts)


def test_n_26_a_deadline_that_turns_at_risk_is_told_once():
    """N-26: warn when the deadline is at risk."""
    toasts = Toasts("UTC")
    toasts.take(moment(late(600)))
    (told,) = toasts.take(moment(late(1200)))
    assert told.severity == "warning"
    assert told.text == "Job A: deadline 11:26 at risk\nIt finishes 11:26 ± 1 min."
    assert toasts.take(moment(late(600))) == []
    assert toasts.take(moment(late(1200), at=cw.AT + 1300)) == []


def test_an_attempt_that_begins_too_late_says_so_even_to_who_wants_errors_only():
    toasts = Toasts("UTC")
    toasts.take(moment(late(1200)))
    found = moment(run(due=cw.AT - 60, attempt=2))
    assert texts(toasts.take(found, all_of_it=False)) == ["Job A: deadline 11:05 missed"]
    assert toasts.take(found, all_of_it=False) == []


def test_a_deadline_that_was_at_risk_before_anybody_looked_is_no_news():
    toasts = Toasts("UTC")
    assert toasts.take(moment(late(1200))) == []
    assert toasts.take(moment(late(1300))) == []
