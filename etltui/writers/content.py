"""What lies in a range of a file, block by block, as it was before it was compressed."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20
_RAW_DEFLATE, _GZIP = -15, 31
"""zlib's names for a stream without a wrapper, and for gzip's own."""


class BrokenError(Exception):
    """The bytes are not what a writer leaves; the text says why, as a part of a sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A piece of a file."""

    path: Path
    offset: int
    length: int

    def blocks(self) -> Iterator[bytes]:
        """Its bytes; fewer where the file ends before it does."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            left = self.length
            while left and (block := file.read(min(left, _BLOCK))):
                yield block
                left -= len(block)

    def inflated(self) -> Iterator[bytes]:
        """What was deflated into it: a piece of a stream, on a whole byte, without its end.

        Raises:
            BrokenError: It is no such piece.
        """
        stream = zlib.decompressobj(_RAW_DEFLATE)
        for block in self.blocks():
            yield from _taken(stream, block)

    def unzipped(self) -> Iterator[bytes]:
        """What is in its gzip members, behind each other.

        Raises:
            BrokenError: There is something else in it, or the last member is not whole.
        """
        stream = zlib.decompressobj(_GZIP)
        fresh = True
        for block in self.blocks():
            rest = block
            while rest:
                yield from _taken(stream, rest)
                rest, fresh = stream.unused_data, stream.eof
                if fresh:
                    stream = zlib.decompressobj(_GZIP)
        if not fresh:
            raise BrokenError("its compressed rows end too early")


def _taken(stream: "zlib._Decompress", block: bytes) -> Iterator[bytes]:
    """What comes of a block, in pieces that are never large, however well it was compressed."""
    try:
        while block and not stream.eof:
            if piece := stream.decompress(block, _BLOCK):
                yield piece
            block = stream.unconsumed_tail
        while not stream.eof and (piece := stream.decompress(b"", _BLOCK)):
            yield piece
    except zlib.error as error:
        raise BrokenError(f"its compressed rows cannot be read ({error})") from error
