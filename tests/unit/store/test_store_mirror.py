"""The checkpoint mirror: the specification's shape, always a whole file (S3-2, S3-21)."""

import asyncio
import json
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from etltui.domain.errors import StateError
from etltui.store.mirror import CheckpointMirror

NOW = datetime(2026, 11, 22, 4, 35, 1, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))


async def write(mirror, job="gst_sales", completed=("B000",)):
    await mirror.write(job, "GST sälés", completed=completed, failed=["B001"], total=56, now=NOW)


async def test_the_file_has_exactly_the_fields_of_the_specification(tmp_path):
    await write(CheckpointMirror(tmp_path))
    path = tmp_path / "checkpoints" / "gst_sales.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "jobId": "gst_sales",
        "jobName": "GST sälés",
        "completedConnectionIds": ["B000"],
        "failedConnectionIds": ["B001"],
        "totalConnections": 56,
        "lastUpdated": "2026-11-21T23:05:01Z",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_it_is_durable_before_it_takes_the_name(tmp_path, monkeypatch):
    seen = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor):
        seen.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_replace(path, target):
        seen.append(f"{path.name} to {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    await write(CheckpointMirror(tmp_path))
    assert seen == ["file", ".gst_sales.json.tmp to gst_sales.json", "folder"]


async def test_what_a_kill_left_half_written_goes_with_the_file(tmp_path):
    mirror = CheckpointMirror(tmp_path)
    await write(mirror)
    (tmp_path / "checkpoints" / ".gst_sales.json.tmp").write_text("left")
    await mirror.delete("gst_sales")
    assert list((tmp_path / "checkpoints").iterdir()) == []


async def test_what_a_kill_left_half_written_is_overwritten(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / ".gst_sales.json.tmp").write_text("left " * 1000)
    await write(CheckpointMirror(tmp_path))
    (found,) = (tmp_path / "checkpoints").iterdir()
    assert json.loads(found.read_text(encoding="utf-8"))["totalConnections"] == 56


async def test_a_reader_finds_a_whole_file_while_it_is_rewritten(tmp_path):
    mirror = CheckpointMirror(tmp_path)
    path = tmp_path / "checkpoints" / "gst_sales.json"
    await write(mirror)
    writing = asyncio.gather(*(write(mirror, completed=["B000"] * n) for n in range(1, 51)))
    counts = []
    while not writing.done():
        counts.append(len(json.loads(path.read_bytes())["completedConnectionIds"]))
        await asyncio.sleep(0)
    await writing
    assert counts == sorted(counts)
    assert len(json.loads(path.read_bytes())["completedConnectionIds"]) == 50


async def test_a_cancelled_write_does_not_overtake_a_later_one(tmp_path):
    mirror = CheckpointMirror(tmp_path)
    first = asyncio.create_task(write(mirror, completed=["old"]))
    await asyncio.sleep(0)
    second = asyncio.create_task(write(mirror, completed=["new"]))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    found = json.loads((tmp_path / "checkpoints" / "gst_sales.json").read_bytes())
    assert found["completedConnectionIds"] == ["new"]


async def test_a_cancelled_write_is_made_nevertheless(tmp_path):
    mirror = CheckpointMirror(tmp_path)
    go_on = threading.Event()
    # One thread, busy: the write waits for it when its caller is cancelled.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    busy = asyncio.create_task(asyncio.to_thread(go_on.wait))
    task = asyncio.create_task(write(mirror))
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    go_on.set()
    await busy
    await mirror.delete("other")
    assert (tmp_path / "checkpoints" / "gst_sales.json").exists()


@pytest.mark.parametrize("job", ["../../etc/passwd", "a/b", "..", ".", "ünï", "x" * 300, "x\0y"])
async def test_any_job_has_a_file_of_its_own_in_the_folder(tmp_path, job):
    mirror = CheckpointMirror(tmp_path)
    await write(mirror, job)
    await write(mirror, f"{job}!")
    names = [path.name for path in (tmp_path / "checkpoints").iterdir()]
    assert len(names) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]
    await mirror.delete(job)
    (left,) = (tmp_path / "checkpoints").iterdir()
    assert json.loads(left.read_bytes())["jobId"] == f"{job}!"


async def test_a_deleted_one_may_be_deleted_again(tmp_path):
    mirror = CheckpointMirror(tmp_path)
    await mirror.delete("gst_sales")
    await write(mirror)
    await mirror.delete("gst_sales")
    await mirror.delete("gst_sales")
    assert list((tmp_path / "checkpoints").iterdir()) == []


async def test_a_mirror_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "checkpoints" / "gst_sales.json").mkdir(parents=True)
    with pytest.raises(StateError, match="cannot be changed: Is a directory"):
        await write(CheckpointMirror(tmp_path))
