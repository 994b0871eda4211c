"""Business days and control queries on a server that prints lines itself: N-7, N-9, N-10."""

import json

import pytest

from functional.cli_kit import etltui
from postgresql_kit import HOST, PASSWORD, PORT, USER

pytestmark = pytest.mark.server

CONFIG = """
[settings]
state_dir = "state"
timezone = "Asia/Kolkata"
[credentials.reader]
user = "{user}"
password = "env:BRANCH_PASSWORD"
[connections.shop]
url = "postgresql://{host}:{port}/{database}?sslmode=disable"
credential = "reader"
[jobs.daily]
connections = ["shop"]
query = "SELECT id, amount FROM sales WHERE at >= :day_start AND at < :day_end ORDER BY id"
control = '''{control}'''
day_closed = "SELECT bool_and(done) FROM closed WHERE day = :day"
retry = {{ retries = 0 }}
[[jobs.daily.destinations]]
type = "csv"
path = "out.csv"
"""
OF_DAY = "FROM sales WHERE at >= :day_start_utc::timestamp + interval '5:30' AND at < :day_end"


@pytest.fixture(scope="module")
def database(postgresql):
    return postgresql.database(
        "CREATE TABLE sales (id int, at timestamp, amount numeric(12,2))",
        "INSERT INTO sales SELECT g, timestamp '2026-11-19 23:00' + g * interval '1 hour', g * 1.05"
        " FROM generate_series(0, 30) AS g",
        "CREATE TABLE closed (day date, done boolean)",
        "INSERT INTO closed VALUES ('2026-11-20', false)",
    )


def run(folder, database, control):
    config = folder / "etltui.toml"
    config.write_text(
        CONFIG.format(user=USER, host=HOST, port=PORT, database=database, control=control)
    )
    secret = {"BRANCH_PASSWORD": PASSWORD or "not asked for"}
    words = ("run", "daily", "--json", "--config", config, "--day", "2026-11-20")
    done = etltui(*words, **secret)
    shown = etltui("show", "daily", "--json", "--config", config, **secret)
    return done, json.loads(shown.out)["results"][0]


@pytest.mark.parametrize("counted", ["COUNT(*) AS rows", "COUNT(*) AS rows, SUM(amount) AS amount"])
def test_the_day_s_rows_arrive_and_are_those_that_were_counted(tmp_path, database, counted):
    """N-7, N-10."""
    done, found = run(tmp_path, database, f"SELECT {counted} {OF_DAY}")
    assert done.finished["status"] == "completed", done.err
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert (len(lines), lines[1], lines[-1]) == (25, "1,1.05", "24,25.20")
    assert [each["got"] for each in found["controls"]] == ["24", "315.00"][: len(found["controls"])]
    assert all(each["agrees"] for each in found["controls"])
    assert found["provisional"] == "the day is not closed"


def test_a_cent_too_much_is_noticed(tmp_path, database):
    """N-7."""
    done, found = run(tmp_path, database, f"SELECT SUM(amount) + 0.01 AS amount {OF_DAY}")
    assert done.finished["connections"]["failed"] == 1
    assert found["error"]["message"] == "amount 315.00 written, 315.01 at the source"
