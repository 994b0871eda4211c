"""Which connections may come back, until when they are tried on, and when a run closes: N-1."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.cut_off import CutOff, cut_off_of
from etltui.domain.errors import ADVICE, ErrorClass, Failure, Trouble
from etltui.domain.job import Connection, CsvOptions, Destination, Job, Query
from etltui.domain.late import behind, comes_back, gap_s, late, late_rows, late_until, tried_on
from etltui.domain.plan import Plan, plan_connection
from etltui.domain.queue import Ask
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.stored import ConnectionRow

START = datetime(2026, 11, 21, 23, 5, tzinfo=UTC)
SERVER = Connection(name="B", kind="postgresql", url="postgresql://b/x", host="b", database="x")
FILE = Connection(name="F", kind="sqlite", url="sqlite:///f", database="f")


def plan(**changes):
    job = Job(
        name="sales",
        title="Sales",
        connections=("*",),
        queries=(Query(name="main", sql="select 1"),),
        destinations=(Destination(type="csv", path="x.csv", options=CsvOptions()),),
        cut_off="07:00",
        late_until="11:00",
        folder=Path("/"),
    )
    found = tuple(plan_connection(n, c, job) for n, c in enumerate((SERVER, FILE), start=1))
    made = {"run": "r", "job": job, "started": START, "connections": found, "targets": ("/x",)}
    return Plan(**made | changes)


def failed(name, error_class=ErrorClass.UNREACHABLE):
    return ConnectionResult(
        connection=name,
        status=ConnectionStatus.FAILED,
        trouble=Trouble(error_class=error_class, message="no"),
    )


@pytest.mark.parametrize(
    "error_class", ["unreachable", "refused", "busy", "timeout", "stalled", "lost"]
)
def test_n_1_who_is_out_of_reach_may_come_back(error_class):
    assert comes_back(ErrorClass(error_class), SERVER)
    assert ADVICE[ErrorClass(error_class)].transient


@pytest.mark.parametrize("error_class", ["login", "tls", "syntax", "no_database", "control"])
def test_who_refuses_does_not_come_back_by_itself(error_class):
    assert not comes_back(ErrorClass(error_class), SERVER)


def test_a_file_that_is_gone_is_out_of_reach():
    assert comes_back(ErrorClass.NO_DATABASE, FILE)


def test_late_are_those_that_failed_so_and_are_in_the_run():
    done = ConnectionResult(connection="B", status=ConnectionStatus.COMPLETED)
    skipped = ConnectionResult(
        connection="B",
        status=ConnectionStatus.SKIPPED,
        trouble=Trouble(error_class=ErrorClass.TIMEOUT, message="no"),
    )
    assert late(plan(), [failed("B"), failed("F", ErrorClass.LOGIN), failed("gone")]) == ("B",)
    assert late(plan(), [done, skipped, failed("F")]) == ("F",)


def test_one_that_was_broken_off_has_no_result_and_is_late_too():
    rows = [
        ConnectionRow(run="r", number=1, connection="B", hash="h", result=failed("B")),
        ConnectionRow(run="r", number=2, connection="F", hash="h"),
    ]
    assert late_rows(plan(), rows) == ("B", "F")
    assert late_rows(plan(), rows[:1]) == ("B",)


@pytest.mark.parametrize(
    ("status", "mark", "open_"),
    [
        ("completed_with_errors", "", True),
        ("completed_with_errors", "open", True),
        ("completed_with_errors", "ended", False),
        ("failed", "", True),
        ("completed", "open", False),
        ("cancelled", "open", False),
        ("stopped", "", False),
        ("stopped", "open", True),
        ("stopped", "ended", False),
    ],
)
def test_a_window_is_open_behind_an_end_but_not_behind_a_stop(status, mark, open_):
    until = late_until(RunStatus(status), plan(late=mark), "UTC")
    assert until == (datetime(2026, 11, 22, 11, tzinfo=UTC).timestamp() if open_ else 0.0)


def test_only_what_was_patched_can_be_behind():
    assert behind(RunStatus.STOPPED, plan(late="open"))
    assert not behind(RunStatus.STOPPED, plan())
    assert not behind(RunStatus.COMPLETED_WITH_ERRORS, plan(late="open"))


def test_gaps_widen():
    assert [gap_s(looks, 0) / 60 for looks in range(7)] == [1, 2, 4, 8, 15, 15, 15]


@given(st.integers(0, 1000), st.floats(0, 1, exclude_max=True))
def test_a_gap_is_lengthened_by_a_tenth_at_most(looks, jitter):
    assert gap_s(looks, 0) <= gap_s(looks, jitter) <= gap_s(looks, 0) * 1.1


def test_words():
    until = datetime(2026, 11, 22, 11, tzinfo=UTC).timestamp()
    assert tried_on(1, until, "UTC") == "1 connection is tried on until 11:00"
    assert late_until(RunStatus.FAILED, plan(), "UTC") == until
    assert tried_on(3, until, "Asia/Kolkata") == "3 connections are tried on until 16:30"


def test_n_1_a_run_closes_at_the_first_such_time_after_its_beginning():
    found = cut_off_of(plan(), START, "UTC")
    assert found == CutOff(at=datetime(2026, 11, 22, 7, tzinfo=UTC).timestamp(), clock="07:00")
    assert not found.behind(found.at - 1)
    assert found.behind(found.at)


@pytest.mark.parametrize(
    ("changes", "after"),
    [({}, 8), ({"published": ("B",)}, 0), ({"late": "open"}, 0)],
)
def test_what_begins_later_or_patches_does_not_close(changes, after):
    found = cut_off_of(plan(**changes), START + timedelta(hours=after), "UTC")
    assert found == CutOff()
    assert not found.behind(9e9)


def test_who_is_given_up_keeps_what_it_met():
    closes = CutOff(at=1.0, clock="07:00")
    last = Failure(ErrorClass.LOST, "the line broke", {"line": "VPN"})
    told = closes.given_up(last)
    assert (told.error_class, told.facts) == (ErrorClass.LOST, {"line": "VPN"})
    assert str(told) == "the line broke; not tried any more: the run closed at 07:00"
    told = closes.given_up(None)
    assert str(told) == "not read: the run closed at 07:00 before its turn came"
    assert comes_back(told.error_class, SERVER)


def test_what_the_engine_asks_of_itself():
    assert not Ask().patches
    assert Ask(late=True).patches
    assert Ask(provisional=True).patches
