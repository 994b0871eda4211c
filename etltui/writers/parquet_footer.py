"""One Parquet footer from those of many parts that stand behind each other in a file.

A part is a whole Parquet file. Where parts follow each other the pages stay what they are; only
the places that the row groups name move, by where the part begins. Between them the parts' own
footers stay, a few kilobytes that no reader looks at.
See https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import struct
from collections.abc import Sequence
from itertools import count

from etltui.domain.errors import ErrorClass, Failure
from etltui.writers.parquet_thrift import (
    Change,
    Field,
    changed_list,
    fields,
    integer,
    list_of_structures,
    to_integer,
)

MAGIC = b"PAR1"
TAIL = struct.Struct("<I4s")
"""What a file ends with: length of the footer, and the magic."""
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
"""Fields of FileMetaData."""
_MOST_ORDINALS = 1 << 15
"""A row group's ordinal is 16 bits wide; readers number the row groups themselves."""


def merged(footers: Sequence[tuple[bytes, int]]) -> bytes:
    """The footer of a file from the footers of its parts, at least one.

    Args:
        footers: Each with the offset of its part in the file.

    Raises:
        Failure: Of class `corrupt`; the parts have not the same columns, or a footer is broken.
    """
    (first, _), *_ = footers
    rows = 0
    groups: list[bytes] = []
    try:
        whole, _ = fields(first, 0)
        schema = _value(first, whole[_SCHEMA])
        for footer, offset in footers:
            found, _ = fields(footer, 0)
            if _value(footer, found[_SCHEMA]) != schema:
                raise Failure(ErrorClass.CORRUPT, "the parts have not the same columns")
            rows += integer(footer, found[_ROWS].value)
            moved = (_moved(offset, ordinal) for ordinal in count(len(groups)))
            groups += changed_list(footer, found[_GROUPS].value, moved)[0]
    except (IndexError, KeyError, ValueError) as error:
        raise Failure(ErrorClass.CORRUPT, "the footer of a part cannot be read") from error
    values = {_ROWS: to_integer(rows), _GROUPS: list_of_structures(groups)}
    pieces = [
        first[field.head : field.value] + values.get(field.id, _value(first, field))
        for field in whole.values()
    ]
    return b"".join([*pieces, b"\0"])


def _value(footer: bytes, field: Field) -> bytes:
    return footer[field.value : field.end]


def _moved(offset: int, ordinal: int) -> dict[int, Change]:
    """What changes in a part's row group: it lies further behind, and others come before it."""

    def move(place: int) -> int:
        return place + offset if place else 0  # 0: not said

    def refuse(_place: int) -> int:
        raise Failure(ErrorClass.INTERNAL, "a part has an index that nobody asked for")

    # ColumnMetaData: data, index and dictionary page; bloom filter
    pages: dict[int, Change] = {9: move, 10: move, 11: move, 14: refuse}
    # ColumnChunk: the deprecated place of its metadata; offset index, column index
    column: dict[int, Change] = {2: move, 3: pages, 4: refuse, 6: refuse}
    # RowGroup
    return {1: column, 5: move, 7: lambda _: min(ordinal, _MOST_ORDINALS - 1)}
