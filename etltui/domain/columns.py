"""What a column is, and the few types that every source and every format share."""

import re
from dataclasses import dataclass

TYPES = frozenset(
    {
        "bool",
        "int",
        "float",
        "date",
        "time",
        "timestamp",
        "timestamptz",
        "text",
        "binary",
        "mixed",
        "unknown",
    },
)
"""Canonical types beside `decimal(p,s)`. `mixed`: each value has a type of its own (SQLite).
`unknown`: nothing is promised before the rows are read."""

_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")
_FAMILIES = {
    "bool": "bool",
    "int": "number",
    "float": "number",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
    "text": "text",
    "binary": "binary",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A named column of a result.

    Attributes:
        name: As the database says it.
        type: One of `TYPES`, or `decimal(p,s)` with 1 <= p <= 76 and 0 <= s <= p.
    """

    name: str
    type: str = "unknown"

    def __post_init__(self) -> None:
        if self.type not in TYPES and not _DECIMAL.fullmatch(self.type):
            raise ValueError(f"column {self.name!r} has the unknown type {self.type!r}")

    @property
    def family(self) -> str | None:
        """What the type is close to, None where a value may be of any type."""
        return "number" if self.type.startswith("decimal") else _FAMILIES.get(self.type)


def decimal_of(kind: str) -> tuple[int, int] | None:
    """Precision and scale of a `decimal(p,s)` type, None for any other."""
    found = _DECIMAL.fullmatch(kind)
    return (int(found[1]), int(found[2])) if found else None
