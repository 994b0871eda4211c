"""Part files: exclusive, proven by their own footer, durable before anybody hears of them."""

import errno
import os
import zlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etltui.domain.columns import Column
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Receipt
from etltui.writers import part as part_module
from etltui.writers.part import PartFile, crc_of, disk_errors, read_receipt, verified

ON_DISK = settings(deadline=None, max_examples=60)
PAYLOAD = b"one,two\n" * 100


def _receipt(file, **changes):
    facts = {
        "run": "r",
        "destination": 0,
        "connection": "B1",
        "query": 0,
        "segment": 0,
        "attempt": 1,
        "path": file.path.name,
        "rows": 100,
        "bytes": file.bytes,
        "crc": file.crc,
        "raw_bytes": file.bytes,
        "raw_crc": file.crc,
        "plan_hash": "p",
        "connection_hash": "c",
        "columns": (Column(name="a", type="decimal(5,2)"), Column(name="ж", type="text")),
        "notes": {"formula guarded": 3},
        "widths": (1, 2),
    }
    return Receipt(**(facts | changes))


@pytest.fixture
def sealed(tmp_path):
    """A sealed part's path and receipt."""
    file = PartFile(tmp_path / "0001-0-0.1.part")
    file.write(PAYLOAD[:500])
    file.write(memoryview(PAYLOAD)[500:])
    receipt = _receipt(file)
    file.seal(receipt)
    return file.path, receipt


def test_a_part_holds_its_payload_and_proves_itself(sealed):
    path, receipt = sealed
    assert path.read_bytes().startswith(PAYLOAD)
    assert (receipt.bytes, receipt.crc) == (len(PAYLOAD), zlib.crc32(PAYLOAD))
    assert read_receipt(path) == receipt
    assert verified(path.parent, receipt)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_empty_part_proves_itself(tmp_path):
    file = PartFile(tmp_path / "empty.part")
    receipt = _receipt(file, rows=0)
    file.seal(receipt)
    assert verified(tmp_path, receipt)


def test_a_part_is_created_once(sealed):
    path, _ = sealed
    before = path.read_bytes()
    with pytest.raises(Failure, match="File exists") as caught:
        PartFile(path)
    assert caught.value.error_class is ErrorClass.DISK
    assert caught.value.facts == {"path": str(path), "errno": "EEXIST"}
    assert path.read_bytes() == before


def test_file_then_folder_are_synced_before_seal_returns(tmp_path, monkeypatch):
    synced = []

    def spy(fd):
        path = Path(f"/proc/self/fd/{fd}").readlink()
        synced.append((path, path.stat().st_size if path.is_file() else None))

    monkeypatch.setattr(os, "fsync", spy)
    file = PartFile(tmp_path / "a.part")
    file.write(PAYLOAD)
    assert synced == []
    file.seal(_receipt(file))
    # the whole file with its footer first, then the name
    assert synced == [(file.path, file.path.stat().st_size), (tmp_path, None)]


def test_a_failed_fsync_fails_the_part(tmp_path, monkeypatch):
    file = PartFile(tmp_path / "a.part")

    def broken(_fd):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(Failure, match="Input/output error") as caught:
        file.seal(_receipt(file))
    assert caught.value.error_class is ErrorClass.DISK
    file.discard()
    assert not file.path.exists()


def test_short_writes_are_carried_on(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    file = PartFile(tmp_path / "a.part")
    file.write(PAYLOAD)
    receipt = _receipt(file)
    file.seal(receipt)
    monkeypatch.undo()
    assert file.path.read_bytes().startswith(PAYLOAD)
    assert verified(tmp_path, receipt)


def test_discard_deletes_an_open_part_and_may_be_repeated(tmp_path):
    file = PartFile(tmp_path / "a.part")
    file.write(PAYLOAD)
    file.discard()
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_discard_deletes_a_sealed_part(sealed, tmp_path):
    file = PartFile(tmp_path / "b.part")
    file.seal(_receipt(file))
    file.discard()
    assert not file.path.exists()
    assert sealed[0].exists()


def test_discard_never_raises(tmp_path):
    file = PartFile(tmp_path / "a.part")
    os.close(file._fd)
    file.path.unlink()
    file.discard()


@pytest.mark.parametrize(
    ("code", "given", "error_class", "words"),
    [
        (errno.ENOSPC, ErrorClass.TARGET, ErrorClass.DISK, "no space left /x"),
        (errno.EDQUOT, ErrorClass.TARGET, ErrorClass.DISK, "no space left /x"),
        (errno.EFBIG, ErrorClass.DISK, ErrorClass.DISK, "no space left /x"),
        (errno.EACCES, ErrorClass.TARGET, ErrorClass.TARGET, "cannot use /x"),
        (errno.EIO, ErrorClass.DISK, ErrorClass.DISK, "cannot use /x"),
    ],
)
def test_an_error_of_the_system_becomes_a_failure(code, given, error_class, words):
    with pytest.raises(Failure, match=words) as caught, disk_errors("/x", given):
        raise OSError(code, os.strerror(code))
    assert caught.value.error_class is error_class
    assert caught.value.facts == {"path": "/x", "errno": errno.errorcode[code]}
    assert os.strerror(code) in caught.value.message


def test_an_error_without_a_number_keeps_its_words():
    with pytest.raises(Failure, match="cannot use /x: odd") as caught, disk_errors("/x"):
        raise OSError("odd")
    assert caught.value.facts["errno"] == ""


def test_a_full_device_is_a_full_disk(tmp_path):
    file = PartFile(tmp_path / "a.part")
    os.close(file._fd)
    file._fd = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(Failure, match="No space left on device") as caught:
        file.write(PAYLOAD)
    assert caught.value.error_class is ErrorClass.DISK
    assert (file.bytes, file.crc) == (0, 0)
    with pytest.raises(Failure, match="No space left on device"):
        file.seal(_receipt(file))
    file.discard()


class TestFooter:
    def test_a_missing_file_has_no_receipt(self, tmp_path):
        assert read_receipt(tmp_path / "none") is None
        assert read_receipt(tmp_path) is None

    def test_a_cut_is_noticed(self, sealed):
        path, receipt = sealed
        whole = path.read_bytes()
        # every third cut in the footer, and some in the payload
        for length in (0, 1, 7, 799, *range(800, len(whole), 3), len(whole) - 1):
            path.write_bytes(whole[:length])
            assert read_receipt(path) is None
            assert not verified(path.parent, receipt)

    @ON_DISK
    @given(where=st.integers(0, 2**20), bit=st.integers(0, 7))
    def test_a_flipped_bit_never_changes_what_is_proven(self, tmp_path_factory, where, bit):
        file = PartFile(tmp_path_factory.mktemp("part") / "a.part")
        file.write(PAYLOAD[:64])
        receipt = _receipt(file)
        file.seal(receipt)
        content = bytearray(file.path.read_bytes())
        content[where % len(content)] ^= 1 << bit
        file.path.write_bytes(content)
        # a bit in the name of a field that has its default value makes no difference
        proven = read_receipt(file.path) == receipt and content[:64] == PAYLOAD[:64]
        assert verified(file.path.parent, receipt) == proven
        assert not (proven and where % len(content) < 64)

    def test_more_or_fewer_payload_bytes_are_noticed(self, sealed):
        path, receipt = sealed
        whole = path.read_bytes()
        for forged in (b"x" + whole, whole[1:], whole + b"x"):
            path.write_bytes(forged)
            assert read_receipt(path) is None
            assert not verified(path.parent, receipt)

    @pytest.mark.parametrize("length", [3, 2**63, 2**64 - 1])
    def test_a_length_beyond_the_file_is_noticed(self, tmp_path, length):
        path = tmp_path / "a.part"
        path.write_bytes(b"{}" + part_module._TAIL.pack(length, part_module._MAGIC))
        assert read_receipt(path) is None

    def test_a_footer_of_another_version_is_noticed(self, sealed):
        path, _ = sealed
        path.write_bytes(path.read_bytes()[:-1] + b"2")
        assert read_receipt(path) is None

    @pytest.mark.parametrize(
        "body",
        [b"", b"{}", b"[]", b"\xff\xff", b'{"run": 1}', b'{"run": "\xe4"}', b"nonsense"],
    )
    def test_a_footer_that_is_no_receipt_is_noticed(self, tmp_path, body):
        path = tmp_path / "a.part"
        path.write_bytes(body + part_module._TAIL.pack(len(body), part_module._MAGIC))
        assert read_receipt(path) is None

    def test_a_column_of_an_impossible_type_is_noticed(self, sealed):
        path, receipt = sealed
        body = msgspec.json.encode(receipt).replace(b"decimal(5,2)", b"decimal(x,2)")
        tail = part_module._TAIL.pack(len(body), part_module._MAGIC)
        path.write_bytes(PAYLOAD + body + tail)
        assert read_receipt(path) is None

    def test_another_receipt_is_no_proof(self, sealed):
        path, receipt = sealed
        for changes in ({"rows": 99}, {"crc": 1}, {"attempt": 2}, {"path": "other"}):
            assert not verified(path.parent, replace(receipt, **changes))

    def test_a_footer_of_another_part_is_no_proof(self, sealed):
        """The same length and a valid footer, with other bytes before it."""
        path, receipt = sealed
        path.write_bytes(b"x" * len(PAYLOAD) + path.read_bytes()[len(PAYLOAD) :])
        assert read_receipt(path) == receipt
        assert not verified(path.parent, receipt)

    def test_a_part_that_cannot_be_read_is_not_verified(self, sealed, monkeypatch):
        path, receipt = sealed

        def broken(*_args, **_kwargs):
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(part_module, "crc_of", broken)
        assert not verified(path.parent, receipt)


@ON_DISK
@given(st.binary(max_size=300), st.integers(0, 320), st.integers(0, 320))
def test_the_crc_of_a_range(tmp_path_factory, content, offset, length):
    path = tmp_path_factory.mktemp("crc") / "file"
    path.write_bytes(content)
    assert crc_of(path, offset=offset, length=length) == zlib.crc32(
        content[offset : offset + length],
    )


def test_the_crc_of_a_range_of_several_blocks(tmp_path):
    content = os.urandom(3 << 20)
    (tmp_path / "file").write_bytes(content)
    assert crc_of(tmp_path / "file", offset=5, length=(2 << 20) + 9) == zlib.crc32(
        content[5 : 5 + (2 << 20) + 9],
    )
