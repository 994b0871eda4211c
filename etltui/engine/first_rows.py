"""Reads the first rows of a CSV part, for somebody who wants to see what a query brings."""

import csv
from contextlib import suppress
from io import StringIO
from itertools import islice
from pathlib import Path

from etltui.domain.job import CsvOptions, Destination
from etltui.domain.variants import part_variants

_BYTES = 256 * 1024
_WIDEST = 1000
"""Characters of a value; of a longer one the beginning."""

PLAIN = Destination(type="csv", path="rows.csv", options=CsvOptions())


def readable(destination: Destination) -> CsvOptions | None:
    """How the parts of a destination are written, None where no rows can be read from them."""
    options = destination.options
    all_queries = not destination.query
    if all_queries and isinstance(options, CsvOptions) and part_variants(destination) == ("",):
        return options
    return None


def first_rows(
    path: Path, size: int, options: CsvOptions, limit: int
) -> tuple[tuple[str, ...], ...]:
    """The first rows of a part, each value as the text that stands there.

    Args:
        path: Of the part; its payload comes first and has no header.
        size: Bytes of the payload.
        options: With which it was written.
        limit: How many rows at most.
    """
    with path.open("rb") as part:
        text = part.read(min(size, _BYTES)).decode(options.encoding, errors="replace")
    rows: list[list[str]] = []
    with suppress(csv.Error):  # a value longer than any that should be shown
        lines = csv.reader(StringIO(text, newline=""), delimiter=options.delimiter)
        rows.extend(islice(lines, limit + 1))
    if size > _BYTES and len(rows) <= limit:
        # The last one goes on beyond what was read.
        rows = rows[:-1]
    skipped = 1 if options.connection_column else 0
    return tuple(tuple(map(_cut, row[skipped:])) for row in rows[:limit])


def _cut(value: str) -> str:
    return value if len(value) <= _WIDEST else f"{value[: _WIDEST - 1]}…"
