"""`etltui run` over PostgreSQL databases: what arrives, how many sessions it takes, what stays."""

import csv
import threading
from contextlib import contextmanager

import pytest
from python_calamine import CalamineWorkbook

from functional.cli_kit import end, etltui, start
from postgresql_kit import HOST, PASSWORD, PORT, USER

pytestmark = pytest.mark.server

SECRET = PASSWORD or "not asked for"
BRANCHES, ROWS = 6, 2000
TABLE = """
    CREATE TABLE sales (
        id int, customer text, day date, at timestamptz, amount numeric(12,2), rate numeric,
        paid boolean, note text
    )
"""
FILL = f"""
    INSERT INTO sales SELECT g, 'Customer, ' || g || ' "ü"', date '2026-11-01' + g % 20,
        timestamptz '2026-11-01 00:00+05:30' + g * interval '1 minute 0.25 s', g * 1.05,
        g * 0.1250, g % 2 = 0, CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE E'two\\nlines' END
    FROM generate_series(1, {ROWS}) AS g
"""
CONFIG = """
[settings]
state_dir = "state"
max_connections = {limit}

[credentials.reader]
user = "{user}"
password = "env:BRANCH_PASSWORD"

{connections}

[jobs.sales]
connections = ["branch_*"]
query = "{query}"
params = {{ day = "2026-11-10", least = 5 }}

[[jobs.sales.destinations]]
type = "csv"
path = "out/sales.csv"
connection_column = "branch"

[[jobs.sales.destinations]]
type = "{second}"
path = "out/{{job}}.{suffix}"
"""
QUERY = "SELECT * FROM sales WHERE day <= :day AND id >= :least ORDER BY id"


@pytest.fixture(scope="module")
def databases(postgresql):
    first = postgresql.database(TABLE, FILL)
    more = [postgresql.database(template=first) for _ in range(BRANCHES - 1)]
    for number, name in enumerate([first, *more], 1):
        postgresql.execute(f"UPDATE sales SET id = id + {number * 10_000}", database=name)
    return [first, *more]


def configure(folder, databases, *, limit=3, query=QUERY, second="csv", options="sslmode=disable"):
    config = folder / "etltui.toml"
    connections = "\n".join(
        f"[connections.branch_{number:03d}]\n"
        f'url = "postgresql://{HOST}:{PORT}/{name}?{options}"\ncredential = "reader"'
        for number, name in enumerate(databases, 1)
    )
    (folder / "out").mkdir(exist_ok=True)
    config.write_text(
        CONFIG.format(
            limit=limit,
            user=USER,
            connections=connections,
            query=query,
            second=second,
            suffix="csv" if second == "csv" else "xlsx",
        ).replace("out/{job}", "out/second"),
    )
    return config


@contextmanager
def watched(postgresql, databases):
    """Count sessions at the server again and again; the counts are there at the end."""
    names = ", ".join(f"'{name}'" for name in databases)
    asked = (
        "SELECT count(*), count(*) FILTER (WHERE application_name <> 'etltui') AS odd "
        f"FROM pg_stat_activity WHERE datname IN ({names})"
    )
    ended, counts = threading.Event(), []

    def watch():
        while not ended.wait(0.01):
            (row,) = postgresql.execute(asked)
            counts.append(row["count"])
            assert not row["odd"]

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield counts
    finally:
        ended.set()
        thread.join()


def expected(postgresql, name):
    """The rows as psql would show them."""
    return postgresql.execute(
        "SELECT id::text, customer, day::text, to_char(at AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD HH24:MI:SS.US') AS at, amount::text, rate::text, paid::text, note "
        "FROM sales WHERE day <= '2026-11-10' ORDER BY id",
        database=name,
    )


def same(got, row):
    """Whether a line of the CSV is a row of the database."""
    at = row["at"].rstrip("0").rstrip(".") + "+00"
    wanted = [row["id"], row["customer"], row["day"], at, row["amount"], row["rate"], row["paid"]]
    return got[:7] == wanted and got[7] == (row["note"] or "")


@pytest.mark.parametrize("second", ["csv", "excel"])
def test_a_run_gathers_databases(tmp_path, postgresql, databases, second):
    config = configure(tmp_path, databases, second=second)
    with watched(postgresql, databases) as counts:
        ended = etltui("run", "sales", "--json", "--config", config, BRANCH_PASSWORD=SECRET)
    assert ended.code == 0, ended.err
    assert max(counts) <= 3
    assert not any(postgresql.sessions(name) for name in databases)
    with (tmp_path / "out" / "sales.csv").open(newline="") as file:
        head, *lines = csv.reader(file)
    assert head[:3] == ["branch", "id", "customer"]
    assert ended.finished["rows"] == len(lines)
    for number, name in enumerate(databases, 1):
        branch = f"branch_{number:03d}"
        rows = expected(postgresql, name)
        mine = [line[1:] for line in lines if line[0] == branch]
        assert len(mine) == len(rows) > 0
        assert all(map(same, mine, rows))
    if second == "excel":
        book = CalamineWorkbook.from_path(tmp_path / "out" / "second.xlsx")
        sheet = book.get_sheet_by_name("branch_001").to_python()
        assert sheet[0][:3] == ["id", "customer", "day"]
        assert isinstance(sheet[1][4], float)
        assert isinstance(sheet[1][5], float)


def test_values_and_lines_make_the_same_file(tmp_path, databases):
    made = []
    for second in ("csv", "excel"):
        folder = tmp_path / second
        folder.mkdir()
        config = configure(folder, databases, second=second)
        assert etltui("run", "sales", "--config", config, BRANCH_PASSWORD=SECRET).code == 0
        made.append((folder / "out" / "sales.csv").read_bytes())
    assert made[0] == made[1]


def test_a_run_that_is_cancelled_leaves_no_query(tmp_path, postgresql, databases):
    config = configure(tmp_path, databases, query="SELECT pg_sleep(60)::text AS a, id FROM sales")
    process = start("run", "sales", "--json", "--config", config, BRANCH_PASSWORD=SECRET)
    tick = threading.Event()
    while not any(row["state"] == "active" and "pg_sleep" in row["query"]
                  for name in databases for row in postgresql.sessions(name)):  # fmt: skip
        assert process.poll() is None
        tick.wait(0.05)
    process.terminate()
    assert end(process).code == 4
    for _ in range(100):
        if not any(postgresql.sessions(name) for name in databases):
            break
        tick.wait(0.05)
    else:
        raise AssertionError("sessions were left")


def test_a_server_without_tls_fails_every_connection_with_the_way_out(
    tmp_path, postgresql, databases
):
    (row,) = postgresql.execute("SHOW ssl")
    if row["ssl"] == "on":
        pytest.skip("this server offers TLS")
    config = configure(tmp_path, databases, options="sslmode=verify-full")
    ended = etltui("run", "sales", "--config", config, BRANCH_PASSWORD=SECRET)
    assert ended.code == 1
    assert "offers no TLS" in ended.out + ended.err
