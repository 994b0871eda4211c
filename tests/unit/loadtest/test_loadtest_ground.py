"""What a load test reads: databases made for it, servers, or what is configured."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from etltui.config.load import load
from etltui.domain.errors import ConfigError
from etltui.loadtest import borrowed, farm, servers
from etltui.loadtest.ground import Weather
from etltui.loadtest.order import OF_FILES, Fault, Order, picks

SMALL = Order(connections=6, jobs=2, rows=300, rounds=1, seconds=0)


def rows_of(path, query="SELECT id FROM sales ORDER BY id"):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0)) as database:
        return [row[0] for row in database.execute(query)]


def test_the_same_seed_picks_the_same_and_nothing_is_in_both():
    order = Order(connections=100, failures=0.1, stall=0.2, seed=7)
    found = picks(order, OF_FILES)
    assert picks(order, OF_FILES) == found
    assert picks(replace(order, seed=8), OF_FILES) != found
    assert (len(found.failing), len(found.stalling)) == (10, 20)
    assert not set(found.failing) & set(found.stalling)
    assert sorted(found.failing.values()) == sorted([*OF_FILES] * 3 + [OF_FILES[0]])
    assert all(1 <= number <= 100 for number in [*found.failing, *found.stalling])


def test_a_share_is_one_at_least_and_never_more_than_there_are():
    found = picks(Order(connections=3, failures=0.01, stall=1.0), OF_FILES)
    assert (len(found.failing), len(found.stalling)) == (1, 2)
    assert picks(Order(), OF_FILES) == picks(Order(seed=2), OF_FILES)
    assert not picks(Order(), OF_FILES).failing


def test_a_latency_is_the_pace_at_which_rows_take_it():
    assert replace(SMALL, latency_ms=100).rows_per_s == 3000
    assert replace(SMALL, rows=1, latency_ms=60_000).rows_per_s == 1
    assert SMALL.rows_per_s == 0


def test_s0_138_each_database_has_rows_that_no_other_has(tmp_path):
    ground = farm.made(tmp_path, SMALL)
    seen = set()
    for name, rows in ground.rows.items():
        found = rows_of(tmp_path / "data" / f"{name}.db")
        assert found == list(rows)
        assert not seen & set(found)
        seen |= set(found)
    assert len(seen) == 1800
    assert sorted(ground.config.jobs) == list(ground.jobs) == ["load_1", "load_2"]
    assert [each.name for each in ground.config.connections] == list(ground.rows)
    assert ground.targets == {job: tmp_path / "output" / f"{job}.csv" for job in ground.jobs}


@pytest.mark.parametrize(("count", "profile"), [(80, "branches_80"), (81, "branches_500")])
def test_the_settings_are_those_that_suit_the_size(tmp_path, count, profile):
    order = replace(SMALL, connections=count, jobs=20, rows=1)
    settings = farm.made(tmp_path, order).config.settings
    assert settings.profile == profile
    assert settings.max_jobs >= 20


def test_the_operators_variables_are_not_meant_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MAX_CONCURRENT_CONNECTIONS", "3")
    assert farm.made(tmp_path, SMALL).config.settings.max_connections == 80


def test_s0_138_connections_are_broken_and_slowed_as_ordered(tmp_path):
    order = replace(SMALL, failures=0.5, stall=0.3, stall_s=40.5, latency_ms=100)
    ground = farm.made(tmp_path, order)
    assert sorted(ground.failing.values()) == sorted(OF_FILES)
    by_fault = {fault: name for name, fault in ground.failing.items()}
    assert not (tmp_path / "data" / f"{by_fault[Fault.MISSING]}.db").exists()
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        rows_of(tmp_path / "data" / f"{by_fault[Fault.DAMAGED]}.db", "SELECT sum(id) FROM sales")
    policies = {each.name: each.policy for each in ground.config.connections}
    assert {policy.rows_per_s for policy in policies.values()} == {3000}
    assert policies[by_fault[Fault.LOCKED]].lock_timeout_s == 1
    assert all(policies[name].lock_timeout_s > 40.5 for name in ground.stalling)
    assert ground.config.settings.connection_timeout_s > 40.5
    assert ground.config.settings.acquire_timeout_s > 40.5


def test_a_database_of_one_row_is_damaged_too(tmp_path):
    ground = farm.made(tmp_path, replace(SMALL, rows=1, failures=1.0))
    damaged = [name for name, fault in ground.failing.items() if fault is Fault.DAMAGED]
    for name in damaged:
        with pytest.raises(sqlite3.DatabaseError):
            rows_of(tmp_path / "data" / f"{name}.db")


async def locked(path):
    try:
        await asyncio.to_thread(rows_of, path)
    except sqlite3.OperationalError:
        return True
    return False


async def until_open(path):
    async with asyncio.timeout(20):
        while await locked(path):  # noqa: ASYNC110 - somebody else's lock tells nobody that it goes
            await asyncio.sleep(0)


async def test_s0_138_a_stall_lasts_from_the_round_to_its_time_after_the_first_try(tmp_path):
    order = replace(SMALL, failures=0.5, stall=0.2, stall_s=0.01)
    ground = await asyncio.to_thread(farm.made, tmp_path, order)
    (name,) = ground.stalling
    (held,) = (each for each, fault in ground.failing.items() if fault is Fault.LOCKED)
    stalled, kept = tmp_path / "data" / f"{name}.db", tmp_path / "data" / f"{held}.db"
    assert not await locked(stalled)
    for _ in range(2):
        await ground.weather.round()
        assert await locked(stalled)
        ground.weather.tried("branch_of_another")
        ground.weather.tried(name)
        ground.weather.tried(name)
        await until_open(stalled)
        assert await locked(kept)
    await ground.weather.round()
    await ground.weather.aclose()
    assert not await locked(stalled)
    assert not await locked(kept)


async def test_a_stall_that_goes_on_ends_with_the_test(tmp_path):
    order = replace(SMALL, stall=0.2, stall_s=200)
    ground = await asyncio.to_thread(farm.made, tmp_path, order)
    (name,) = ground.stalling
    await ground.weather.round()
    ground.weather.tried(name)
    await ground.weather.aclose()
    assert not await locked(tmp_path / "data" / f"{name}.db")


async def test_a_database_that_is_being_read_is_not_stalled_and_nothing_breaks(tmp_path):
    ground = await asyncio.to_thread(farm.made, tmp_path, replace(SMALL, stall=0.2))
    (name,) = ground.stalling
    path = tmp_path / "data" / f"{name}.db"

    def open_and_read():
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        database.execute("BEGIN EXCLUSIVE")
        return database

    reader = await asyncio.to_thread(open_and_read)
    await ground.weather.round()
    reader.close()
    assert not await locked(path)
    ground.weather.tried(name)
    await ground.weather.aclose()


async def test_where_nothing_is_ordered_nothing_happens():
    weather = Weather()
    await weather.round()
    weather.tried("branch_001")
    await weather.aclose()


@pytest.mark.parametrize("rows", [1, 2, 10, 11, 1000, 12345])
def test_servers_make_up_as_many_rows_as_are_asked_for(rows):
    with closing(sqlite3.connect(":memory:")) as database:
        found = [row[0] for row in database.execute(servers.query(rows))]
    assert sorted(found) == list(range(rows))


def test_s0_138_each_server_gets_its_number(tmp_path):
    login = servers.Login(user='a "b"', password="env:SECRET")
    order = replace(SMALL, source="url", failures=0.2, stall=0.2, stall_s=2, latency_ms=100)
    url = "postgresql://db{n}.example:5432/pos_{n}"
    ground = servers.pointed(tmp_path, order, url, login)
    first = ground.config.connections[0]
    assert (first.host, first.database) == ("db1.example", "pos_1")
    assert first.policy.rows_per_s == 3000
    assert ground.config.credentials[first.credential].user == 'a "b"'
    assert ground.config.credentials[first.credential].password == "env:SECRET"
    (job, _) = ground.config.jobs.values()
    (failing,), (stalling,) = ground.failing, ground.stalling
    assert ground.failing == {failing: Fault.NO_TABLE}
    assert "no_such_table" in job.overrides[failing]["main"]
    assert "pg_sleep(2)" in job.overrides[stalling]["main"]
    assert set(job.overrides) == {failing, stalling}
    assert ground.rows["branch_006"] == range(300)


def test_without_a_user_there_is_no_credential(tmp_path):
    ground = servers.pointed(tmp_path, SMALL, "mysql://db.example/pos", servers.Login())
    assert not ground.config.credentials
    assert {each.database for each in ground.config.connections} == {"pos"}


@pytest.mark.parametrize(
    ("url", "password", "said"),
    [
        ("postgresql://db.example/pos?sslmod=1", "", '--url: the option "sslmod" is not known'),
        ("nonsense", "", "--url: is not a url"),
        ("postgresql://db.example/pos", "hunter2", "--password: is a password in plain sight"),
    ],
)
def test_what_is_wrong_with_an_option_is_said_of_it_once(tmp_path, url, password, said):
    login = servers.Login(user="reader", password=password)
    with pytest.raises(ConfigError) as raised:
        servers.pointed(tmp_path, SMALL, url, login)
    assert said in str(raised.value)
    assert len(raised.value.mistakes) == 1


@pytest.mark.parametrize(
    ("url", "call"),
    [("pg://h/d", "pg_sleep(3)"), ("mariadb://h/d", "SLEEP(3)"), ("mysql://h/d", "SLEEP(3)")],
)
def test_a_server_stalls_by_a_query_that_sleeps(tmp_path, url, call):
    order = replace(SMALL, stall=0.2, stall_s=3)
    ground = servers.pointed(tmp_path, order, url, servers.Login())
    (own,) = ground.config.jobs["load_1"].overrides.values()
    assert call in own["main"]


def test_a_stall_is_refused_where_a_query_cannot_wait(tmp_path):
    with pytest.raises(ConfigError, match="--stall: mssql cannot be told to wait"):
        servers.pointed(tmp_path, replace(SMALL, stall=0.2), "mssql://h/d", servers.Login())


CONFIGURED = """
[connections.a]
url = "sqlite:///a.db"
[connections.b]
url = "sqlite:///b.db"
[connections.c]
url = "sqlite:///c.db"
[jobs.sales]
title = "Sales"
connections = ["*"]
query = "SELECT 1 AS one"
resume = true
deadline = "07:00"
day_closed = "SELECT 1"
on_finish = { command = ["/bin/false"] }
[[jobs.sales.destinations]]
type = "excel"
path = "reports/{date:%Y}/{job}_{date}.xlsx"
[[jobs.sales.destinations]]
type = "webhook"
url = "https://hq.example/rows"
[jobs.sent]
connections = ["c"]
query = "SELECT 1 AS one"
[[jobs.sent.destinations]]
type = "webhook"
url = "https://hq.example/rows"
[jobs.off]
connections = ["c"]
enabled = false
query = "SELECT 1 AS one"
[[jobs.off.destinations]]
type = "csv"
path = "off.csv"
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "etltui.toml"
    path.write_text(CONFIGURED, encoding="utf-8")
    return load(path, environ={})


def test_s0_138_a_configured_job_touches_no_target_and_tells_nobody(tmp_path, config):
    folder = tmp_path / "{scratch}"
    ground = borrowed.lent(folder, SMALL, config, ["sales"], frozenset({"c"}))
    (job,) = ground.config.jobs.values()
    (destination,) = job.destinations
    place = str(folder).replace("{", "{{").replace("}", "}}")
    assert destination.path == f"{place}/0/0/{{job}}_{{date}}.xlsx"
    assert (job.on_finish, job.deadline, job.day_closed, job.resume) == (None, "", "", False)
    assert job.title == "Sales"
    assert job.connections == ("a", "b")
    assert ground.order == replace(SMALL, source="config", connections=2, jobs=1, rows=0)
    assert not ground.rows
    assert config.jobs["sales"].on_finish is not None


def test_all_jobs_that_may_be_started_are_read_where_none_is_named(tmp_path, config):
    ground = borrowed.lent(tmp_path, SMALL, config, [], frozenset())
    assert ground.jobs == ("sales", "sent")
    found = [(each.type, each.query) for each in ground.config.jobs["sent"].destinations]
    assert found == [("csv", "")]


@pytest.mark.parametrize(
    ("names", "held", "why"),
    [
        (["sals"], (), "there is no job 'sals'"),
        (["sent"], ("c",), "there is nothing to read"),
    ],
)
def test_a_job_that_cannot_be_read_is_refused(tmp_path, config, names, held, why):
    with pytest.raises(ConfigError, match=why):
        borrowed.lent(tmp_path, SMALL, config, names, frozenset(held))
