"""What a load test runs over: a configuration, what its rows are, and what happens to it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etltui.config.schema import Config
from etltui.loadtest.order import Fault, Order


class Weather:
    """What happens to the databases while they are read; here nothing."""

    async def round(self) -> None:
        """A round is about to begin; nothing reads any database."""

    def tried(self, connection: str) -> None:
        """A run has begun to try a connection."""

    async def aclose(self) -> None:
        """Leave every database as it was."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a load test runs over.

    Attributes:
        jobs: Names of those that are run.
        failing: Names of the connections that cannot be read, as ordered.
        stalling: Names of those that are kept from answering.
        rows: From each connection to the numbers that its rows have; empty: nobody knows them.
        targets: From each job to the CSV file that is to hold the rows, behind their connection's
            name; empty: as for `rows`.
        own_files: Where the files lie that the test itself holds open; empty: nowhere.
    """

    order: Order
    config: Config
    jobs: tuple[str, ...]
    failing: Mapping[str, Fault] = field(default_factory=dict)
    stalling: Collection[str] = ()
    rows: Mapping[str, range] = field(default_factory=dict)
    targets: Mapping[str, Path] = field(default_factory=dict)
    own_files: str = ""
    weather: Weather = field(default_factory=Weather)
