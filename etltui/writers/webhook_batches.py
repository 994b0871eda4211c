"""Cuts a part of JSON lines into batches, and makes bodies of them that never stand in memory.

In JSON a line's end stands nowhere but behind an object, so an array is made of the lines by
putting a comma in the place of each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etltui.domain.errors import ErrorClass
from etltui.domain.part import Receipt
from etltui.writers.part import disk_errors

_READ = 1 << 18
_TAIL = b"]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Lines of a part.

    Attributes:
        number: From 1.
        offset: Of its first byte in the part.
        length: In bytes, the last line's end among them.
        rows: How many lines.
        last: Whether it is the part's last.
    """

    number: int
    offset: int
    length: int
    rows: int
    last: bool


def batches(part: Path, receipt: Receipt, rows: int) -> Iterator[Batch]:
    """The batches of a part; of an empty one a single batch without rows.

    Args:
        part: The file.
        receipt: Whose payload it holds.
        rows: In a batch at most.

    Raises:
        Failure: Of class `disk`.
    """
    number, offset = 1, 0
    left = receipt.rows
    with disk_errors(part, ErrorClass.DISK), part.open("rb") as file:
        while left > rows:
            length = sum(len(file.readline()) for _ in range(rows))
            yield Batch(number=number, offset=offset, length=length, rows=rows, last=False)
            number, offset, left = number + 1, offset + length, left - rows
    length = receipt.bytes - offset
    yield Batch(number=number, offset=offset, length=length, rows=left, last=True)


class Body:
    """The body of a request: an object whose last member holds the rows; may be sent repeatedly.

    Args:
        head: The object up to the bracket that opens the rows.
        part: The file.
        batch: The rows' place in it.
    """

    def __init__(self, head: bytes, part: Path, batch: Batch) -> None:
        self._head = head
        self._part = part
        self._batch = batch

    @property
    def length(self) -> int:
        """In bytes."""
        # The last row's end makes no comma.
        return len(self._head) + max(0, self._batch.length - 1) + len(_TAIL)

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, a piece at a time.

        Raises:
            Failure: Of class `disk`.
        """
        yield self._head
        left = max(0, self._batch.length - 1)
        # Not around a `yield`: what the line does with a piece is no error of the disk.
        with disk_errors(self._part):
            file = self._part.open("rb")
        with file:
            file.seek(self._batch.offset)
            while left:
                with disk_errors(self._part):
                    piece = file.read(min(left, _READ))
                if not piece:  # somebody has cut it off: the body is too short and is not taken
                    return
                left -= len(piece)
                yield piece.replace(b"\n", b",")
        yield _TAIL
