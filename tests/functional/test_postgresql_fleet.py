"""56 PostgreSQL databases of 20,000 rows, and ten jobs at once: all of it arrives, no limit is
passed.
"""

import csv
from collections import Counter

import pytest

from functional.cli_kit import etltui
from functional.test_postgresql import watched
from postgresql_kit import HOST, PASSWORD, PORT, USER

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(300)]

BRANCHES, ROWS, JOBS = 56, 20_000, 10
SECRET = PASSWORD or "not asked for"
TABLE = "CREATE TABLE sales (id int, customer text, day date, amount numeric(12,2))"
FILL = f"""
    INSERT INTO sales SELECT g, 'Customer ' || g, date '2026-11-01' + g % 20, g * 1.05
    FROM generate_series(1, {ROWS}) AS g
"""
HEAD = """
[settings]
state_dir = "state"
max_connections = 24
max_per_host = 16
pool_size = 2
max_jobs_per_type = 10

[credentials.reader]
user = "{user}"
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
query = "SELECT * FROM sales WHERE id > :least ORDER BY id"
params = {{ least = {least} }}

[[jobs.{job}.destinations]]
type = "csv"
path = "out/{job}.csv"
connection_column = "branch"
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, postgresql):
    folder = tmp_path_factory.mktemp("fleet")
    first = postgresql.database(TABLE, FILL)
    names = [first, *(postgresql.database(template=first) for _ in range(BRANCHES - 1))]
    for number, name in enumerate(names, 1):
        postgresql.execute(f"UPDATE sales SET amount = amount + {number}", database=name)
    jobs = {"all": 0, **{f"part_{n}": ROWS - 2000 for n in range(JOBS)}}
    (folder / "out").mkdir()
    (folder / "etltui.toml").write_text(
        HEAD.format(user=USER)
        + "".join(
            CONNECTION.format(number=number, host=HOST, port=PORT, name=name)
            for number, name in enumerate(names, 1)
        )
        + "".join(JOB.format(job=job, least=least) for job, least in jobs.items()),
    )
    return folder, names


def run(folder, *jobs):
    config = folder / "etltui.toml"
    return etltui("run", *jobs, "--json", "--config", config, BRANCH_PASSWORD=SECRET)


def test_targets_equal_the_databases_and_sessions_stay_under_every_limit(fleet, postgresql):
    """S0-22, S0-25."""
    folder, names = fleet
    with watched(postgresql, names) as counts:
        ended = run(folder, "all")
    assert ended.code == 0, ended.err
    assert 1 < max(counts) <= 16
    with (folder / "out" / "all.csv").open(newline="") as file:
        _, *lines = csv.reader(file)
    got = Counter(map(tuple, lines))
    for number, name in enumerate(names, 1):
        asked = "SELECT id::text, customer, day::text, amount::text FROM sales"
        branch = f"branch_{number:03d}"
        got.subtract((branch, *row.values()) for row in postgresql.execute(asked, database=name))
    assert len(lines) == BRANCHES * ROWS
    assert not any(got.values())


def test_ten_jobs_at_once(fleet, postgresql):
    """S0-27, S0-86, S0-87: ten jobs over the same databases share the sessions there may be."""
    folder, names = fleet
    jobs = [f"part_{number}" for number in range(JOBS)]
    with watched(postgresql, names) as counts:
        ended = run(folder, *jobs)
    assert ended.code == 0, ended.err
    assert 1 < max(counts) <= 16
    finished = [event for event in ended.events if event["type"] == "run_finished"]
    assert {event["job"]: event["rows"] for event in finished} == dict.fromkeys(
        jobs, BRANCHES * 2000
    )
    assert not any(postgresql.sessions(name) for name in names)
