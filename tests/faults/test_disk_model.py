"""The disk of the power cuts loses what was not synced, keeps what was, and tears the rest."""

import random

import pytest

from faults.disk_model import SECTOR, Disk
from faults.shim import Kind, Operation


def operation(kind, inode=0, *, other=0, offset=0, length=0, name="", second="", data=b""):
    return Operation(
        kind, 1, inode, other, offset, length or len(data), str(name), str(second), data
    )


@pytest.fixture
def root(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    return tmp_path


@pytest.fixture
def disk(root):
    return Disk([root])


def left(disk, root, times=300):
    """All that may be left, as the content of each name below the root."""
    states = set()
    for seed in range(times):
        tree = disk.cut(random.Random(seed)).tree()
        below = {path[len(str(root)) + 1 :]: data for path, data in tree.items()}
        states.add(tuple(sorted((path, data) for path, data in below.items() if path)))
    return states


def write(disk, root, name, inode, data):
    disk.do(operation(Kind.OPEN, inode, name=root / name))
    disk.do(operation(Kind.WRITE, inode, data=data))


def test_what_was_there_is_there(disk, root):
    assert left(disk, root) == {(("old", b"old"),)}


def test_a_file_that_was_not_synced_may_be_lost_empty_or_whole(disk, root):
    write(disk, root, "new", 7, b"data")
    assert left(disk, root) == {
        (("old", b"old"),),
        (("new", b""), ("old", b"old")),
        (("new", b"data"), ("old", b"old")),
        (("new", b"\0\0\0\0"), ("old", b"old")),
    }


def test_data_is_safe_after_its_sync_and_a_name_after_its_folders(disk, root):
    write(disk, root, "new", 7, b"data")
    disk.do(operation(Kind.SYNC, 7))
    assert left(disk, root) == {(("old", b"old"),), (("new", b"data"), ("old", b"old"))}
    disk.do(operation(Kind.SYNC_FOLDER, root.stat().st_ino))
    assert left(disk, root) == {(("new", b"data"), ("old", b"old"))}


def test_a_rename_happens_as_one_or_not_at_all(disk, root):
    write(disk, root, "new", 7, b"new")
    disk.do(operation(Kind.SYNC, 7))
    disk.do(operation(Kind.SYNC_FOLDER, root.stat().st_ino))
    disk.do(operation(Kind.RENAME, 7, name=root / "new", second=root / "old"))
    assert left(disk, root) == {(("new", b"new"), ("old", b"old")), (("old", b"new"),)}


def test_folders_are_exchanged_with_what_is_in_them(disk, root):
    for inode, name in ((20, "a"), (30, "b")):
        disk.do(operation(Kind.MKDIR, inode, name=root / name))
        write(disk, root, f"{name}/file", inode + 1, name.encode())
        disk.do(operation(Kind.SYNC, inode + 1))
        disk.do(operation(Kind.SYNC_FOLDER, inode))
    disk.do(operation(Kind.SYNC_FOLDER, root.stat().st_ino))
    disk.do(operation(Kind.EXCHANGE, 20, other=30, name=root / "a", second=root / "b"))
    files = {tuple(data for path, data in state if "/" in path) for state in left(disk, root)}
    assert files == {(b"a", b"b"), (b"b", b"a")}
    disk.do(operation(Kind.UNLINK, 31, name=root / "a" / "file"))
    disk.do(operation(Kind.RMDIR, 30, name=root / "a"))
    disk.do(operation(Kind.SYNC_FOLDER, root.stat().st_ino))
    (state,) = left(disk, root)
    assert dict(state)["b/file"] == b"a"


def test_a_write_is_torn_by_sectors(disk, root):
    write(disk, root, "new", 7, b"x" * 3 * SECTOR)
    disk.do(operation(Kind.SYNC_FOLDER, root.stat().st_ino))
    found = {dict(state)["new"] for state in left(disk, root)}
    assert b"\0" * SECTOR + b"x" * SECTOR in found
    assert b"x" * SECTOR in found
    whole = {0, SECTOR, 2 * SECTOR, 3 * SECTOR}
    assert {len(data) for data in found} == whole
    assert all(len(set(data[i : i + SECTOR])) <= 1 for data in found for i in (0, SECTOR))


def test_bytes_that_were_safe_are_not_harmed_by_a_write_beside_them(disk, root):
    old = root.stat().st_ino, (root / "old").stat().st_ino
    disk.do(operation(Kind.WRITE, old[1], offset=3, data=b"er"))
    assert {dict(state)["old"] for state in left(disk, root)} == {b"old", b"older", b"old\0\0"}


def test_what_a_failed_sync_has_dropped_no_later_one_brings_back(disk, root):
    write(disk, root, "new", 7, b"lost")
    disk.do(operation(Kind.SYNC_FOLDER, root.stat().st_ino))
    disk.do(operation(Kind.SYNC_FAILED, 7))
    disk.do(operation(Kind.SYNC, 7))
    assert {dict(state)["new"] for state in left(disk, root)} == {b""}
    disk.do(operation(Kind.WRITE, 7, data=b"anew"))
    disk.do(operation(Kind.SYNC, 7))
    assert {dict(state)["new"] for state in left(disk, root)} == {b"anew"}


def test_a_file_is_cut(disk, root):
    inode = (root / "old").stat().st_ino
    disk.do(operation(Kind.TRUNCATE, inode, length=1))
    assert {dict(state)["old"] for state in left(disk, root)} == {b"old", b"o"}


def test_what_is_left_is_made_on_the_real_disk(disk, root):
    disk.do(operation(Kind.MKDIR, 20, name=root / "below"))
    write(disk, root, "below/new", 7, b"data")
    for inode in (20, root.stat().st_ino):
        disk.do(operation(Kind.SYNC_FOLDER, inode))
    disk.do(operation(Kind.SYNC, 7))
    state = disk.cut(random.Random(1))
    state.make()
    assert (root / "below" / "new").read_bytes() == b"data"
    assert state.mark() == Disk([root]).cut(random.Random(2)).mark()
