"""Sessions ended by the server's operator again and again while two jobs read the same databases:
all rows arrive once, and the pools come back to what they were.
"""

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager

import asyncpg
import pytest

from etltui.bootstrap import engine
from etltui.config.load import load
from etltui.domain.run import RunStatus
from postgresql_kit import HOST, PASSWORD, PORT, USER

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

BRANCHES, ROWS = 6, 60_000
JOBS = ("north", "south")
TABLE = "CREATE TABLE sales (id int, customer text, day date, amount numeric(12,2))"
FILL = f"""
    INSERT INTO sales SELECT g, 'Customer ' || g, date '2026-11-01' + g % 20, g * 1.05
    FROM generate_series(1, {ROWS}) AS g
"""
HEAD = f"""
[settings]
state_dir = "state"
max_connections = {BRANCHES}
pool_size = 1
pool_idle_s = 300

[credentials.reader]
user = "{USER}"
password = "env:BRANCH_PASSWORD"
"""
CONNECTION = """
[connections.branch_{number:03d}]
url = "postgresql://{host}:{port}/{name}?sslmode=disable"
credential = "reader"
"""
JOB = """
[jobs.{job}]
connections = ["branch_*"]
query = "SELECT * FROM sales ORDER BY id"
columns = ["id", "customer", "day", "amount"]
retry = {{ retries = 8, delay_s = 0 }}

[[jobs.{job}.destinations]]
type = "csv"
path = "out/{job}.csv"
connection_column = "branch"
"""


PRINTED = """
    SELECT string_agg(concat_ws(',', '{branch}', id, customer, day, amount), E'\\n' ORDER BY id)
    FROM sales
"""


@pytest.fixture(scope="module")
def fleet(postgresql):
    """From a connection's name to its database, no two of which hold the same amounts."""
    first = postgresql.database(TABLE, FILL)
    names = [first, *(postgresql.database(template=first) for _ in range(BRANCHES - 1))]
    for number, name in enumerate(names, 1):
        postgresql.execute(f"UPDATE sales SET amount = amount + {number}", database=name)
    return {f"branch_{number:03d}": name for number, name in enumerate(names, 1)}


@pytest.fixture(scope="module")
def wanted(fleet, postgresql):
    """The whole target, as the server prints it."""
    lines = ["branch,id,customer,day,amount"]
    for branch, name in fleet.items():
        ((printed,),) = postgresql.execute(PRINTED.format(branch=branch), database=name)
        lines.append(printed)
    return "\n".join(lines) + "\n"


class Operator:
    """Looks at the sessions of the databases, and ends some that are at work.

    Args:
        line: To the server.
        databases: Whose sessions; those of nobody else are looked at.
        chance: When and whom.
    """

    def __init__(self, line, databases, chance):
        self._line = line
        self._databases = list(databases)
        self._chance = chance
        self.most = 0
        self.ended = Counter()
        self.victims = set()

    async def sessions(self):
        """Process, database and state of each."""
        return await self._line.fetch(
            "SELECT pid, datname, state FROM pg_stat_activity "
            "WHERE application_name = 'etltui' AND datname = ANY($1)",
            self._databases,
        )

    async def end(self, count):
        """End so many, each time one of a database that lost the fewest so far."""
        while self.ended.total() < count:
            for _ in range(self._chance.randrange(1, 12)):
                found = await self.sessions()
                self.most = max(self.most, len(found))
            at_work = [row for row in found if row["state"] == "active"]
            if not at_work:
                continue
            fewest = min(self.ended[row["datname"]] for row in at_work)
            victims = [row for row in at_work if self.ended[row["datname"]] == fewest]
            victim = self._chance.choice(victims)
            if await self._line.fetchval("SELECT pg_terminate_backend($1)", victim["pid"]):
                self.ended[victim["datname"]] += 1
                self.victims.add(victim["pid"])


@asynccontextmanager
async def operator(databases, chance):
    line = await asyncpg.connect(
        host=HOST, port=PORT, user=USER, password=PASSWORD, database="postgres", ssl=False
    )
    try:
        yield Operator(line, databases, chance)
    finally:
        await line.close()


def configured(folder, fleet):
    (folder / "out").mkdir()
    (folder / "etltui.toml").write_text(
        HEAD
        + "".join(
            CONNECTION.format(number=number, host=HOST, port=PORT, name=name)
            for number, name in enumerate(fleet.values(), 1)
        )
        + "".join(JOB.format(job=job) for job in JOBS),
    )
    return load(folder / "etltui.toml", environ={})


def all_as_wanted(folder, wanted):
    """Whether every target holds the rows of every database, each once and in order."""
    return all((folder / "out" / f"{job}.csv").read_text() == wanted for job in JOBS)


async def run_all(running):
    runs = [await running.submit(job) for job in JOBS]
    return [await run.wait() for run in runs]


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
async def test_sessions_that_are_ended_cost_no_row_and_no_place(
    tmp_path, postgresql, fleet, wanted, kills
):
    """S0-20, S0-21, S0-24, S0-25, S4-15, S4-47, S4-53: two jobs share sessions that die."""
    config = await asyncio.to_thread(configured, tmp_path, fleet)
    chance = random.Random(kills)
    environ = {"BRANCH_PASSWORD": PASSWORD or "not asked for"}
    async with (
        operator(fleet.values(), chance) as server,
        engine(config, tmp_path / "state", environ=environ) as running,
    ):
        # However fast the machine is: until so many were ended, the jobs run again.
        ending = asyncio.create_task(server.end(kills))
        while not ending.done():
            for result in await run_all(running):
                failed = [each.trouble for each in result.connections if each.trouble]
                assert result.status is RunStatus.COMPLETED, failed
                assert result.rows == BRANCHES * ROWS
            assert await asyncio.to_thread(all_as_wanted, tmp_path, wanted)
        await ending
        assert server.ended.total() == kills
        assert server.most <= BRANCHES

        await run_all(running)
        assert not server.victims & {row["pid"] for row in await server.sessions()}
        quiet = running.get_pool_metrics()
        assert (quiet.leaks, quiet.leaked, quiet.waiting) == ((), 0, 0)
        assert quiet.places == quiet.total_connections == BRANCHES
        assert len(await server.sessions()) == BRANCHES
        opened = [pool.opened for pool in running.get_pool_info()]
        before = {row["pid"] for row in await server.sessions()}

        await run_all(running)
        after = running.get_pool_metrics()
        assert [pool.opened for pool in running.get_pool_info()] == opened
        assert {row["pid"] for row in await server.sessions()} == before
        assert after.acquires - quiet.acquires == after.served_by_open - quiet.served_by_open > 0
    assert not any(await asyncio.to_thread(lambda: [*map(postgresql.sessions, fleet.values())]))
