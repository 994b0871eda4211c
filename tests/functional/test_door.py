"""Commands that meet at one state folder: they join whoever holds it."""

import shutil
import signal
from pathlib import Path

import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from functional.cli_kit import (
    configure,
    end,
    endless,
    etltui,
    interrupt,
    locked,
    mend,
    run,
    serving,
    start,
    wait_for,
)

BRANCHES = 6

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=50))
    return made


def begin(folder, *arguments):
    """A run that has done a connection, and whose engine therefore serves."""
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml", *arguments)
    wait_for(process, '"connection_completed"')
    return process


def second_job(folder):
    path = folder / "config.toml"
    text = path.read_text()
    more = text[text.index("[jobs.gst_sales]") : text.index("[connections.")]
    path.write_text(text + more.replace("gst_sales", "other"))


def test_n_23_two_starts_of_a_job_are_one_run_that_both_follow_to_its_end(folder):
    with locked(folder, 2):
        first = begin(folder)
        second = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
        wait_for(second, '"run_started"')
    one, two = end(first), end(second)
    assert (one.code, two.code) == (0, 0), one.out[-1500:] + two.err
    assert one.finished == two.finished
    assert one.finished["connections"]["completed"] == BRANCHES
    assert "joined the engine of" in two.err
    assert f"process {first.pid}" in two.err
    assert len(etltui("runs", "--json", "--config", folder / "config.toml").events) == 1


def test_starts_at_the_same_moment_are_one_run_too(folder):
    with locked(folder, 2):
        each = [
            start("run", "gst_sales", "--json", "--config", folder / "config.toml")
            for _ in range(3)
        ]
        for process in each:
            wait_for(process, '"connection_')
    ended = [end(process) for process in each]
    assert [one.code for one in ended] == [0, 0, 0]
    assert len({one.finished["run"] for one in ended}) == 1


def test_a_run_joins_serve_and_ends_as_it_would_have_here(folder):
    here = run(folder)
    with serving(folder) as process:
        there = run(folder)
        assert there.code == 0
        assert f"process {process.pid}" in there.err
        told = etltui("run", "gst_sales", "--config", folder / "config.toml")
        assert "gst_sales: completed, 6/6 connections, 300 rows" in told.out
        (folder / "data" / "branch_003.db").unlink()
        assert run(folder).code == 3
        refused = run(folder, "--only", "brunch_*")
        assert refused.code == 2
        assert "brunch_*" in refused.err
    assert [kinds(each) for each in (here, there)] == [kinds(here)] * 2


def kinds(ended):
    quick = {"run_progress", "connection_progress"}
    return sorted(event["type"] for event in ended.events if event["type"] not in quick)


def test_an_engine_that_is_killed_leaves_a_sentence_and_a_run_that_goes_on(folder):
    endless(folder, 1)
    with serving(folder) as process:
        client = begin(folder)
        process.kill()
        process.wait()
        ended = end(client)
    assert ended.code == 4
    assert f"process {process.pid}, has ended" in ended.err
    assert f"/{BRANCHES} done: its engine died; go on with --resume" in ended.err
    # The socket that it left behind is in nobody's way.
    assert (folder / "state" / "engine.sock").is_socket()
    mend(folder, 1)
    resumed = run(folder, "--resume")
    assert resumed.code == 0
    assert resumed.finished["connections"]["skipped"] >= 1
    assert not (folder / "state" / "engine.sock").exists()


def test_a_state_folder_too_deep_for_a_sockets_address(folder):
    state = folder / ("s" * 60) / ("t" * 60)
    with serving(folder, "--state-dir", state):
        joined = run(folder, "--state-dir", state)
    assert joined.code == 0
    assert "joined the engine" in joined.err


def test_a_client_with_another_configuration_is_told_which_one_holds(folder):
    other = folder / "other.toml"
    shutil.copy(folder / "config.toml", other)
    with serving(folder):
        refused = etltui("run", "gst_sales", "--config", other)
    assert refused.code == 2
    assert f"works with {folder / 'config.toml'}" in refused.err


def test_a_changed_configuration_is_read_again_before_a_run_starts(folder):
    with serving(folder):
        configure(folder, "SELECT * FROM sales", "SELECT * FROM sales LIMIT 7")
        second_job(folder)
        changed = run(folder, "--no-resume")
        assert changed.finished["rows"] == 7 * BRANCHES
        asked = etltui("run", "other", "--json", "--config", folder / "config.toml")
        assert asked.finished["rows"] == 7 * BRANCHES


def test_an_engine_waits_for_the_runs_of_those_who_joined_it(folder):
    second_job(folder)
    endless(folder, 1)
    config = folder / "config.toml"
    first = begin(folder)
    second = start("run", "other", "--json", "--config", config)
    wait_for(second, '"connection_completed"')
    cancelled = etltui("cancel", "gst_sales", "--config", config)
    assert cancelled.code == 0
    assert "gst_sales: cancelled" in cancelled.out
    assert any("waiting for 1 run that joined this engine" in line for line in first.stderr)
    assert etltui("cancel", "other", "--config", config).code == 0
    assert (end(first).code, end(second).code) == (130, 130)


def test_leaving_ends_nothing_and_watching_takes_it_up_again(folder):
    config = folder / "config.toml"
    with serving(folder), locked(folder, 2):
        client = begin(folder)
        interrupt(client)
        left = end(client)
        assert left.code == 130
        assert "end it: etltui cancel" in left.err
        name = left.err.rpartition("etltui cancel ")[2].strip()
        watching = start("watch", name[-4:].lower(), "--json", "--config", config)
        wait_for(watching, '"run_started"')
        everything = start("watch", "--json", "--config", config)
        wait_for(everything, '"run_started"')
        assert etltui("cancel", name, "--resumable", "--config", config).code == 0
        watched = end(watching)
        assert watched.code == 4
        assert watched.finished["run"] == name
        wait_for(everything, '"run_finished"')
        interrupt(everything)
        assert end(everything).code == 0
        # It has ended: what is recorded tells the same.
        assert etltui("watch", name, "--config", config).code == 4
    assert etltui("watch", "gst_sales", "--config", config).code == 4
    assert etltui("watch", "nothing", "--config", config).code == 2
    assert etltui("watch", "--config", config).code == 75


def test_a_run_is_left_with_an_engine_that_stays(folder):
    config = folder / "config.toml"
    alone = etltui("run", "gst_sales", "--no-wait", "--config", config)
    assert alone.code == 75
    assert "etltui serve" in alone.err
    with serving(folder):
        left = etltui("run", "gst_sales", "--no-wait", "--priority", 7, "--config", config)
        assert left.code == 0
        assert etltui("watch", left.out.strip(), "--config", config).code == 0
    with locked(folder, 2):
        holder = begin(folder)
        refused = etltui("run", "gst_sales", "--no-wait", "--config", config)
        assert refused.code == 75
        assert "ends with its own runs" in refused.err
    assert end(holder).code == 0


def test_a_retry_reads_what_failed_here_and_there(folder):
    config = folder / "config.toml"
    lost = folder / "data" / "branch_003.db"
    for engine in ("here", "there"):
        kept = lost.rename(folder / "kept.db")
        first = run(folder, "--no-resume")
        assert first.code == 3
        kept.rename(lost)
        words = ("retry", first.finished["run"][-4:], "--only-failed", "--json", "--config", config)
        if engine == "here":
            again = etltui(*words)
        else:
            with serving(folder):
                again = etltui(*words)
        assert again.code == 0
        assert again.finished["run"] == first.finished["run"]
        assert again.finished["connections"]["completed"] == 1
    assert etltui("retry", "nothing", "--config", config).code == 2


def test_overlaps_are_refused_or_queued_as_asked(folder):
    config = folder / "config.toml"
    with locked(folder, 2):
        first = begin(folder)
        refused = run(folder, "--overlap", "refuse")
        assert refused.code == 75
        assert "was not started: its run" in refused.err
        second = start("run", "gst_sales", "--overlap", "queue", "--json", "--config", config)
        wait_for(second, '"run_queued"')
    one, two = end(first), end(second)
    assert (one.code, two.code) == (0, 0)
    assert one.finished["run"] != two.finished["run"]
    assert etltui("run", "gst_sales", "--delay", "soon", "--config", config).code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_holder_that_is_stopped_stops_those_who_joined_resumably(folder, number):
    endless(folder, 1)
    first = begin(folder)
    second = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    wait_for(second, '"run_started"')
    interrupt(first, number)
    assert (end(first).code, end(second).code) == (4, 4)
