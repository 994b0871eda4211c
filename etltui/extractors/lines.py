"""Rows that a server has printed as CSV lines itself, and the form that it was asked for.

A reader that can do so prints the canonical text of every value (see `writers/text`) by the rules
of `writers/csv_fields`: the bytes are those that the writer would have made of the rows.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LineForm:
    """What a destination wants of its lines; UTF-8, ended by a line feed, NULL as nothing.

    Attributes:
        delimiter: One ASCII character.
        quoting: `minimal`, `text` or `all`.
        label: Value of a first column; None for no such column.
    """

    delimiter: str
    quoting: str
    label: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Printed:
    """Whole lines.

    Attributes:
        data: The bytes.
        num_rows: How many rows they are; a quoted value may hold line ends.
    """

    data: bytes
    num_rows: int

    @property
    def nbytes(self) -> int:
        """Their length."""
        return len(self.data)
