"""Every version of the schema that there has been: opened, brought up to date, gone on with."""

import asyncio
import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest
import store_samples as sample
from store_samples import RUN

from etltui.domain.errors import StateError
from etltui.domain.run import RunStatus
from etltui.store.folder import DATABASE, make_private
from etltui.store.health import examine, schema_of
from etltui.store.queries import STEPS
from etltui.store.rows import seal, to_json
from etltui.store.sqlite import SqliteStore
from etltui.store.sums import row_sum

VERSIONS = range(1, len(STEPS) + 1)


def rows_of(version):
    """Rows as an engine of that version left them that was killed in the midst of a run."""
    receipts = sample.receipts()
    found = {
        "runs": [
            seal(
                {
                    "run": RUN,
                    "job": "gst_sales",
                    "title": "GST sales",
                    "status": "running",
                    "plan_hash": sample.plan().hash,
                    "attempt": 1,
                    "total": 3,
                    "started": 5.0,
                    "reason": "",
                }
            )
        ],
        "plans": [seal({"run": RUN, "plan": to_json(sample.plan())})],
        "run_connections": [
            seal(
                {
                    "run": RUN,
                    "number": number,
                    "connection": f"B{number:03d}",
                    "hash": "h",
                    **({"result": to_json(sample.completed())} if number == 0 else {}),
                    "parts": 0 if number else len(receipts),
                }
            )
            for number in range(3)
        ],
        "parts": [
            seal(
                {
                    "run": RUN,
                    "destination": each.destination,
                    "variant": "",
                    "connection": "B000",
                    "query": 0,
                    "segment": 0,
                    "receipt": to_json(each),
                }
            )
            for each in receipts
        ],
    }
    summed = version >= 7
    if version >= 2:
        pause = {"job": "sales"}
        found["pauses"] = [seal(pause) if summed else pause]
    if version >= 3:
        hold = {"connection": "B002", "reason": "cut", "who": "r@d", "since": 1.0, "until": 0.0}
        found["holds"] = [seal(hold) if summed else hold]
    return found


def build(folder, version):
    """A database of that version, from its migrations."""
    folder.mkdir()
    (folder / ".lock").touch()
    make_private(folder / DATABASE)
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
        database.create_function("row_sum", -1, row_sum)
        for step in STEPS[:version]:
            database.executescript(step)
        database.execute(f"PRAGMA user_version = {version}")
        for table, rows in rows_of(version).items():
            for row in rows:
                places = ", ".join(f":{name}" for name in row)
                database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", row)


async def goes_on(store, version):
    """What is done is done, and the run is taken up."""
    (row,) = await store.runs()
    assert (row.run, row.status) == (RUN, RunStatus.STOPPED)
    assert (await store.unfinished("gst_sales")).run == RUN
    assert await store.plan(RUN) == sample.plan()
    assert [each.done for each in await store.connections(RUN)] == [True, False, False]
    assert await store.receipts(RUN) == list(sample.receipts())
    assert await store.paused() == (["sales"] if version >= 2 else [])
    assert [each.connection for each in await store.holds()] == (["B002"] if version >= 3 else [])
    await store.move_run(RUN, RunStatus.RUNNING)
    assert await store.next_attempt(RUN) == 2
    await store.checkpoint(RUN, sample.completed("B001"), sample.receipts("B001", attempt=2))
    assert [each.done for each in await store.connections(RUN)] == [True, True, False]


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_version_is_brought_up_to_date_and_goes_on(folder, clock, version):
    await asyncio.to_thread(build, folder, version)
    async with await SqliteStore.open(folder, clock=clock) as store:
        assert store.rebuilt == ""
        await goes_on(store, version)
    assert (await asyncio.to_thread(examine, folder / DATABASE)).version == len(STEPS)


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_version_is_made_anew_where_it_is_damaged(folder, clock, version):
    await asyncio.to_thread(build, folder, version)
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        # The header says another version than the tables are of.
        database.execute(f"PRAGMA user_version = {version - 1}")
    async with await SqliteStore.open(folder, clock=clock) as store:
        assert f"its tables are not those of version {version - 1}" in store.rebuilt
        await goes_on(store, version)


async def test_a_newer_version_is_refused_with_a_way_out(folder, clock):
    await asyncio.to_thread(build, folder, len(STEPS))
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        database.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(StateError, match=r"Use the newer etltui.*state rebuild"):
        await SqliteStore.open(folder, clock=clock)
    assert [path.name for path in folder.glob("*damaged*")] == []


def test_each_version_has_tables_of_its_own():
    made = [schema_of(STEPS[:version]) for version in VERSIONS]
    assert all(one != other for one, other in pairwise(made))
