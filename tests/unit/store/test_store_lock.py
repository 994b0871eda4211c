"""The folder has one holder, is free the moment it dies, and says who it is."""

import errno
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
import store_samples as sample
from store_samples import NOW

from etltui.domain.errors import StateError, StateHeldError
from etltui.store.folder import refuse_others
from etltui.store.lock import LOCK, hold, is_held
from etltui.store.sqlite import SqliteStore

HOLD = """
import signal, subprocess, sys
from datetime import UTC, datetime
from pathlib import Path
from etltui.store.lock import hold
with hold(Path(sys.argv[1]), holder_text="etltui run gst_sales", now=datetime.now(UTC)):
    # Everything that may be inherited is; its input is the test's, so that it outlives this one.
    subprocess.Popen(
        [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"],
        close_fds=False,
    )
    signal.pause()
"""


def held(folder):
    """Start a process that holds the folder and has a child of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=sample.ENVIRONMENT,
        text=True,
    )
    assert process.stdout.readline() == "up\n"
    return process


def test_a_folder_is_free_the_moment_its_holder_dies_though_its_child_lives(folder):
    with held(folder) as process:
        with pytest.raises(StateHeldError), hold(folder, holder_text="me", now=NOW):
            pass
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        with hold(folder, holder_text="me", now=NOW):
            # Had the child ended, its output would be at its end.
            os.set_blocking(process.stdout.fileno(), False)
            with pytest.raises(BlockingIOError):
                os.read(process.stdout.fileno(), 1)
        process.stdin.close()


def test_who_finds_it_held_reads_by_whom(folder):
    with held(folder) as process:
        with pytest.raises(StateHeldError) as caught, hold(folder, holder_text="me", now=NOW):
            pass
        assert caught.value.holder.startswith(
            f"process {process.pid} on host {os.uname().nodename} "
        )
        assert "(etltui run gst_sales, since " in caught.value.holder
        process.kill()
        process.stdin.close()


@pytest.mark.parametrize(("days", "form"), [(0, "%H:%M"), (40, "%Y-%m-%d %H:%M")])
def test_since_when_names_the_day_if_it_is_another(folder, days, form):
    with hold(folder, holder_text="me", now=NOW):
        with (
            pytest.raises(StateHeldError) as caught,
            hold(folder, holder_text="other", now=NOW + timedelta(days=days)),
        ):
            pass
        assert caught.value.folder == folder
        assert caught.value.holder.endswith(f"(me, since {NOW.astimezone():{form}})")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"started": "soon"}', '{"started": 5}'])
def test_a_holder_that_has_not_written_yet_is_another_process(folder, text):
    with hold(folder, holder_text="me", now=NOW):
        (folder / LOCK).write_text(text)
        with (
            pytest.raises(StateHeldError, match="is held by another process"),
            hold(folder, holder_text="other", now=NOW),
        ):
            pass


def test_the_words_are_of_this_holder_and_go_with_it(folder):
    with hold(folder, holder_text="long words " * 20, now=NOW):
        pass
    assert (folder / LOCK).read_text() == ""
    with pytest.raises(KeyError), hold(folder, holder_text="ends badly", now=NOW):
        raise KeyError
    assert (folder / LOCK).read_text() == ""
    (folder / LOCK).write_text("left by a kill " * 50)
    with hold(folder, holder_text="me", now=NOW):
        assert json.loads((folder / LOCK).read_text()) == {
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "command": "me",
            "started": "2026-11-21T23:30:00+00:00",
        }


async def test_a_store_holds_its_folder_until_it_is_closed(folder, clock):
    async with await SqliteStore.open(folder, clock=clock, holder_text="etltui web"):
        with pytest.raises(StateHeldError, match="etltui web"):
            await SqliteStore.open(folder, clock=sample.StillClock())
    async with await SqliteStore.open(folder, clock=clock):
        pass


def test_a_reader_can_tell_whether_the_holder_lives(tmp_path, monkeypatch):
    assert not is_held(tmp_path)
    with hold(tmp_path, holder_text="etltui", now=NOW):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    (tmp_path / LOCK).write_text('{"pid": 4194305}')  # more than the kernel ever gives
    assert not is_held(tmp_path)
    (tmp_path / LOCK).write_text('{"pid": 1}')

    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert is_held(tmp_path)


def test_a_folder_of_other_things_is_left_as_it_is(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "notes.txt").write_text("mine")
    with (
        pytest.raises(StateError, match=r"holds other things, such as notes\.txt"),
        hold(shared, holder_text="etltui", now=NOW),
    ):
        pass
    assert shared.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_looked_into_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setattr(type(tmp_path), "iterdir", _refused)
    with pytest.raises(StateError, match="cannot be used: Permission denied"):
        refuse_others(tmp_path, {LOCK})


def _refused(_):
    raise PermissionError(13, "Permission denied")


def test_a_disk_on_which_the_holder_cannot_write_its_name_is_named(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with (
        pytest.raises(StateError, match=r"No space left on device; the disk at .* needs at least"),
        hold(tmp_path, holder_text="x", now=NOW),
    ):
        pass


def test_a_disk_that_fails_meanwhile_keeps_nobody_from_letting_go(tmp_path, monkeypatch):
    def failed(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch, hold(tmp_path, holder_text="x", now=NOW):
        patch.setattr(os, "ftruncate", failed)
        with pytest.raises(StateHeldError), hold(tmp_path, holder_text="y", now=NOW):
            pass
    with hold(tmp_path, holder_text="z", now=NOW):
        pass
