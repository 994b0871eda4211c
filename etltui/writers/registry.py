"""Which writer serves which destination type, imported on first use."""

from importlib import import_module
from typing import cast

from etltui.domain.errors import ErrorClass, Failure
from etltui.writers.writer import Format

_WRITERS = {
    "csv": "etltui.writers.csv",
    "excel": "etltui.writers.excel",
    "json": "etltui.writers.json",
    "jsonl": "etltui.writers.json",
    "parquet": "etltui.writers.parquet",
}


def format_of(kind: str) -> Format:
    """The writer module of a destination type.

    Raises:
        Failure: There is none.
    """
    if kind not in _WRITERS:
        raise Failure(
            ErrorClass.INTERNAL,
            f"no writer for {kind}; there are {', '.join(sorted(_WRITERS))}",
        )
    return cast("Format", import_module(_WRITERS[kind]))
