"""One pool: its places, who waits for them, and what it counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from etltui.domain.errors import Failure
from etltui.domain.job import Connection
from etltui.domain.pools import PoolKey
from etltui.pool.backoff import Backoff
from etltui.pool.entry import Entry, State
from etltui.pool.limits import Chain
from etltui.pool.record import Record
from etltui.pool.tally import Tally
from etltui.pool.waiter import Waiter


class Mode(Enum):
    """Whether a pool gives leases: yes, not now, or not any more."""

    OPEN = auto()
    PAUSED = auto()
    DRAINING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """How many sessions a pool shall hold ahead of need, and until when."""

    connection: Connection
    count: int
    until: float


class Pool:
    """The sessions of one pool key.

    Attributes:
        limits: What its sessions count against, its own limit first.
        backoff: Of its server, shared with the server's other pools.
        record: What is remembered of it when it has gone.
        entries: All its places.
        idle: … that may be lent, the one used last at the end: it is lent first, so that those
            which are not needed grow old.
        waiters: In the order of their turns.
        refs: Who refers to it; it does not end before nobody does.
    """

    def __init__(self, key: PoolKey, limits: Chain, backoff: Backoff, record: Record) -> None:
        self.key = key
        self.limits = limits
        self.backoff = backoff
        self.record = record
        self.entries: set[Entry] = set()
        self.idle: list[Entry] = []
        self.waiters: list[Waiter] = []
        self.refs = 0
        self.mode = Mode.OPEN
        self.warmth: Warmth | None = None
        self.tally = Tally()

    @property
    def done(self) -> bool:
        """Whether it may disappear: an operator's word for it is not forgotten."""
        used = self.refs or self.entries or self.warmth is not None
        return self.mode is Mode.OPEN and not used

    @property
    def may_connect(self) -> bool:
        """Whether one more session may be opened for those who wait."""
        return not (self.backoff.down and self.count(State.CONNECTING))

    @property
    def hopeless(self) -> bool:
        """Whether no session may come back for those who wait."""
        return not self.count(State.IDLE, State.CHECKING, State.LENT)

    @property
    def missing(self) -> int:
        """Sessions that its warmth asks for and it has not."""
        wanted = min(self.warmth.count, self.limits[0].most) if self.warmth else 0
        return wanted - len(self.entries) + self.count(State.CLOSING)

    def count(self, *states: State) -> int:
        """How many of its places are in one of these states."""
        return sum(entry.state in states for entry in self.entries)

    def in_turn(self, blocked: "set[Pool]") -> Iterator[Waiter]:
        """Who waits, in order, until the pool is found to be blocked."""
        for waiter in tuple(self.waiters):
            if self in blocked:
                return
            yield waiter

    def fail_waiters(self, failure: Failure | None) -> None:
        """Let nobody wait here any longer, where there is a reason."""
        if failure is not None:
            for waiter in self.waiters:
                waiter.fail(failure)
