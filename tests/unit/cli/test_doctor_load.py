"""`etltui doctor` on an engine at work; each finding induced."""

import asyncio
import sqlite3
from datetime import timedelta

import pytest
from cli_desk import CONFIG, done, failed
from doctor_desk import MB, age_files, ask, engine, judged, one, pools, snapshot, tell, view

from etltui.doctor.gather import gather
from etltui.domain.errors import ErrorClass
from etltui.domain.pools import Leak
from etltui.domain.queue import QueueEntry
from etltui.domain.run import RunStatus
from etltui.domain.strays import Stray


@pytest.fixture
def at_work(desk):
    """A desk at which a run has been under way for an hour."""
    desk.configure()
    hour_ago = desk.now - timedelta(hours=1)
    desk.run = asyncio.run(desk.record(done("A"), status=RunStatus.RUNNING, started=hour_ago))
    return desk


def entry(desk, run, minutes, **changes):
    submitted = (desk.now - timedelta(minutes=minutes)).timestamp()
    usual = {"job": f"job-{run}", "type": "extract", "priority": 1, "submitted": submitted}
    return QueueEntry(run=run, **{**usual, "keep": True, **changes})


async def enqueue(desk, *entries):
    async with await desk.open() as store:
        await store.enqueue(entries, "Title")


def test_s0_132_a_queue_that_backs_up(desk):
    """S0-126: the depth of the queue is watched."""
    desk.configure()
    later = (desk.now + timedelta(hours=9)).timestamp()
    entries = [entry(desk, "Q", 9), entry(desk, "D", 99, not_before=later)]
    asyncio.run(enqueue(desk, *entries))
    with engine(desk):
        assert one(desk, "queue", "ok")["title"] == "waiting: 1 run"
    asyncio.run(enqueue(desk, entry(desk, "R", 11)))
    with engine(desk):
        found = one(desk, "queue", "warn")
    assert found["title"] == "the queue backs up: 1 run due, one for 11 minutes"
    assert found["detail"] == "job-R. max_jobs = 10, max_jobs_per_type = 5."
    assert "deadlocks and long queries" in found["remedy"]
    assert "JOB_QUEUE_MAX_CONCURRENT" in found["remedy"]
    desk.configure(settings="nonsense = 1")
    with engine(desk):
        assert one(desk, "queue", "warn", 1)["detail"] == "job-R."


def test_s0_132_deadlocks_and_long_transactions(desk):
    desk.configure()
    locked = failed("A", ErrorClass.BUSY, "database is locked")
    asyncio.run(desk.record(locked, failed("B", ErrorClass.BUSY, "deadlock")))
    found = one(desk, "queue", "warn")
    assert found["title"] == "what was to be read was locked: 2 times"
    assert found["detail"] == "At A, B: a long transaction or a deadlock."


@pytest.mark.parametrize(
    ("names", "said"),
    [(["", "sales"], "paused: the whole queue"), (["sales"], "paused: sales")],
)
def test_a_pause_is_told(desk, names, said):
    async def pause():
        async with await desk.open() as store:
            for name in names:
                await store.pause(name, paused=True)

    asyncio.run(pause())
    assert one(desk, "queue", "warn", 1)["title"] == said


def test_sessions_that_are_all_in_use_or_held_too_long(at_work):
    leak = Leak(holder="run R, Branch_007", pool="sqlite x", seconds=720)
    busy = pools(places=50, waiting=31, leaks=(leak,), locked_credentials=("central",))
    asyncio.run(tell(at_work, snapshot(at_work.now, pools=busy)))
    with engine(at_work):
        full, leaked, locked = ask(at_work, "connections")
    assert full["title"] == "all 50 sessions in use, waiting: 31"
    assert full["numbers"] == {"waiting": 31, "places": 50}
    assert leaked["title"] == "held longer than expected: 1 session"
    assert leaked["detail"] == "run R, Branch_007 (12 minutes)"
    assert locked["title"] == "not tried any more: central"
    # What an engine said that has ended since is no news.
    assert ask(at_work, "connections") == []


def test_what_an_engine_of_another_version_told_hides_nothing_else(at_work):
    asyncio.run(tell(at_work, snapshot(at_work.now)))
    database = sqlite3.connect(at_work.state / "state.db")
    with database:
        database.execute("UPDATE live SET snapshot = '{}'")
    database.close()
    with engine(at_work):
        assert one(at_work, "records", "ok")


def test_what_an_engine_told_long_ago_is_no_news(at_work):
    told = at_work.now - timedelta(minutes=2)
    asyncio.run(tell(at_work, snapshot(told, pools=pools(places=50, waiting=31))))
    with engine(at_work):
        assert ask(at_work, "connections") == []


def test_sessions_that_wait_while_there_is_room_are_no_news(at_work):
    asyncio.run(tell(at_work, snapshot(at_work.now, pools=pools(waiting=3))))
    with engine(at_work):
        assert ask(at_work, "connections") == []


def test_s0_133_memory_that_is_short(at_work):
    for used, told in ((818, False), (820, True)):
        asyncio.run(tell(at_work, snapshot(at_work.now, memory=used * MB)))
        with engine(at_work):
            found = [f for f in ask(at_work, "memory") if f["title"].endswith("MB are in use")]
        assert len(found) == told
    assert found[0]["title"] == "820 of 1,024 MB are in use"


def test_s4_30_what_was_not_given_back(at_work):
    stray = Stray(kind="descriptor", name="12: /data/north.db", seconds=720)
    asyncio.run(tell(at_work, snapshot(at_work.now, strays=(stray,))))
    with engine(at_work):
        found = one(at_work, "memory", "warn")
    assert found["title"] == "not given back: 1 thing"
    assert found["detail"] == "descriptor 12: /data/north.db (12 minutes)"
    assert found["numbers"] == {"strays": 1}


def weighed(desk, run, *used):
    desk.log(*({"message": f"Memory usage: {mb}MB / 512MB (48.8%)", "run": run} for mb in used))


def test_s3_26_memory_that_still_grows(desk):
    weighed(desk, "OLD", *range(100, 500, 10))
    weighed(desk, "FLAT", 100, 250, 240, 255, 250, 245, 250, 251)
    assert [f["level"] for f in ask(desk, "memory")] == ["ok"]
    weighed(desk, "FEW", 100, 200, 300)
    assert [f["level"] for f in ask(desk, "memory")] == ["ok"]
    weighed(desk, "GROWS", 100, 120, 140, 160, 180, 200, 220, 240)
    found = one(desk, "memory", "warn", 1)
    assert found["title"] == "memory grew all through GROWS: from 110 to 230 MB"
    assert "max_parallel" in found["remedy"]
    desk.now -= timedelta(days=2)
    weighed(desk, "LONG AGO", *range(100, 500, 10))
    assert "GROWS" in one(desk, "memory", "warn", 1)["title"]


def test_s0_133_a_job_that_hangs(at_work):
    with engine(at_work):
        assert [f for f in ask(at_work, "memory") if "running for" in f["title"]] == []
    at_work.now -= timedelta(days=1)
    asyncio.run(at_work.record(done("A"), status=RunStatus.COMPLETED))
    at_work.now += timedelta(days=1)
    hour_ago = at_work.now - timedelta(hours=1)
    run = asyncio.run(at_work.record(status=RunStatus.RUNNING, started=hour_ago))
    with engine(at_work):
        (found,) = [f for f in ask(at_work, "memory") if "running for" in f["title"]]
    assert found["title"] == "sales has been running for 1 hour, at most 2 seconds before"
    assert run in found["remedy"]


async def nobody():
    """An engine that does not answer."""


def asked(desk, live):
    """The facts, with an engine that can be asked."""
    now = desk.now.timestamp()
    found = gather(
        config=desk.config,
        mistakes=(),
        state=desk.state,
        environ={},
        now=now,
        live=live,
    )
    return asyncio.run(found)


def stuck(facts):
    return judged(facts, "progress")


def old(desk):
    age_files(desk.state / "parts", desk.now - timedelta(minutes=59))


def test_s0_134_a_run_that_does_not_move(at_work):
    with engine(at_work):
        assert one(at_work, "progress", "ok")["title"] == "No run stands still"
        old(at_work)
        found = one(at_work, "progress", "fail", 1)
    assert found["title"] == f"sales: {at_work.run} has not moved for 59 minutes"
    assert "stall_timeout_s" in found["remedy"]
    # Without an engine it is not stuck but dead.
    assert one(at_work, "progress", "ok")


def test_s0_134_any_sign_of_life_counts(at_work):
    old(at_work)
    at_work.log({"message": "Executing connection: B", "run": at_work.run})
    with engine(at_work):
        assert one(at_work, "progress", "ok")
    (at_work.state / "logs" / "etltui.jsonl").unlink()
    moved = view(at_work.run, RunStatus.RUNNING, at_work.now - timedelta(minutes=9))
    told = snapshot(at_work.now, moved)

    async def ask_engine():
        return told

    with engine(at_work):
        assert stuck(asked(at_work, ask_engine)) == [("ok", "No run stands still")]
        for silent in (None, nobody):
            ((level, _),) = stuck(asked(at_work, silent))
            assert level == "fail"


def test_s0_134_an_engine_that_says_nothing_any_more(at_work):
    # Recorded by an engine of another process: opening the store here would end its run.
    async def silent():
        return snapshot(
            at_work.now - timedelta(minutes=5),
            view(at_work.run, RunStatus.RUNNING, at_work.now - timedelta(minutes=5)),
        )

    said = "the engine has not said for 5 minutes how it stands"
    with engine(at_work):
        assert stuck(asked(at_work, silent)) == [("warn", said)]


def test_s0_134_streaming_that_is_off(desk):
    desk.configure(CONFIG, "streaming = false")
    assert one(desk, "progress", "warn")["remedy"] == "Set streaming = true"


def test_errors_in_the_log_are_told(desk):
    assert one(desk, "log", "ok", 1)
    desk.log({"message": "first", "level": "error"}, {"message": "the \x1b last", "level": "error"})
    desk.now -= timedelta(days=2)
    desk.log({"message": "old", "level": "error"})
    found = one(desk, "log", "warn", 1)
    assert found["title"] == "2 errors in the log of the last day"
    assert "␛" in desk.ask("doctor").output
