"""`etltui checkpoints`: what unfinished runs hold, and what may be done with it (S3-2, S3-28)."""

import asyncio
import json
import sys
from datetime import timedelta

import pytest
from cli_desk import done, failed

from etltui.cli import checkpoints
from etltui.domain.run import RunStatus
from etltui.store.lock import hold
from etltui.store.mirror import CheckpointMirror

OLD = {
    "jobId": "job-7",
    "jobName": "GST sälés",
    "completedConnectionIds": ["a", "gone"],
    "failedConnectionIds": ["B"],
    "totalConnections": 3,
    "lastUpdated": "2026-11-20T20:30:00Z",
}


@pytest.fixture
def unfinished(desk):
    """A run that was stopped with one connection done and one failed."""
    desk.configure()
    desk.now -= timedelta(hours=5, minutes=1)
    desk.run = asyncio.run(desk.record(done("A"), failed("B"), size=2_000, reason="by SIGINT"))
    return desk


def stored(desk, run=None):
    async def read():
        async with await desk.open() as store:
            found = await store.run(run or desk.run)
            return found, await store.plan(found.run), await store.unfinished(found.job)

    return asyncio.run(read())


def test_nothing_unfinished_is_said(desk):
    assert desk.ask("checkpoints", "list").output == (
        "No unfinished runs: there is nothing to resume.\n"
    )
    desk.configure()
    asyncio.run(desk.record(done("A"), done("B"), done("C"), status=RunStatus.COMPLETED))
    assert "nothing to resume" in desk.ask("checkpoints", "list").output
    assert desk.ask("checkpoints", "list", "--json").output == ""


def test_unfinished_runs_are_listed(unfinished):
    head, line, last = unfinished.ask("checkpoints", "list").output.splitlines()
    assert head.split() == ["RUN", "JOB", "STATUS", "DONE", "AGE", "PARTS"]
    assert line.split() == [unfinished.run, "sales", "stopped", "1/3", "5", "h", "2.0", "kB"]
    assert max(map(len, (head, line))) <= 80
    assert last == "Go on with: etltui run JOB --resume"
    assert unfinished.ask("checkpoints").output == f"{head}\n{line}\n{last}\n"
    found = json.loads(unfinished.ask("checkpoints", "--json").output)
    assert found.pop("started") == pytest.approx(unfinished.now.timestamp(), abs=1)
    assert found == {
        "type": "checkpoint",
        "run": unfinished.run,
        "status": "stopped",
        "attempt": 1,
        "bytes": 2000,
        "resumable": True,
        "jobId": "sales",
        "jobName": "GST sälés",
        "completedConnectionIds": ["A"],
        "failedConnectionIds": ["B"],
        "waitingConnectionIds": ["C"],
        "totalConnections": 3,
    }


def test_only_the_newest_run_of_a_job_counts(unfinished):
    newer = asyncio.run(unfinished.record(done("B")))
    (line,) = unfinished.ask("checkpoints", "list", "--json").output.splitlines()
    assert json.loads(line)["run"] == newer


def test_a_run_whose_engine_died_is_shown_as_the_next_engine_will_find_it(desk):
    desk.configure()
    asyncio.run(desk.record(done("A"), status=RunStatus.RUNNING))
    found = json.loads(desk.ask("checkpoints", "list", "--json").output)
    assert (found["status"], found["resumable"]) == ("stopped", True)


@pytest.mark.parametrize("by_run", [True, False])
def test_one_is_shown_by_job_or_run(unfinished, by_run):
    told = unfinished.ask("checkpoints", "show", unfinished.run[-4:] if by_run else "sales")
    assert told.exit_code == 0
    for text in (
        f"sales ▸ run {unfinished.run}  stopped",
        "  1 of 3 connections done, 1 failed, 1 left; parts: 2.0 kB",
        "  by SIGINT",
        "  Done: A\n  Left: C\n  Failed:\n  B  unreachable: no route to host",
        "Go on with: etltui run sales --resume",
    ):
        assert text in told.output


def test_a_finished_run_can_be_shown_and_has_nothing_to_go_on_with(desk):
    desk.configure()
    asyncio.run(desk.record(done("A"), done("B"), done("C"), status=RunStatus.COMPLETED))
    told = desk.ask("checkpoints", "show", "sales")
    assert "3 of 3 connections done" in told.output
    assert "Go on with" not in told.output
    assert "Failed" not in told.output


def test_what_is_not_there_is_said_with_the_way_to_find_it(unfinished):
    for words in (("show", "x"), ("export", "x"), ("delete", "x")):
        told = unfinished.ask("checkpoints", *words)
        assert told.exit_code == 2
        assert "there is no job or run 'x'" in told.output


def test_s3_2_an_export_has_the_specifications_shape(unfinished, tmp_path):
    told = unfinished.ask("checkpoints", "export", unfinished.run)
    assert json.loads(told.output) == {
        "jobId": "sales",
        "jobName": "GST sälés",
        "completedConnectionIds": ["A"],
        "failedConnectionIds": ["B"],
        "totalConnections": 3,
        "lastUpdated": f"{unfinished.now:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert unfinished.ask("checkpoints", "export", "sales", "c.json").output == (
        "1 connection of 3 in c.json\n"
    )
    assert (tmp_path / "c.json").read_text("utf-8") == told.output
    again = unfinished.ask("checkpoints", "export", "sales", "c.json")
    assert (again.exit_code, (tmp_path / "c.json").read_text("utf-8")) == (2, told.output)


def test_reading_goes_beside_a_running_engine(unfinished):
    with hold(unfinished.state, holder_text="etltui run sales", now=unfinished.now):
        for words in (("list",), ("show", "sales"), ("export", "sales")):
            assert unfinished.ask("checkpoints", *words).exit_code == 0


def test_deleting_gives_the_run_up_and_keeps_its_record(unfinished):
    async def mirror():
        now = unfinished.now
        written = CheckpointMirror(unfinished.state)
        await written.write("sales", "S", completed=["A"], failed=[], total=3, now=now)

    asyncio.run(mirror())
    told = unfinished.ask("checkpoints", "delete", "sales", "--yes")
    assert told.output == f"{unfinished.run} discarded, 2,000 bytes of parts deleted\n"
    assert not (unfinished.state / "parts" / unfinished.run).exists()
    assert not (unfinished.state / "checkpoints" / "sales.json").exists()
    row, _, resumable = stored(unfinished)
    assert (row.status, row.reason, resumable) == (
        *(RunStatus.DISCARDED, "its checkpoint was deleted"),
        None,
    )
    assert "discarded" in unfinished.ask("runs").output
    again = unfinished.ask("checkpoints", "delete", "sales", "--yes")
    assert again.exit_code == 2
    assert "is discarded: there is no checkpoint to delete" in again.output


def test_without_a_terminal_and_without_yes_nothing_is_deleted(unfinished):
    told = unfinished.ask("checkpoints", "delete", "sales")
    assert told.exit_code == 2
    assert "1 of 3 connections done, 1 failed, 1 left; parts: 2.0 kB" in told.output
    assert "nothing was deleted. Say --yes" in told.output
    assert stored(unfinished)[2] is not None


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2)])
def test_on_a_terminal_it_is_asked(unfinished, monkeypatch, answer, code):
    class Terminal:
        def isatty(self):
            return True

    class Sys:
        stdin = Terminal()

    monkeypatch.setattr(checkpoints, "sys", Sys)
    told = unfinished.ask("checkpoints", "delete", "sales", input=answer)
    assert told.exit_code == code
    assert "Delete what it has gathered?" in told.output
    assert sys.stdin is not Sys.stdin


def test_nothing_is_changed_while_an_engine_holds_the_folder(unfinished, tmp_path):
    (tmp_path / "old.json").write_text(json.dumps(OLD), "utf-8")
    with hold(unfinished.state, holder_text="etltui run sales", now=unfinished.now):
        told = unfinished.ask("checkpoints", "delete", "sales", "--yes")
        assert told.exit_code == 75
        assert "etltui run sales" in told.output
        assert unfinished.ask("checkpoints", "import", "old.json", "--as-left-out").exit_code == 75
    assert (unfinished.state / "parts" / unfinished.run).exists()


@pytest.fixture
def old(desk, tmp_path):
    """Another program's checkpoint file, to be changed and written."""
    desk.configure(settings='timezone = "Asia/Kolkata"')

    def write(**changes):
        (tmp_path / "old.json").write_text(json.dumps({**OLD, **changes}), "utf-8")
        return desk

    return write


def test_row_10_an_old_file_is_not_taken_for_rows(old):
    told = old().ask("checkpoints", "import", "old.json")
    assert told.exit_code == 2
    assert "1 of 3 connections are done, but holds none of their rows" in told.output
    assert "--as-left-out" in told.output
    assert not old().state.exists()


def test_row_10_an_old_file_leaves_the_rest_to_the_next_resumed_run(old, tmp_path):
    desk = old()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sales_2026-11-21.csv").write_text("the former one")
    told = desk.ask("checkpoints", "import", "old.json", "--as-left-out")
    assert told.exit_code == 0, told.output
    first, second, third, last = told.output.splitlines()
    assert first.endswith(": 2 connections of 3 to gather, 1 left out")
    assert second == "  Not of this job, passed over: gone"
    assert third.startswith(f"  {tmp_path}/out/sales_2026-11-21.csv is there and will be replaced")
    assert last == "Go on with: etltui run sales --resume"
    row, plan, resumable = stored(desk, first.partition(":")[0])
    assert (row.status, row.total, resumable.run) == (RunStatus.STOPPED, 2, row.run)
    assert [each.name for each in plan.connections] == ["B", "C"]
    assert (plan.left_out, plan.elsewhere) == (("A",), ("A",))
    # Of the day on which the file was written, in the settings' zone.
    assert plan.targets == (str(tmp_path / "out" / "sales_2026-11-21.csv"),)
    assert row.run.startswith("20261120T203000Z-")
    assert "0/2" in desk.ask("checkpoints", "list").output
    again = desk.ask("checkpoints", "import", "old.json", "--as-left-out")
    assert again.exit_code == 2
    assert f"sales has the unfinished run {row.run}" in again.output


def test_our_own_export_can_be_imported(unfinished):
    unfinished.ask("checkpoints", "export", "sales", "c.json")
    unfinished.ask("checkpoints", "delete", "sales", "--yes")
    told = unfinished.ask("checkpoints", "import", "c.json", "--as-left-out")
    assert "2 connections of 3 to gather, 1 left out" in told.output


@pytest.mark.parametrize(
    ("changes", "words", "said"),
    [
        ({"jobName": "X"}, (), "there is no job called 'job-7' or 'X'. Say which it is of with"),
        ({}, ("--job", "y"), "there is no job called 'y'"),
        ({"completedConnectionIds": ["x"]}, (), "it calls none of the 3 connections of sales"),
        ({"completedConnectionIds": ["A", "b", "C"]}, (), "it calls all of the 3 connections"),
        ({"lastUpdated": 7}, (), "lastUpdated is missing or no time. It must be a JSON object"),
    ],
)
def test_a_file_that_leaves_nothing_to_do_is_refused(old, changes, words, said):
    told = old(**changes).ask("checkpoints", "import", "old.json", "--as-left-out", *words)
    assert told.exit_code == 2
    assert said in told.output


def test_a_job_can_be_named_for_a_file_that_names_another(old):
    told = old(jobName="X").ask("checkpoints", "import", "old.json", "--job", "sales")
    assert "Or keep the former target" in told.output


def test_a_file_that_cannot_be_read_is_refused(desk, tmp_path):
    desk.configure()
    told = desk.ask("checkpoints", "import", "absent.json")
    assert "it cannot be read: no such file or directory" in told.output
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    assert desk.ask("checkpoints", "import", "x.json").exit_code == 2
