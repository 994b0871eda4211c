"""`etltui doctor` on the state folder: its place, holder, space and records; each induced."""

import asyncio
import json
import os
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cli_desk import done
from doctor_desk import MB, ask, engine, judged, one

from etltui.doctor import look
from etltui.doctor.facts import Disk
from etltui.doctor.gather import gather
from etltui.domain.run import Output, RunStatus


@pytest.fixture
def used(desk):
    """A desk at which a run was stopped."""
    desk.configure()
    desk.run = asyncio.run(desk.record(done("A")))
    return desk


def facts_of(desk):
    now = desk.now.timestamp()
    found = gather(config=desk.config, mistakes=(), state=desk.state, environ={}, now=now)
    return asyncio.run(found)


def test_a_folder_that_is_used_is_tried(used):
    assert one(used, "state folder", "ok")["title"] == f"{used.state} can be used"
    assert list(used.state.glob("etltui-doctor-*")) == []


@pytest.mark.parametrize(
    ("file_system", "level", "said"),
    [
        ("nfs4", "fail", "is on a network file system (nfs4)"),
        ("cifs", "fail", "is on a network file system (cifs)"),
        ("fuse.sshfs", "fail", "is on a network file system (fuse.sshfs)"),
        ("tmpfs", "warn", "is in memory (tmpfs)"),
    ],
)
def test_a_disk_that_does_not_keep_what_it_is_told(used, file_system, level, said):
    facts = facts_of(used)
    facts = replace(facts, folder=replace(facts.folder, file_system=file_system))
    assert (level, f"{used.state} {said}") in judged(facts, "state folder")


def test_the_file_system_is_that_of_the_innermost_mount(tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:9 / {tmp_path} rw shared:1 - nfs4 host:/x rw\n"
        f"3 1 0:9 / {tmp_path}/a\\040b rw - xfs /dev/sdb rw\n"
        f"4 1 0:9 / {tmp_path}/a\\040b rw - btrfs /dev/sdc rw\n",
    )
    (tmp_path / "a b").mkdir()
    assert look.file_system(tmp_path / "a b", mounts) == "btrfs"
    assert look.file_system(tmp_path / "c", mounts) == "nfs4"
    assert look.file_system(Path("/"), mounts) == "ext4"
    assert look.file_system(Path("/"), tmp_path / "none") == ""


def test_others_may_not_look_in(used):
    used.state.chmod(0o750)
    found = one(used, "state folder", "warn")
    assert found["title"] == f"others may look into {used.state} (mode 0750)"
    assert found["remedy"].startswith(f"chmod 700 '{used.state}'")


def test_a_folder_of_somebody_else_is_refused(desk):
    desk.configure()
    desk.state.mkdir(parents=True)
    (desk.state / "theirs").write_text("x")
    assert "holds other things, such as theirs" in one(desk, "state folder", "fail", 1)["title"]
    (desk.state / "theirs").unlink()
    desk.state.rmdir()
    desk.state.write_text("a file")
    assert one(desk, "state folder", "fail", 1)["title"] == f"{desk.state} is no folder"


def test_a_folder_that_may_not_be_written_or_made(used, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert look.folder(used.state).obstacle == f"{used.state} may not be written"
    assert look.folder(used.state / "x").obstacle.endswith(f"{used.state} may not be written")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert look.folder(used.state).obstacle == f"{used.state} belongs to somebody else"


@pytest.mark.parametrize(
    ("place", "why"),
    [("/proc/x/y", "/proc "), ("/dev/null/x", "/dev/null is no folder")],
)
def test_a_folder_that_nothing_could_make_is_not_promised(desk, place, why):
    desk.configure()
    told = desk.ask("doctor", "--json", "--state-dir", place)
    found = [json.loads(line) for line in told.output.splitlines()]
    (said,) = [each for each in found if each["topic"] == "state folder"]
    assert said["level"] == "fail"
    assert said["title"].startswith(f"{place} cannot be made: {why}")


def test_a_folder_that_can_be_made_is_left_to_the_first_run(desk):
    desk.configure()
    assert "is made by the first run" in one(desk, "state folder", "ok")["title"]
    assert not desk.state.exists()
    assert not list(desk.folder.rglob("etltui-doctor-*"))


def test_a_disk_on_which_no_database_can_be_written(used, monkeypatch):
    class Memory:
        """SQLite where no write-ahead log is to be had, as on a network disk."""

        def execute(self, _):
            return self

        def fetchone(self):
            return ("delete",)

        def close(self):
            pass

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda _: Memory())
        assert look.journal(used.state) == f"the disk of {used.state} allows no write-ahead log"

    def full(_):
        raise sqlite3.OperationalError("database or disk is full")

    said = f"a database in {used.state} cannot be written: database or disk is full"
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", full)
        assert look.journal(used.state) == said
    facts = facts_of(used)
    facts = replace(facts, folder=replace(facts.folder, journal=said))
    assert judged(facts, "state folder") == [("fail", said)]
    assert [path.name for path in used.state.glob("etltui-doctor-*")] == []


def test_who_holds_the_folder_and_since_when(used):
    assert one(used, "engine", "ok")["title"] == "No engine is running"
    with engine(used, timedelta(0)):
        found = one(used, "engine", "ok")
    assert found["title"].startswith("running for ")
    assert f"process {os.getpid()} on " in found["detail"]
    assert "(etltui run sales)" in found["detail"]


def write_lock(desk, **changes):
    with engine(desk, timedelta(0)):
        words = json.loads((desk.state / ".lock").read_text())
    (desk.state / ".lock").write_text(json.dumps({**words, **changes}))


def test_a_lock_that_a_dead_engine_left(used):
    write_lock(used, pid=2**22 + 1)
    found = one(used, "engine", "ok")
    assert (found["title"], "was killed or crashed" in found["detail"]) == (
        "No engine is running",
        True,
    )
    for text in ("", "[]", '{"pid": "x"}'):
        (used.state / ".lock").write_text(text)
        assert look.holder(used.state) is None


def test_a_number_that_another_process_got(used):
    write_lock(used, started="2001-01-01T00:00:00+00:00")
    assert "is not the engine that held the folder" in one(used, "engine", "warn")["title"]


def test_a_folder_that_two_machines_see(used):
    write_lock(used, host="elsewhere")
    assert "held by another machine" in one(used, "engine", "warn")["title"]


@pytest.mark.parametrize(
    ("free", "level", "said"),
    [
        (None, "fail", "the free space of /d cannot be told"),
        (255 * MB, "fail", "the disk of /d has 255 MB free, less than the reserve"),
        (256 * MB, "warn", "the disk of /d has 256 MB free: too little for another run"),
        (299 * MB, "warn", "the disk of /d has 299 MB free: too little for another run"),
        (300 * MB, "ok", "the disk of /d has 300 MB free"),
    ],
)
def test_s3_26_space_is_held_against_the_reserve_and_the_last_runs(used, free, level, said):
    disk = Disk(folder=Path("/d"), free=free, need=44 * MB)
    facts = replace(facts_of(used), disks=(disk,))
    assert judged(facts, "disk") == [(level, said)]


def test_what_the_last_runs_wrote_is_parts_and_targets(used, tmp_path, monkeypatch):
    out = Output(type="csv", path=str(tmp_path / "out/x.csv"), rows=1, bytes=7 * MB, final=True)
    (past,) = facts_of(used).records.past
    whole = replace(past, row=replace(past.row, result=replace(past.row.result, outputs=(out,))))
    older = replace(whole, row=replace(whole.row, result=replace(whole.row.result, rows=5)))
    (disk,) = look.disks(used.config, used.state, (past, whole, older))
    assert disk.need == 14 * MB
    assert disk.free is not None
    assert look.disks(None, used.state, ())[0].need == 0

    def away(_):
        raise OSError

    monkeypatch.setattr(look, "free_bytes", away)
    assert [each.free for each in look.disks(used.config, used.state, ())] == [None]
    monkeypatch.setattr(look, "device", away)
    assert {each.free for each in look.disks(used.config, used.state, ())} == {None}


def test_parts_that_nobody_can_use_are_counted(used):
    assert ask(used, "parts") == []
    older = used.run
    asyncio.run(used.record(done("A"), size=3 * MB))
    (used.state / "parts" / "unknown").mkdir()
    found = one(used, "parts", "warn")
    assert found["title"] == "of no use any more: 2 folders, 0 MB"
    assert older in found["detail"]
    assert "unknown" in found["detail"]
    asyncio.run(used.record(done("A"), done("B"), done("C"), status=RunStatus.COMPLETED))
    assert one(used, "parts", "warn")["numbers"] == {"folders": 4, "mb": 3}


def test_records_that_cannot_be_read_are_told_and_the_rest_goes_on(used):
    (used.state / "state.db").write_bytes(b"no database, but long enough to be looked at" * 99)
    found = one(used, "records", "fail", 1)
    assert "cannot be used" in found["title"]
    assert one(used, "configuration", "ok")


def test_damaged_records_are_counted(used):
    database = sqlite3.connect(used.state / "state.db")
    with database:
        database.execute("UPDATE parts SET receipt = replace(receipt, '6', '7')")
    database.close()
    assert one(used, "records", "warn")["title"] == "damaged: 1 record of parts"
