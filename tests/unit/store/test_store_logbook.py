"""The logbook as recorded: samples, actions, holds, outcomes, and lists of runs."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
import store_samples as sample
from store_samples import NOW, RUN

from etltui.domain.errors import ErrorClass
from etltui.domain.identity import first_met
from etltui.domain.logbook import Action, Hold, Outcome, Sample, spent
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.server import ServerFacts
from etltui.store.folder import DATABASE
from etltui.store.history import open_history
from etltui.store.logbook import by_the_minute
from etltui.store.sqlite import SqliteStore

AT = 1_800_000_000.0
"""A full minute."""
DAY = 86_400
HELD = Hold(connection="B001", reason="line is cut", who="asha@desk", since=AT)


def taken(seconds, **numbers):
    return Sample(at=AT + seconds, **numbers)


async def test_samples_come_back_as_they_were_taken(store):
    """Short of as many as are asked for, each stands for itself."""
    numbers = {"lent": 3.0, "waiting": 1.0, "memory": 5e8, "completed": 1.0, "lag_ms": 2.5}
    await store.put_samples([taken(0, **numbers), taken(5)])
    assert await store.samples(AT, AT + 10) == [taken(0, **numbers), taken(5)]
    assert await store.samples(AT, AT + 5) == [taken(0, **numbers)]
    assert await store.samples(AT + 1, AT + 10) == [taken(5)]
    assert await store.samples(AT + 100, AT + 200) == []


async def test_no_sample_and_no_commit_where_there_is_nothing_to_add(store):
    before = store.commits
    await store.put_samples([])
    assert store.commits == before


async def test_the_same_moment_is_kept_once(store):
    await store.put_samples([taken(0, lent=1.0)])
    await store.put_samples([taken(0, lent=2.0)])
    assert await store.samples(AT, AT + 1) == [taken(0, lent=1.0)]


async def test_several_moments_are_told_as_one(store):
    """Means, but for waiting, memory and lag the worst, and for ended runs all of them."""
    await store.put_samples(
        [
            taken(0, lent=1.0, waiting=9.0, memory=100.0, lag_ms=1.0, completed=1.0),
            taken(5, lent=3.0, waiting=1.0, memory=700.0, lag_ms=8.0, completed=2.0, failed=1.0),
            taken(10, lent=7.0),
        ],
    )
    first, second = await store.samples(AT, AT + 20, points=2)
    assert first == taken(
        0, lent=2.0, waiting=9.0, memory=700.0, lag_ms=8.0, completed=3.0, failed=1.0
    )
    assert second == taken(10, lent=7.0)


async def test_a_minute_is_added_up_although_it_comes_in_two_halves(store):
    await store.put_samples([taken(5 * n, lent=1.0, completed=1.0) for n in range(6)])
    await store.put_samples([taken(30 + 5 * n, lent=3.0, memory=7.0) for n in range(6)])
    await store.put_samples([taken(60, lent=5.0)])
    told = await store.samples(AT, AT + 7 * DAY, points=7 * 24 * 60)
    assert told == [taken(0, lent=2.0, completed=6.0, memory=7.0), taken(60, lent=5.0)]


async def test_at_most_so_many_are_told_whatever_there_is(store):
    await store.put_samples([taken(5 * n) for n in range(1000)])
    for points in (1, 7, 200):
        assert len(await store.samples(AT, AT + 5000, points=points)) == points
        assert len(await store.samples(AT, AT + DAY, points=points)) <= points


async def test_what_is_too_old_for_each_moment_is_told_by_the_minute(store):
    await store.put_samples([taken(5 * n, lent=1.0) for n in range(24)])
    await store.put_samples([taken(DAY + 120, lent=4.0)])
    await store.drop_spent(spent(AT + DAY + 120, keep_runs_days=0))
    assert await store.samples(AT, AT + 120, points=1000) == [
        taken(0, lent=1.0),
        taken(60, lent=1.0),
    ]
    await store.drop_spent(spent(AT + 8 * DAY + 60, keep_runs_days=0))
    assert await store.samples(AT, AT + 120, points=1000) == [taken(60, lent=1.0)]
    assert await store.samples(AT + DAY, AT + 2 * DAY) == [taken(DAY + 120, lent=4.0)]


@pytest.mark.parametrize(
    ("width", "fine", "coarse", "minutes"),
    [
        (60.0, AT, AT, True),
        (59.0, AT, AT, False),
        (5.0, None, AT, True),
        (5.0, AT, None, False),
        (5.0, AT, AT - 60, False),
        (5.0, AT, AT - 61, True),
    ],
)
def test_which_samples_are_read(width, fine, coarse, minutes):
    assert by_the_minute(width, fine=fine, coarse=coarse) is minutes


async def test_what_was_done_is_listed_newest_first(store):
    done = [
        Action(
            at=AT + n, who="asha@desk", what="submit", target=f"job {n}", detail="x", outcome="y"
        )
        for n in range(3)
    ]
    await store.put_actions(done[:1])
    await store.put_actions(done[1:])
    assert await store.actions() == done[::-1]
    assert await store.actions(limit=1) == done[2:]
    assert await store.actions(since=AT + 1) == [done[2], done[1]]


async def test_what_was_done_is_never_rewritten_but_has_its_time(store, folder):
    old, new = (Action(at=at, who="a@b", what="submit") for at in (AT, AT + 2))
    await store.put_actions([old, new])
    with (
        closing(sqlite3.connect(folder / DATABASE)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="never rewritten"),
    ):
        connection.execute("UPDATE actions SET who = 'nobody'")
    await store.drop_spent(spent(AT + DAY + 1, keep_runs_days=0))
    assert await store.actions() == [new, old]
    await store.drop_spent(spent(AT + DAY + 1, keep_runs_days=1))
    assert await store.actions() == [new]


async def test_a_hold_is_there_until_it_is_dropped_and_outlives_the_store(store, folder, clock):
    other = Hold(connection="B000", reason="moves", who="r@d", since=AT, until=AT + 9)
    await store.put_holds([HELD, other])
    await store.put_holds([replace(HELD, reason="line is still cut")])
    assert await store.holds() == [other, replace(HELD, reason="line is still cut")]
    await store.aclose()
    async with await SqliteStore.open(folder, clock=clock) as again:
        await again.drop_holds(["B001", "B404"])
        assert await again.holds() == [other]
        await again.drop_spent(spent(AT + 8, keep_runs_days=1))
        assert await again.holds() == [other]
        await again.put_holds([HELD])
        await again.drop_spent(spent(AT + 9, keep_runs_days=1))
        assert await again.holds() == [HELD]


async def test_n_19_what_a_connection_is_known_to_be_outlives_the_store(store, folder, clock):
    facts = ServerFacts(product="PostgreSQL 15.1", identity="7/1/1", started="10.5")
    one, other = (first_met(name, facts, AT) for name in ("B001", "B000"))
    await store.put_identities([one, other])
    met = one.met(replace(facts, identity="7/1/2"), AT + 1)
    await store.put_identities([met])
    assert await store.identities() == [other, met]
    await store.aclose()
    async with await SqliteStore.open(folder, clock=clock) as again:
        await again.put_identities([met.approved("r@d", AT + 2)])
        assert await again.identities() == [other, met.approved("r@d", AT + 2)]


def good(number, **changes):
    found = Outcome(
        connection=f"B{number:03d}",
        job="gst_sales",
        run=RUN,
        at=NOW.timestamp(),
        status=ConnectionStatus.COMPLETED,
        rows=6,
        seconds=0.25,
    )
    return replace(found, **changes)


async def test_how_connections_ended_is_listed_over_all_runs(running, clock):
    store = running
    assert await store.outcomes(0) == []
    await store.checkpoint(RUN, sample.completed(), sample.receipts())
    clock.time = NOW.replace(minute=31)
    later = clock.time.timestamp()
    await store.checkpoint(RUN, sample.failed("B001"))
    bad = good(
        1,
        at=later,
        status=ConnectionStatus.FAILED,
        rows=0,
        seconds=0.0,
        error_class=ErrorClass.LOGIN,
    )
    assert await store.outcomes(0) == [good(0), bad]
    assert await store.outcomes(later) == [bad]
    assert await store.connection_history("B001") == [bad]
    # Read again, it has ended another way.
    clock.time = NOW.replace(minute=32)
    await store.checkpoint(RUN, sample.completed("B001"), sample.receipts("B001"))
    assert await store.connection_history("B001") == [good(1, at=clock.time.timestamp())]


async def test_the_newest_of_a_connection_come_first(store, clock):
    for number in range(3):
        run = f"2026112{number}T230500Z-7F3K"
        await store.create_run(sample.plan(run=run), RunStatus.RUNNING)
        clock.time = NOW.replace(minute=number)
        await store.checkpoint(run, sample.completed(), sample.receipts(run=run))
    found = await store.connection_history("B000", limit=2)
    assert [each.run[:8] for each in found] == ["20261122", "20261121"]


async def test_what_is_far_from_usual_is_known_when_the_run_has_ended(running):
    store = running
    await store.checkpoint(RUN, sample.completed(), sample.receipts())
    await store.checkpoint(RUN, sample.completed("B001"), sample.receipts("B001"))
    await store.move_run(RUN, RunStatus.PUBLISHING)
    await store.finish_run(sample.ended(unusual={"B001": "empty, usually 9"}))
    assert await store.outcomes(0) == [good(0), good(1, far="empty, usually 9")]


async def test_what_a_deleted_run_came_to_goes_with_it(running):
    store = running
    await store.checkpoint(RUN, sample.completed(), sample.receipts())
    await store.delete_runs([RUN])
    assert await store.outcomes(0) == []


async def test_a_word_of_another_version_is_a_mistake_and_not_the_end(running, folder):
    store = running
    await store.checkpoint(RUN, sample.failed())
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("UPDATE outcomes SET status = 'eaten', error_class = 'moths'")
        connection.commit()
    (found,) = await store.outcomes(0)
    assert (found.status, found.error_class) == (ConnectionStatus.FAILED, ErrorClass.INTERNAL)


def ended_run(run, *, unusual=None):
    return sample.ended(run=run, unusual=unusual or {})


def version_2(store_folder):
    """A folder as version 2 of the database left it, from one of today."""
    with closing(sqlite3.connect(store_folder / DATABASE)) as connection:
        tables = ("samples", "minutes", "actions", "holds", "outcomes", "identities", "audit")
        for table in tables:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE pauses DROP COLUMN checksum")
        connection.execute("PRAGMA user_version = 2")
        connection.commit()


async def test_what_an_older_version_recorded_is_listed_too(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(4), RunStatus.RUNNING)
        await store.checkpoint(RUN, sample.completed(), sample.receipts())
        await store.checkpoint(RUN, sample.failed("B001"))
        await store.checkpoint(RUN, sample.completed("B003"), sample.receipts("B003"))
        await store.move_run(RUN, RunStatus.PUBLISHING)
        await store.finish_run(ended_run(RUN, unusual={"B000": "usually empty"}))
    version_2(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("UPDATE run_connections SET result = '{' WHERE connection = 'B003'")
        connection.commit()
    async with await SqliteStore.open(folder, clock=clock) as store:
        bad = good(
            1, status=ConnectionStatus.FAILED, rows=0, seconds=0.0, error_class=ErrorClass.LOGIN
        )
        assert await store.outcomes(0) == [good(0, far="usually empty"), bad]


async def test_a_damaged_result_does_not_stop_the_way_to_the_new_version(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        await store.create_run(sample.plan(), RunStatus.RUNNING)
        await store.checkpoint(RUN, sample.completed(), sample.receipts())
    version_2(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("UPDATE runs SET result = '{', ended = NULL")
        connection.commit()
    async with await SqliteStore.open(folder, clock=clock) as store:
        # The run itself came back by its marks.
        assert await store.outcomes(0) == [good(0)]


async def test_runs_are_listed_by_status_and_time(store):
    jobs = ("a", "b", "a")
    for number, job in enumerate(jobs):
        plan = sample.plan(run=f"R{number}", of=sample.job(job))
        started = plan.started.replace(minute=number)
        await store.create_run(replace(plan, started=started), RunStatus.RUNNING)
    await store.move_run("R0", RunStatus.STOPPED)
    await store.move_run("R1", RunStatus.FAILED)

    async def names(**asked):
        return [row.run for row in await store.runs(**asked)]

    assert await names() == ["R2", "R1", "R0"]
    assert await names(status=[RunStatus.STOPPED]) == ["R0"]
    assert await names(status=[RunStatus.STOPPED, RunStatus.RUNNING], job="a") == ["R2", "R0"]
    assert await names(status=[RunStatus.COMPLETED]) == []
    since = sample.plan().started.replace(minute=1).timestamp()
    assert await names(since=since) == ["R2", "R1"]
    assert await names(since=since, limit=1) == ["R2"]


async def test_a_status_is_not_found_in_a_longer_one(store):
    await store.create_run(sample.plan(), RunStatus.RUNNING)
    await store.move_run(RUN, RunStatus.PUBLISHING)
    await store.finish_run(sample.ended())
    assert await store.runs(status=[RunStatus.COMPLETED_WITH_ERRORS]) == []


async def test_the_newest_run_of_each_job_that_has_begun(store):
    for number, job in enumerate(("a", "b", "a", "b")):
        status = RunStatus.QUEUED if number == 3 else RunStatus.RUNNING
        await store.create_run(sample.plan(run=f"R{number}", of=sample.job(job)), status)
    found = await store.last_by_job()
    assert {job: row.run for job, row in found.items()} == {"a": "R2", "b": "R1"}


async def test_who_only_reads_sees_it_all(store, folder):
    await store.put_holds([HELD])
    async with await open_history(folder) as history:
        assert await history.holds() == [HELD]


async def test_a_folder_without_records_has_an_empty_logbook(folder):
    async with await open_history(folder) as history:
        assert await history.samples(0, AT) == []
        assert await history.actions() == []
        assert await history.holds() == []
        assert await history.outcomes(0) == []
        assert await history.last_by_job() == {}


@pytest.mark.usefixtures("store")
def test_lists_over_many_runs_go_by_an_index(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        for query, index in (
            ("SELECT * FROM outcomes WHERE at >= 1 ORDER BY at", "outcomes_by_time"),
            (
                "SELECT * FROM outcomes WHERE connection = 'a' ORDER BY at DESC LIMIT 3",
                "outcomes_by_connection",
            ),
            ("SELECT * FROM actions WHERE at >= 1 ORDER BY at DESC, rowid DESC", "actions_by_time"),
        ):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
            said = " ".join(str(row[-1]) for row in plan)
            assert index in said
            assert "TEMP B-TREE" not in said
