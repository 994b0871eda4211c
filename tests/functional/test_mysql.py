"""`etltui run` over MariaDB databases: what arrives in each format, how it is left."""

import csv
import json
import threading

import pytest
from python_calamine import CalamineWorkbook

from functional.cli_kit import end, etltui, start
from mysql_kit import HOST, PASSWORD, PORT, USER

pytestmark = pytest.mark.server

SECRET = PASSWORD or "env:"
BRANCHES, ROWS = 4, 1500
TABLE = """
    CREATE TABLE sales (
        id BIGINT UNSIGNED, customer VARCHAR(60), day DATE, at TIMESTAMP(6) NULL,
        amount DECIMAL(12,2), rate FLOAT, paid BOOLEAN, note TEXT
    )
"""
FILL = f"""
    INSERT INTO sales SELECT seq, CONCAT('Customer, ', seq, ' "ü"'),
        CAST('2026-11-01' AS DATE) + INTERVAL seq % 20 DAY,
        CAST('2026-11-01 00:00' AS DATETIME) + INTERVAL seq * 60250000 MICROSECOND,
        seq * 1.05, seq * 0.1, seq % 2 = 0,
        CASE seq % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'two\\nlines' END
    FROM seq_1_to_{ROWS}
"""
CONFIG = """
[settings]
state_dir = "state"

[credentials.reader]
user = "{user}"
{password}

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
type = "excel"
path = "out/sales.xlsx"

[[jobs.sales.destinations]]
type = "jsonl"
path = "out/sales.jsonl"
"""
QUERY = "SELECT * FROM sales WHERE day <= :day AND id >= :least ORDER BY id"


@pytest.fixture(scope="module")
def databases(mysql):
    made = [mysql.database(TABLE, FILL) for _ in range(BRANCHES)]
    for number, name in enumerate(made, 1):
        mysql.execute(f"UPDATE sales SET id = id + {number * 10_000}", database=name)
    return made


def configure(folder, databases, *, query=QUERY, scheme="mysql", options="sslmode=disable"):
    config = folder / "etltui.toml"
    connections = "\n".join(
        f"[connections.branch_{number:03d}]\n"
        f'url = "{scheme}://{HOST}:{PORT}/{name}?{options}"\ncredential = "reader"'
        for number, name in enumerate(databases, 1)
    )
    (folder / "out").mkdir(exist_ok=True)
    password = 'password = "env:BRANCH_PASSWORD"' if PASSWORD else ""
    config.write_text(
        CONFIG.format(user=USER, password=password, connections=connections, query=query),
    )
    return config


def run(config):
    return etltui("run", "sales", "--json", "--config", config, BRANCH_PASSWORD=SECRET)


def expected(mysql, name):
    """The rows in the text that the server itself makes of them."""
    return mysql.execute(
        "SELECT CONCAT(id) AS id, customer, CONCAT(day) AS day, CONCAT(at) AS at, "
        "CONCAT(amount) AS amount, ROUND(rate, 1) AS rate, IF(paid, 'true', 'false') AS paid, "
        "IFNULL(note, '') AS note FROM sales WHERE day <= '2026-11-10' ORDER BY id",
        database=name,
    )


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_a_run_gathers_databases(tmp_path, mysql, databases, scheme):
    ended = run(configure(tmp_path, databases, scheme=scheme))
    assert ended.code == 0, ended.err
    assert not any(mysql.sessions(name) for name in databases)
    with (tmp_path / "out" / "sales.csv").open(newline="") as file:
        head, *lines = csv.reader(file)
    assert head[:3] == ["branch", "id", "customer"]
    assert ended.finished["rows"] == len(lines)
    for number, name in enumerate(databases, 1):
        mine = [line[1:] for line in lines if line[0] == f"branch_{number:03d}"]
        rows = expected(mysql, name)
        for row in rows:
            row["at"] = row["at"].rstrip("0").rstrip(".") + "+00"
            row["rate"] = f"{row['rate']:g}"
        assert mine == [list(row.values()) for row in rows]
        assert mine
    written = (tmp_path / "out" / "sales.jsonl").read_text(encoding="utf-8")
    documents = [json.loads(line) for line in written.splitlines()]
    assert len(documents) == len(lines)
    book = CalamineWorkbook.from_path(tmp_path / "out" / "sales.xlsx")
    sheet = book.get_sheet_by_name("branch_001").to_python()
    assert sheet[0][:3] == ["id", "customer", "day"]
    assert isinstance(sheet[1][4], float)
    assert isinstance(sheet[1][6], bool)


def test_a_branch_with_values_that_its_types_lack_is_read_like_the_others(
    tmp_path, mysql, databases
):
    odd = mysql.database(
        TABLE,
        FILL,
        "UPDATE sales SET day = '0000-00-00', paid = 2, id = 18446744073709551615 WHERE id = 7",
    )
    ended = run(configure(tmp_path, [databases[0], odd]))
    assert ended.code == 0, ended.err
    with (tmp_path / "out" / "sales.csv").open(newline="") as file:
        found = {
            line["id"]: (line["day"], line["paid"])
            for line in csv.DictReader(file)
            if line["branch"] == "branch_002"
        }
    assert found["18446744073709551615"] == ("0000-00-00", "2")
    assert found["8"] == ("2026-11-09", "1")


def test_a_run_that_is_cancelled_leaves_no_query(tmp_path, mysql, databases):
    endless = "SELECT COUNT(*) AS n FROM seq_1_to_1000000 a, seq_1_to_1000000 b"
    config = configure(tmp_path, databases, query=f"{endless} WHERE :day > '' AND :least > 0")
    process = start("run", "sales", "--json", "--config", config, BRANCH_PASSWORD=SECRET)
    tick = threading.Event()
    while not any("COUNT" in (row["INFO"] or "")
                  for name in databases for row in mysql.sessions(name)):  # fmt: skip
        assert process.poll() is None
        tick.wait(0.05)
    process.terminate()
    assert end(process).code == 4
    for _ in range(100):
        if not any(mysql.sessions(name) for name in databases):
            break
        tick.wait(0.05)
    else:
        raise AssertionError("sessions were left")


def test_a_query_that_writes_at_the_server_is_refused(tmp_path, databases):
    writing = "SELECT * FROM sales WHERE :day > '' AND :least > 0 INTO OUTFILE '/tmp/x'"
    ended = run(configure(tmp_path, databases, query=writing))
    assert ended.code == 2
    assert "jobs.sales.query" in ended.err


def test_a_server_without_tls_fails_with_the_way_out(tmp_path, mysql, databases):
    if mysql.execute("SELECT @@have_ssl AS s")[0]["s"] == "YES":
        pytest.skip("this server offers TLS")
    ended = run(configure(tmp_path, databases, options="sslmode=verify-full"))
    assert ended.code == 1
    assert "offers no TLS" in ended.out + ended.err
