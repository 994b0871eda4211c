"""What a real engine answers before a run: its parts are real, and gone afterwards."""

import asyncio
import os
import sqlite3
from contextlib import closing

import pytest

from etltui.bootstrap import engine
from etltui.config.load import load
from etltui.domain.errors import ErrorClass
from etltui.domain.run import RunStatus

CONFIG = """
[settings]
extractors = 0

[connections]
north.url = "sqlite:///north.db"
south.url = "sqlite:///south.db"
away.url = "sqlite:///away.db"

[jobs.sales]
connections = ["north", "south"]
query = "SELECT * FROM sales"
destinations = [{ type = "excel", path = "out/sales.xlsx" }]

[jobs.lines]
connections = ["*"]
query = "SELECT id, name FROM sales"
destinations = [{ type = "csv", path = "out/lines.csv", quoting = "all" }]
"""


def database(path, rows, column="amount"):
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"CREATE TABLE sales (id INTEGER, name TEXT, {column} NUMERIC)")
        sales = [(number, f"Sale, {number}", number / 4) for number in range(rows)]
        made.executemany("INSERT INTO sales VALUES (?, ?, ?)", sales)
        made.commit()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "etltui.toml").write_text(CONFIG)
    database(tmp_path / "north.db", 30)
    database(tmp_path / "south.db", 50)
    return tmp_path


@pytest.fixture
async def running(folder):
    config = await asyncio.to_thread(load, folder / "etltui.toml", environ=os.environ)
    async with engine(config, folder / "state", environ=os.environ) as started:
        yield started


async def files(folder):
    """All files below, but for the engine's own."""
    found = await asyncio.to_thread(lambda: list(folder.rglob("*")))
    state = folder / "state"
    own = {state / "parts", state / "logs", state}
    return {p for p in found if p not in own and not p.name.startswith(("state.", "etltui.", "."))}


async def test_n_25_one_connection_is_read_dry(folder, running):
    before = await files(folder)
    told = await running.inquiries.dry_run("sales", "south")
    assert (told.trouble, told.rows, told.columns_of) == (None, 50, "")
    [query] = told.queries
    assert [column.name for column in query.columns] == ["id", "name", "amount"]
    assert query.rows == 50
    assert query.first[:2] == (("0", "Sale, 0", "0"), ("1", "Sale, 1", "0.25"))
    assert len(query.first) == 20
    assert told.bytes > 0
    assert set(told.seconds) == {"wait", "connect", "query", "fetch", "write"}
    assert await files(folder) == before
    lines = await running.inquiries.dry_run("lines", "north")
    assert lines.queries[0].first[1] == ("1", "Sale, 1")
    # Quotes around both, a comma between them, and the end of the line.
    assert lines.bytes == sum(len(f'"{n}","Sale, {n}"\n') for n in range(30))


async def test_a_dry_run_finds_that_columns_differ_from_those_of_the_last_run(folder, running):
    result = await (await running.submit("sales")).wait()
    assert result.status is RunStatus.COMPLETED
    await asyncio.to_thread(os.unlink, folder / "south.db")
    await asyncio.to_thread(database, folder / "south.db", 5, "total")
    told = await running.inquiries.dry_run("sales", "south")
    assert told.columns_of == result.run
    assert told.trouble.error_class is ErrorClass.DRIFT
    good = await running.inquiries.dry_run("sales", "north")
    assert (good.trouble, good.rows) == (None, 30)


async def test_a_test_asks_over_the_engine_s_own_sessions(running):
    asked = {each.connection: each for each in await running.inquiries.test()}
    assert asked["away"].trouble.error_class is ErrorClass.NO_DATABASE
    assert asked["north"].trouble is None
    assert asked["north"].milliseconds > 0
    assert running.get_pool_metrics().total_connections == 2


async def test_n_25_an_estimate_tells_what_the_next_run_takes(running):
    result = await (await running.submit("sales")).wait()
    told = await running.inquiries.estimate("sales")
    assert (told.connections, told.known, told.rows) == (2, 2, 80)
    assert told.targets[0].bytes == result.outputs[0].bytes
    assert 0 < told.eta.left_s < 60
    assert told.memory > 0
    assert [room.enough for room in told.disks] == [True]
    assert told.warnings == ()
