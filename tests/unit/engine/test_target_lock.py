"""Who writes a target: one at a time, known to the others, and nobody after its death."""

import os
import re
import subprocess
import sys

import msgspec
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.targets import lock_path
from etltui.engine import target_lock
from etltui.engine.target_lock import STALE_S, UNWRITTEN_S, Record, machine, started, take, taken_by

NOW = 1795403700.0
HOLD = """
import sys
from pathlib import Path
from etltui.engine.target_lock import take
take(Path(sys.argv[1]), state=Path("/var/other"), job="sales", run="R-1", now=1795403700.0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_tokens(monkeypatch):
    monkeypatch.setattr(target_lock, "_ours", set())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "a.xlsx"


def taken(target, **changes):
    wanted = {"state": target.parent / "state", "job": "gst", "run": "R-2", "now": NOW, **changes}
    return take(target, **wanted, timezone="Asia/Kolkata")


def other(target):
    """A process that writes the target."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def left(target):
    return sorted(path.name for path in target.parent.iterdir())


def written(target, age=0.0, **changes):
    """A lock as another machine leaves it, touched so many seconds ago."""
    record = Record(
        host="till-3",
        pid=4711,
        started=99,
        machine="another boot",
        state="/var/other",
        job="sales",
        run="R-1",
        since=NOW,
        token="theirs",
    )
    path = lock_path(target)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(record, **changes)))
    now = path.stat().st_mtime
    os.utime(path, (now - age, now - age))
    return path


def test_one_at_a_time_and_nothing_stays(target):
    lock = taken(target)
    assert left(target) == [".a.xlsx.etltui-lock"]
    with pytest.raises(Failure, match="is being written by") as caught:
        taken(target)
    assert caught.value.error_class is ErrorClass.TARGET
    assert "job gst, run R-2" in caught.value.facts["holder"]
    assert taken_by(target) == ""
    lock.release()
    assert left(target) == []
    taken(target).release()


def test_another_process_is_named_and_its_lock_ends_with_it(target):
    with other(target) as process:
        said = taken_by(target, "Asia/Kolkata")
        assert re.fullmatch(
            rf"process {process.pid} on host \S+ \(job sales, run R-1, since "
            r"2026-11-23 \d\d:\d\d:\d\d, state folder /var/other\)",
            said,
        ), said
        with pytest.raises(Failure, match=f"process {process.pid} on host"):
            taken(target)
        process.kill()
        process.wait()
        # What a killed process leaves stands in nobody's way from that moment on.
        assert taken_by(target) == ""
        taken(target).release()
        process.stdin.close()
    assert left(target) == []


def test_a_number_that_is_another_process_by_now_holds_nothing(target):
    written(target, pid=1, started=started(1) + 1, machine=machine())
    taken(target).release()
    written(target, pid=os.getpid(), started=started(os.getpid()), machine=machine())
    taken(target).release()
    written(target, pid=1, started=started(1), machine=machine())
    with pytest.raises(Failure, match="process 1 on host till-3"):
        taken(target)


def test_another_machine_counts_as_gone_once_it_touches_nothing_any_more(target):
    written(target, age=STALE_S - 60)
    with pytest.raises(Failure, match=r"counts as gone 5 min after it last touched \.a\.xlsx"):
        taken(target)
    assert left(target) == [".a.xlsx.etltui-lock"]
    written(target, age=STALE_S + 60)
    assert taken_by(target) == ""
    lock = taken(target)
    assert lock.beat()
    lock.release()
    assert left(target) == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_one_that_says_nothing_is_waited_for_and_then_taken_over(target, content):
    path = lock_path(target)
    path.write_bytes(content)
    with pytest.raises(Failure, match="another engine, which has just begun"):
        taken(target)
    assert "just begun" in taken_by(target)
    touched = path.stat().st_mtime - UNWRITTEN_S - 1
    os.utime(path, (touched, touched))
    taken(target).release()
    assert left(target) == []


def test_a_process_whose_start_nobody_knows_is_judged_by_its_age(target):
    written(target, started=0, machine=machine())
    with pytest.raises(Failure):
        taken(target)
    written(target, started=0, machine=machine(), age=STALE_S + 60)
    taken(target).release()


def test_a_beat_is_a_touch_and_tells_when_the_lock_is_lost(target):
    lock = taken(target)
    os.utime(lock.path, (0, 0))
    assert lock.beat()
    assert lock.path.stat().st_mtime > 0
    written(target)
    assert not lock.beat()
    lock.release()
    assert left(target) == [".a.xlsx.etltui-lock"]
    lock.path.unlink()
    assert not lock.beat()


def test_a_fresh_lock_that_came_in_between_is_put_back(target, monkeypatch):
    written(target, age=STALE_S + 60)
    read = target_lock._read

    def swapped(path):
        """Somebody else takes the dead one over between the look and the removal."""
        found = read(path)
        if path == lock_path(target) and found and found.token == "theirs":
            written(target, token="fresh", pid=1, started=started(1), machine=machine())
        return found

    monkeypatch.setattr(target_lock, "_read", swapped)
    monkeypatch.setattr(target_lock, "_age", lambda *_: STALE_S + 60)
    with pytest.raises(Failure, match="process 1 on host till-3"):
        taken(target)
    assert left(target) == [".a.xlsx.etltui-lock"]
    assert read(lock_path(target)).token == "fresh"


def test_one_that_goes_while_it_is_looked_at_is_free(target, monkeypatch):
    written(target, age=STALE_S + 60)
    dead = target_lock._is_dead

    def gone(path, found, token):
        path.unlink(missing_ok=True)
        return dead(path, found, token) or True

    monkeypatch.setattr(target_lock, "_is_dead", gone)
    taken(target).release()


def test_who_never_gets_it_is_told_so(target, monkeypatch):
    monkeypatch.setattr(target_lock, "_made", lambda *_: False)
    monkeypatch.setattr(target_lock, "_is_dead", lambda *_: True)
    with pytest.raises(Failure, match="just begun"):
        taken(target)


def test_a_lock_that_cannot_be_written_is_not_left(target, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        taken(target)
    assert left(target) == []


def test_what_cannot_be_told_stands_in_nobodys_way(target, monkeypatch):
    assert taken_by(target) == ""
    written(target)
    assert "till-3" in taken_by(target)

    def away(*_):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(target_lock, "_read", away)
    assert taken_by(target) == ""


def test_a_process_that_is_not_there_began_never():
    assert started(2**22 + 1) == 0
    assert started(os.getpid()) > 0
