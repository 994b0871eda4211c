"""Whether a load test passed, and what of it is reported."""

from dataclasses import replace

import pytest

from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.events import (
    ConnectionCompleted,
    ConnectionFailed,
    ConnectionStarted,
    Overflow,
    RunProgress,
)
from etltui.domain.logbook import Sample
from etltui.domain.pools import PoolMetrics, PoolStats
from etltui.domain.progress import ConnectionView, RunView, Snapshot
from etltui.domain.queue import QueueMetrics
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.strays import Stray
from etltui.loadtest.judge import judged
from etltui.loadtest.reporting import machine, report
from etltui.loadtest.taking import Looks, Taken
from loadtest_kit import MACHINE, connected, ground, lost, ran

MISSING = lost(2, ErrorClass.NO_DATABASE, "there is no file")
ALL = [connected(1), MISSING, *(connected(number) for number in range(3, 7))]
MOMENT = {"at": 1000.0, "run": "R", "job": "load_1"}


def metrics(**changes):
    values = {
        "total_pools": 6,
        "active_pools": 5,
        "total_connections": 9,
        "places": 9,
        "max_connections": 80,
        "max_per_host": 20,
        "waiting": 3,
        "paused": False,
        "acquires": 40,
        "served_by_open": 30,
        "leaked": 0,
    }
    return PoolMetrics(**values | changes)


def taken(*results, **changes):
    values = {"began": 1000.0, "seconds": 10.0, "rounds": 1, "pools": metrics()}
    return Taken(**values | {"results": list(results or [ran(*ALL)])} | changes)


def stats(lent):
    counts = dict.fromkeys(
        ("size", "open", "idle", "connecting", "waiting", "refs", "acquires", "served_by_open"), 0
    )
    times = dict.fromkeys(("wait_p50_ms", "wait_p95_ms", "connect_p50_ms", "connect_p95_ms"), 0.0)
    return PoolStats(
        pool="sqlite /data/a.db",
        server="",
        lent=lent,
        paused=False,
        draining=False,
        opened=0,
        lost=0,
        closed=0,
        last_error="",
        leaks=(),
        leaked=0,
        **counts,
        **times,
    )


def wrong(what, where=None):
    return judged(where or ground(), what).wrong


def test_s0_138_a_test_passes_where_all_rows_came_but_those_that_were_not_to():
    found = judged(ground(), taken())
    assert found.wrong == ()
    assert found.notes == ()
    assert found.failed == 1


def test_a_connection_that_should_not_have_failed_is_named_with_why():
    found = wrong(taken(ran(lost(1), *ALL[1:]), ran(lost(1), lost(3, message="it is"), *ALL[3:])))
    assert found == (
        "2 connections failed that should not have: branch_001, branch_003: busy: it is",
    )


def test_rows_that_are_too_many_or_too_few_are_named():
    found = wrong(taken(ran(connected(1, rows=499), connected(3, rows=501))))
    told = "branch_001 (499 rows of 500), branch_003 (501 rows of 500)"
    assert found == (f"2 connections brought too many rows or too few: {told}",)


def test_a_run_that_failed_by_itself_is_named():
    found = wrong(taken(ran(status=RunStatus.FAILED, reason="the disk is full")))
    assert found == ("run 20261123T040000Z-1AAA of load_1 failed: the disk is full",)


def test_one_that_was_to_fail_and_did_not_once_did_not_come_about():
    assert judged(ground(), taken(ran(*ALL), ran(connected(2)))).failed == 0


def test_what_is_not_given_back_is_wrong():
    strays = (
        Stray(kind="thread", name="forgotten", seconds=9.0),
        Stray(kind="descriptor", name="7: /tmp/loadtest/data/a.db", seconds=9.0),
    )
    what = taken(pools=metrics(leaked=2), still_lent=(stats(1),), strays=strays)
    assert wrong(what, ground(own_files="/tmp/loadtest/")) == (
        "2 sessions leaked",
        "1 session still lent after the last run: sqlite /data/a.db",
        "not given back by the engine: thread forgotten",
    )
    assert "descriptor 7" in wrong(what)[-1]
    assert wrong(taken(pools=None)) == ()


def written(path, *rows):
    path.write_text("connection,id,name\n" + "".join(f"{n},{i},x\n" for n, i in rows))


def whole(*numbers):
    return [(f"branch_{n:03d}", i) for n in numbers for i in range(1000 * n, 1000 * n + 500)]


def test_s0_138_each_row_of_a_target_is_there_exactly_once(tmp_path):
    path = tmp_path / "load_1.csv"
    where = ground(targets={"load_1": path, "load_2": tmp_path / "absent.csv"})
    written(path, *whole(1, 3, 4, 5, 6))
    assert wrong(taken(), where) == ()
    rows = whole(1, 3, 4, 5, 6)
    written(path, *rows[1:], rows[-1], ("branch_002", 2001), ("branch_003", 4000))
    (said,) = wrong(taken(), where)
    head, _, found = said.partition(": ")
    assert head == "the target of load_1 has other rows of 4 connections"
    assert found.split("), ") == [
        "branch_001 (1 missing, 0 not its own, 0 twice",
        "branch_002 (0 missing, 1 not its own, 0 twice",
        "branch_003 (0 missing, 1 not its own, 0 twice",
        "branch_006 (0 missing, 0 not its own, 1 twice)",
    ]


def test_what_was_stopped_is_not_judged(tmp_path):
    where = ground(targets={"load_1": tmp_path / "absent.csv"})
    found = judged(where, taken(ran(*ALL), ran(connected(1, rows=1), status=RunStatus.STOPPED)))
    assert found.wrong == ()
    assert found.notes == ("rows of 1 run that stopped before the end are not judged",)


def test_what_was_left_unread_on_purpose_and_what_was_missed_is_noted():
    held = Trouble(error_class=ErrorClass.HOURS, message="closed", facts={})
    skipped = connected(6, status=ConnectionStatus.SKIPPED, rows=0, trouble=held)
    found = judged(ground(), taken(ran(*ALL[:-1], skipped), missed=3))
    assert found.wrong == ()
    assert found.notes == (
        "3 events came too fast to be counted",
        "1 connection not read on purpose: branch_006",
    )


def test_events_are_taken_in():
    what = Taken()
    trouble = MISSING.trouble
    seconds = {"wait": 1.0, "connect": 0.5, "query": 0.25, "fetch": 2.0}
    for event in (
        ConnectionStarted(**MOMENT, connection="branch_001"),
        ConnectionFailed(
            **MOMENT, connection="branch_001", trouble=trouble, will_retry=True, tries=1
        ),
        ConnectionStarted(**MOMENT, connection="branch_001", tries=2),
        ConnectionCompleted(
            **MOMENT, connection="branch_001", result=connected(1, seconds=seconds)
        ),
        RunProgress(**MOMENT, step="", percent=1, completed=1, failed=0, total=1, rows=1),
        Overflow(at=0.0, lost=7),
    ):
        what.take(event)
    assert (what.tries, what.again, what.missed) == (2, 1, 7)
    assert what.failures == {ErrorClass.NO_DATABASE: 1}
    assert what.times == {"branch_001": [seconds]}
    assert what.events["ConnectionStarted"] == 2


def snapshot(at, **rows):
    views = tuple(
        RunView(
            run=run,
            job="load_1",
            status=RunStatus.RUNNING,
            connections={
                "a": ConnectionView(
                    connection="a", status=ConnectionStatus.RUNNING, rows=count, tries=1
                )
            },
        )
        for run, count in rows.items()
    )
    return Snapshot(
        at=at,
        holder="",
        runs=views,
        pending=(),
        queue=QueueMetrics(),
        pools=metrics(),
        pool_info=(),
        memory=5000,
        threshold=0,
    )


def test_points_tell_how_many_rows_have_come_since_the_one_before():
    looks = Looks(1000.0)
    assert looks.point(snapshot(1000.0)).rows_per_s == 0
    first = looks.point(snapshot(1002.0, R=100))
    assert (first.at, first.rows_per_s, first.sessions) == (2.0, 50.0, 9)
    assert (first.waiting, first.memory) == (3, 5000)
    # One run is forgotten, another has begun.
    assert looks.point(snapshot(1003.0, S=30)).rows_per_s == 30.0


def test_s0_138_a_report_says_what_the_engine_told():
    seconds = {"wait": 1.0, "connect": 0.5, "query": 0.5, "fetch": 1.0}
    long = {**seconds, "query": 9.0}
    looks = Looks(1000.0)
    what = taken(
        ran(*ALL),
        times={"branch_001": [seconds], "branch_004": [long, seconds]},
        points=[looks.point(snapshot(1001.0, R=100))],
        samples=[
            *(Sample(at=1000.0 + 5 * n, lag_ms=float(n), memory=6000) for n in range(3)),
            Sample(at=1010.1, lag_ms=2.0),
        ],
        still_lent=(stats(2),),
        tries=7,
        again=1,
        stopped=True,
        cpu_s=2.0,
    )
    made = report(ground(), what, judged(ground(), what), MACHINE)
    assert made.times["try"].max == 11.5
    assert made.times["first row"].p50 == 2.0
    assert (made.times["wait"].p50, made.times["open"].p50) == (1.0, 0.5)
    assert made.rows_per_s == made.rows / 10
    assert (made.pools.peak, made.pools.lent, made.pools.efficiency) == (9, 2, 0.75)
    assert [each.connection for each in made.slowest] == ["branch_004", "branch_001"]
    assert made.came.failing == {"missing": 1}
    assert (made.came.stalling, made.came.stalls) == (1, 2)
    assert made.lost == {"no_database": 1}
    assert (made.lag.count, made.lag.max) == (3, 2.0)
    assert [each.at for each in made.beats] == [5.0, 10.0]
    assert made.peak_memory == 6000
    assert made.stopped
    assert not made.passed
    assert made.notes == ()


def test_a_report_says_where_the_engine_fell_silent():
    samples = [Sample(at=1000.0), Sample(at=1005.0)]
    what = taken(seconds=60.0, samples=samples)
    made = report(ground(), what, judged(ground(), what), MACHINE)
    assert made.notes == ("the engine took no sample for 55 s",)


def test_of_an_engine_that_told_nothing_there_is_a_report_too():
    what = Taken()
    made = report(ground(), what, judged(ground(), what), machine())
    assert made.passed
    assert made.rows_per_s == 0
    assert made.pools.limit == 0
    assert made.machine.cores >= 1


@pytest.mark.parametrize("fault", [replace(MISSING, trouble=None)])
def test_a_loss_without_a_reason_is_still_one(fault):
    where = ground(failing={})
    assert "branch_002" in wrong(taken(ran(fault)), where)[0]
