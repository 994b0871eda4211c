"""What CIFS and NFS refuse: the target stays whole, and what does not matter stops nothing."""

import errno
import os
import zlib
from pathlib import Path

import pytest

from etltui.config import disk
from etltui.config.disk import sync_folder
from etltui.config.folders import foreign_file
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published
from etltui.domain.targets import aside_path
from etltui.writers import folder as folders
from etltui.writers.publish import deliver

CONTENT = b"a,b\n1,2\n"
PUBLISHED = Published(bytes=len(CONTENT), crc=zlib.crc32(CONTENT), rows=1)


@pytest.fixture
def paths(tmp_path):
    temporary, target = tmp_path / ".out.csv.etltui-tmp", tmp_path / "out.csv"
    temporary.write_bytes(CONTENT)
    target.write_bytes(b"old")
    return temporary, target


@pytest.fixture
def share(monkeypatch):
    """All folders lie on a share that nobody has told anything of yet."""
    monkeypatch.setattr(disk, "file_system", lambda _: "cifs")
    monkeypatch.setattr(disk, "_told", set())


def refusing(monkeypatch, owner, name, number, when=lambda *_: True):
    """Let a call of the system be refused."""
    call = getattr(owner, name)

    def refused(*args, **kwargs):
        if when(*args):
            raise OSError(number, os.strerror(number))
        return call(*args, **kwargs)

    monkeypatch.setattr(owner, name, refused)


@pytest.mark.parametrize(
    "number", [errno.EACCES, errno.EBUSY, errno.ETXTBSY, errno.EPERM, errno.ESTALE, errno.EIO]
)
def test_a_refused_rename_leaves_the_old_one_and_can_be_tried_again(paths, monkeypatch, number):
    temporary, target = paths
    with monkeypatch.context() as patched:
        refusing(patched, os, "replace", number)
        with pytest.raises(Failure) as caught:
            deliver(str(temporary), str(target), PUBLISHED)
    assert caught.value.error_class is ErrorClass.TARGET
    assert caught.value.facts["errno"] == errno.errorcode[number]
    assert (target.read_bytes(), temporary.read_bytes()) == (b"old", CONTENT)
    assert deliver(str(temporary), str(target), PUBLISHED)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EBADF, errno.ENOTSUP])
@pytest.mark.usefixtures("share")
def test_a_share_that_syncs_no_folder_is_told_once(paths, monkeypatch, caplog, number):
    temporary, target = paths
    real = os.fstat

    def is_folder(descriptor):
        return real(descriptor).st_mode & 0o040000 == 0o040000

    refusing(monkeypatch, os, "fsync", number, is_folder)
    assert deliver(str(temporary), str(target), PUBLISHED)
    sync_folder(target.parent)
    assert target.read_bytes() == CONTENT
    said = [record for record in caplog.records if "as its share promises" in record.message]
    assert len(said) == (0 if number == errno.ENOTSUP else 1)


def test_a_local_disk_that_syncs_no_folder_is_broken(tmp_path, monkeypatch):
    refusing(monkeypatch, os, "fsync", errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(tmp_path)


@pytest.mark.usefixtures("share")
def test_a_full_share_is_no_promise(tmp_path, monkeypatch):
    refusing(monkeypatch, os, "fsync", errno.ENOSPC)
    with pytest.raises(OSError, match="No space"):
        sync_folder(tmp_path)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_a_share_without_modes_takes_the_file(paths, monkeypatch, number):
    refusing(monkeypatch, os, "chmod", number)
    assert deliver(*map(str, paths), PUBLISHED)
    assert paths[1].read_bytes() == CONTENT


def test_a_rename_whose_answer_was_lost_is_done(paths, monkeypatch):
    real = os.replace

    def lost(*args):
        real(*args)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(os, "replace", lost)
    assert deliver(*map(str, paths), PUBLISHED)
    assert paths[1].read_bytes() == CONTENT


@pytest.mark.parametrize("known", [PUBLISHED, None])
def test_a_rename_that_was_not_done_is_no_success(paths, monkeypatch, known):
    def gone(source, target):
        del target
        Path(source).unlink()
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(os, "replace", gone)
    with pytest.raises(Failure, match="No such file"):
        deliver(*map(str, paths), known)
    assert paths[1].read_bytes() == b"old"


def test_a_folder_that_is_refused_its_place_gives_it_back(tmp_path, monkeypatch):
    source, final = tmp_path / ".out.etltui-tmp", tmp_path / "out"
    for path, content in ((source, b"new"), (final, b"old")):
        path.mkdir()
        (path / "_etltui.json").write_bytes(b'{"files": []}' + content * 0)
    (source / "_etltui.json").write_bytes(b'{"files": [], "new": 1}')
    monkeypatch.setattr(folders, "exchange", lambda *_: False)
    refusing(monkeypatch, os, "rename", errno.EBUSY, lambda one, *_: Path(one) == source)
    with pytest.raises(Failure, match="busy"):
        deliver(str(source), str(final), None)
    assert (final / "_etltui.json").read_bytes() == b'{"files": []}'
    assert source.is_dir()
    assert not aside_path(final).exists()


def test_what_goes_by_itself_is_no_foreign_file(tmp_path):
    for name in ("~$a.xlsx", ".~lock.a.csv#", ".nfs0000000012345678"):
        (tmp_path / name).touch()
    assert foreign_file(tmp_path) == ""
    (tmp_path / "mine.txt").touch()
    assert foreign_file(tmp_path) == "mine.txt"
