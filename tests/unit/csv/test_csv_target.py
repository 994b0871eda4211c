"""Making a target from parts: order, header, proof, and what happens when something is wrong."""

import gzip
import os
import subprocess
import sys
import textwrap
import zlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Member
from etltui.domain.task import PublishEntry
from etltui.writers import chain, copy, csv
from unit.csv.csv_kit import batch


def _numbers(*values):
    return batch(n=pa.array(values, pa.int64()))


@pytest.fixture
def three(kit):
    return [
        kit.part([_numbers(number, number + 10)], connection=f"B{number}", number=number)
        for number in range(3)
    ]


def test_parts_stand_in_the_order_of_the_entries(kit, three):
    two, zero = three[2], three[0]
    published, content = kit.assembled([two, zero])
    assert content == b"n\n2\n12\n0\n10\n"
    assert (published.rows, published.bytes) == (4, len(content))
    assert published.crc == zlib.crc32(content)
    assert published.notes == {}
    assert published.members == (
        Member(connection="B2", query=0, segment=0, offset=2, length=5, crc=two.crc),
        Member(connection="B0", query=0, segment=0, offset=7, length=5, crc=zero.crc),
    )


def test_entries_without_parts_and_parts_of_other_variants_are_left_out(kit, three):
    task = kit.task(three[:1])
    failed = PublishEntry(connection="B9", status="failed")
    other = replace(three[1], variant="gzip")
    mixed = PublishEntry(connection="B1", status="completed", receipts=(other,))
    csv.assemble(replace(task, entries=(failed, *task.entries, mixed)))
    assert kit.temporary.read_bytes() == b"n\n0\n10\n"


def test_no_parts_make_a_header(kit, three):
    published, content = kit.assembled([], columns=(three[0].columns,))
    assert (content, published.rows, published.members) == (b"n\n", 0, ())


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({"include_headers": False}, ""),
        ({"connection_column": "branch, code"}, '"branch, code",n\n'),
        ({"quoting": "all", "line_end": "crlf"}, '"n"\r\n'),
        ({"null": "n"}, '"n"\n'),
        ({"include_headers": False, "bom": True}, "\ufeff"),
    ],
)
def test_the_header_follows_the_options(kit, three, options, header):
    kit.options = options
    _, content = kit.assembled(three[:1])
    assert content == header.encode() + b"0\n10\n"


def test_compressed_parts_make_a_compressed_target(kit):
    kit.target = "out.csv.gz"
    parts = [kit.part([_numbers(n)], connection=f"B{n}", number=n) for n in range(2)]
    published, content = kit.assembled(parts)
    assert gzip.decompress(content) == b"n\n0\n1\n"
    assert published.crc == zlib.crc32(content)
    assert content.startswith(bytes.fromhex("1f8b08000000000000ff"))
    for number, member in enumerate(published.members):
        part = content[member.offset : member.offset + member.length]
        assert zlib.crc32(part) == member.crc
        assert gzip.decompress(part) == b"%d\n" % number
    again, same = kit.assembled(parts)
    assert (again, same) == (published, content)


def test_a_compressed_target_of_nothing_is_still_a_gzip_file(kit):
    kit.target = "out.csv.gz"
    kit.options = {"include_headers": False}
    _, content = kit.assembled([], columns=())
    assert gzip.decompress(content) == b""
    assert content


def test_parts_of_two_queries_are_refused(kit, three):
    other = kit.part([_numbers(1)], number=7, query=1)
    with pytest.raises(Failure, match="takes one query") as caught:
        kit.assembled([three[0], other])
    assert caught.value.error_class is ErrorClass.VALUE


def test_a_second_query_alone_brings_its_own_header(kit):
    part = kit.part([batch(other=pa.array([1]))], query=1)
    _, content = kit.assembled([part], queries=("a", "b"), columns=((), part.columns))
    assert content == b"other\n1\n"


def _flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[1:]),
        lambda path: _flip(path, 0),
        lambda path: _flip(path, -30),
    ],
    ids=["gone", "empty", "torn", "short", "payload", "footer"],
)
def test_a_damaged_part_is_refused_by_its_connection(kit, three, harm):
    harm(kit.folder / three[1].path)
    with pytest.raises(Failure, match="B1: its part") as caught:
        kit.assembled(three)
    assert caught.value.error_class is ErrorClass.CORRUPT
    assert caught.value.facts["connection"] == "B1"
    assert not kit.temporary.exists()


def test_a_part_of_another_attempt_is_refused(kit, three):
    with pytest.raises(Failure, match="B1: its part is missing or not"):
        kit.assembled([three[0], replace(three[1], attempt=2)])


def test_what_was_written_is_read_back(kit, three, monkeypatch):
    """A copy that tells the right length and writes other bytes is found before delivery."""

    def liar(_source, target, *, length, **_offset):
        os.write(target, b"x" * length)

    monkeypatch.setattr(chain, "copy_range", liar)
    with pytest.raises(Failure, match="checksum") as caught:
        kit.assembled(three)
    assert caught.value.error_class is ErrorClass.CORRUPT


def test_a_header_that_did_not_arrive_is_found(kit, three, monkeypatch):
    monkeypatch.setattr(chain, "write_all", lambda fd, data: os.write(fd, b"x" * len(data)))
    with pytest.raises(Failure, match="does not hold what was written") as caught:
        kit.assembled(three)
    assert caught.value.error_class is ErrorClass.TARGET


def test_bytes_too_many_are_found(kit, three, monkeypatch):
    def generous(source, target, *, offset, length):
        copy.copy_range(source, target, offset=offset, length=length)
        if length and offset == 0 and os.lseek(target, 0, os.SEEK_CUR) > 12:
            os.write(target, b"x")

    monkeypatch.setattr(chain, "copy_range", generous)
    with pytest.raises(Failure, match="18 bytes instead of 17") as caught:
        kit.assembled(three)
    assert caught.value.error_class is ErrorClass.TARGET


def test_an_older_temporary_file_is_replaced_and_a_link_not_followed(kit, three, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    kit.temporary.symlink_to(precious)
    _, content = kit.assembled(three[:1])
    assert content == b"n\n0\n10\n"
    assert not kit.temporary.is_symlink()
    assert precious.read_text() == "keep me"


def test_the_file_has_the_permissions_of_the_umask(kit, three):
    before = os.umask(0o027)
    try:
        kit.assembled(three)
    finally:
        os.umask(before)
    assert kit.temporary.stat().st_mode & 0o777 == 0o640


def test_file_then_folder_are_synced_before_it_returns(kit, three, monkeypatch):
    synced = []
    monkeypatch.setattr(
        os,
        "fsync",
        lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink()),
    )
    kit.assembled(three)
    assert synced == [kit.temporary, kit.root]


def test_a_missing_folder_is_the_targets_failure(kit, three):
    task = kit.task(three, temporary=str(kit.root / "away" / "t"))
    with pytest.raises(Failure, match="No such file") as caught:
        csv.assemble(task)
    assert caught.value.error_class is ErrorClass.TARGET


def test_a_full_disk_leaves_no_temporary_file(tmp_path):
    """A limit on the size of files stands in for a full disk, in a process of its own."""
    script = f"""
        import pathlib, resource, signal, sys
        sys.path[:0] = {[str(p) for p in sys.path]!r}
        import pyarrow as pa
        from unit.csv.csv_kit import Kit, batch
        from etltui.domain.errors import Failure
        kit = Kit(pathlib.Path({str(tmp_path)!r}))
        parts = [kit.part([batch(n=pa.array(range(9000)))], number=n) for n in range(2)]
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
        try:
            kit.assembled(parts)
        except Failure as failure:
            print("target", failure.error_class, failure.facts["errno"], kit.temporary.exists())
        try:
            kit.part([batch(n=pa.array(range(20_000)))], number=9)
        except Failure as failure:
            print("part", failure.error_class, failure.facts["errno"])
        resource.setrlimit(resource.RLIMIT_FSIZE, before)  # what measures coverage writes, too
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "target disk EFBIG False\npart disk EFBIG\n"


def test_abandon_deletes_what_was_written(kit):
    writer = csv.part_writer(kit.part_task(_numbers(1).schema))
    writer.write(_numbers(1))
    writer.abandon()
    assert list((kit.folder / "0").iterdir()) == []
    writer = csv.part_writer(kit.part_task(_numbers(1).schema))
    writer.close()
    writer.abandon()
    assert list((kit.folder / "0").iterdir()) == []
