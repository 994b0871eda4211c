"""Where each value of a block of rows stands, found for whole columns at once by Arrow.

A row in the binary form is a zero, a bit for each column that is NULL, and the values behind each
other: numbers in their own width, all others behind their length. No loop over rows runs here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

from etltui.domain.errors import ErrorClass, Failure
from etltui.readers.mysql_packets import HEAD, Block
from etltui.readers.mysql_types import Field

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor Arrow's own buffers."""
Array: TypeAlias = "pa.Array[Any]"
Flags: TypeAlias = "pa.Array[Any] | None"

_I32 = pa.int32()
_ZERO, _ONE, _HALF = pa.scalar(0, _I32), pa.scalar(1, _I32), pa.scalar(32, pa.int64())
_NO_BITS = pa.scalar(0, pa.uint8())
_SHORT = 251
"""Lengths from here on take more than one byte: 2, 3 or 8 behind a sign that says which."""
_NULL_BITS_FROM = 2


@cache
def number(value: int) -> Any:
    """An operand, made once: for each new scalar Arrow looks for pandas on the whole path."""
    return pa.scalar(value, _I32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cells:
    """The values of one column.

    Attributes:
        octets: The whole block.
        start: Where each value begins; of a NULL, where it would.
        size: Its bytes, 0 of a NULL.
        present: Which are no NULL; None: all.
    """

    octets: Array
    start: Array
    size: Array
    present: Flags

    def joined(self) -> Array:
        """The bytes of each value, copied behind each other; of a NULL none."""
        return spans(self.octets, self.start, self.size)


def spans(octets: Array, start: Array, size: Array) -> Array:
    """Pieces of a block that lie behind each other, as values of their own.

    Taken as values, pieces and what lies between them alternate over the very same bytes; then
    every second one is kept.
    """
    rows = len(start)
    if not rows:
        return pa.array([], pa.binary())
    end = pc.shift_left(pc.add(start, size).cast(pa.int64()), _HALF)
    bounds = pc.bit_wise_or(start.cast(pa.int64()), end).buffers()[1]
    whole = pa.Array.from_buffers(
        pa.binary(),
        2 * rows - 1,
        [None, bounds, octets.buffers()[1]],
    )
    every_second = pa.py_buffer(b"\x55" * (rows // 4 + 1))
    kept: Array = whole.filter(
        pa.Array.from_buffers(pa.bool_(), 2 * rows - 1, [None, every_second]),
    )
    return kept


def cells(block: Block, fields: Sequence[Field]) -> list[Cells]:
    """The values of each column.

    Raises:
        Failure: Of class `lost`; the rows are not of these columns.
    """
    octets = pa.Array.from_buffers(
        pa.uint8(),
        len(block.content),
        [None, pa.py_buffer(block.content)],
    )
    ends = pa.array(block.ends, _I32)
    starts = pc.add(pa.concat_arrays([pa.array([0], _I32), ends[:-1]]), number(HEAD))
    try:
        return _Walk(octets, starts).over(fields, ends)
    except (pa.ArrowInvalid, IndexError) as error:
        raise _broken() from error


class _Walk:
    """Goes through all rows at once, column by column."""

    def __init__(self, octets: Array, starts: Array) -> None:
        self._octets = octets
        self._starts = starts
        self._nulls: dict[int, tuple[Array, int]] = {}

    def over(self, fields: Sequence[Field], ends: Array) -> list[Cells]:
        bits = (len(fields) + 7 + _NULL_BITS_FROM) // 8
        if pc.any(pc.not_equal(self._octets.take(self._starts), _NO_BITS)).as_py():
            raise _broken()
        at, found = pc.add(self._starts, number(1 + bits)), []
        for column, field in enumerate(fields):
            here = self._cells(at, self._present(column), field.width)
            at = pc.add(here.start, here.size)
            found.append(here)
        if not at.equals(ends):
            raise _broken()
        return found

    def _present(self, column: int) -> Flags:
        """Which values of a column are no NULL; None: all."""
        byte, bit = divmod(column + _NULL_BITS_FROM, 8)
        if byte not in self._nulls:
            flags = self._octets.take(pc.add(self._starts, number(1 + byte)))
            self._nulls[byte] = (flags, reduce(or_, pc.unique(flags).to_pylist()))
        flags, seen = self._nulls[byte]
        if not seen >> bit & 1:
            return None
        mask = pa.scalar(1 << bit, pa.uint8())
        present: Array = pc.equal(pc.bit_wise_and(flags, mask), _NO_BITS)
        return present

    def _cells(self, at: Array, present: Flags, width: int) -> Cells:
        if width:
            size = pa.repeat(number(width), len(at))
            head = None
        else:
            size, head = self._lengths(at, present)
        if present is not None:
            size = pc.if_else(present, size, _ZERO)
            head = None if head is None else pc.if_else(present, head, _ZERO)
        start = at if head is None else pc.add(at, head)
        return Cells(octets=self._octets, start=start, size=size, present=present)

    def _lengths(self, at: Array, present: Flags) -> tuple[Array, Array]:
        """The length of each value, and how many bytes say so."""
        first = self._byte(at)
        if present is not None:
            first = pc.if_else(present, first, _ZERO)
        most = pc.max(first).as_py()
        if most < _SHORT:
            return first, pa.repeat(_ONE, len(at))
        second, third, fourth = (pc.add(at, number(step)) for step in (1, 2, 3))
        two = pc.bit_wise_or(self._byte(second), self._shifted(third, 8))
        three = pc.bit_wise_or(two, self._shifted(fourth, 16))
        sizes, heads = [first, two, three], [_ONE, number(3), number(4)]
        if most > _SHORT + 2:
            # Nothing is longer than the server's own limit of 1 GiB for a packet.
            sizes.append(pc.bit_wise_or(three, self._shifted(pc.add(at, number(4)), 24)))
            heads.append(number(9))
        kinds = [pc.less(first, number(_SHORT + 1))]
        kinds += [pc.equal(first, number(_SHORT + more)) for more in range(1, len(sizes) - 1)]
        size, head = sizes[-1], pa.repeat(heads[-1], len(at))
        for kind, shorter, bytes_of in zip(kinds, sizes, heads, strict=False):
            size, head = pc.if_else(kind, shorter, size), pc.if_else(kind, bytes_of, head)
        if pc.min(size).as_py() < 0:
            raise _broken()
        return size, head

    def _byte(self, at: Array) -> Array:
        """What stands there, as a number.

        A NULL at the end of a block may point just behind it.
        """
        taken: Array = self._octets.take(at).cast(_I32)
        return taken

    def _shifted(self, at: Array, bits: int) -> Array:
        shifted: Array = pc.shift_left(self._byte(at), number(bits))
        return shifted


def _broken() -> Failure:
    return Failure(ErrorClass.LOST, "the server sent rows that are not of the query's columns")
