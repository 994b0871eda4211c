"""Delivery: every state that a crash can leave, and every way a target can be in the way."""

import errno
import os
import stat
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published, Receipt
from etltui.writers.part import PartFile
from etltui.writers.publish import deliver, verify

CONTENT = b"a,b\n1,2\n"
PUBLISHED = Published(bytes=len(CONTENT), crc=zlib.crc32(CONTENT), rows=1)
SAME_SIZE = b"a,b\n9,9\n"


@pytest.fixture
def paths(tmp_path):
    return tmp_path / ".out.tmp", tmp_path / "out.csv"


def _deliver(paths, published=PUBLISHED):
    return deliver(str(paths[0]), str(paths[1]), published)


def _left(paths):
    return sorted(path.name for path in paths[0].parent.iterdir())


@pytest.mark.parametrize("old", [None, b"", SAME_SIZE, b"an older, longer target\n"])
def test_what_was_published_takes_the_targets_place(paths, old):
    temporary, target = paths
    temporary.write_bytes(CONTENT)
    if old is not None:
        target.write_bytes(old)
    assert _deliver(paths)
    assert target.read_bytes() == CONTENT
    assert _left(paths) == ["out.csv"]


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o666])
def test_a_target_keeps_its_permissions(paths, mode):
    temporary, target = paths
    temporary.write_bytes(CONTENT)
    temporary.chmod(0o644)
    target.write_bytes(b"old")
    target.chmod(mode)
    assert _deliver(paths)
    assert target.read_bytes() == CONTENT
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_new_target_has_the_permissions_it_was_made_with(paths):
    paths[0].write_bytes(CONTENT)
    paths[0].chmod(0o604)
    assert _deliver(paths)
    assert stat.S_IMODE(paths[1].stat().st_mode) == 0o604


def test_permissions_that_may_not_be_set_are_no_failure(paths, monkeypatch):
    paths[0].write_bytes(CONTENT)
    paths[1].write_bytes(b"old")

    def refuse(*_args, **_more):
        raise PermissionError

    monkeypatch.setattr(os, "chmod", refuse)
    assert _deliver(paths)
    assert paths[1].read_bytes() == CONTENT


def test_delivering_again_is_harmless(paths):
    paths[0].write_bytes(CONTENT)
    assert _deliver(paths)
    assert _deliver(paths)
    assert paths[1].read_bytes() == CONTENT


@pytest.mark.parametrize("found", [b"", CONTENT[:-1], CONTENT + b"x", SAME_SIZE])
def test_a_temporary_file_that_is_not_what_was_published_is_not_delivered(paths, found):
    temporary, target = paths
    temporary.write_bytes(found)
    target.write_bytes(b"old")
    assert not _deliver(paths)
    assert target.read_bytes() == b"old"
    assert temporary.read_bytes() == found


@pytest.mark.parametrize("found", [None, b"", CONTENT[:-1], SAME_SIZE, CONTENT + b"x"])
def test_without_a_temporary_file_only_the_same_target_is_delivered(paths, found):
    if found is not None:
        paths[1].write_bytes(found)
    assert not _deliver(paths)
    paths[1].write_bytes(CONTENT)
    assert _deliver(paths)


def test_what_is_in_its_place_already_is_delivered_once_its_name_is_durable(paths, monkeypatch):
    """Who renamed it may have died, or failed, before that: then its parts must not go."""
    paths[1].write_bytes(CONTENT)

    def broken(_fd):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(Failure, match="Input/output error"):
            _deliver(paths)
    assert _deliver(paths)


def test_a_partial_target_is_taken_as_it_is(paths):
    paths[0].write_bytes(b"whatever")
    assert _deliver(paths, None)
    assert paths[1].read_bytes() == b"whatever"
    assert not _deliver(paths, None)


@pytest.mark.parametrize("published", [PUBLISHED, None])
def test_a_target_that_is_a_folder_is_refused(paths, published):
    paths[0].write_bytes(CONTENT)
    paths[1].mkdir()
    with pytest.raises(Failure, match=r"out\.csv is a folder; move it away") as caught:
        _deliver(paths, published)
    assert caught.value.error_class is ErrorClass.TARGET
    assert paths[0].read_bytes() == CONTENT


def test_a_device_or_pipe_is_never_replaced(paths):
    paths[0].write_bytes(CONTENT)
    os.mkfifo(paths[1])
    with pytest.raises(Failure, match=r"out\.csv is no regular file; move it away") as caught:
        _deliver(paths)
    assert caught.value.error_class is ErrorClass.TARGET
    assert paths[1].is_fifo()


def test_a_folder_in_the_temporary_files_place_is_not_delivered(paths):
    paths[0].mkdir()
    assert not _deliver(paths)


def test_a_missing_target_folder_is_the_targets_failure(paths):
    paths[0].write_bytes(CONTENT)
    away = paths[0].parent / "away" / "out.csv"
    with pytest.raises(Failure, match="No such file or directory") as caught:
        _deliver((paths[0], away))
    assert caught.value.error_class is ErrorClass.TARGET
    assert caught.value.facts["path"] == str(away)


def test_the_folder_is_synced_after_the_rename(paths, monkeypatch):
    paths[0].write_bytes(CONTENT)
    seen = []

    def spy(fd):
        seen.append((Path(f"/proc/self/fd/{fd}").readlink(), _left(paths)))

    monkeypatch.setattr(os, "fsync", spy)
    assert _deliver(paths)
    assert seen == [(paths[1].parent, ["out.csv"])]


def test_a_folder_that_may_not_be_written_is_named():
    """As another user, since root may write everywhere."""
    if os.geteuid():
        pytest.skip("needs root to become nobody")
    script = f"""
        import os, pathlib, sys, tempfile
        sys.path[:0] = {[str(p) for p in sys.path]!r}
        from etltui.domain.errors import Failure
        from etltui.domain.part import Published
        from etltui.writers.publish import deliver
        folder = tempfile.mkdtemp(dir="/tmp")
        os.chmod(folder, 0o755)
        try:
            temporary = pathlib.Path(folder, "t")
            temporary.write_bytes(b"x")
            os.seteuid(65534)
            try:
                deliver(str(temporary), folder + "/out.csv", None)
            except Failure as failure:
                print(failure.error_class, failure.message.replace(folder, ""))
            os.seteuid(0)
            print(os.listdir(folder))
        finally:
            os.seteuid(0)
            temporary.unlink()
            os.rmdir(folder)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "target cannot use /out.csv: Permission denied\n['t']\n", done.stderr


def test_verify_answers_for_each_receipt_in_order(tmp_path):
    receipts = []
    for number in range(3):
        file = PartFile(tmp_path / f"{number}.part")
        file.write(b"x" * number)
        receipt = Receipt(
            run="r",
            destination=0,
            connection=f"B{number}",
            query=0,
            segment=0,
            attempt=1,
            path=file.path.name,
            rows=number,
            bytes=file.bytes,
            crc=file.crc,
            raw_bytes=file.bytes,
            raw_crc=file.crc,
            plan_hash="p",
            connection_hash="c",
        )
        file.seal(receipt)
        receipts.append(receipt)
    Path(tmp_path / "1.part").unlink()
    assert verify(str(tmp_path), receipts) == (True, False, True)
    assert verify(str(tmp_path), ()) == ()
