"""A part file: created once, proven by its own footer, durable before anybody hears of it.

Payload, then the receipt as JSON, its length (8 bytes, big endian) and `ETLPART1`. The footer
repeats what the store knows, so that a part can prove itself without the store.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from etltui.config.disk import FULL, lacking, sync_folder
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Receipt

_MAGIC = b"ETLPART1"
_TAIL = struct.Struct(">Q8s")
_READ = 1 << 20


@contextmanager
def disk_errors(
    path: str | Path, error_class: ErrorClass = ErrorClass.DISK, *, need: int = 0
) -> Iterator[None]:
    """Turn the operating system's errors into a `Failure` that names the path.

    Args:
        path: What was being written or read.
        error_class: Of the failure; a full disk is always `disk`.
        need: Bytes that the file is known to come to.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in FULL
        reason = error.strerror or str(error)
        raise Failure(
            ErrorClass.DISK if full else error_class,
            f"{'no space left' if full else 'cannot use'} {path}: {reason}"
            f"{lacking(path, error, need)}",
            {"path": str(path), "errno": errno.errorcode.get(error.errno or 0, "")},
        ) from error


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte; a short write is carried on."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class PartFile:
    """A part being written; O_EXCL, so that an orphan can never write a current part.

    Args:
        path: Must not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self.crc = 0
        with disk_errors(path):
            self._fd = os.open(
                path,
                os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC,
                0o600,
            )

    def write(self, data: bytes | memoryview) -> None:
        """Append to the payload.

        Raises:
            Failure: Of class `disk`.
        """
        with disk_errors(self.path, need=self.bytes + len(data)):
            write_all(self._fd, data)
        self.crc = zlib.crc32(data, self.crc)
        self.bytes += len(data)

    def seal(self, receipt: Receipt) -> None:
        """Append the footer and make file and name durable; the part is then final.

        After a failed fsync the kernel may have dropped the bytes, so the part must be written
        anew and the fsync never tried again.

        Raises:
            Failure: Of class `disk`; the file is then of no use.
        """
        body = msgspec.json.encode(receipt)
        with disk_errors(self.path, need=self.bytes + len(body)):
            write_all(self._fd, body + _TAIL.pack(len(body), _MAGIC))
            os.fsync(self._fd)
            fd, self._fd = self._fd, -1
            os.close(fd)
            sync_folder(self.path.parent)

    def discard(self) -> None:
        """Close and delete; never raises."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):
                os.close(fd)
        with suppress(OSError):
            self.path.unlink()


def read_receipt(path: Path) -> Receipt | None:
    """The receipt in a part's footer, None where there is no whole footer."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL.size))
            length, magic = _TAIL.unpack(file.read(_TAIL.size))
            if magic != _MAGIC or length > size - _TAIL.size:
                return None
            file.seek(size - _TAIL.size - length)
            receipt = msgspec.json.decode(file.read(length), type=Receipt)
    except (OSError, struct.error, msgspec.DecodeError, UnicodeDecodeError):
        return None
    whole = receipt.bytes + length + _TAIL.size == size
    return receipt if whole else None


def crc_of(path: Path, *, offset: int, length: int) -> int:
    """CRC-32 of a range of a file."""
    crc = 0
    with path.open("rb") as file:
        file.seek(offset)
        while length:
            block = file.read(min(length, _READ))
            if not block:
                break
            crc = zlib.crc32(block, crc)
            length -= len(block)
    return crc


def verified(folder: Path, receipt: Receipt) -> bool:
    """Whether the part of a receipt is there with the same footer, size and CRC; never raises."""
    path = folder / receipt.path
    if read_receipt(path) != receipt:
        return False
    try:
        return crc_of(path, offset=0, length=receipt.bytes) == receipt.crc
    except OSError:
        return False
