"""Makes a file of pieces: literal bytes and parts, copied as they are, durable and proven."""

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from etltui.config.disk import sync_folder
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Member, Receipt
from etltui.writers.copy import copy_range
from etltui.writers.part import crc_of, disk_errors, read_receipt, write_all
from etltui.writers.zip_parts import crc_combine

Piece = bytes | Receipt


@dataclass(frozen=True, kw_only=True, slots=True)
class Chained:
    """A file that was made.

    Attributes:
        crc: CRC-32 of the whole file.
        members: Where each part lies in it, in order.
    """

    bytes: int
    crc: int
    members: tuple[Member, ...]


def check_parts(folder: Path, receipts: Sequence[Receipt]) -> None:
    """Hold the footers of parts against their receipts.

    Raises:
        Failure: Of class `corrupt`, naming the connection.
    """
    for receipt in receipts:
        if read_receipt(folder / receipt.path) != receipt:
            raise corrupt(receipt, "is missing or not what was recorded")


def chain(file: Path, folder: Path, pieces: Sequence[Piece]) -> Chained:
    """Write a file from pieces and read it back; where it fails nothing is left.

    Args:
        file: Replaced if it exists.
        folder: That the receipts' paths are relative to.
        pieces: In the file's order.

    Raises:
        Failure: Of class `disk` or `target`, or `corrupt` where a part is not what its receipt
            says.
    """
    need = sum(len(piece) if isinstance(piece, bytes) else piece.bytes for piece in pieces)
    with disk_errors(file, ErrorClass.TARGET, need=need), _removed_on_failure(file):
        _write(file, folder, pieces)
        sync_folder(file.parent)
        return _proven(file, pieces)


def corrupt(part: Receipt | Member, what: str) -> Failure:
    """The failure that names whose part is of no use."""
    return Failure(
        ErrorClass.CORRUPT,
        f"{part.connection}: its part {what}; run again to read it anew",
        {"connection": part.connection, "segment": str(part.segment)},
    )


def _write(file: Path, folder: Path, pieces: Sequence[Piece]) -> None:
    # never through a link that somebody has put there
    file.unlink(missing_ok=True)
    target = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        for piece in pieces:
            if isinstance(piece, bytes):
                write_all(target, piece)
            else:
                _copy(folder / piece.path, target, piece.bytes)
        os.fsync(target)
    finally:
        os.close(target)


def _copy(part: Path, target: int, length: int) -> None:
    source = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        copy_range(source, target, offset=0, length=length)
    finally:
        os.close(source)


def _proven(file: Path, pieces: Sequence[Piece]) -> Chained:
    """What the file is, read back and held against its pieces one by one."""
    members = []
    crc = end = 0
    for piece in pieces:
        length, wanted = (
            (len(piece), zlib.crc32(piece))
            if isinstance(piece, bytes)
            else (piece.bytes, piece.crc)
        )
        right = crc_of(file, offset=end, length=length) == wanted
        if isinstance(piece, Receipt):
            if not right:
                raise corrupt(piece, "does not have the checksum that was recorded")
            members.append(_member(piece, end))
        elif not right:
            raise Failure(ErrorClass.TARGET, f"{file} does not hold what was written to it")
        crc = crc_combine(crc, wanted, length)
        end += length
    size = file.stat().st_size
    if size != end:
        raise Failure(ErrorClass.TARGET, f"{file} has {size:,} bytes instead of {end:,}")
    return Chained(bytes=end, crc=crc, members=tuple(members))


def _member(receipt: Receipt, offset: int) -> Member:
    return Member(
        connection=receipt.connection,
        query=receipt.query,
        segment=receipt.segment,
        variant=receipt.variant,
        offset=offset,
        length=receipt.bytes,
        crc=receipt.crc,
    )


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
