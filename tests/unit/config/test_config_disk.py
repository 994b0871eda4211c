"""Folders whose names are durable, and what is said of a full disk."""

import errno
import os
import shutil

import pytest

from etltui.config import disk
from etltui.config.disk import LEAST, lacking, make_durable, sync_folder


@pytest.fixture
def synced(monkeypatch):
    """Inodes of what was synced, in order."""
    found = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (found.append(os.fstat(fd).st_ino), fsync(fd)))
    return found


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_share_that_cannot_sync_folders_is_left_at_its_promise(tmp_path, monkeypatch, code):
    def refuses(_fd):
        raise OSError(code, "no")

    monkeypatch.setattr(os, "fsync", refuses)
    sync_folder(tmp_path)


def test_a_folder_that_fails_to_sync_is_an_error(tmp_path, monkeypatch):
    closed = []
    close = os.close
    monkeypatch.setattr(os, "close", lambda fd: (closed.append(fd), close(fd)))

    def broken(_fd):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(tmp_path)
    assert len(closed) == 1


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "file")


def test_each_folder_that_is_made_has_a_durable_name(tmp_path, synced):
    make_durable(tmp_path / "a" / "b" / "c")
    above = [tmp_path.parent, tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    assert synced == [path.stat().st_ino for path in above]


def test_the_name_of_a_folder_that_is_there_is_made_durable(tmp_path, synced):
    """Whoever made it may have been killed before."""
    make_durable(tmp_path)
    assert synced == [tmp_path.parent.stat().st_ino]


def test_a_folder_above_that_nobody_may_look_into_is_left_alone(tmp_path, synced, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path.parent)
    make_durable(tmp_path)
    assert synced == []


def test_a_file_of_that_name_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_durable(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        make_durable(tmp_path / "file" / "below")


def test_only_a_full_disk_lacks_room(tmp_path):
    assert lacking(tmp_path, OSError(errno.EIO, "no")) == ""


@pytest.mark.parametrize("code", sorted(disk.FULL))
def test_a_full_disk_is_named_with_what_it_has_and_needs(tmp_path, monkeypatch, code):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 4, 5000))
    mount = tmp_path
    while not mount.is_mount():
        mount = mount.parent
    said = f"; the disk at {mount} has 5,000 bytes free and needs at least"
    assert lacking(tmp_path / "not" / "there", OSError(code, "full"), 7000) == f"{said} 7,000"
    assert lacking(tmp_path, OSError(code, "full")) == f"{said} {LEAST:,}"


def test_a_disk_that_does_not_say_what_it_has_needs_room_all_the_same(tmp_path, monkeypatch):
    def away(_):
        raise OSError

    monkeypatch.setattr(shutil, "disk_usage", away)
    assert lacking(tmp_path, OSError(errno.ENOSPC, "full"), 0).endswith("needs at least 1")
