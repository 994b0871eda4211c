"""Thrift's compact protocol, as far as it takes to change numbers inside a Parquet footer.

Nothing is decoded into values and encoded again: a structure is walked, and what no rule names is
copied byte by byte, whatever a newer version of the format may have put there.
See https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice, repeat
from typing import TypeAlias

Change: TypeAlias = "Callable[[int], int] | Mapping[int, Change]"
"""What becomes of a field: of an integer its new value; of a structure, or of each structure of a
list, the changes of its fields by their ids."""

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = range(4, 7)
_LONG = 15
"""A list's head holds its length where it is shorter than this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A field of a structure.

    Attributes:
        head: Where its head begins.
        value: Where its value begins.
        end: Behind its value.
    """

    id: int
    head: int
    value: int
    end: int


def varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def to_varint(value: int) -> bytes:
    """The bytes of an unsigned number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(data: bytes, at: int) -> int:
    """A signed number (zigzag)."""
    return _signed(varint(data, at)[0])


def to_integer(value: int) -> bytes:
    """The bytes of a signed number of at most 64 bits."""
    return to_varint(value << 1 ^ value >> 63)


def fields(data: bytes, at: int) -> tuple[dict[int, Field], int]:
    """The fields of the structure that begins there, in order by id, and where it ends.

    Raises:
        IndexError: The structure is cut off.
        ValueError: A type that the protocol does not know.
    """
    found: dict[int, Field] = {}
    last = 0
    while data[at]:
        last, kind, value = _field_head(data, at, last)
        end = _behind_field(data, value, kind)
        found[last] = Field(id=last, head=at, value=value, end=end)
        at = end
    return found, at + 1


def list_of_structures(structures: list[bytes]) -> bytes:
    """A list from its encoded elements."""
    count = len(structures)
    short = count < _LONG
    head = bytes([(count if short else _LONG) << 4 | _STRUCT])
    return b"".join([head, b"" if short else to_varint(count), *structures])


def changed_list(
    data: bytes,
    at: int,
    changes: Iterable[Mapping[int, Change]],
) -> tuple[list[bytes], int]:
    """The list of structures that begins there with other numbers in them, and where it ends.

    Args:
        data: Holds the list.
        at: Its first byte.
        changes: By field id, for one element after the other; at least as many as there are.
    """
    count, _, at = _list_head(data, at)
    made = []
    for change in islice(changes, count):
        structure, at = changed(data, at, change)
        made.append(structure)
    return made, at


def changed(data: bytes, at: int, changes: Mapping[int, Change]) -> tuple[bytes, int]:
    """The structure that begins there with other numbers in it, and where the old one ends.

    Args:
        data: Holds the structure.
        at: Its first byte.
        changes: By field id; fields that are not there stay away.
    """
    out = bytearray()
    done, last = at, 0
    while data[at]:
        last, kind, value = _field_head(data, at, last)
        if (change := changes.get(last)) is None:
            at = _behind_field(data, value, kind)
            continue
        out += data[done:value]
        if callable(change):
            number, at = varint(data, value)
            out += to_integer(change(_signed(number)))
        elif kind == _LIST:
            structures, at = changed_list(data, value, repeat(change))
            out += list_of_structures(structures)
        else:
            structure, at = changed(data, value, change)
            out += structure
        done = at
    return bytes(out + data[done : at + 1]), at + 1


def _field_head(data: bytes, at: int, last: int) -> tuple[int, int, int]:
    """Id and type of a field behind the field `last`, and where its value begins."""
    kind, delta = data[at] & 0x0F, data[at] >> 4
    if delta:
        return last + delta, kind, at + 1
    number, end = varint(data, at + 1)
    return _signed(number), kind, end


def _signed(number: int) -> int:
    """Undo zigzag."""
    return number >> 1 ^ -(number & 1)


def _list_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Length and type of a list, and where its first element begins."""
    count, kind = data[at] >> 4, data[at] & 0x0F
    at += 1
    if count == _LONG:
        count, at = varint(data, at)
    return count, kind, at


def _behind_field(data: bytes, at: int, kind: int) -> int:
    # A field's head alone says whether it is true.
    return at if kind in {_TRUE, _FALSE} else _behind(data, at, kind)


def _behind(data: bytes, at: int, kind: int) -> int:
    """Where a value of this type ends."""
    if kind in _INTEGERS:
        return varint(data, at)[1]
    if kind == _BINARY:
        length, at = varint(data, at)
        return at + length
    if kind == _STRUCT:
        return fields(data, at)[1]
    if kind in {_LIST, _SET}:
        count, element, at = _list_head(data, at)
        for _ in range(count):
            at = _behind(data, at, element)
        return at
    sizes = {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8}
    if kind not in sizes:
        # Parquet has no maps.
        raise ValueError(f"no Thrift type that a Parquet footer may hold: {kind}")
    return at + sizes[kind]
