"""N-5: parts that were cleared away come back out of the target that holds them."""

import zlib

import pytest

from etltui.domain.part import Member, Receipt
from etltui.writers.part import PartFile, read_receipt
from etltui.writers.restore import restore

PAYLOADS = {"A": b"1,one\n", "B": b"2,two\n3,three\n" * 100_000}


def receipt_of(name, payload):
    return Receipt(
        run="R",
        destination=0,
        connection=name,
        query=0,
        segment=0,
        attempt=1001,
        path=f"0/{name}.part",
        rows=payload.count(b"\n"),
        bytes=len(payload),
        crc=zlib.crc32(payload),
        raw_bytes=len(payload),
        raw_crc=zlib.crc32(payload),
        plan_hash="p",
        connection_hash=name,
    )


@pytest.fixture
def published(tmp_path):
    """A target with its parts cleared away, where they lie in it, and their receipts."""
    target = tmp_path / "target.csv"
    members, receipts, content = [], [], b"id,name\n"
    (tmp_path / "0").mkdir()
    for name, payload in PAYLOADS.items():
        receipt = receipt_of(name, payload)
        members.append(
            Member(
                connection=name,
                query=0,
                segment=0,
                offset=len(content),
                length=len(payload),
                crc=receipt.crc,
            ),
        )
        receipts.append(receipt)
        content += payload
    target.write_bytes(content)
    return str(tmp_path), str(target), members, receipts


def test_byte_for_byte_with_their_footers(published, tmp_path):
    assert restore(*published) == (True, True)
    for receipt in published[3]:
        path = tmp_path / receipt.path
        assert read_receipt(path) == receipt
        assert path.read_bytes().startswith(PAYLOADS[receipt.connection])


def test_a_part_that_is_there_is_left_alone(published, tmp_path):
    receipt = published[3][0]
    part = PartFile(tmp_path / receipt.path)
    part.write(PAYLOADS["A"])
    part.seal(receipt)
    before = (tmp_path / receipt.path).stat()
    assert restore(*published) == (True, True)
    assert (tmp_path / receipt.path).stat().st_ino == before.st_ino


def test_a_damaged_part_is_made_anew(published, tmp_path):
    (tmp_path / published[3][0].path).write_bytes(b"torn")
    assert restore(*published) == (True, True)


def test_bytes_that_somebody_changed_are_not_taken(published, tmp_path):
    _, _, members, receipts = published
    content = bytearray((tmp_path / "target.csv").read_bytes())
    content[members[1].offset] ^= 1
    (tmp_path / "target.csv").write_bytes(content)
    assert restore(*published) == (True, False)
    assert not (tmp_path / receipts[1].path).exists()


def test_what_the_target_never_held_is_not_there(published):
    folder, target, members, receipts = published
    assert restore(folder, target, members[:1], receipts) == (True, False)


def test_a_target_that_is_gone_gives_nothing(published, tmp_path):
    (tmp_path / "target.csv").unlink()
    assert restore(*published) == (False, False)


def test_a_folder_that_is_gone_gives_nothing(published, tmp_path):
    (tmp_path / "0").rmdir()
    assert restore(*published) == (False, False)


def test_a_disk_that_fails_on_the_way_leaves_no_piece(published, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("etltui.writers.part.write_all", full)
    assert restore(*published) == (False, False)
    assert list((tmp_path / "0").iterdir()) == []
