"""The configuration as an operator meets it: shown, changed, taken over, checked, run."""

import json
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from functional.cli_kit import etltui

JOBS = """
[jobs.gst]
connections = ["tag:north"]
query = "SELECT * FROM sales"
[[jobs.gst.destinations]]
type = "csv"
path = "out/gst.csv"
include_headers = true
"""


@pytest.fixture
def fleet(tmp_path):
    """Three branches on disk, a list of them, and a configuration that names its CSV file."""
    for number in (1, 2, 3):
        database = sqlite3.connect(tmp_path / f"b{number}.db")
        with database:
            database.execute("CREATE TABLE sales (bill INTEGER)")
            database.execute("INSERT INTO sales VALUES (?)", (number,))
        database.close()
    (tmp_path / "etltui.toml").write_text(
        f'[settings]\nstate_dir = "state"\nconnections_file = "branches.csv"\n{JOBS}'
    )
    rows = "".join(f"Branch {n}\tb{n}.db\tnorth\n" for n in (1, 2, 3))
    (tmp_path / "list.csv").write_text(f"\ufeffShop\tFile\tRegion\n{rows}", "utf-8")
    return tmp_path


def command(folder, *words, **environ):
    return etltui(*words, "--config", folder / "etltui.toml", **environ)


def take_over(folder):
    return command(
        folder,
        *("import-fleet", folder / "list.csv", "--write", folder / "branches.csv"),
        *("--column", "name=Shop", "--column", "tags=Region", "--url", "sqlite:///{file}"),
    )


def rows_of(folder):
    return (folder / "out" / "gst.csv").read_text().split()


def test_a_fleet_is_taken_over_checked_and_read_and_a_closed_branch_is_not_missing(fleet):
    told = take_over(fleet)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("3 new: Branch 1, Branch 2, Branch 3\n")
    assert "  gst: 3 connections\n" in command(fleet, "check").out
    ended = command(fleet, "run", "gst", "--json")
    assert ended.code == 0, ended.err
    assert rows_of(fleet) == ["bill", "1", "2", "3"]

    text = (fleet / "branches.csv").read_text()
    line = next(line for line in text.splitlines() if line.startswith("Branch 2"))
    cells = line.split(",")
    cells[5] = "2020-01-01"
    (fleet / "branches.csv").write_text(text.replace(line, ",".join(cells)))
    (fleet / "b2.db").unlink()
    said = command(fleet, "check").out
    assert "  gst: 2 connections (1 left out: closed or not yet open)\n" in said
    ended = command(fleet, "run", "gst", "--json")
    assert ended.code == 0, ended.err
    assert rows_of(fleet) == ["bill", "1", "3"]


def test_a_mistake_in_the_list_names_file_line_and_column(fleet):
    take_over(fleet)
    with (fleet / "branches.csv").open("a") as file:
        file.write("Branch 1,sqlite:///b1.db,nobody,,1.4.2019,,\n")
    told = command(fleet, "check")
    assert told.code == 2
    where = f"etltui: {fleet / 'branches.csv'}: line 5, column"
    assert told.err.splitlines() == [
        f'{where} opened: "1.4.2019" is not a day. Write it as 2026-11-21',
        f'{where} credential: there is no credential "nobody". Add a [credentials.nobody]',
        f'{where} name: "Branch 1" is the name of line 2 too. Give each its own name',
    ]


def test_a_setting_is_changed_beside_the_file_and_shown_with_its_origin(fleet):
    """S0-130."""
    take_over(fleet)
    before = (fleet / "etltui.toml").read_bytes()
    told = command(fleet, "config", "set", "retries", "9")
    assert told.out == f"{fleet / 'etltui.local.toml'}: retries = 9\n"
    assert stat.S_IMODE((fleet / "etltui.local.toml").stat().st_mode) == 0o600
    assert (fleet / "etltui.toml").read_bytes() == before
    shown = command(
        fleet, "config", "show", "--json", "--profile", "branches_500", JOB_QUEUE_MAX_CONCURRENT="4"
    )
    found = json.loads(shown.out)["settings"]
    assert {
        name: (found[name]["value"], found[name]["origin"])
        for name in ("retries", "state_dir", "max_connections", "max_jobs", "overlap")
    } == {
        "retries": (9, "local"),
        "state_dir": ("state", "file"),
        "max_connections": (500, "profile branches_500"),
        "max_jobs": (4, "environment JOB_QUEUE_MAX_CONCURRENT"),
        "overlap": ("join", "default"),
    }
    refused = command(fleet, "config", "set", "retrys", "9")
    assert refused.code == 2
    assert 'retrys: is not a known setting. Did you mean "retries"?' in refused.err


def test_a_job_of_another_program_runs_after_it_was_taken_over(fleet):
    take_over(fleet)
    job = {
        "id": "stock",
        "name": "Stock of the day",
        "connections": ["Branch 1", "Branch 3"],
        "queries": [{"sql": "SELECT bill * 10 AS bill FROM sales"}],
        "destinations": [{"type": "csv", "filePath": "D:\\Reports\\{jobName}.csv"}],
    }
    (fleet / "job.json").write_text(json.dumps(job))
    words = ("import-job", fleet / "job.json", "--write", fleet / "etltui.toml")
    refused = command(fleet, *words)
    assert refused.code == 2
    assert '"D:\\Reports\\{jobName}.csv" is a Windows path' in refused.err
    assert '--map "D:/Reports=/mnt/reports"' in refused.err
    assert command(fleet, *words, "--map", f"D:/Reports={fleet}/out").code == 0
    assert command(fleet, "check").code == 0
    assert command(fleet, "run", "stock", "--json").code == 0
    assert (fleet / "out" / "Stock of the day.csv").read_text().split() == ["bill", "10", "30"]


def test_a_full_disk_below_the_output_is_said_in_words(tmp_path):
    (tmp_path / "etltui.toml").touch()
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            [sys.executable, "-m", "etltui", "config", "show"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (told.returncode, told.stderr) == (1, "etltui: No space left on device\n")
