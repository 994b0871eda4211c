"""Which packages the program and each kind of database need, by their names in an index."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """What a kind of database needs beside the program itself."""

    packages: tuple[str, ...] = ()


CORE = ("aiosqlite", "click", "msgspec", "openpyxl", "psutil", "pyarrow")

SPEED: Mapping[str, str] = {
    "isal": "Workbooks are deflated by zlib, which takes nearly twice as long.",
}
"""What only makes the program faster, and what its absence means."""

DRIVERS: Mapping[str, Driver] = {
    "sqlite": Driver(packages=("adbc-driver-manager", "adbc-driver-sqlite")),
    "postgresql": Driver(packages=("asyncpg",)),
}
"""A kind that is not here needs nothing more."""
