"""`etltui loadtest` as an operator calls it: real databases, extractors and targets."""

import json
import signal
from pathlib import Path

import pytest

from functional.cli_kit import end, etltui, interrupt, start

SMALL = ("loadtest", "--connections", 6, "--rows", 200, "--jobs", 2)


@pytest.fixture
def around(tmp_path):
    """A home and a temporary folder of its own, so that what is left behind is seen."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    return {
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "xdg"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "TMPDIR": str(scratch),
    }


def begun(process):
    """Until its engine has started: what comes then ends it as it should."""
    for line in process.stderr:
        if "running 2 jobs at once" in line:
            return
    raise AssertionError("the command ended without a word")


def left_behind(around):
    return list(Path(around["TMPDIR"]).iterdir())


@pytest.mark.timeout(120)
def test_s0_138_all_rows_come_once_beside_one_that_fails_and_one_that_stalls(around, tmp_path):
    page = tmp_path / "report.html"
    ordered = ("--rounds", 2, "--failures", "15%", "--stall", "0.15:1", "--latency", 20)
    done = etltui(*SMALL, *ordered, "--json", "--html", page, **around)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["wrong"] == []
    assert found["rounds"] == 2
    assert found["runs"] == {"completed_with_errors": 4}
    assert found["rows"] == 2 * 2 * 5 * 200
    assert found["came"] == {
        "failing": {"missing": 1},
        "failed": 1,
        "stalling": 1,
        "stalls": found["came"]["stalls"],
    }
    # The first run to try it in each round waits for all of the stall.
    assert found["came"]["stalls"] >= 2
    assert found["failures"] == {"no_database": 4}
    assert found["times"]["try"]["count"] == 20
    assert found["times"]["try"]["max"] >= 1
    assert found["pools"]["leaked"] == found["pools"]["lent"] == 0
    assert found["events"]["RunFinished"] == 4
    assert found["peak_memory"] > 0
    (stored,) = (tmp_path / "xdg" / "etltui" / "loadtests").iterdir()
    assert json.loads(stored.read_text(encoding="utf-8")) == found
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "round 2: 2 runs, 2,000 rows, 2 connections failed" in done.err
    assert left_behind(around) == []
    # What it left in the state folder keeps no engine out.
    assert etltui("runs", **around).code == 0


@pytest.mark.timeout(120)
def test_s0_138_ctrl_c_ends_it_with_the_report_so_far(around, tmp_path):
    folder = tmp_path / "reports"
    ordered = ("--stall", "0.15:150", "--folder", folder)
    process = start(*SMALL, *ordered, **around)
    begun(process)
    interrupt(process)
    done = end(process)
    assert done.code == 130, done.err
    assert "stopped early, nothing wrong by then" in done.out
    (stored,) = folder.iterdir()
    assert json.loads(stored.read_text(encoding="utf-8"))["stopped"] is True
    assert left_behind(around) == []


@pytest.mark.timeout(120)
def test_a_second_signal_leaves_at_once_and_nothing_behind(around, tmp_path):
    page = tmp_path / "report.html"
    process = start(*SMALL, "--stall", "0.15:150", "--html", page, **around)
    begun(process)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert end(process).code == 130
    assert left_behind(around) == []
    assert not page.exists()


@pytest.mark.timeout(120)
def test_s0_138_configured_jobs_are_read_into_targets_of_the_test_alone(around, tmp_path):
    folder = tmp_path / "demo"
    etltui("demo", "--branches", 3, "--rows", 20, "--headless", "--dir", folder, **around)
    config = ("--config", folder / "config.toml")
    assert etltui("hold", "branch_002", "--reason", "till", *config, **around).code == 0
    before = {path: path.stat().st_mtime_ns for path in (folder / "output").iterdir()}
    done = etltui("loadtest", "--job", "gst_sales", "--rounds", 1, "--json", *config, **around)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["rows"], found["order"]["connections"]) == (40, 2)
    assert {path: path.stat().st_mtime_ns for path in (folder / "output").iterdir()} == before
    (stored,) = (folder / "state" / "loadtests").iterdir()
    runs = etltui("runs", *config, **around).out
    assert runs.count("gst_sales") == 1
    assert stored.suffix == ".json"
