"""Which packages the program stands on, by their names in an index."""

from collections.abc import Mapping

CORE = ("aiosqlite", "click", "msgspec", "openpyxl", "psutil", "pyarrow")

SPEED: Mapping[str, str] = {
    "isal": "Workbooks are deflated by zlib, which takes nearly twice as long.",
}
"""What only makes the program faster, and what its absence means."""
