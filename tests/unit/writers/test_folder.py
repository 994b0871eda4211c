"""A target that is a folder: what is in it, and every state that a crash or a stranger leaves."""

import errno
import json
import os
import shutil
import stat
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from etltui.config.folders import foreign_file, put_back, remove
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.targets import MANIFEST, aside_path
from etltui.writers import folder as folder_
from etltui.writers.publish import deliver
from etltui.writers.restore import restore
from unit.writers.format_kit import Kit, flip


def rows(*values):
    return pa.record_batch({"n": pa.array(values, pa.int64())})


@pytest.fixture
def kit(tmp_path):
    return Kit(tmp_path, target="lake", layout="folder")


@pytest.fixture
def target(kit):
    return kit.root / "lake"


@pytest.fixture(params=["exchange", "two steps"])
def steps(request, monkeypatch):
    """Both ways to put a folder in another's place."""
    if request.param == "two steps":
        monkeypatch.setattr(folder_, "exchange", lambda *_: False)


def published(kit, *names):
    return kit.assemble([kit.part(rows(1, 2), connection=name) for name in names])


def put(kit, made):
    return deliver(str(kit.temporary), str(kit.root / "lake"), made)


def left(kit):
    return sorted(path.name for path in kit.root.iterdir() if path.name != "parts")


def files(target):
    return sorted(path.name for path in target.iterdir())


def test_a_folder_has_a_file_for_each_connection_and_a_manifest(kit):
    parts = [kit.part(rows(1, 2), connection=n) for n in ("B1", "a/b", "A/B", ".x", "_etltui")]
    made = kit.assemble(parts, missing=["down"])
    manifest = json.loads((kit.temporary / MANIFEST).read_bytes())
    assert manifest["missing"] == ["down"]
    assert [f["connection"] for f in manifest["files"]] == ["B1", "a/b", "A/B", ".x", "_etltui"]
    names = [f["name"] for f in manifest["files"]]
    assert sorted([*names, MANIFEST]) == files(kit.temporary)
    assert names[0] == "B1.parquet"
    assert not any(name[0] in "._" for name in names)
    sizes = [path.stat().st_size for path in kit.temporary.iterdir()]
    assert (made.bytes, made.rows, len(made.members)) == (sum(sizes), 10, 5)
    found = duckdb.sql(f"SELECT count(*), sum(n) FROM read_parquet('{kit.temporary}/*.parquet')")
    assert found.fetchall() == [(10, 15)]


def restored(kit, target, harm=lambda _: None):
    """Whether each of two parts comes back, and whether all that did are as they were."""
    receipts = [kit.part(rows(1, n), connection=name) for n, name in enumerate(("A", "B"))]
    made = kit.assemble(receipts)
    put(kit, made)
    paths = [Path(kit.folder) / receipt.path for receipt in receipts]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    harm(target)
    back = restore(str(kit.folder), str(target), made.members, receipts)
    there = zip(back, paths, before, strict=True)
    return back, all(path.read_bytes() == was for good, path, was in there if good)


def test_n_5_parts_come_back_out_of_a_folder(kit, target):
    assert restored(kit, target) == ((True, True), True)


@pytest.mark.parametrize(
    ("harm", "back"),
    [
        (lambda target: flip(target / "A.parquet", 9), (False, True)),
        (lambda target: (target / "B.parquet").unlink(), (True, False)),
        (lambda target: (target / MANIFEST).unlink(), (False, False)),
        (lambda target: (target / MANIFEST).write_text("{"), (False, False)),
        (
            lambda target: (target / MANIFEST).write_text('{"files": [], "missing": []}'),
            (False, False),
        ),
        (shutil.rmtree, (False, False)),
    ],
    ids=["changed", "gone", "no manifest", "no JSON", "not listed", "no folder"],
)
def test_n_5_what_a_folder_does_not_hold_any_more_is_not_taken(kit, target, harm, back):
    assert restored(kit, target, harm) == (back, True)


def test_the_same_parts_make_the_same_folder(kit):
    parts = [kit.part(rows(1), connection="B1")]
    assert kit.assemble(parts) == kit.assemble(parts)


def test_a_harmed_part_leaves_no_folder(kit):
    part = kit.part(rows(1))
    flip(kit.folder / part.path, 10)
    with pytest.raises(Failure, match="B1: its part"):
        kit.assemble([part])
    assert left(kit) == []


@pytest.mark.usefixtures("steps")
def test_a_folder_takes_the_place_of_an_older_one_as_a_whole(kit, target):
    assert put(kit, published(kit, "B1", "B2"))
    target.chmod(0o750)
    assert put(kit, published(kit, "B2", "B3"))
    assert files(target) == ["B2.parquet", "B3.parquet", MANIFEST]
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert left(kit) == ["lake"]


def test_an_empty_folder_is_taken(kit, target):
    target.mkdir()
    assert put(kit, published(kit, "B1"))
    assert files(target) == ["B1.parquet", MANIFEST]


def test_delivering_again_is_harmless(kit, target):
    made = published(kit, "B1")
    assert put(kit, made)
    assert put(kit, made)
    assert files(target) == ["B1.parquet", MANIFEST]


def test_what_is_in_its_place_already_is_delivered_once_its_name_is_durable(kit, monkeypatch):
    made = published(kit, "B1")
    assert put(kit, made)

    def broken(_fd):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(Failure, match="Input/output error"):
            put(kit, made)
    assert put(kit, made)


def test_a_crash_behind_the_exchange_leaves_only_what_is_to_be_removed(kit, target):
    put(kit, published(kit, "B1"))
    made = published(kit, "B2")
    assert folder_.exchange(kit.temporary, target)
    assert put(kit, made)
    assert files(target) == ["B2.parquet", MANIFEST]
    assert left(kit) == ["lake"]


@pytest.mark.parametrize("end", ["deliver", "start"])
def test_a_crash_between_the_two_steps_is_mended(kit, target, end):
    put(kit, published(kit, "B1"))
    made = published(kit, "B2")
    target.rename(aside_path(target))
    if end == "deliver":
        assert put(kit, made)
        assert files(target) == ["B2.parquet", MANIFEST]
    else:
        remove(kit.temporary)
        put_back(target)
        assert files(target) == ["B1.parquet", MANIFEST]
    assert left(kit) == ["lake"]
    put_back(target)
    assert left(kit) == ["lake"]


@pytest.mark.parametrize("harm", ["file", "size", "gone", "manifest"])
def test_what_is_not_as_it_was_published_is_not_delivered(kit, target, harm):
    put(kit, published(kit, "B1"))
    made = published(kit, "B2")
    path = kit.temporary / (MANIFEST if harm == "manifest" else "B2.parquet")
    if harm == "gone":
        path.unlink()
    elif harm == "size":
        path.write_bytes(path.read_bytes() + b"x")
    else:
        flip(path, 20)
    assert not put(kit, made)
    assert files(target) == ["B1.parquet", MANIFEST]


def test_without_a_temporary_folder_only_the_same_target_is_delivered(kit, target):
    made = published(kit, "B1")
    shutil.rmtree(kit.temporary)
    assert not put(kit, made)
    target.mkdir()
    assert not put(kit, made)
    assert not put(kit, None)


def test_a_partial_folder_is_taken_as_it_is(kit, target):
    published(kit, "B1")
    assert put(kit, None)
    assert files(target) == ["B1.parquet", MANIFEST]


@pytest.mark.parametrize("stranger", ["notes.txt", "sub/", MANIFEST])
def test_a_folder_with_something_else_in_it_is_never_replaced(kit, target, stranger):
    made = published(kit, "B1")
    target.mkdir()
    if stranger.endswith("/"):
        (target / stranger).mkdir()
    else:
        (target / stranger).write_text("{}")
    if stranger == MANIFEST:  # alone it is ours to replace, but what it does not list is not
        (target / "other").write_text("")
    with pytest.raises(Failure, match="which is no file of an earlier run; move it") as caught:
        put(kit, made)
    assert caught.value.error_class is ErrorClass.TARGET
    assert kit.temporary.is_dir()


def test_a_file_where_the_folder_should_go_is_refused(kit, target):
    made = published(kit, "B1")
    target.write_text("mine")
    with pytest.raises(Failure, match="lake is no folder; move it away"):
        put(kit, made)
    assert target.read_text() == "mine"


def test_what_is_ours_in_a_folder_is_what_its_manifest_lists(kit, target):
    put(kit, published(kit, "B1"))
    assert foreign_file(target) == ""
    (target / "z.txt").touch()
    assert foreign_file(target) == "z.txt"
    (target / MANIFEST).write_text("[]")
    assert foreign_file(target) == "B1.parquet"


def test_names_are_exchanged_or_nothing_happens(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    with pytest.raises(FileNotFoundError):
        folder_.exchange(one, other)
    other.write_text("2")
    assert folder_.exchange(one, other)
    assert (one.read_text(), other.read_text()) == ("2", "1")


def test_what_the_system_will_not_exchange_is_left_as_it_is(tmp_path):
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    assert not folder_.exchange(tmp_path / "outer", tmp_path / "outer" / "inner")
    assert files(tmp_path / "outer") == ["inner"]


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    remove(tmp_path / "link")
    remove(tmp_path / "nothing")
    assert files(tmp_path) == ["there"]
