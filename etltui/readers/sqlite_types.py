"""What a column that SQLite declares so may hold, as a canonical type.

SQLite's declarations promise nothing: any column may hold any value. So a type here is a claim
that the lanes prove value by value, and `mixed` where no claim is worth trying.
"""

import re

_SHAPE = re.compile(r"([a-z0-9_ ]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", re.IGNORECASE)
_DECIMALS = frozenset({"decimal", "dec", "numeric", "number"})
_MAX_PRECISION = 38
"""Digits of Arrow's decimal128; a wider declaration is read as mixed."""

_EXACT = {
    "date": "date",
    "time": "time",
    "datetime": "timestamp",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "bool": "bool",
    "boolean": "bool",
    "blob": "binary",
    "real": "float",
    "float": "float",
    "double": "float",
    "double precision": "float",
}
_INTEGER = re.compile(r"(?:unsigned )?(?:tiny|small|medium|big)? ?int(?:eger)?[248]?(?: unsigned)?")
_TEXT = re.compile(r"char|clob|text")


def canonical(declared: str) -> str:
    """The canonical type that a declared one claims.

    A decimal needs both digits and scale: NUMERIC alone is a habit, not a promise.
    """
    shape = _SHAPE.fullmatch(declared.strip())
    if shape is None:
        return "mixed"
    name = " ".join(shape[1].lower().split())
    if name in _DECIMALS:
        return _decimal(shape[2], shape[3])
    if name in _EXACT:
        return _EXACT[name]
    if _INTEGER.fullmatch(name):
        return "int"
    return "text" if _TEXT.search(name) else "mixed"


def _decimal(precision: str | None, scale: str | None) -> str:
    if precision is None or scale is None:
        return "mixed"
    fits = 1 <= int(precision) <= _MAX_PRECISION and int(scale) <= int(precision)
    return f"decimal({int(precision)},{int(scale)})" if fits else "mixed"
