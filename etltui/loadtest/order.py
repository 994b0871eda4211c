"""What a load test is to be: how much, for how long, and what is to go wrong in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

STALL_S = 3.0
"""How long a stall is where nobody says it."""
MOST_STALL_S = 200.0
"""Opening a session may take 300 s at most, and is to outlast a stall."""


class Fault(StrEnum):
    """Why a connection that is ordered to fail does so."""

    MISSING = "missing"
    DAMAGED = "damaged"
    LOCKED = "locked"
    NO_TABLE = "no table"


OF_FILES = (Fault.MISSING, Fault.DAMAGED, Fault.LOCKED)
"""What can be done to databases that were made for the test."""
OF_SERVERS = (Fault.NO_TABLE,)
"""What can be done without touching anything of a server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A load test as it was ordered.

    Attributes:
        source: What is read: `sqlite` files made for it, the `url` of servers, or a `config` file.
        connections: How many; with a configuration those of its jobs.
        jobs: Runs at once, each over all connections.
        rows: Of each connection; 0: whatever its query brings.
        seconds: For so long new rounds begin; 0 where `rounds` says it.
        rounds: Each lets every job run once.
        latency_ms: What reading a database takes at least: its rows come no faster.
        stall: Share of the connections that do not answer for `stall_s` in each round.
        failures: Share of the connections that cannot be read.
        seed: Chooses which.
    """

    source: str = "sqlite"
    connections: int = 70
    jobs: int = 3
    rows: int = 2000
    seconds: float = 30.0
    rounds: int = 0
    latency_ms: int = 0
    stall: float = 0.0
    stall_s: float = STALL_S
    failures: float = 0.0
    seed: int = 1

    @property
    def rows_per_s(self) -> int:
        """The pace at which a connection's rows take the latency; 0: any."""
        return max(1, self.rows * 1000 // self.latency_ms) if self.latency_ms else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Picks:
    """The connections that something is to happen to, by number from 1; none is in both."""

    failing: Mapping[int, Fault] = field(default_factory=dict)
    stalling: tuple[int, ...] = ()


def picks(order: Order, faults: tuple[Fault, ...]) -> Picks:
    """Choose them: the same order gives the same.

    A share that is not 0 means one connection at least.

    Args:
        order: Its shares are together at most 1.
        faults: Each in turn.
    """
    failing = _count(order.failures, order.connections)
    stalling = min(_count(order.stall, order.connections), order.connections - failing)
    chosen = Random(order.seed).sample(  # noqa: S311 - which of them fail guards nothing
        range(1, order.connections + 1), failing + stalling
    )
    return Picks(
        failing={each: faults[i % len(faults)] for i, each in enumerate(chosen[:failing])},
        stalling=tuple(sorted(chosen[failing:])),
    )


def _count(share: float, of: int) -> int:
    return min(of, max(1, round(share * of))) if share else 0
