"""Paces and the job tree, worked out without a screen."""

import console_world as cw
from etltui.console.model.pace import Paces
from etltui.console.model.tree import ended_badly, groups, opened, past_runs, share, shown_runs
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.stored import RunRow

S = ConnectionStatus


def at(rows, *, status=RunStatus.RUNNING):
    return cw.snapshot(
        [cw.run("r", status=status, connections=[cw.connection(1, S.RUNNING, rows=rows)])]
    )


def test_a_pace_is_rows_over_the_last_seconds():
    paces = Paces()
    assert paces.rows_per_s("r") == 0
    for second, rows in enumerate((0, 100, 200, 300, 400, 500, 900)):
        paces.take(at(rows), float(second))
    # Five seconds back there were 100.
    assert paces.rows_per_s("r") == paces.rows_per_s("r", "branch_001") == 160


def test_another_try_begins_a_pace_anew():
    paces = Paces()
    paces.take(at(500), 0.0)
    paces.take(at(0), 1.0)
    assert paces.rows_per_s("r", "branch_001") == 0
    paces.take(at(50), 2.0)
    assert paces.rows_per_s("r", "branch_001") == 50


def test_what_is_not_at_work_has_no_pace():
    paces = Paces()
    paces.take(at(0), 0.0)
    paces.take(at(100), 1.0)
    paces.take(at(100, status=RunStatus.COMPLETED), 2.0)
    assert paces.rows_per_s("r") == 0


def test_two_looks_at_one_moment_are_no_pace():
    paces = Paces()
    paces.take(at(0), 1.0)
    paces.take(at(100), 1.0)
    assert paces.rows_per_s("r") == 0


def test_runs_at_work_come_first_and_of_what_ended_only_the_newest():
    runs = [
        cw.run("old", status=RunStatus.COMPLETED, changed=cw.AT - 200),
        cw.run("bad", job="stock", status=RunStatus.FAILED, changed=cw.AT - 100),
        cw.run("good", job="day_close", status=RunStatus.COMPLETED, changed=cw.AT - 50),
        cw.run("waits", job="prices", status=RunStatus.QUEUED),
        cw.run("works", status=RunStatus.RUNNING),
    ]
    assert [each.run for each in shown_runs(runs)] == ["works", "waits", "bad", "good"]


def test_a_run_is_open_while_it_is_of_interest_or_as_somebody_said():
    works = cw.run("r")
    done = cw.run("r", status=RunStatus.COMPLETED, changed=cw.AT - 4.9)
    assert opened(works, cw.AT, {})
    assert opened(done, cw.AT, {})
    assert not opened(done, cw.AT + 0.2, {})
    assert opened(cw.run("r", status=RunStatus.FAILED), cw.AT + 1000, {})
    assert not opened(cw.run("r", status=RunStatus.QUEUED), cw.AT, {})
    assert not opened(works, cw.AT, {"r": False})


def test_the_connections_of_a_run_by_urgency():
    run = cw.run(
        connections=[
            cw.connection(1, S.COMPLETED),
            cw.connection(2, S.RUNNING),
            cw.connection(3, S.RETRYING),
            cw.connection(4, S.FAILED),
            cw.connection(5, S.SKIPPED),
        ],
        total=9,
    )
    found = groups(run)
    assert [view.connection for view in found.failing] == ["branch_003", "branch_004"]
    assert [view.connection for view in found.running] == ["branch_002"]
    assert (found.done, found.waiting, found.skipped) == (1, 4, 1)


def test_a_share_is_told_by_the_past_alone_and_never_whole_before_the_end():
    assert share(cw.connection(1, S.RUNNING, rows=50)) is None
    assert share(cw.connection(1, S.RUNNING, rows=50, usual_rows=100)) == 0.5
    assert share(cw.connection(1, S.RUNNING, rows=500, usual_rows=100)) == 0.99
    assert share(cw.connection(1, S.COMPLETED)) == 1.0


def past(job, status, ended):
    return RunRow(
        run=f"run-of-{job}",
        job=job,
        title=job,
        status=status,
        plan_hash="abc",
        attempt=1,
        total=8,
        started=cw.AT - 9000,
        ended=ended,
    )


def test_of_jobs_that_the_engine_remembers_no_run_of_the_newest_is_shown_what_is_wrong_first():
    rows = [
        past("good", RunStatus.COMPLETED, cw.AT - 10),
        past("old", RunStatus.COMPLETED_WITH_ERRORS, cw.AT - 900),
        past("new", RunStatus.FAILED, cw.AT - 800),
        past("crashed", RunStatus.STOPPED, None),
        past("works", RunStatus.FAILED, cw.AT - 5),
        past("gone", RunStatus.FAILED, cw.AT - 5),
        past("elsewhere", RunStatus.RUNNING, None),
    ]
    last = {row.job: row for row in rows}
    runs = [cw.run(job="works")]
    found = past_runs(last, runs, set(last) - {"gone"})
    assert [row.job for row in found] == ["new", "old", "crashed", "good"]
    assert past_runs({}, runs, last) == []


def test_jobs_that_ended_badly_are_counted_among_those_that_ended():
    runs = [
        cw.run("works", status=RunStatus.RUNNING),
        cw.run("bad", job="stock", status=RunStatus.FAILED),
        cw.run("waits", job="prices", status=RunStatus.QUEUED),
    ]
    rows = [past("one", RunStatus.COMPLETED, 1.0), past("two", RunStatus.STOPPED, None)]
    assert ended_badly(runs, rows) == (2, 3)
    assert ended_badly((), ()) == (0, 0)
