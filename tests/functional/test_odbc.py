"""Reading through ODBC drivers, in extractors of their own: what arrives, who dies with whom."""

import asyncio
import csv
import signal
import sqlite3
from contextlib import AsyncExitStack, closing

import pytest

import extractor_kit as kit
import mysql_kit
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.job import Connection
from etltui.extractors.seats import MOST_TOGETHER
from extractor_kit import ENDLESS_ROWS, Seen, World, x_query
from functional.cli_kit import etltui
from odbc_kit import (
    MARIADB,
    POSTGRESQL,
    SQLITE,
    missing,
    postgresql_task,
    sqlite_task,
)
from postgresql_kit import HOST, PORT, Relay

ROWS = 500
SMALL = 20_000
"""Bytes of a batch, so that the first rows show soon."""
FILL = "INSERT INTO sales SELECT g, concat('Kunde ', g, ' Ø付🙂'), g * 1.05 FROM {numbers} AS n(g)"
CONFIG = """
[settings]
state_dir = "state"

[connections.sqlite_native]
url = "sqlite:///north.db"

[connections.sqlite_odbc]
url = "odbc:Driver=SQLite3;Database=north.db"
{more}
[jobs.sales]
connections = ["*"]
query = "SELECT id, customer, amount FROM sales WHERE id <= :most ORDER BY id"
params = {{ most = 400 }}
columns = ["id", "customer", "amount"]

[[jobs.sales.destinations]]
type = "csv"
path = "out/sales.csv"
connection_column = "branch"
"""


class OdbcWorld(World):
    """Extractors whose connections of kind `odbc` are what a test says."""

    tasks: dict

    async def session_task(self, connection):
        if connection.kind == "odbc":
            return self.tasks[connection.name]
        return await super().session_task(connection)


def odbc(name):
    return Connection(name=name, kind="odbc", url="")


@pytest.fixture
async def world(tmp_path):
    if why := missing(SQLITE):
        pytest.skip(why)
    made = OdbcWorld(tmp_path, "process", limit=2)
    kit.make_db(tmp_path / "A.db")
    made.tasks = {
        name: sqlite_task(tmp_path / "A.db", connection=name)
        for name in ("odd", *(f"o{number}" for number in range(2 * MOST_TOGETHER + 1)))
    }
    yield made
    await made.close()
    await kit.until(lambda: not kit.children())


async def begun(handle, task):
    """An extract whose rows flow, as a task."""
    seen = Seen(lambda progress: progress.rows > 0)
    work = asyncio.create_task(handle.extract(task, seen))
    found = asyncio.create_task(seen.found.wait())
    await asyncio.wait({work, found}, timeout=kit.LONG, return_when=asyncio.FIRST_COMPLETED)
    assert not work.done(), work.exception()
    found.cancel()
    return work


async def dies(work):
    with pytest.raises(Failure) as caught:
        await work
    return caught.value.error_class


async def test_a_driver_that_crashes_takes_no_native_session_along(world):
    """A real SIGSEGV in the middle of the rows: retried alone, and parked after a second."""
    async with world.session() as native:
        first = await world.supervisor.open(odbc("odd"))
        assert kit.process_of(native).pid != kit.process_of(first).pid
        neighbour = await begun(native, world.task(x_query(ENDLESS_ROWS)))
        work = await begun(
            first, world.task(x_query(ENDLESS_ROWS), connection="odd", batch_bytes=SMALL)
        )
        kit.process_of(first).send_signal(signal.SIGSEGV)
        assert await dies(work) == ErrorClass.DRIVER_CRASH
        await first.close()

        async with world.session(odbc("o1")) as other:
            second = await world.supervisor.open(odbc("odd"))
            assert kit.process_of(second).pid not in {
                kit.process_of(native).pid,
                kit.process_of(other).pid,
            }
            work = await begun(
                second, world.task(x_query(ENDLESS_ROWS), connection="odd", batch_bytes=SMALL)
            )
            kit.process_of(second).send_signal(signal.SIGSEGV)
            assert await dies(work) == ErrorClass.DRIVER_CRASH
            await second.close()
            assert (await other.extract(world.task(connection="o1"), Seen())).rows == 10
        with pytest.raises(Failure, match="2 times") as caught:
            await world.supervisor.open(odbc("odd"))
        assert caught.value.error_class == ErrorClass.POISON
        assert not neighbour.done()
        neighbour.cancel()
        with pytest.raises(asyncio.CancelledError):
            await neighbour
    assert world.books() == {**world.books(), "sessions": 0, "running": 0, "suspect": False}


async def test_sessions_of_drivers_sit_few_together_and_apart(world):
    async with AsyncExitStack() as stack:
        natives = [await stack.enter_async_context(world.session()) for _ in range(3)]
        drivers = [
            await stack.enter_async_context(world.session(odbc(f"o{number}")))
            for number in range(2 * MOST_TOGETHER + 1)
        ]
        ours = {kit.process_of(each).pid for each in natives}
        theirs = [kit.process_of(each).pid for each in drivers]
        assert not ours & set(theirs)
        assert len(set(theirs)) == 3
        assert max(theirs.count(pid) for pid in theirs) <= MOST_TOGETHER


@pytest.mark.server
async def test_a_line_that_breaks_in_mid_fetch_fails_one_connection(world, postgresql):
    """Debian's psqlODBC may take its process along; whichever it does, nobody else notices."""
    if why := missing(POSTGRESQL):
        pytest.skip(why)
    relay = Relay()
    database = await asyncio.to_thread(postgresql.database)
    world.tasks["line"] = postgresql_task(database, port=relay.port, connection="line")
    async with world.session() as native:
        neighbour = await begun(native, world.task(x_query(ENDLESS_ROWS)))
        handle = await world.supervisor.open(odbc("line"))
        endless = "SELECT x::text AS x FROM generate_series(1, 100000000) AS x"
        work = await begun(
            handle, world.task(x_query(endless), connection="line", batch_bytes=SMALL)
        )
        relay.cut()
        assert await dies(work) in {ErrorClass.DRIVER_CRASH, ErrorClass.LOST}
        await handle.close()
        assert not neighbour.done()
        neighbour.cancel()
        with pytest.raises(asyncio.CancelledError):
            await neighbour
    relay.close()


def rows_of(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    branches: dict[str, list] = {}
    for row in rows:
        branches.setdefault(row.pop("branch"), []).append(row)
    return branches


def north(folder):
    with closing(sqlite3.connect(folder / "north.db")) as db, db:
        db.execute("CREATE TABLE sales (id INTEGER, customer TEXT, amount REAL)")
        db.executemany(
            "INSERT INTO sales VALUES (?, ?, ?)",
            ((n, f"Kunde {n} Ø付🙂", n * 1.05) for n in range(1, ROWS + 1)),
        )


def test_a_run_reads_a_file_by_its_driver_as_it_does_itself(tmp_path):
    if why := missing(SQLITE):
        pytest.skip(why)
    north(tmp_path)
    (tmp_path / "etltui.toml").write_text(CONFIG.format(more=""))
    done = etltui("run", "sales", "--config", tmp_path / "etltui.toml")
    assert done.code == 0, done.err + done.out
    found = rows_of(tmp_path / "out/sales.csv")
    assert len(found["sqlite_native"]) == 400
    assert found["sqlite_odbc"] == found["sqlite_native"]


@pytest.mark.server
@pytest.mark.timeout(90)
def test_a_run_reads_servers_by_their_drivers(tmp_path, postgresql, mysql):
    for driver in (POSTGRESQL, MARIADB, SQLITE):
        if why := missing(driver):
            pytest.skip(why)
    north(tmp_path)
    table = "CREATE TABLE sales (id int, customer varchar(80), amount double precision)"
    one = postgresql.database(
        table,
        FILL.format(numbers=f"generate_series(1, {ROWS})"),
    )
    other = mysql.database(
        table,
        "INSERT INTO sales SELECT seq, concat('Kunde ', seq, ' Ø付🙂'), seq * 1.05 "
        f"FROM seq_1_to_{ROWS}",
    )
    keys = f"Driver={MARIADB};Server={mysql_kit.HOST};Port={mysql_kit.PORT};Database={other}"
    (tmp_path / "etltui.toml").write_text(
        CONFIG.format(
            more=f"""
[credentials.pg]
user = "postgres"
[credentials.my]
user = "root"
[connections.pg_odbc]
url = "odbc:Driver={{{POSTGRESQL}}};Server={HOST};Port={PORT};Database={one};SSLmode=disable"
credential = "pg"
[connections.my_odbc]
url = "odbc:{keys};FORCETLS=0"
credential = "my"
""",
        ),
    )
    done = etltui("run", "sales", "--config", tmp_path / "etltui.toml")
    assert done.code == 0, done.err + done.out
    found = rows_of(tmp_path / "out/sales.csv")
    assert set(found) == {"sqlite_native", "sqlite_odbc", "pg_odbc", "my_odbc"}
    for rows in found.values():
        assert [(row["id"], row["customer"]) for row in rows] == [
            (str(n), f"Kunde {n} Ø付🙂") for n in range(1, 401)
        ]
        assert [float(row["amount"]) for row in rows] == pytest.approx(
            [n * 1.05 for n in range(1, 401)],
        )
