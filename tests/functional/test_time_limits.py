"""The documents' time limits, as an operator sets them in the environment and meets them."""

import socket
import sqlite3
from contextlib import closing

import pymysql
import pytest

from functional.cli_kit import etltui
from mysql_kit import HOST, PASSWORD, PORT, USER

CONFIG = """
[settings]
state_dir = "state"

[credentials.north]
user = "{user}"
{password}

[connections.north]
url = "{url}"
{more}
[jobs.sales]
connections = ["north"]
query = "{sql}"
retry = {{ retries = 0 }}

[[jobs.sales.destinations]]
type = "csv"
path = "out.csv"
"""
ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS x FROM n"
)


@pytest.fixture
def ask(tmp_path):
    """An `etltui` command over one connection."""

    def make(*words, url="sqlite:///north.db", sql=ENDLESS, more="", **limits):
        config = tmp_path / "etltui.toml"
        password = 'password = "env:BRANCH_PASSWORD"' if PASSWORD else ""
        config.write_text(
            CONFIG.format(url=url, sql=sql, more=more, user=USER, password=password),
        )
        return etltui(*words, "--config", config, BRANCH_PASSWORD=PASSWORD or "none", **limits)

    with closing(sqlite3.connect(tmp_path / "north.db")) as db, db:
        db.execute("CREATE TABLE sales (id INTEGER)")
    return make


def test_s3_15_a_query_of_a_run_has_its_limit(ask):
    """S0-9, N-2: not the one of short questions."""
    done = ask("run", "sales", QUERY_TIMEOUT_MS="2000", DB_REQUEST_TIMEOUT="1000")
    assert done.code != 0
    assert "query_timeout_s = 2 s" in done.out + done.err


@pytest.mark.server
def test_s0_9_a_short_question_has_its_own_limit(ask, mysql):
    """Of a table that somebody has locked the server tells no plan."""
    name = mysql.database("CREATE TABLE sales (id INT)")
    where = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD}
    other = pymysql.connect(**where, database=name, ssl_disabled=True)
    with closing(other), other.cursor() as cursor:
        cursor.execute("LOCK TABLES sales WRITE")
        done = ask(
            "test",
            "--explain",
            "sales",
            url=f"mysql://{HOST}:{PORT}/{name}?sslmode=disable",
            more='credential = "north"\n',
            sql="SELECT id FROM sales",
            DB_REQUEST_TIMEOUT="1000",
        )
    assert done.code != 0
    assert "no plan within request_timeout_s = 1 s" in done.out + done.err


def test_s0_8_a_server_that_never_answers_costs_the_limit(ask):
    """N-1."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = ask(
            "run",
            "sales",
            url=f"postgresql://127.0.0.1:{port}/shop?sslmode=disable",
            more='credential = "north"\n',
            sql="SELECT 1 AS x",
            DB_CONNECTION_TIMEOUT="2000",
        )
    assert done.code != 0
    assert "no login within connection_timeout_s = 2 s" in done.out + done.err
