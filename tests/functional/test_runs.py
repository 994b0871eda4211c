"""What can happen to a run: branches that fail, signals, limits, resume, wrong configuration."""

import filecmp
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from etltui.cli import demo
from etltui.cli.demo_data import Demo
from faults.kills import data_of
from functional.cli_kit import (
    change,
    configure,
    end,
    endless,
    environ,
    etltui,
    interrupt,
    mend,
    run,
    start,
    wait_for,
)

BRANCHES = 12

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "demo"
    demo.prepare(made, Demo(seed=3, branches=BRANCHES, rows=300))
    return made


def index_of(folder: Path) -> dict[str, tuple]:
    book = openpyxl.load_workbook(folder / "output" / "gst_sales.xlsx", read_only=True)
    rows = list(book["Index"].iter_rows(values_only=True))
    book.close()
    return {row[1]: row for row in rows[1:]}


def fifo(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)


def touch(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("")


def stopped_run(folder: Path):
    """A run that was interrupted in its middle, mended afterwards."""
    endless(folder, 1)
    process = start("run", "gst_sales", "--json", "--no-resume", "--config", folder / "config.toml")
    wait_for(process, '"connection_completed"')
    interrupt(process)
    stopped = end(process)
    assert stopped.code == 4
    mend(folder, 1)
    return stopped


def test_what_fails_is_classed_listed_and_after_mending_the_run_equals_a_clean_one(folder):
    assert run(folder).code == 0
    clean = folder / "clean"
    shutil.copytree(folder / "output", clean)
    held = folder / "held"
    shutil.copytree(folder / "data", held)
    for branch in (2, 5, 12):
        (folder / "data" / f"branch_{branch:03d}.db").unlink()
    change(folder, 7, "ALTER TABLE sales RENAME COLUMN hsn TO hsn_code")
    with (folder / "config.toml").open("a") as file:
        file.write('[jobs.gst_sales.overrides]\nbranch_009 = "SELECT nowhere FROM sales"\n')

    ended = run(folder)

    assert ended.code == 3
    assert ended.finished["connections"] == {
        "total": BRANCHES,
        "completed": BRANCHES - 5,
        "failed": 5,
        "skipped": 0,
    }
    classes = {
        "branch_002": "no database",
        "branch_005": "no database",
        "branch_012": "no database",
        "branch_007": "drift",
        "branch_009": "syntax",
    }
    index = index_of(folder)
    failed = {name: row for name, row in index.items() if row[3] == "failed"}
    assert {name: row[8] for name, row in failed.items()} == classes
    assert {row[5] for name, row in index.items() if name != "Total"} == {300}
    assert all(row[9] and row[10] for row in failed.values())
    shown = etltui("show", ended.finished["run"], "--config", folder / "config.toml")
    assert "lacks hsn; has also hsn_code" in shown.out

    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.partition("[jobs.gst_sales.overrides]")[0])
    shutil.copytree(held, folder / "data", dirs_exist_ok=True)
    assert run(folder).code == 0
    assert filecmp.cmp(clean / "gst_sales.csv", folder / "output" / "gst_sales.csv", shallow=False)
    assert data_of(clean / "gst_sales.xlsx") == data_of(folder / "output" / "gst_sales.xlsx")


def test_a_run_in_which_nothing_completes_leaves_the_targets_as_they_were(folder):
    assert run(folder).code == 0
    before = (folder / "output" / "gst_sales.csv").read_bytes()
    configure(folder, "SELECT * FROM sales", "SELECT * FROM nothing")
    ended = run(folder)
    assert ended.code == 1
    assert ended.finished["outputs"] == []
    assert (folder / "output" / "gst_sales.csv").read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_resumably_and_keeps_what_finished(folder, number):
    assert run(folder).code == 0
    clean = (folder / "output" / "gst_sales.csv").read_bytes()
    endless(folder, 1)
    # Column types of the first branch are those of a view now; the order of branches is the job's.
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    wait_for(process, '"connection_completed"')
    interrupt(process, number)
    stopped = end(process)
    assert stopped.code == 4
    assert stopped.finished["status"] == "stopped"
    assert stopped.finished["reason"] == f"stopped by {number.name}"

    mend(folder, 1)
    resumed = run(folder)
    assert resumed.code == 0
    assert resumed.finished["run"] == stopped.finished["run"]
    assert resumed.finished["connections"]["skipped"] >= 1
    started = {e["connection"] for e in resumed.events if e["type"] == "connection_started"}
    assert len(started) == BRANCHES - resumed.finished["connections"]["skipped"]
    assert (folder / "output" / "gst_sales.csv").read_bytes() == clean


def test_a_second_interrupt_leaves_at_once(folder):
    endless(folder, 1)
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    wait_for(process, '"connection_completed"')
    os.kill(process.pid, signal.SIGSTOP)
    interrupt(process)
    os.kill(process.pid, signal.SIGCONT)
    interrupt(process)
    assert end(process).code in {4, 130}
    mend(folder, 1)
    assert run(folder).code == 0


def test_a_changed_query_refuses_to_resume_and_names_the_change(folder):
    endless(folder, 1)
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    wait_for(process, '"connection_completed"')
    interrupt(process)
    assert end(process).code == 4
    mend(folder, 1)
    configure(folder, "SELECT * FROM sales", "SELECT * FROM sales WHERE bill_id > 0")
    refused = run(folder)
    assert refused.code == 2
    assert "changed: query main" in refused.err
    assert "--no-resume" in refused.err
    assert run(folder, "--no-resume").code == 0


def test_only_reads_the_named_connections_and_the_index_lists_the_others(folder):
    ended = run(folder, "--only", "branch_00[12]", "--only", "branch_007")
    assert ended.code == 0
    assert ended.finished["connections"]["total"] == 3
    statuses = [row[3] for name, row in index_of(folder).items() if name and "branch" in name]
    assert (statuses.count("completed"), statuses.count("skipped")) == (3, BRANCHES - 3)
    refused = run(folder, "--only", "brunch_*")
    assert refused.code == 2
    assert "brunch_*" in refused.err


def test_resuming_only_some_leaves_the_run_unfinished_until_the_rest_is_read(folder):
    assert run(folder).code == 0
    clean = (folder / "output" / "gst_sales.csv").read_bytes()
    stopped = stopped_run(folder)
    some = run(folder, "--resume", "--only", "branch_001")
    assert some.code == 4
    assert "connections, left out by --only, are still to be read" in some.finished["reason"]
    rest = run(folder, "--resume")
    assert rest.code == 0
    assert rest.finished["run"] == stopped.finished["run"]
    assert (folder / "output" / "gst_sales.csv").read_bytes() == clean


@pytest.mark.parametrize(
    ("path", "made", "said"),
    [
        ("output/here.csv", lambda path: path.mkdir(parents=True), "is a folder"),
        ("output/here.csv", fifo, "is no regular file"),
        ("output/file/here.csv", lambda path: touch(path.parent), "is no folder"),
        ("state/state.db", lambda _: None, "lies in the state folder"),
    ],
)
def test_a_target_that_could_not_be_written_is_refused_before_anything_is_read(
    folder,
    path,
    made,
    said,
):
    made(folder / path)
    # Of a path that is the same every time `check` says so; of one with a run in it, the start.
    configure(folder, '"output/{job}.csv"', f'"{path}"')
    refused = run(folder)
    assert refused.code == 2
    assert said in refused.err.replace("is a file, not a folder", "is no folder")
    assert not (folder / "state" / "parts").exists()


def test_a_folder_of_other_things_is_never_made_private(folder, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "notes.txt").write_text("mine")
    refused = run(folder, "--state-dir", shared)
    assert refused.code == 2
    assert "holds other things, such as notes.txt" in refused.err
    assert shared.stat().st_mode & 0o777 == 0o755


def test_a_run_whose_engine_was_killed_is_shown_as_stopped(folder):
    endless(folder, 1)
    config = folder / "config.toml"
    process = start("run", "gst_sales", "--json", "--config", config)
    wait_for(process, '"connection_completed"')
    process.kill()
    end(process)
    (row,) = etltui("runs", "--json", "--config", config).events
    assert row["status"] == "stopped"
    assert "--resume" in row["reason"]


def test_a_disk_without_room_stops_resumably(folder):
    """N-29."""
    configure(folder, "[settings]", "[settings]\ndisk_reserve_mb = 1048576")
    ended = run(folder)
    assert ended.code == 4
    assert "disk_reserve_mb" in ended.finished["reason"]
    configure(folder, "disk_reserve_mb = 1048576", "disk_reserve_mb = 0")
    assert run(folder).code == 0


def test_a_held_state_folder_says_who_holds_it(folder):
    endless(folder, 1)
    config = folder / "config.toml"
    process = start("run", "gst_sales", "--json", "--config", config)
    wait_for(process, '"connection_completed"')
    refused = run(folder, "--no-join")
    assert refused.code == 75
    assert str(process.pid) in refused.err
    # What is recorded can be read meanwhile.
    assert "running" in etltui("runs", "--config", config).out
    interrupt(process)
    assert end(process).code == 4


def test_of_several_jobs_the_worst_code_counts(folder):
    text = (folder / "config.toml").read_text()
    more = text[text.index("[jobs.gst_sales]") : text.index("[connections.")]
    more = more.replace("gst_sales", "other").replace("FROM sales", "FROM nothing")
    (folder / "config.toml").write_text(text + more)
    ended = etltui("run", "gst_sales", "other", "--config", folder / "config.toml")
    assert ended.code == 1
    assert "gst_sales: completed" in ended.out
    assert "other: failed" in ended.out


def test_a_terminal_that_lacks_a_character_gets_a_question_mark():
    code = "from etltui.cli.main import main; main.callback(); print('\u25d0 running')"
    command = [sys.executable, "-c", code]
    shown = subprocess.check_output(command, env=environ(PYTHONIOENCODING="ascii"), text=True)
    assert shown == "? running\n"


def test_the_shell_completes_commands_and_jobs(folder):
    config = str(folder / "config.toml")
    asked = {"_ETLTUI_COMPLETE": "bash_complete", "COMP_CWORD": "4"}
    words = f"etltui run --config {config} gst"
    code = "from etltui.cli.main import main; main(prog_name='etltui')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ(COMP_WORDS=words, **asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,gst_sales\n"


def test_all_mistakes_are_named_and_nothing_starts(folder):
    configure(folder, "title =", "titel =")
    configure(folder, 'type = "csv"', 'type = "cvs"')
    refused = run(folder)
    assert refused.code == 2
    assert "titel" in refused.err
    assert "title" in refused.err
    assert "cvs" in refused.err
    assert not (folder / "state").exists()
    assert etltui("check", "--config", folder / "config.toml").code == 2


def test_resume_jobs_in_the_environment_wins_over_the_job(folder):
    endless(folder, 1)
    process = start("run", "gst_sales", "--json", "--config", folder / "config.toml")
    wait_for(process, '"connection_completed"')
    interrupt(process)
    stopped = end(process)
    mend(folder, 1)
    afresh = run(folder, RESUME_JOBS="false")
    assert afresh.code == 0
    assert afresh.finished["run"] != stopped.finished["run"]
    assert afresh.finished["connections"]["skipped"] == 0


def test_too_few_open_files_are_refused_before_the_start(folder):
    configure(folder, "[settings]", "[settings]\nmax_connections = 500")
    refused = run(folder, limits="ulimit -n 1024")
    assert refused.code == 2
    assert "settings.max_connections" in refused.err
    assert "the limit of this system for this user is 1,024" in refused.err
    assert not (folder / "state").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_500_connections_at_once_under_a_soft_limit_of_1024_files(tmp_path):
    folder = tmp_path / "demo"
    demo.prepare(folder, Demo(seed=3, branches=500, rows=50))
    configure(folder, "[settings]", "[settings]\nmax_connections = 500")
    configure(folder, "title =", "max_parallel = 500\ntitle =")
    ended = run(folder, limits="ulimit -Sn 1024")
    assert ended.code == 0
    assert ended.finished["connections"]["completed"] == 500


def test_runs_and_show_are_for_programs_too(folder):
    run(folder)
    config = folder / "config.toml"
    (row,) = etltui("runs", "--json", "--config", config).events
    assert row["status"] == "completed"
    (shown,) = etltui("show", row["run"][-4:], "--json", "--config", config).events
    assert len(shown["results"]) == BRANCHES
    assert etltui("show", "nothing", "--config", config).code == 2
