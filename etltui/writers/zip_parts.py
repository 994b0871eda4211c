"""Makes a zip file from streams that are deflated already, without reading them.

All sizes and checksums are known before the first byte, so there are no data descriptors. ZIP64
records appear only where an offset needs them: behind 4 GiB.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from os import O_CLOEXEC, O_RDONLY, close
from os import open as open_file
from pathlib import Path

from etltui.writers.copy import copy_range
from etltui.writers.part import write_all

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_EXTRA64 = struct.Struct("<2HQ")
_DOS_DATE = (1 << 5) | 1
"""1980-01-01, the first day of the format: the same input makes the same bytes on every day."""

_POLYNOMIAL = 0xEDB88320
_MAX32 = 0xFFFFFFFF
_MAX16 = 0xFFFF


def _times(left: int, right: int) -> int:
    """The product of two polynomials modulo CRC-32's, lowest power in the highest bit."""
    product = 0
    while left:
        if left & 1 << 31:
            product ^= right
        left = (left << 1) & _MAX32
        right = (right >> 1) ^ (_POLYNOMIAL if right & 1 else 0)
    return product


@cache
def _power(bit: int) -> int:
    """What a CRC is multiplied with to go on by 2 to the power of `bit` bytes."""
    return _times(_power(bit - 1), _power(bit - 1)) if bit else 1 << 23  # x^8


def crc_combine(first: int, second: int, length: int) -> int:
    """CRC-32 of two byte strings behind each other, from theirs and the length of the second.

    What zlib's `crc32_combine` computes: x to the power of 8 * length, times `first`.
    """
    for bit in range(length.bit_length()):
        if length >> bit & 1:
            first = _times(_power(bit), first)
    return first ^ second


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A byte-aligned piece of a raw deflate stream, without a final block unless it is the last.

    Attributes:
        source: The bytes themselves, or a file that begins with them.
        length: Of the piece.
        raw_length: Before compression.
        raw_crc: Before compression.
    """

    source: bytes | Path
    length: int
    raw_length: int
    raw_crc: int


def deflated(raw: bytes, *, last: bool) -> Piece:
    """A piece made here and now."""
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = stream.compress(raw) + stream.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
    return Piece(source=body, length=len(body), raw_length=len(raw), raw_crc=zlib.crc32(raw))


class ZipParts:
    """A zip file being written.

    Args:
        fd: Open for writing at position 0; stays open.
        limit: The greatest offset that is written in 32 bits; smaller in tests only.
    """

    def __init__(self, fd: int, *, limit: int = _MAX32) -> None:
        self.position = 0
        self._fd = fd
        self._limit = limit
        self._central: list[bytes] = []

    def add(self, name: str, pieces: Sequence[Piece]) -> tuple[int, ...]:
        """Append an entry; tells the offset of each piece in the file.

        Args:
            name: ASCII.
            pieces: One whole deflate stream; below 4 GiB before and after compression.

        Raises:
            Failure: Of class `corrupt`, a source is shorter than its piece.
        """
        crc = 0
        for piece in pieces:
            crc = crc_combine(crc, piece.raw_crc, piece.raw_length)
        size = sum(piece.length for piece in pieces)
        raw_size = sum(piece.raw_length for piece in pieces)
        if max(size, raw_size) >= _MAX32:
            raise ValueError(f"{name} is {raw_size:,} bytes long and does not fit into one entry")
        start = self.position
        self._write_entry(name.encode("ascii"), (crc, size, raw_size), start)
        offsets = []
        for piece in pieces:
            offsets.append(self.position)
            self._append(piece)
        return tuple(offsets)

    def finish(self) -> None:
        """Write the directory; the file is whole then."""
        start = self.position
        directory = b"".join(self._central)
        entries = len(self._central)
        self._write(directory)
        if start >= self._limit or entries >= _MAX16:
            end64 = self.position
            sizes = (entries, entries, len(directory), start)
            self._write(_END64.pack(b"PK\6\6", _END64.size - 12, 45, 45, 0, 0, *sizes))
            self._write(_LOCATOR.pack(b"PK\6\7", 0, end64, 1))
        shown = min(entries, _MAX16)
        offset = start if start < self._limit else _MAX32
        self._write(_END.pack(b"PK\5\6", 0, 0, shown, shown, len(directory), offset, 0))

    def _write_entry(self, name: bytes, sizes: tuple[int, int, int], start: int) -> None:
        far = start >= self._limit
        needed = 45 if far else 20
        common = (0, 8, 0, _DOS_DATE, *sizes, len(name))
        self._write(_LOCAL.pack(b"PK\3\4", needed, *common, 0) + name)
        extra = _EXTRA64.pack(1, 8, start) if far else b""
        shown = _MAX32 if far else start
        rest = (len(extra), 0, 0, 0, 0, shown)
        self._central.append(
            _CENTRAL.pack(b"PK\1\2", needed, needed, *common, *rest) + name + extra,
        )

    def _append(self, piece: Piece) -> None:
        if isinstance(piece.source, bytes):
            self._write(piece.source)
            return
        source = open_file(piece.source, O_RDONLY | O_CLOEXEC)
        try:
            copy_range(source, self._fd, offset=0, length=piece.length)
        finally:
            close(source)
        self.position += piece.length

    def _write(self, data: bytes) -> None:
        write_all(self._fd, data)
        self.position += len(data)
