"""Tells packets apart in what came from a MySQL server: rows up to the word that ends them."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

HEAD = 4
"""Bytes before each packet: three of its length and one of its order."""
_HEAD = struct.Struct("<I")
_LONGEST = 0xFFFFFF
"""A packet of this length goes on in the next."""
_LAST, _ERROR = 0xFE, 0xFF
"""How the word that ends the rows begins; in the binary form a row begins with zero."""
_ROOM = 256 * 1024
_PAD = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Whole rows.

    Attributes:
        content: Each row behind a head, and a few bytes more, so that who looks a little too far
            finds something.
        ends: Where each row ends; the head of the next follows.
    """

    content: bytearray
    ends: list[int]


class Packets:
    """What came, and where its packets end.

    Args:
        rest: The beginning of it, from before.
        wanted: About how many bytes shall come.

    Attributes:
        filled: Bytes that came.
        ends: Where each row ends, heads of packets that are joined included.
        last: What ended the rows; None before it came.
    """

    def __init__(self, rest: bytes = b"", wanted: int = 0) -> None:
        self._content = bytearray(max(wanted, len(rest)) + _ROOM + _PAD)
        self._content[: len(rest)] = rest
        self.filled = len(rest)
        self.ends: list[int] = []
        self._joints: list[int] = []
        self._at = 0
        self.last: bytes | None = None
        self._scan()

    def fill(self, receive: Callable[[memoryview], int]) -> None:
        """Let something come."""
        if len(self._content) - self.filled <= _PAD:
            self._content.extend(bytes(max(_ROOM, self.filled)))
        with memoryview(self._content) as whole, whole[self.filled : -_PAD] as room:
            self.filled += receive(room)
        self._scan()

    def _scan(self) -> None:
        """Find the packets that are whole; this loop is run for each row."""
        content, filled, at, ends = self._content, self.filled, self._at, self.ends
        unpack, found = _HEAD.unpack_from, ends.append
        while at + HEAD <= filled:
            size = unpack(content, at)[0] & _LONGEST
            after = at + HEAD + size
            if after > filled:
                break
            if size == _LONGEST:
                self._joints.append(after)
            else:
                found(after)
            at = after
        self._at = at
        if ends and ends[-1] == filled:
            self._take_last()

    def _take_last(self) -> None:
        """Nothing follows the word that ends the rows, so it is looked for there only."""
        start = self.ends[-2] if len(self.ends) > 1 else 0
        if self._content[start + HEAD] in {_LAST, _ERROR}:
            self.last = bytes(self._content[start + HEAD : self.filled])
            self.ends.pop()

    def forget(self) -> None:
        """Drop the rows, for who waits for their end only."""
        rest = self.rest()
        self._content[: len(rest)] = rest
        self.filled, self._at = len(rest), 0
        self.ends.clear()
        self._joints.clear()

    def rest(self) -> bytes:
        """What came behind the last whole row."""
        start = self.ends[-1] if self.ends else 0
        return b"" if self.last is not None else bytes(self._content[start : self.filled])

    def block(self) -> Block | None:
        """The rows, each in one piece; None where there is none."""
        if not self.ends:
            return None
        joints = [joint for joint in self._joints if joint < self.ends[-1]]
        if not joints:
            return Block(content=self._content, ends=self.ends)
        pieces = [
            self._content[start + HEAD if start else 0 : end]
            for start, end in zip([0, *joints], [*joints, None], strict=True)
        ]
        ends = [end - HEAD * sum(joint < end for joint in joints) for end in self.ends]
        return Block(content=bytearray().join(pieces), ends=ends)
