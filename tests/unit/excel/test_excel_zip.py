"""The zip file: combined checksums, copied ranges, 64-bit offsets."""

import errno
import os
import zipfile
import zlib
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etltui.domain.errors import ErrorClass, Failure
from etltui.writers.copy import WAYS, by_reads, copy_range
from etltui.writers.zip_parts import Piece, ZipParts, crc_combine, deflated


@given(st.binary(), st.binary(max_size=5_000))
def test_crcs_combine(first, second):
    wanted = zlib.crc32(first + second)
    assert crc_combine(zlib.crc32(first), zlib.crc32(second), len(second)) == wanted


def test_crcs_combine_over_megabytes():
    block = bytes(range(256)) * 4096
    whole, length = zlib.crc32(block), len(block)
    for _ in range(6):  # doubling to 64 MiB
        whole, length = crc_combine(whole, whole, length), length * 2
    counted = 0
    for _ in range(64):
        counted = zlib.crc32(block, counted)
    assert (whole, length) == (counted, 64 << 20)


def written(path, entries, **more):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        target = ZipParts(fd, **more)
        offsets = [target.add(name, pieces) for name, pieces in entries]
        target.finish()
        assert target.position == os.fstat(fd).st_size
    finally:
        os.close(fd)
    return offsets


@pytest.mark.parametrize("limit", [0xFFFFFFFF, 100, 0])
def test_a_zip_is_read_by_others(tmp_path, limit):
    part = tmp_path / "part"
    piece = deflated(b"copied" * 1_000, last=False)
    part.write_bytes(piece.source + b"footer")
    copied = Piece(
        source=part,
        length=piece.length,
        raw_length=piece.raw_length,
        raw_crc=piece.raw_crc,
    )
    pieces = [deflated(b"begin ", last=False), copied, copied, deflated(b" end", last=True)]
    path = tmp_path / "x.zip"
    entries = [("a.xml", [deflated(b"A" * 99, last=True)]), ("b/c.xml", pieces)]
    offsets = written(path, entries, limit=limit)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert file.read("a.xml") == b"A" * 99
        assert file.read("b/c.xml") == b"begin " + b"copied" * 2_000 + b" end"
        assert all(info.flag_bits == 0 for info in file.infolist())
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in file.infolist())
    whole = path.read_bytes()
    for offset in offsets[1][1:3]:
        assert whole[offset : offset + piece.length] == piece.source
    assert (b"PK\x06\x06" in whole) == (limit < 0xFFFFFFFF)


def test_an_entry_beyond_four_gibibytes_is_refused(tmp_path):
    huge = Piece(source=b"", length=0, raw_length=1 << 32, raw_crc=0)
    with pytest.raises(ValueError, match="does not fit"):
        written(tmp_path / "x.zip", [("a", [huge])])


def refusing(code, *_arguments):
    raise OSError(code, os.strerror(code))


def halting(source, target, offset, count):
    """Copies a little, then claims the end."""
    return by_reads(source, target, offset, min(count, 10)) if offset < 15 else 0


@pytest.mark.parametrize(
    "ways",
    [
        *[(way, by_reads) for way in WAYS],
        (partial(refusing, errno.EXDEV), by_reads),
        (partial(refusing, errno.EINVAL), *WAYS),
        (halting, *WAYS[1:]),
    ],
)
def test_a_range_is_copied_every_way(tmp_path, ways):
    content = os.urandom(3 << 20)
    (tmp_path / "source").write_bytes(content)
    source = os.open(tmp_path / "source", os.O_RDONLY)
    target = os.open(tmp_path / "target", os.O_RDWR | os.O_CREAT)
    try:
        os.write(target, b"before")
        copy_range(source, target, offset=5, length=(3 << 20) - 9, ways=ways)
        os.write(target, b"after")
    finally:
        os.close(source)
        os.close(target)
    assert (tmp_path / "target").read_bytes() == b"before" + content[5:-4] + b"after"


def test_a_source_that_ends_too_early_is_corrupt(tmp_path):
    (tmp_path / "source").write_bytes(b"123")
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb") as target:
        with pytest.raises(Failure, match="3 of 4 bytes") as caught:
            copy_range(source.fileno(), target.fileno(), offset=0, length=4)
        assert caught.value.error_class is ErrorClass.CORRUPT


def test_a_full_disk_is_told(tmp_path):
    (tmp_path / "source").write_bytes(b"123")
    with (
        (tmp_path / "source").open("rb") as source,
        Path("/dev/full").open("wb") as target,
        pytest.raises(OSError, match="No space"),
    ):
        copy_range(source.fileno(), target.fileno(), offset=0, length=3)


def test_another_error_is_not_hidden_by_another_way(tmp_path):
    (tmp_path / "source").write_bytes(b"123")
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb") as target:
        ways = (partial(refusing, errno.ENOSPC), by_reads)
        with pytest.raises(OSError, match="No space"):
            copy_range(source.fileno(), target.fileno(), offset=0, length=3, ways=ways)


def test_entries_behind_four_gibibytes(tmp_path):
    path = tmp_path / "x.zip"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        target = ZipParts(fd)
        target.add("near", [deflated(b"1", last=True)])
        target.position = os.lseek(fd, 1 << 32, os.SEEK_SET)  # a hole, so nothing is written
        target.add("far", [deflated(b"2", last=True)])
        target.finish()
    finally:
        os.close(fd)
    with zipfile.ZipFile(path) as file:
        assert (file.read("near"), file.read("far")) == (b"1", b"2")
        assert [info.header_offset for info in file.infolist()] == [0, 1 << 32]
        assert [info.extract_version for info in file.infolist()] == [20, 45]
