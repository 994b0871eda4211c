"""How a value is refused that a format cannot hold: where it stands, and the way out.

Who shows it says which connection it is of, and the extract which destination.
"""

import pyarrow as pa

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.safe_text import middle_cut, safe_text

_WIDTH = 40
"""Characters of a value: enough to find it by."""


def refused(row: int, column: str, reason: str, **facts: str) -> Failure:
    """The failure of a value.

    Args:
        row: Of the connection's rows, from 1; 0 for the line of names.
        column: Its name.
        reason: Why, and what to do.
        facts: Further ones.
    """
    place = f"row {row:,}" if row else "header"
    return Failure(
        ErrorClass.VALUE,
        f"{place}, column {column!r}: {reason}",
        {"row": str(row), "column": column, **facts},
    )


def quoted(text: pa.StringArray, row: int) -> str:
    """A value's text as it may be told: harmless, cut, and in quotes; also where no UTF-8."""
    told = text[row].as_buffer().to_pybytes().decode("utf-8", "replace")
    return f'"{middle_cut(safe_text(told), _WIDTH)}"'
