"""A shape as the server keeps it, as the words of the standard: `POINT(1 2)`."""

import struct
from collections.abc import Callable

_SRID = 4
"""Bytes before the shape's own: the number of its reference system."""
_NAMES = {
    1: "POINT",
    2: "LINESTRING",
    3: "POLYGON",
    4: "MULTIPOINT",
    5: "MULTILINESTRING",
    6: "MULTIPOLYGON",
    7: "GEOMETRYCOLLECTION",
}
_POINT, _LINE, _POLYGON, _FIRST_OF_MANY, _COLLECTION = 1, 2, 3, 4, 7


class _Shapes:
    """Reads shapes behind each other (OGC 06-103r4, well-known binary)."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = _SRID
        self._order = "<"

    def shape(self) -> tuple[str, str]:
        """The next one's name, and what stands in its brackets."""
        self._order = "<" if self._content[self._at] else ">"
        self._at += 1
        kind = self._count()
        return _NAMES[kind], self._inside(kind)

    def _inside(self, kind: int) -> str:
        if kind == _POINT:
            return self._point()
        if kind == _LINE:
            return self._listed(self._point)
        if kind == _POLYGON:
            return self._listed(self._ring)
        return self._listed(self._named if kind == _COLLECTION else self._member)

    def _listed(self, read: Callable[[], str]) -> str:
        return ",".join(read() for _ in range(self._count()))

    def _ring(self) -> str:
        return f"({self._listed(self._point)})"

    def _member(self) -> str:
        return f"({self.shape()[1]})"

    def _named(self) -> str:
        return words(*self.shape())

    def _count(self) -> int:
        (count,) = struct.unpack_from(f"{self._order}I", self._content, self._at)
        self._at += 4
        return int(count)

    def _point(self) -> str:
        x, y = struct.unpack_from(f"{self._order}2d", self._content, self._at)
        self._at += 16
        return f"{_number(x)} {_number(y)}"


def _number(value: float) -> str:
    """The fewest digits that read back as the same number, and no point where there is no need."""
    return repr(value).removesuffix(".0")


def words(name: str, inside: str) -> str:
    """A shape in words; an empty one has no brackets."""
    return f"{name}({inside})" if inside else f"{name} EMPTY"


def wkt(value: bytes) -> str:
    r"""A shape in words; what is no shape that this knows is `\x` and hexadecimal digits."""
    try:
        return words(*_Shapes(value).shape())
    except (struct.error, KeyError, IndexError):
        return f"\\x{value.hex()}"
