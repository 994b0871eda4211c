"""A gzip member whose bytes depend on its content only, so that members can be concatenated."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

_isal: Any
try:
    from isal import isal_zlib
except ImportError:  # no wheel for this processor
    _isal = None
else:
    _isal = isal_zlib

Bytes = bytes | bytearray | memoryview

_BLOCK = 1 << 20
"""What the compressor is given at a time: isal's output depends on the sizes of the calls."""
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no name, no time, unknown system
_TAIL = struct.Struct("<II")
_RAW = -15
"""zlib's name for deflate without a wrapper."""


def default_compressor() -> str:
    """The fastest compressor that is installed, as a receipt names it."""
    return "isal-1" if _isal else "zlib-1"


def _deflater(compressor: str) -> Any:
    name, _, level = compressor.partition("-")
    if name == "isal" and _isal:
        return _isal.compressobj(int(level), _isal.DEFLATED, _RAW)
    return zlib.compressobj(int(level), zlib.DEFLATED, _RAW)


class GzipMember:
    """One gzip member (RFC 1952) that is written to a sink as it grows.

    Args:
        sink: Takes the compressed bytes.
        compressor: As `default_compressor` names it; `zlib-0` stores, which is the same bytes
            with every version of every library.

    Attributes:
        crc: CRC-32 of what was written.
        bytes: Length of what was written.
    """

    def __init__(self, sink: Callable[[bytes], None], compressor: str) -> None:
        self._sink = sink
        self._deflater = _deflater(compressor)
        self._pending = bytearray()
        self.crc = 0
        self.bytes = 0
        sink(_HEAD)

    def write(self, data: Bytes) -> None:
        """Append to the content."""
        view = memoryview(data)
        self.crc = zlib.crc32(view, self.crc)
        self.bytes += len(view)
        if self._pending:
            missing = _BLOCK - len(self._pending)
            self._pending += view[:missing]
            view = view[missing:]
            if len(self._pending) < _BLOCK:
                return
            self._feed(self._pending)
            self._pending = bytearray()
        whole = len(view) - len(view) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._feed(view[start : start + _BLOCK])
        self._pending += view[whole:]

    def close(self) -> None:
        """Finish the member."""
        self._feed(self._pending)
        self._sink(self._deflater.flush() + _TAIL.pack(self.crc, self.bytes & 0xFFFFFFFF))

    def _feed(self, block: Bytes) -> None:
        if done := self._deflater.compress(block):
            self._sink(done)


def stored_member(content: bytes) -> bytes:
    """A whole member that holds the content uncompressed."""
    pieces: list[bytes] = []
    member = GzipMember(pieces.append, "zlib-0")
    member.write(content)
    member.close()
    return b"".join(pieces)
