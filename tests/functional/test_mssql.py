"""A job over SQL Servers from the command line, at the double of one."""

import pytest

from functional.cli_kit import etltui
from mssql_kit import PASSWORD, USER, freetds, microsoft, serving

CONFIG = """
[settings]
state_dir = "state"

[credentials.reader]
user = "{user}"
password = "env:BRANCH_PASSWORD"

[connections.one]
url = "mssql://127.0.0.1:{port}/one?driver={first}&sslmode=disable"
credential = "reader"

[connections.two]
url = "mssql://127.0.0.1:{port}/two?driver={second}&sslmode=disable"
credential = "reader"

[jobs.sales]
connections = ["one", "two"]
query = "SELECT id, name, amount FROM sales WHERE id >= :least ORDER BY id"
params = {{ least = 1 }}

[[jobs.sales.destinations]]
type = "csv"
path = "out/sales.csv"
"""


@pytest.fixture
def fleet(tmp_path):
    with serving(tmp_path) as server:
        for number, name in enumerate(("one", "two")):
            columns = {"id": "int", "name": "nvarchar(20)", "amount": "decimal(9,2)"}
            rows = [(each, f"Ø {name} {each}", f"{each}.50") for each in range(number, 4)]
            server.table(name, "sales", columns, rows)
        (tmp_path / "etltui.toml").write_text(
            CONFIG.format(user=USER, port=server.port, first=microsoft(), second=freetds()),
        )
        yield server, tmp_path


def test_one_file_of_two_servers_whichever_driver_reads_them(fleet):
    server, folder = fleet
    config = folder / "etltui.toml"
    ended = etltui("run", "sales", "--json", "--config", config, BRANCH_PASSWORD=PASSWORD)
    assert ended.code == 0, ended.err + ended.out
    lines = (folder / "out/sales.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1:] == [
        *(f"{number},Ø one {number},{number}.50" for number in range(1, 4)),
        *(f"{number},Ø two {number},{number}.50" for number in range(1, 4)),
    ]
    assert not [text for text in server.batches if "INSERT" in text.upper()]


def test_a_wrong_password_is_tried_once_and_never_shown(fleet):
    _, folder = fleet
    config = folder / "etltui.toml"
    ended = etltui("run", "sales", "--json", "--config", config, BRANCH_PASSWORD="wrong-Pa55")
    assert ended.code != 0
    assert "18456" in ended.err + ended.out
    assert "wrong-Pa55" not in ended.err + ended.out
