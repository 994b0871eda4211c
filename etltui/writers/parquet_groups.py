"""Gathers rows until a row group is full: by rows or by bytes, wherever their batches end."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute

pc: Any = compute
"""Untyped, since the stubs know neither scalars beside arrays nor what comes of them."""
Array: TypeAlias = "pa.Array[Any]"

GROUP_ROWS = 131_072
GROUP_BYTES = 8 << 20
"""A row group ends with the row that reaches either; rows of more than 128 bytes reach this one.
So much waits in memory for each connection that is being read."""
_NO_BYTES = pa.scalar(0, pa.int32())


class Groups:
    """Rows on their way into row groups.

    Args:
        kinds: Of the columns.
        write: Takes the columns of a row group, each in one piece.

    Attributes:
        raw_bytes: Of all row groups that were written.
    """

    def __init__(
        self,
        kinds: Sequence[pa.DataType],
        write: Callable[[list[Array]], None],
    ) -> None:
        self.raw_bytes = 0
        self._kinds = kinds
        self._write = write
        self._fixed = pa.scalar(sum(_fixed_bytes(kind) for kind in kinds), pa.int64())
        self._waiting: list[list[Array]] = []
        self._rows = self._bytes = 0

    def take(self, arrays: list[Array]) -> None:
        """Take rows; every row group that is full by them is written."""
        start = 0
        while start < len(arrays[0]):
            start += self._take([array[start:] for array in arrays])

    def end(self) -> None:
        """Write what waits; there may be nothing."""
        if self._rows:
            self._write_group()

    def _take(self, arrays: list[Array]) -> int:
        """Take rows until the row group is full; tells how many."""
        rows = min(len(arrays[0]), GROUP_ROWS - self._rows)
        sizes = self._sizes([array[:rows] for array in arrays])
        full = self._rows + rows == GROUP_ROWS
        size = pc.sum(sizes).as_py()
        if self._bytes + size >= GROUP_BYTES:
            room = pa.scalar(GROUP_BYTES - self._bytes)
            rows = pc.sum(pc.less(pc.cumulative_sum(sizes), room)).as_py() + 1
            size = pc.sum(sizes[:rows]).as_py()
            full = True
        self._waiting.append([array[:rows] for array in arrays])
        self._rows += rows
        self._bytes += size
        if full:
            self._write_group()
        return rows

    def _sizes(self, arrays: list[Array]) -> Array:
        """Bytes of every row, in a measure that does not depend on how the rows came."""
        sizes: Array = pa.repeat(self._fixed, len(arrays[0]))
        for array, kind in zip(arrays, self._kinds, strict=True):
            if not _fixed_bytes(kind):
                sizes = pc.add(sizes, pc.fill_null(pc.binary_length(array), _NO_BYTES))
        return sizes

    def _write_group(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.raw_bytes += self._bytes
        self._rows = self._bytes = 0
        # Arrow ends pages where pieces end, so there must be one piece.
        self._write([pa.concat_arrays(pieces) for pieces in zip(*waiting, strict=True)])


def _fixed_bytes(kind: pa.DataType) -> int:
    """Bytes of a value, 0 where they differ from value to value."""
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return 0
    return (kind.bit_width + 7) // 8
