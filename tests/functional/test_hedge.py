"""`etltui run` asks a branch once more whose first answer does not come: N-2."""

import csv

import pytest

from functional.cli_kit import etltui
from postgresql_kit import HOST, PASSWORD, PORT, USER

pytestmark = pytest.mark.server

SLOW_ONCE = """
    CREATE FUNCTION slow_once() RETURNS int LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        -- Whoever is asked first holds the lock with its session, and does not answer.
        IF pg_try_advisory_lock(4711) THEN PERFORM pg_sleep(600); END IF;
        RETURN 1;
    END $$
"""
CONFIG = """
[settings]
state_dir = "state"
retries = 0

[credentials.reader]
user = "{user}"
password = "env:BRANCH_PASSWORD"

[connections.branch_001]
url = "postgresql://{host}:{port}/{name}?sslmode=disable"
credential = "reader"
hedge_after_s = 1

[jobs.sales]
connections = ["branch_*"]
query = "SELECT n, slow_once() AS one FROM generate_series(1, 3) AS n"
control = "SELECT 3 AS rows"

[[jobs.sales.destinations]]
type = "csv"
path = "sales.csv"
"""
LEFT = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE '%slow_once%' "
    "AND state <> 'idle'"
)


def test_n_2_a_branch_that_does_not_answer_is_asked_once_more(tmp_path, postgresql):
    name = postgresql.database(SLOW_ONCE)
    config = tmp_path / "etltui.toml"
    config.write_text(CONFIG.format(user=USER, host=HOST, port=PORT, name=name))
    more = {"BRANCH_PASSWORD": PASSWORD or "not asked for"}
    ended = etltui("run", "sales", "--json", "--config", config, **more)
    assert ended.code == 0, ended.err
    with (tmp_path / "sales.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["n", "one"], ["1", "1"], ["2", "1"], ["3", "1"]]
    (done,) = (each for each in ended.events if each["type"] == "connection_completed")
    assert (done["tries"], done["hedged"]) == (1, "second")
    assert postgresql.execute(LEFT.format(name=name))[0]["count"] == 0
    shown = etltui("show", "sales", "--config", config, **more).out
    assert "asked twice, the second answer kept" in shown
