"""A flipped value anywhere is found by its row's checksum."""

import sqlite3
from contextlib import closing

import pytest
import store_samples as sample
from store_samples import BEGUN, PUBLISHED, RUN

from etltui.domain.errors import StateError
from etltui.domain.run import RunStatus
from etltui.domain.stored import PublicationState
from etltui.store.history import DATABASE
from etltui.store.rows import seal
from etltui.store.sqlite import SqliteStore


def change(folder, sql, *values):
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        connection.execute(sql, values)


@pytest.fixture
async def full(running):
    """A store in which every table holds rows."""
    for name in ("B000", "B001"):
        await running.checkpoint(RUN, sample.completed(name), sample.receipts(name))
    await running.move_publication(BEGUN, PublicationState.ASSEMBLING)
    await running.move_publication(BEGUN, PublicationState.ASSEMBLED, PUBLISHED)
    return running


@pytest.mark.parametrize(
    ("sql", "read", "named"),
    [
        ("UPDATE runs SET ended = 1", lambda s: s.run(RUN), f"{RUN} of runs"),
        ("UPDATE runs SET status = 'stopped'", lambda s: s.unfinished("gst_sales"), "of runs"),
        ("UPDATE runs SET total = 4", lambda s: s.next_attempt(RUN), "of runs"),
        ("UPDATE plans SET plan = plan || ' '", lambda s: s.plan(RUN), f"{RUN} of plans"),
        ("UPDATE run_connections SET hash = 'x'", lambda s: s.connections(RUN), f"{RUN}, B000 of"),
        ("UPDATE run_connections SET result = NULL", lambda s: s.receipts(RUN), "run_connections"),
        ("UPDATE run_connections SET parts = 0", lambda s: s.connections(RUN), "run_connections"),
        ("UPDATE run_connections SET hash = 'x'", lambda s: s.replan(sample.plan()), "B000 of"),
        ("UPDATE run_connections SET hash = 'x'", lambda s: s.forget_parts(RUN), "B000 of"),
        (
            "UPDATE run_connections SET number = number + 9",
            lambda s: s.checkpoint(RUN, sample.completed()),
            "B000 of run_connections",
        ),
        ("UPDATE publications SET crc = 1", lambda s: s.publication(RUN, 0), f"{RUN}, 0 of pub"),
        ("UPDATE publications SET rows = 1", lambda s: s.publications(RUN), "publications"),
        ("UPDATE publications SET members = '[]'", lambda s: s.members(RUN, 0), "publications"),
        (
            "UPDATE publications SET state = 'delivered'",
            lambda s: s.move_publication(BEGUN, PublicationState.CLEANED),
            "publications",
        ),
    ],
)
async def test_damage_names_table_and_key(full, folder, sql, read, named):
    change(folder, sql)
    with pytest.raises(StateError, match="is damaged: the row") as caught:
        await read(full)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE parts SET receipt = replace(receipt, '99', '98') WHERE {one}",
        "UPDATE parts SET checksum = checksum + 1 WHERE {one}",
        "UPDATE parts SET connection = 'B001', segment = 5 WHERE {one}",
        "UPDATE parts SET connection = 'nobody' WHERE {one}",
    ],
)
async def test_a_connection_with_a_damaged_part_is_to_be_read_again(full, folder, sql):
    assert full.damaged == 0
    change(folder, sql.format(one="connection = 'B000' AND destination = 1"))
    # Also the sound part of the connection is dropped: half of one must not be published.
    assert {receipt.connection for receipt in await full.receipts(RUN)} == {"B001"}
    rows = await full.connections(RUN)
    assert [(row.connection, row.done) for row in rows[:2]] == [("B000", False), ("B001", True)]
    assert full.damaged == 1
    change(folder, "DELETE FROM parts WHERE connection NOT IN ('B000', 'B001') OR segment = 5")
    await full.checkpoint(RUN, sample.completed(), sample.receipts(attempt=2))
    assert [row.done for row in await full.connections(RUN)] == [True, True, False]


async def test_a_connection_with_a_lost_part_is_to_be_read_again(full, folder):
    change(folder, "DELETE FROM parts WHERE connection = 'B000' AND destination = 1")
    assert [row.done for row in await full.connections(RUN)] == [False, True, False]
    assert {receipt.connection for receipt in await full.receipts(RUN)} == {"B001"}


async def test_a_damaged_run_does_not_keep_the_others_from_going_on(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        for run in ("a", "b"):
            await store.create_run(sample.plan(run=run), RunStatus.RUNNING)
    change(folder, "UPDATE runs SET title = 'x' WHERE run = 'a'")
    async with await SqliteStore.open(folder, clock=clock) as store:
        assert "damaged row" in store.rebuilt
        assert "a of runs" in store.rebuilt
        # The marks beside the database know it still.
        assert [(row.run, row.title) for row in await store.runs()] == [
            ("b", "GST sales"),
            ("a", "GST sales"),
        ]
        assert {row.status for row in await store.runs()} == {RunStatus.STOPPED}


async def test_a_damaged_run_is_left_out_of_lists_and_named(folder, clock):
    async with await SqliteStore.open(folder, clock=clock) as store:
        for run in ("a", "b"):
            await store.create_run(sample.plan(run=run), RunStatus.RUNNING)
        change(folder, "UPDATE runs SET title = 'x' WHERE run = 'a'")
        assert [row.run for row in await store.runs()] == ["b"]
        assert await store.last_by_job() == {"gst_sales": await store.run("b")}
        assert store.flaws == ["a of runs"]


@pytest.mark.parametrize(
    "plan",
    [
        "{",
        '{"surprise": 1}',
        '{"job": {"destinations": [{"type": "fax", "options": {}}]}}',
        '{"started": "soon"}',
        "{}",
    ],
)
async def test_a_plan_of_another_version_is_said_so(running, folder, plan):
    row = seal({"run": RUN, "plan": plan})
    change(folder, "UPDATE plans SET plan = ?, checksum = ?", plan, row["checksum"])
    with pytest.raises(StateError, match=f"the plan of {RUN} was written by another version"):
        await running.plan(RUN)


def test_a_column_that_a_later_version_adds_leaves_old_checksums_right():
    old = seal({"run": RUN, "plan": "{}"})
    assert seal({**old, "added": None})["checksum"] == old["checksum"]
