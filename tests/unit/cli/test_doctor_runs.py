"""`etltui doctor` on how the last runs went; each finding induced."""

import asyncio
from datetime import timedelta

import pytest
from cli_desk import CONFIG, done, failed
from doctor_desk import MB, ask, engine, one

from etltui.domain.errors import ADVICE, ErrorClass, Failure
from etltui.domain.queue import QueueEntry
from etltui.domain.run import RunStatus
from etltui.engine.memory import Memory
from etltui.engine.space import Space
from etltui.store.mirror import CheckpointMirror


@pytest.fixture
def set_up(desk):
    desk.configure()
    desk.now -= timedelta(days=3)
    return desk


def record(desk, *results, **more):
    return asyncio.run(desk.record(*results, **more))


def test_s0_131_connections_that_time_out_again_and_again(set_up):
    slow = failed("A", ErrorClass.TIMEOUT, "the query took longer than 300 s")
    stalled = failed("A", ErrorClass.STALLED, "no row for 120 s")
    once = failed("B", ErrorClass.TIMEOUT, "x")
    record(set_up, slow, once, status=RunStatus.FAILED)
    assert one(set_up, "timeouts", "ok")
    record(set_up, stalled, failed("C"), status=RunStatus.FAILED)
    found = one(set_up, "timeouts", "warn")
    assert found["title"] == "timed out repeatedly in the last 2 runs: 1 connection"
    assert found["detail"] == (
        "A (2 times). Limits in force: connection_timeout_s = 30; "
        "sales: query_timeout_s = 300, stall_timeout_s = 120."
    )
    assert "QUERY_TIMEOUT_MS" in found["remedy"]
    set_up.configure(CONFIG.replace("query =", "query_timeout_s = 7\nquery ="))
    assert "sales: query_timeout_s = 7, stall" in one(set_up, "timeouts", "warn")["detail"]
    set_up.configure(settings="nonsense = 1")
    assert one(set_up, "timeouts", "warn")["detail"] == "A (2 times). "


def test_failures_are_told_class_by_class_with_what_to_do(set_up):
    assert one(set_up, "failures", "ok")["title"] == "No connection failed in the last 0 runs"
    record(set_up, failed("A"), failed("B"), failed("C", ErrorClass.LOGIN, "no"))
    record(set_up, failed("A"), status=RunStatus.FAILED)
    first, second = ask(set_up, "failures")
    assert first["title"] == "3 × unreachable in the last 2 runs"
    assert first["detail"] == f"{ADVICE[ErrorClass.UNREACHABLE].means} At: A, B"
    assert first["remedy"] == ADVICE[ErrorClass.UNREACHABLE].try_
    assert first["numbers"] == {"failures": 3, "connections": 2}
    assert second["title"] == "1 × login in the last 2 runs"


def test_only_the_last_ten_runs_count(set_up):
    record(set_up, failed("A"))
    for _ in range(10):
        record(set_up, done("A"))
    assert one(set_up, "failures", "ok")["title"] == "No connection failed in the last 10 runs"


def met(gate):
    """What the real gate says when it closes."""
    with pytest.raises(Failure) as closed:
        gate()
    return str(closed.value)


def test_s0_133_runs_that_the_memory_gate_stopped(set_up):
    gate = Memory(lambda: 600 * MB, threshold_mb=512, own=lambda: 0)
    record(set_up, reason=met(lambda: asyncio.run(gate.admit())))
    (found,) = [f for f in ask(set_up, "memory") if "stopped at" in f["title"]]
    assert found["title"] == "stopped at the threshold in the last run: 1 run"
    assert "memory_threshold_mb" in found["remedy"]


def test_s3_26_runs_that_the_disk_stopped(set_up, tmp_path):
    gate = Space(reserve_mb=256, free=lambda _: 0)
    said = met(lambda: gate.check({tmp_path: 5}))
    run = record(set_up, reason=said)
    (found,) = [f for f in ask(set_up, "disk") if "stopped by" in f["title"]]
    assert found["title"] == "stopped by a disk or target in the last run: 1 run"
    assert found["detail"] == f"{run}: {said}"
    for reason in ("not published: x", "cannot record: x"):
        record(set_up, reason=reason)
    (found,) = [f for f in ask(set_up, "disk") if "stopped by" in f["title"]]
    assert found["numbers"] == {"runs": 3}


def test_runs_that_ended_with_their_engine(set_up):
    run = record(set_up, status=RunStatus.RUNNING)

    async def next_engine():
        async with await set_up.open():
            pass

    asyncio.run(next_engine())
    (found,) = [f for f in ask(set_up, "engine") if f["level"] == "warn"]
    assert found["title"] == "ended with the engine in the last run: 1 run"
    assert run in found["detail"]


def test_s3_26_rows_that_could_not_be_written(set_up):
    assert one(set_up, "writing", "ok")
    run = record(set_up, failed("A", ErrorClass.DISK, "x"), failed("B"))
    found = one(set_up, "writing", "warn")
    assert (found["title"], found["detail"]) == (
        "read and not written: 1 connection",
        "At: A",
    )
    told = refused(set_up, run, "C")
    found = one(set_up, "writing", "warn")
    assert found["detail"] == f"{told}. At: A, C"
    refused(set_up, "of another run", "B")
    assert one(set_up, "writing", "warn") == found


def refused(desk, run, name):
    """The line of a connection whose rows could not be written."""
    told = f"Failed to write CSV progressively for {name}: No space left on device"
    desk.log({"message": told, "level": "error", "run": run, "connection": name})
    return told


def test_a_value_that_was_refused_is_told_once_and_with_its_own_advice(set_up):
    run = record(set_up, failed("A", ErrorClass.VALUE, "x"), status=RunStatus.COMPLETED_WITH_ERRORS)
    refused(set_up, run, "A")
    assert one(set_up, "writing", "ok")
    assert one(set_up, "failures", "warn")["remedy"] == ADVICE[ErrorClass.VALUE].try_


def test_what_was_written_later_is_no_trouble_any_more(set_up):
    run = record(set_up, done("A"), failed("B", ErrorClass.TARGET, "x"))
    refused(set_up, run, "A")
    assert one(set_up, "writing", "warn")["detail"] == "At: B"
    run = record(set_up, done("A"), done("B"), status=RunStatus.COMPLETED)
    refused(set_up, run, "taken out of the job since")
    assert one(set_up, "writing", "ok")


def test_unfinished_runs_are_told_with_their_age_and_the_command(set_up):
    assert one(set_up, "unfinished", "ok")
    run = record(set_up, done("A"), failed("B"), reason="stopped by SIGINT")
    found = one(set_up, "unfinished", "warn")
    assert found["title"] == f"sales: {run} is stopped, 1 of 3 connections done"
    assert found["detail"] == "3 days ago: stopped by SIGINT. Kept for 30 days."
    assert found["remedy"] == "etltui run sales --resume"
    record(set_up, done("A"), done("B"), done("C"), status=RunStatus.COMPLETED)
    assert one(set_up, "unfinished", "ok")


RESUMED = CONFIG.replace("query =", "resume = true\nquery =")


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        (CONFIG, "", "Resume is off, so a start without --resume begins afresh."),
        (RESUMED, "resume_jobs = false", "Resume is off, so a start without --resume begins"),
        (RESUMED.replace("select 1", "select 2"), "", "The job was changed since: query main."),
        (CONFIG.replace("jobs.sales", "jobs.other"), "", "The job is not configured any more."),
        (RESUMED, "", ""),
        (CONFIG, "resume_jobs = true", ""),
    ],
)
def test_s3_26_why_a_run_is_not_taken_up(set_up, text, settings, said):
    run = record(set_up, done("A"))
    set_up.configure(text, settings)
    found = ask(set_up, "resume")
    assert len(found) == bool(said)
    for each in found:
        assert each["title"] == f"sales: {run} is not taken up by itself"
        assert each["detail"].startswith(said)
        assert "etltui checkpoints delete sales" in each["remedy"]


def test_a_finished_run_needs_no_resuming(set_up):
    record(set_up, status=RunStatus.RUNNING)
    assert ask(set_up, "resume") == []
    record(set_up, done("A"))
    set_up.configure(settings="nonsense = 1")
    assert ask(set_up, "resume") == []


def test_s3_26_checkpoints_that_are_not_mirrored(set_up):
    record(set_up, failed("A"))
    assert one(set_up, "checkpoints", "ok")
    record(set_up, done("A"))
    assert one(set_up, "checkpoints", "warn")["detail"].startswith("No file for sales. Resuming")

    async def mirror():
        written = CheckpointMirror(set_up.state)
        now = set_up.now
        await written.write("sales", "S", completed=["A"], failed=[], total=3, now=now)

    asyncio.run(mirror())
    assert one(set_up, "checkpoints", "ok")


def test_s3_26_the_checkpoints_folder_is_none(set_up, monkeypatch):
    record(set_up, failed("A"))
    place = set_up.state / "checkpoints"
    place.write_text("a file")
    found = one(set_up, "checkpoints", "warn")
    assert found["detail"].startswith(f"{place} is no folder.")
    place.unlink()
    place.mkdir()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert f"{place} may not be written." in one(set_up, "checkpoints", "warn", 1)["detail"]


def test_s1_68_runs_that_nobody_works_on(set_up):
    run = record(set_up, status=RunStatus.RUNNING)
    found = one(set_up, "queue", "fail", 1)
    assert found["title"] == "recorded as running, but no engine runs: 1 run"
    assert found["detail"].startswith(run)
    assert "etltui run sales --resume" in found["remedy"]
    with engine(set_up):
        assert [f for f in ask(set_up, "queue") if f["level"] == "fail"] == []


def test_s1_68_runs_that_wait_for_no_engine(set_up):
    entry = QueueEntry(run="Q", job="sales", type="extract", priority=1, submitted=0.0, keep=True)

    async def wait():
        async with await set_up.open() as store:
            await store.enqueue([entry], "Sales")

    asyncio.run(wait())
    found = one(set_up, "queue", "fail", 1)
    assert found["title"] == "waiting, but no engine runs: 1 run"
    assert found["remedy"].endswith(": etltui serve")
    assert found["detail"] == "Q"
