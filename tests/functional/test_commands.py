"""The commands that look at an engine and steer it, over a real one, and where it has died."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from etltui.bootstrap import open_history
from etltui.cli import demo
from etltui.cli.demo_data import Demo
from etltui.cli.main import main
from functional.cli_kit import Ended, change, configure, endless, environ, serving

BRANCHES = 3

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three jobs of which one runs at a time; the first one's query at branch 1 never ends."""
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    configure(made, "[settings]", "[settings]\nmax_jobs = 1")
    path = made / "config.toml"
    text = path.read_text()
    job = text[text.index("[jobs.gst_sales]") : text.index("[connections.")]
    others = "".join(job.replace("gst_sales", name) for name in ("other", "third"))
    path.write_text(text + others)
    endless(made, 1)
    return made


@pytest.fixture
def ask(folder):
    """Call a command over the folder, in this process: it is the engine that is elsewhere."""

    def asked(*words):
        arguments = [*map(str, words), "--config", str(folder / "config.toml")]
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        return Ended(code=done.exit_code, out=done.stdout, err=done.stderr)

    return asked


def objects(ended):
    assert ended.code == 0, ended.err
    return ended.events


def submitted(ask, *jobs):
    """The ids of runs, of which the first is in its middle and the others wait."""
    ended = [ask("run", job, "--no-wait") for job in jobs]
    assert [each.code for each in ended] == [0] * len(jobs), ended
    at_work = False
    while not at_work:  # until the endless branch's session is the only one lent
        (snapshot,) = objects(ask("snapshot", "--json"))
        views = snapshot["runs"][:1]
        at_work = any(view["completedConnections"] == BRANCHES - 1 for view in views)
    return [each.out.strip() for each in ended]


def test_a_running_engine_is_looked_at_and_its_queue_steered(folder, ask):
    """S1-67, S0-94…100, S0-120…122."""
    with serving(folder):
        first, second, third = submitted(ask, "gst_sales", "other", "third")
        assert objects(ask("queue", "--json")) == [
            {
                "pending": 2,
                "running": 1,
                "completed": 0,
                "failed": 0,
                "totalProcessed": 0,
                "avgProcessingTime": 0,
            }
        ]
        listed = objects(ask("queue", "list", "--json"))
        assert [each["runId"] for each in listed] == [first, second, third]
        assert [each["status"] for each in listed] == ["running", "pending", "pending"]
        jobs = {each["job"]: each for each in objects(ask("jobs", "--json"))}
        states = {name: each["now"] for name, each in jobs.items()}
        assert states == {"gst_sales": "running", "other": "waiting", "third": "waiting"}
        (whole,) = objects(ask("jobs", "other", "--json"))
        assert whole["waiting"] == [second]

        assert "priority 100 → 0" in ask("queue", "priority", third[-4:], 0).out
        listed = objects(ask("queue", "list", "--json"))
        assert [each["runId"] for each in listed] == [first, third, second]
        assert ask("queue", "priority", first, 0).code == 2  # it has its turn already

        assert ask("queue", "pause", "third").out == "third is paused\n"
        assert ask("queue", "pause", "third").out == "third was already paused\n"
        assert ask("queue", "pause").out == "the queue is paused\n"
        told = ask("queue").out
        assert "The queue is paused; let it go on with: etltui queue resume" in told
        assert "Paused jobs: third" in told
        assert ask("queue", "resume").out == "the queue goes on\n"
        assert ask("queue", "resume", "third").out == "third goes on\n"

        told = ask("snapshot").out
        assert "QUEUE   2 waiting, 1 running" in told
        assert f"{BRANCHES - 1}/{BRANCHES}" in told
        assert "MEMORY" in told
        assert max(map(len, told.splitlines())) < 80

        cancelled = ask("queue", "cancel", third)
        assert cancelled.out == f"{third} third: cancelled\n", cancelled.err
        assert ask("queue", "clear").code == 2
        assert ask("queue", "clear", "--yes").out == "1 run cancelled\n"
        assert ask("queue", "clear").out == "Nothing waits.\n"
        assert ask("queue", "cancel", "gst_sales").code == 0


def test_the_pools_of_a_running_engine_are_looked_at_and_steered(folder, ask):
    """S0-123, S0-130, S0-94, S0-95, S0-120."""
    with serving(folder):
        (run,) = submitted(ask, "gst_sales")
        (metrics,) = objects(ask("pools", "--json"))
        assert list(metrics) == ["totalPools", "activePools", "totalConnections", "poolsByServer"]
        assert metrics["totalPools"] >= 1
        (asked,) = objects(ask("pools", "--statements", "--json"))
        assert {len(p["statements"]) for p in asked["pools"]} <= {0, 1}
        assert all(p["healthy"] for p in asked["pools"])
        (pool,) = [p for p in objects(ask("pools", "list", "--json")) if p["active"]]
        assert pool["pool"].endswith("branch_001.db")

        assert ask("pools", "drain", "branch_001").out == "branch_001: draining\n"
        assert " draining" in ask("pools").out
        assert ask("pools", "resume", pool["pool"]).code == 0
        assert " draining" not in ask("pools", "list").out
        assert ask("pools", "pause").out == "all pools: paused\n"
        assert "; paused" in ask("pools").out
        assert ask("pools", "resume").out == "all pools: at work\n"
        refused = ask("pools", "drain", "branch_999")
        assert refused.code == 2
        assert "'branch_999' means 0 pools" in refused.err

        assert ask("pools", "warm-up", "branch_002").out == "branch_002: 1 session open\n"
        refused = ask("pools", "warm-up", "branch_999")
        assert refused.code == 2
        assert "no connection 'branch_999'. Did you mean" in refused.err
        assert "closed" in ask("pools", "close-idle").out
        assert objects(ask("pools", "--json"))[0]["totalConnections"] == 1
        assert ask("pools", "reconnect-all").code == 0
        refused = ask("pools", "release", "nobody")
        assert refused.code == 2
        assert "there is no credential and no locked pool 'nobody'. No login" in refused.err
        assert ask("cancel", run).code == 0


async def recorded(folder, runs):
    """Come back when the engine has recorded how so many runs stand."""
    async with await open_history(folder / "state") as history:
        while True:
            live = await history.live()
            if live is not None and len(live.runs) == runs:
                return


def test_what_a_killed_engine_leaves_is_looked_at_and_steered(folder, ask):
    with serving(folder) as process:
        first, second = submitted(ask, "gst_sales", "other")
        asyncio.run(recorded(folder, 2))
        process.kill()
        process.wait()
    assert objects(ask("queue", "--json"))[0]["pending"] == 2
    (snapshot,) = objects(ask("snapshot", "--json"))
    assert not snapshot["engine"]
    assert [view["status"] for view in snapshot["runs"]] == ["failed", "pending"]
    assert snapshot["pools"]["totalConnections"] == 0
    assert "No engine runs; the last was that of" in ask("snapshot").out
    assert "No engine runs" in ask("pools").out
    assert objects(ask("pools", "list", "--json")) == []
    refused = ask("pools", "pause")
    assert refused.code == 75
    assert "no engine serves" in refused.err

    assert ask("queue", "priority", "other", 0).code == 0
    assert [each["runId"] for each in objects(ask("queue", "list", "--json"))] == [second, first]
    assert ask("queue", "pause", "othr").code == 2
    assert ask("queue", "pause", "other").out == "other is paused\n"
    assert ask("queue", "clear").code == 2
    assert ask("queue", "clear", "--yes").out == "2 runs cancelled\n"
    told = ask("queue").out
    assert "0 waiting, 0 running" in told
    assert "Paused jobs: other" in told
    (job,) = objects(ask("jobs", "other", "--json"))
    assert job["paused"]
    assert job["now"] == "paused"
    assert job["last"]["status"] == "cancelled"


def test_databases_are_tested_while_an_engine_holds_the_folder(folder, ask):
    """N-25."""
    (folder / "data" / "branch_002.db").unlink()
    change(folder, 3, "CREATE TABLE t (x)")
    with serving(folder):
        ended = ask("test", "--json")
    assert ended.code == 3
    assert {each["connection"]: each["answers"] for each in ended.events} == {
        "branch_001": True,
        "branch_002": False,
        "branch_003": True,
    }


LOADED = """
import json, runpy, sys
sys.argv = ["etltui", "snapshot", "--state-dir", sys.argv[1]]
try:
    runpy.run_module("etltui", run_name="__main__")
except SystemExit as left:
    print(json.dumps([left.code, sorted(sys.modules)]))
"""


def test_a_snapshot_loads_no_driver_and_no_format(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env=environ(HOME=str(tmp_path)),
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    heavy = {"pyarrow", "openpyxl", "adbc_driver_manager", "textual", "sqlalchemy", "sqlglot"}
    assert not {each.partition(".")[0] for each in modules} & heavy
