"""A run into every format at once: killed, resumed, and read back by another program."""

import json
import signal
from pathlib import Path

import duckdb
import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from etltui.domain.targets import MANIFEST
from faults.kills import data_of
from functional.cli_kit import change, end, run, start, wait_for

BRANCHES, ROWS = 8, 300
MORE = """
[[jobs.gst_sales.destinations]]
type = "parquet"
path = "output/{job}.parquet"

[[jobs.gst_sales.destinations]]
type = "parquet"
layout = "folder"
path = "output/lake"

[[jobs.gst_sales.destinations]]
type = "jsonl"
path = "output/{job}.jsonl"

[[jobs.gst_sales.destinations]]
type = "json"
path = "output/{job}.json.gz"
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=ROWS))
    with (made / "config.toml").open("a") as file:
        file.write(MORE)
    return made


def outputs(folder: Path) -> dict[str, object]:
    """The bytes of all targets, of a workbook its data."""
    top = folder / "output"
    return {
        str(path.relative_to(top)): data_of(path) if path.suffix == ".xlsx" else path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


def counts(source: str) -> list[tuple[str, int]]:
    found = duckdb.sql(f"SELECT connection, count(*) FROM {source} GROUP BY 1 ORDER BY 1")
    return found.fetchall()


def test_every_format_holds_the_same_rows(folder):
    ended = run(folder)
    assert ended.code == 0, ended.err
    wanted = [(f"branch_{n:03d}", ROWS) for n in range(1, BRANCHES + 1)]
    top = folder / "output"
    sources = [
        f"read_parquet('{top}/gst_sales.parquet')",
        f"read_parquet('{top}/lake/*.parquet')",
        f"read_json('{top}/gst_sales.jsonl')",
        f"read_json('{top}/gst_sales.json.gz')",
    ]
    assert [counts(source) for source in sources] == [wanted] * 4
    for other in sources[1:2]:
        for one, two in ((sources[0], other), (other, sources[0])):
            left = duckdb.sql(f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {two}").fetchall()
            assert left == []
    sums = "SELECT sum(quantity * price)::DECIMAL(30,4), min(sale_date)::DATE FROM "
    assert len({str(duckdb.sql(sums + source).fetchall()) for source in sources}) == 1
    sizes = {Path(o["path"]).name: o["bytes"] for o in ended.finished["outputs"]}
    lake = sum(path.stat().st_size for path in (top / "lake").iterdir())
    assert (sizes["lake"], len(sizes)) == (lake, 6)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_was_stopped_and_resumed_has_the_same_bytes(folder, number):
    """S3-25, S3-27."""
    assert run(folder).code == 0
    clean = outputs(folder)
    change(
        folder,
        1,
        "ALTER TABLE sales RENAME TO kept",
        "CREATE VIEW sales AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
        "SELECT kept.* FROM n CROSS JOIN kept",
    )
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    wait_for(process, '"connection_completed"')
    process.send_signal(number)
    end(process)
    change(folder, 1, "DROP VIEW sales", "ALTER TABLE kept RENAME TO sales")
    resumed = run(folder)
    assert resumed.code == 0
    assert resumed.finished["connections"]["skipped"] >= 1
    assert outputs(folder) == clean
    assert not [path for path in (folder / "output").iterdir() if path.name.startswith(".")]


def test_what_fails_is_missing_in_a_folder_and_said_in_its_manifest(folder):
    assert run(folder).code == 0
    (folder / "data" / "branch_002.db").unlink()
    assert run(folder).code == 3
    lake = folder / "output" / "lake"
    assert json.loads((lake / MANIFEST).read_bytes())["missing"] == ["branch_002"]
    assert not (lake / "branch_002.parquet").exists()
    assert len(list(lake.iterdir())) == BRANCHES


def test_a_folder_with_something_else_in_it_is_refused_before_anything_is_read(folder):
    lake = folder / "output" / "lake"
    lake.mkdir(parents=True)
    (lake / "notes.txt").write_text("mine")
    refused = run(folder)
    assert refused.code == 2
    assert "notes.txt" in refused.err
    assert not (folder / "state" / "parts").exists()
