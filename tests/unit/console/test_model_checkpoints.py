"""What unfinished runs hold, in words, and whether they can go on."""

from dataclasses import replace

import pytest

import console_world as cw
from console_past import row
from etltui.console.cells import Styled, text_of
from etltui.console.glyphs import UNICODE
from etltui.console.model import checkpoints as m
from etltui.domain.plan import Plan, plan_hash
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.stored import ConnectionRow
from etltui.domain.words import local


def ended(number, status=ConnectionStatus.COMPLETED, rows=1000):
    result = ConnectionResult(connection=f"b{number}", status=status, rows=rows)
    return ConnectionRow(run="r", number=number, connection=f"b{number}", hash="h", result=result)


WAITS = ConnectionRow(run="r", number=9, connection="b9", hash="h")


@pytest.fixture
def config(tmp_path):
    return cw.configured(tmp_path)


def fitting(config, **facts):
    """A stopped run whose plan is that of its job."""
    hash_ = plan_hash(config.jobs["gst_sales"])
    return replace(row(status=RunStatus.STOPPED), plan_hash=hash_, **facts)


def plan_of(config, sql):
    job = config.jobs["gst_sales"]
    query = replace(job.queries[0], sql=sql)
    old = replace(job, queries=(query,))
    return Plan(run="r", job=old, started=local(cw.AT, "UTC"), connections=(), targets=(), hash="h")


def test_only_what_can_be_taken_up_or_works_is_listed_the_newest_first():
    last = {
        str(n): replace(row(status=status), run=str(status), started=n)
        for n, status in enumerate(RunStatus)
    }
    assert [each.run for each in m.unfinished(last)] == [
        "cancelled",
        "stopped",
        "failed",
        "publishing",
        "running",
    ]
    live = [("a", RunStatus.QUEUED), ("b", RunStatus.RUNNING), ("c", RunStatus.FAILED)]
    assert m.queued_runs(live) == {"a", "b"}


def test_a_run_that_fits_can_go_on(config):
    assert m.hindrance(fitting(config), config, None) == ""
    assert not m.changed_plan(fitting(config), config)


def test_what_has_changed_is_named(config):
    """S3-31: resumable, or why not."""
    old = row(status=RunStatus.STOPPED)
    assert m.changed_plan(old, config)
    said = m.hindrance(old, config, plan_of(config, "SELECT 1"))
    assert said.startswith("The plan has changed: query ")
    assert m.hindrance(old, config, None).startswith("The plan has changed.")


def test_a_job_that_is_gone_or_off_hinders(config):
    lost = replace(row(status=RunStatus.STOPPED), job="lost")
    assert not m.changed_plan(lost, config)
    assert m.hindrance(lost, config, None).startswith("Its job is not in the configuration")
    off = replace(config, jobs={"gst_sales": replace(config.jobs["gst_sales"], enabled=False)})
    assert m.hindrance(fitting(config), off, None).startswith("Its job is off")


def test_a_row_says_what_is_durable():
    failed = ended(3, ConnectionStatus.FAILED, rows=50)
    saved = m.Saved(
        row=row(status=RunStatus.STOPPED),
        connections=(ended(1), ended(2), failed, WAITS),
        bytes=1_600_000,
    )
    assert (saved.done, saved.failed, saved.rows, saved.resumable) == (2, 1, 2000, True)
    shown = m.row_of_saved(saved, cw.AT, UNICODE, "UTC")
    assert shown.done == Styled("2/8", "bad")
    assert (shown.rows, shown.bytes, shown.why) == ("2,000", "1.6 MB", Styled("yes", "ok"))
    assert text_of(shown.status) == "‖ stopped"
    file = saved.checkpoint().file(local(cw.AT, "UTC"))
    assert (file.completed, file.failed, file.total) == (("b1", "b2"), ("b3",), 8)
    assert m.kept_bytes([saved, replace(saved, bytes=None)]) == 1_600_000


def test_what_is_not_read_yet_says_so():
    shown = m.row_of_saved(m.Saved(row=row(status=RunStatus.FAILED)), cw.AT, UNICODE, "UTC")
    assert [shown.done, shown.rows, shown.bytes] == [Styled("…", "muted")] * 3


def test_what_goes_on_by_itself_or_not_at_all_is_told_apart():
    waits = m.Saved(row=row(status=RunStatus.STOPPED), connections=(WAITS,), queued=True)
    shown = m.row_of_saved(waits, cw.AT, UNICODE, "UTC")
    assert (shown.why, waits.resumable) == (Styled("by itself", "muted"), False)
    assert shown.done == "0/8"
    works = m.row_of_saved(
        m.Saved(row=row(status=RunStatus.RUNNING), queued=True), cw.AT, UNICODE, "UTC"
    )
    assert works.why == Styled("at work", "muted")
    stuck = m.Saved(row=row(status=RunStatus.STOPPED), hindrance="Its job is off.")
    assert not stuck.resumable
    shown = m.row_of_saved(stuck, cw.AT, UNICODE, "UTC")
    assert shown.why == Styled("no: its job is off.", "warn")
