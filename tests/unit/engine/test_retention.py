"""Retention: what is removed, and above all what is not (S3-28)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.plan import Plan, plan_connection
from etltui.domain.queue import QueueEntry
from etltui.domain.run import RESUMABLE, ConnectionResult, ConnectionStatus, RunResult, RunStatus
from etltui.domain.stored import PublicationRow, PublicationState, RunRow
from etltui.engine.checkpoints import discard
from etltui.engine.retention import Limits, Removal, Stock, plan
from etltui.engine.tidy import take_stock, tidy
from etltui.store.mirror import CheckpointMirror

DAY = 86400.0
MB = 1024 * 1024
NOW = 1_000 * DAY
NEVER = Limits(keep_runs_days=0, checkpoint_keep_days=0)


def row(run, status, days_ago=0.0, job="sales", **more):
    """A run that ended so many days ago."""
    ended = None if status in {RunStatus.RUNNING, RunStatus.QUEUED} else NOW - days_ago * DAY
    facts = {"title": job, "plan_hash": "", "attempt": 1, "total": 3, "ended": ended, **more}
    return RunRow(run=run, job=job, status=status, started=NOW - days_ago * DAY, **facts)


def removed(*runs, limits=NEVER, **stock):
    return plan(Stock(runs=runs, **stock), now=NOW, limits=limits)


def test_s3_28_a_checkpoint_is_kept_thirty_days_and_no_longer():
    for days, gone in ((29.9, False), (30.1, True)):
        for status in RESUMABLE:
            old = row("R", status, days)
            found = removed(old, limits=Limits(), parts={"R": 1})
            assert found == Removal(checkpoints=(old,) if gone else ())
    assert removed(row("R", RunStatus.STOPPED, 900)) == Removal()


def test_a_crashed_run_without_an_end_is_as_old_as_its_start():
    crashed = row("R", RunStatus.STOPPED, 31, ended=None)
    assert removed(crashed, limits=Limits()).checkpoints == (crashed,)


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PUBLISHING])
def test_what_waits_or_is_under_way_is_left_alone(status):
    runs = (row("N", RunStatus.COMPLETED), row("R", status, 999))
    assert removed(*runs, limits=Limits(keep_parts_mb=1), parts={"R": 9 * MB}) == Removal()


def test_a_run_that_waits_to_be_resumed_is_left_alone():
    found = removed(
        row("R", RunStatus.STOPPED, 999),
        limits=Limits(),
        parts={"R": 1},
        queued=frozenset({"R"}),
    )
    assert found == Removal()


def test_a_run_that_only_waits_does_not_make_the_one_before_old():
    runs = (row("Q", RunStatus.QUEUED), row("R", RunStatus.STOPPED, 1))
    assert removed(*runs, limits=Limits(), parts={"R": 1}) == Removal()


@pytest.mark.parametrize(
    ("status", "stays"),
    [
        (RunStatus.COMPLETED, False),
        (RunStatus.DISCARDED, False),
        (RunStatus.COMPLETED_WITH_ERRORS, True),
        (RunStatus.FAILED, True),
        (RunStatus.STOPPED, True),
        (RunStatus.CANCELLED, True),
    ],
)
def test_parts_stay_while_the_newest_run_of_a_job_may_need_them(status, stays):
    found = removed(row("R", status, 1), parts={"R": 1}, keep_parts_days={"R": 7})
    assert found.parts == (() if stays else ("R",))
    newer = row("N", RunStatus.FAILED)
    assert removed(newer, row("R", status, 1), parts={"R": 1, "N": 1}).parts == ("R",)
    other = row("N", RunStatus.FAILED, job="other")
    found = removed(other, row("R", status, 1), parts={"R": 1}, keep_parts_days={"R": 7})
    assert found.parts == (() if stays else ("R",))


@pytest.mark.parametrize(("days", "keep", "gone"), [(6.9, 7, False), (7.1, 7, True), (0, 0, True)])
def test_parts_of_a_run_with_errors_stay_for_late_branches(days, keep, gone):
    late = row("R", RunStatus.COMPLETED_WITH_ERRORS, days)
    found = removed(late, parts={"R": 1}, keep_parts_days={"R": keep})
    assert found.parts == (("R",) if gone else ())


def test_parts_of_a_run_that_nobody_knows_go():
    assert removed(parts={"R": 1}).parts == ("R",)


def test_parts_that_take_too_much_go_oldest_first_but_never_those_to_resume_from():
    runs = [
        row("S", RunStatus.STOPPED, 20, job="s"),
        row("C", RunStatus.COMPLETED_WITH_ERRORS, 1, job="c"),
        row("A", RunStatus.COMPLETED_WITH_ERRORS, 3, job="a"),
        row("B", RunStatus.COMPLETED_WITH_ERRORS, 2, job="b"),
        row("R", RunStatus.RUNNING, 9, job="r"),
    ]
    stock = {
        "parts": {"S": 10 * MB, "C": 2 * MB, "A": 2 * MB, "B": 2 * MB, "R": 99 * MB},
        "keep_parts_days": dict.fromkeys("ABC", 7),
    }
    for most, gone in ((0, ""), (16, ""), (15, "A"), (14, "A"), (13, "AB"), (1, "ABC")):
        limits = Limits(keep_parts_mb=most)
        assert removed(*runs, limits=limits, **stock).parts == tuple(gone)


def test_records_of_a_year_go_but_never_the_newest_of_a_job():
    old = [row(f"R{n}", RunStatus.COMPLETED, 366 + n) for n in range(3)]
    lone = row("L", RunStatus.COMPLETED, 999, job="lone")
    assert removed(*old, lone, limits=Limits()).runs == ("R1", "R2")
    assert removed(row("N", RunStatus.FAILED), *old, limits=Limits()).runs == ("R0", "R1", "R2")
    assert removed(row("N", RunStatus.FAILED), row("R", RunStatus.STOPPED, 364)).runs == ()
    assert removed(row("N", RunStatus.FAILED), *old).runs == ()


def test_logs_go_oldest_first_and_the_one_being_written_counts():
    logs = {Path("c"): 3 * MB, Path("b"): 3 * MB, Path("a"): 3 * MB}
    for most, gone in ((0, ""), (10, ""), (9, "c"), (7, "c"), (6, "cb"), (1, "cba")):
        found = removed(logs=logs, log_bytes=MB, limits=Limits(keep_logs_mb=most))
        assert found.logs == tuple(map(Path, gone))


ROWS = st.lists(
    st.builds(
        row,
        run=st.uuids().map(str),
        status=st.sampled_from(RunStatus),
        days_ago=st.floats(0, 999),
        job=st.sampled_from(("a", "b")),
    ),
    max_size=12,
    unique_by=lambda each: each.run,
)


@given(ROWS, st.integers(0, 400), st.integers(0, 400), st.integers(0, 3))
def test_whatever_the_limits_nothing_that_is_needed_goes(rows, days, keep, most):
    limits = Limits(keep_runs_days=days, checkpoint_keep_days=keep, keep_parts_mb=most)
    parts = {each.run: MB for each in rows}
    found = removed(*rows, limits=limits, parts=parts, keep_parts_days=dict.fromkeys(parts, 7))
    begun = [each for each in rows if each.status is not RunStatus.QUEUED]
    newest = {job: next((r for r in begun if r.job == job), None) for job in ("a", "b")}
    for each in rows:
        is_newest = newest[each.job] == each
        if is_newest or each.status in {RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PUBLISHING}:
            assert each.run not in found.runs
        if is_newest and each.status in RESUMABLE:
            assert each.run not in found.parts
            young = keep == 0 or NOW - each.ended <= keep * DAY
            assert (each in found.checkpoints) == (not young)
    assert len(set(found.parts)) == len(found.parts)


def result(run, status, job="sales"):
    return RunResult(
        run=run,
        job=job,
        status=status,
        total=3,
        completed=1,
        failed=0,
        skipped=0,
        rows=6,
        seconds=1.0,
        reason="Ctrl-C",
    )


class Shelf:
    """A store with runs that are recorded as they would be."""

    def __init__(self, world):
        self.world = world
        self.store = world.store
        self.state = world.folder / "state"
        self.mirror = CheckpointMirror(self.state)

    async def run(self, name, status, *, job="sales"):
        made = await self.plan(name, job)
        await self.store.create_run(made, RunStatus.QUEUED)
        await self.store.move_run(name, RunStatus.RUNNING)
        if status is RunStatus.COMPLETED_WITH_ERRORS:
            await self.store.move_run(name, RunStatus.PUBLISHING)
        if status is not RunStatus.RUNNING:
            await self.store.finish_run(result(name, status, job))
        folder = self.state / "parts" / name / "0"
        folder.mkdir(parents=True)
        (folder / "0001-0-0.1.part").write_bytes(b"12345")

    async def plan(self, name, job):
        found = self.world.jobs[job]
        return Plan(
            run=name,
            job=found,
            started=self.world.clock.now(),
            connections=tuple(
                plan_connection(n, c, found) for n, c in enumerate(self.world.connections, 1)
            ),
            targets=(self.world.target,),
            hash="h",
        )

    async def tidy(self, **limits):
        now = self.world.clock.now()
        limits = Limits(**limits)
        acts = self.world.engine.acts
        return await tidy(self.store, self.mirror, self.state, now=now, limits=limits, acts=acts)

    @property
    def parts(self):
        return sorted(path.name for path in (self.state / "parts").iterdir())


@pytest.fixture
async def shelf(world):
    return Shelf(world)


async def write_mirror(shelf, job="sales"):
    now = shelf.world.clock.now()
    await shelf.mirror.write(job, "Sales", completed=["A"], failed=[], total=3, now=now)


async def test_an_old_checkpoint_is_given_up_for_good(shelf, tmp_path):
    await shelf.run("R", RunStatus.STOPPED)
    a = ConnectionResult(connection="A", status=ConnectionStatus.COMPLETED, rows=6)
    await shelf.store.checkpoint("R", a)
    temporary = tmp_path / ".x.etltui-tmp"
    temporary.write_text("half")
    begun = PublicationRow(
        run="R",
        destination=0,
        target=str(tmp_path / "x"),
        temporary=str(temporary),
        state=PublicationState.ASSEMBLING,
    )
    await shelf.store.move_publication(begun, PublicationState.ASSEMBLING)
    await write_mirror(shelf)
    shelf.world.clock.turn(30 * DAY)
    assert await shelf.tidy() == Removal()
    shelf.world.clock.turn(1)
    assert [each.run for each in (await shelf.tidy()).checkpoints] == ["R"]
    stored = await shelf.store.run("R")
    assert (stored.status, stored.reason) == (
        RunStatus.DISCARDED,
        "its checkpoint was older than 30 days",
    )
    assert (stored.result.completed, stored.result.status) == (1, RunStatus.DISCARDED)
    assert await shelf.store.unfinished("sales") is None
    assert shelf.parts == []
    assert not temporary.exists()
    assert not (shelf.state / "checkpoints" / "sales.json").exists()
    assert (await shelf.store.connections("R"))[0].result == a
    assert await shelf.tidy() == Removal()


async def test_a_run_that_crashed_has_no_result_and_is_given_up_likewise(shelf):
    await shelf.run("R", RunStatus.RUNNING)
    await shelf.store.aclose()
    await shelf.world.open()
    shelf.store = shelf.world.store
    shelf.world.clock.turn(31 * DAY)
    await shelf.tidy()
    stored = await shelf.store.run("R")
    assert (stored.status, stored.result) == (RunStatus.DISCARDED, None)


async def test_records_parts_and_logs_go_together(shelf, caplog):
    await shelf.run("OLD", RunStatus.COMPLETED_WITH_ERRORS)
    await shelf.run("NEW", RunStatus.COMPLETED_WITH_ERRORS)
    (shelf.state / "parts" / "nobodys").mkdir()
    (shelf.state / "parts" / "file").write_text("no folder")
    logs = shelf.state / "logs"
    logs.mkdir()
    (logs / "etltui.jsonl").write_bytes(bytes(MB))
    (logs / "etltui.jsonl.1").write_bytes(bytes(MB))
    with caplog.at_level("INFO", "etltui"):
        assert (await shelf.tidy(keep_logs_mb=1)).logs == (logs / "etltui.jsonl.1",)
    assert shelf.parts == ["NEW", "file"]
    assert [path.name for path in logs.iterdir()] == ["etltui.jsonl"]
    assert caplog.messages[1:] == ["Removed: 0 checkpoints, parts of 2 runs, 0 runs, 1 log files"]
    shelf.world.clock.turn(366 * DAY)
    found = await shelf.tidy()
    assert (found.parts, found.runs) == (("NEW",), ("OLD",))
    assert [each.run for each in await shelf.store.runs()] == ["NEW"]
    with caplog.at_level("INFO", "etltui"):
        caplog.clear()
        assert await shelf.tidy() == Removal()
    assert caplog.messages == []


async def test_what_cannot_be_removed_now_waits_for_the_next_time(shelf, monkeypatch):
    await shelf.run("R", RunStatus.COMPLETED_WITH_ERRORS)
    (shelf.state / "logs").mkdir()
    (shelf.state / "logs" / "etltui.jsonl.1").write_bytes(bytes(2 * MB))

    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refuse)
    assert len((await shelf.tidy(keep_logs_mb=1)).logs) == 1


async def test_stock_is_taken_where_nothing_is(shelf):
    assert await take_stock(shelf.store, shelf.state) == Stock(runs=[])


async def test_a_mirror_of_a_newer_run_stays(shelf):
    await shelf.run("R", RunStatus.STOPPED)
    await shelf.run("N", RunStatus.STOPPED)
    await write_mirror(shelf)
    old = await shelf.store.run("R")
    await discard(shelf.store, shelf.mirror, shelf.state / "parts", old)
    mirror = shelf.state / "checkpoints" / "sales.json"
    assert json.loads(mirror.read_text())["jobId"] == "sales"
    assert shelf.parts == ["N"]


async def test_what_waits_in_the_queue_is_known(shelf):
    entry = QueueEntry(run="Q", job="sales", type="extract", priority=1, submitted=0.0)
    await shelf.store.enqueue([entry], "Sales")
    stock = await take_stock(shelf.store, shelf.state)
    assert stock.queued == {"Q"}
    shelf.world.clock.turn(timedelta(days=999).total_seconds())
    assert await shelf.tidy() == Removal()


async def test_a_run_that_only_waits_does_not_keep_the_mirror_of_the_one_before(shelf):
    await shelf.run("R", RunStatus.STOPPED)
    entry = QueueEntry(run="Q", job="sales", type="extract", priority=1, submitted=0.0)
    await shelf.store.enqueue([entry], "Sales")
    await write_mirror(shelf)
    old = await shelf.store.run("R")
    await discard(shelf.store, shelf.mirror, shelf.state / "parts", old)
    assert not (shelf.state / "checkpoints" / "sales.json").exists()
