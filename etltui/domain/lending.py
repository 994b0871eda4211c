"""Sessions, and who lends them, as protocols."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from etltui.domain.columns import Column
from etltui.domain.job import Connection
from etltui.domain.pools import PoolHistory, PoolMetrics, PoolSettings, PoolStats, StatementRun
from etltui.domain.server import Reached, ServerFacts, ServerReading
from etltui.domain.task import Extracted, ExtractTask, Progress, QueryTask


class Session(Protocol):
    """An open database session somewhere in an extractor; a handle, never the session itself."""

    @property
    def alive(self) -> bool:
        """Whether it can be used still: its extractor lives and takes work."""
        ...

    @property
    def facts(self) -> ServerFacts:
        """What the database said of itself when the session was opened."""
        ...

    async def ping(self) -> None:
        """Prove that the server answers.

        Raises:
            Failure: It does not.
        """
        ...

    async def describe(self, queries: Sequence[QueryTask]) -> tuple[tuple[Column, ...], ...]:
        """The columns of each query, without reading rows.

        Raises:
            Failure: The database refuses a query.
        """
        ...

    async def ask(self, query: QueryTask) -> str:
        """The one value that a query gives, as text, without space around it.

        Raises:
            Failure: The query does more than read, or does not give exactly one value.
        """
        ...

    async def explain(self, queries: Sequence[QueryTask]) -> tuple[str, ...]:
        """As `describe`, the database's own plan of each query; empty where it tells none."""
        ...

    async def server_check(self) -> tuple[ServerReading, ...]:
        """What its server tells of its load; nothing where that is no server.

        Raises:
            Failure: It does not answer.
        """
        ...

    async def extract(self, task: ExtractTask, progress: Callable[[Progress], None]) -> Extracted:
        """Move the rows of all queries into durable parts.

        Cancelling the awaiting task cancels the work in the extractor; the call returns at most
        2 s later.

        Raises:
            Failure: Nothing of it may be used.
        """
        ...

    async def close(self) -> None:
        """End the session; never raises."""
        ...


class Sessions(Protocol):
    """Opens sessions."""

    async def open(self, connection: Connection) -> Session:
        """Open a session to the connection's database.

        Raises:
            Failure: With the class that says why.
        """
        ...


class ReachingSessions(Sessions, Protocol):
    """Opens sessions, and reaches their servers before that."""

    async def reach(self, connection: Connection) -> Reached | None:
        """Connect to the server and leave it again; None where there is none to reach.

        Raises:
            Failure: Of class `unreachable` or `refused`.
        """
        ...


class Breakers(Protocol):
    """Knows of lines that many connections share whether they are down.

    A line is the connection's gateway, or else its server. It is down when most of the connections
    that were tried behind it of late failed to connect; then one at a time is tried until one
    answers. Nobody is kept from a lease: whoever has many connections to read asks here first.
    """

    def shut(self, connection: Connection) -> bool:
        """Whether the connection is to wait: its line is down, and it is not the one to try."""
        ...

    async def passable(self, connection: Connection, until: float) -> None:
        """Wait until the connection is not `shut` any more.

        Args:
            connection: Whose line.
            until: By the clock's `monotonic`.

        Raises:
            Failure: It still was; of the class that the last try met.
        """
        ...


class Leases(Protocol):
    """Lends sessions under the limits."""

    @property
    def breakers(self) -> Breakers:
        """What is known of lines."""
        ...

    def lease(
        self,
        connection: Connection,
        *,
        priority: int = 0,
        holder: str = "",
        expected_s: float | None = None,
        waited: Callable[[float], None] | None = None,
        at_once: bool = False,
    ) -> AbstractAsyncContextManager[Session]:
        """A session for the time of the block; a lower priority number is served first.

        It may have been used before. When the block ends well, or with a failure after which a
        session is known to be in order, it is kept for the next; else it is closed. The end of
        the block never waits.

        Args:
            connection: Whose database.
            priority: Among those who wait; within one, first come, first served.
            holder: Who holds it, such as `run X, Branch_001`, for reports of leaks.
            expected_s: In how many seconds it will be back at the latest; held longer than that
                and `leak_s` it is reported as leaked. None: never.
            waited: Told the seconds until its turn came, or did not; again after a dead session.
            at_once: Take only a place that is free in this moment and that nobody waits for.

        Raises:
            Failure: No session could be opened, or none was free in time, or at once; of class
                `login` at once where the same credential was refused before.
        """
        ...

    async def reach(self, connection: Connection) -> Reached | None:
        """Reach a connection's server without a login, and without waiting for a turn.

        None where there is nothing to reach, such as at a file, or where a session is open.

        Raises:
            Failure: Of class `unreachable` or `refused`.
        """
        ...

    def ran(self, connection: Connection, statements: Sequence[StatementRun]) -> None:
        """Note what was read to its end on a session of the connection, for statistics."""
        ...


class Pools(Leases, Protocol):
    """Lends sessions and keeps them; what an operator may ask of the pools.

    `key_text` is `PoolStats.pool`. What takes one returns whether there is such a pool.
    """

    def start(self) -> None:
        """Begin to look after idle and lent sessions."""
        ...

    async def aclose(self) -> None:
        """Lend nothing more, let nobody wait, and close everything, within bounds."""
        ...

    def get_metrics(self) -> PoolMetrics:
        """All pools as they are now."""
        ...

    def get_info(self) -> tuple[PoolStats, ...]:
        """Each pool as it is now."""
        ...

    def get_history(self) -> tuple[PoolHistory, ...]:
        """Of each pool there has been: whether its database answers, and what it was asked."""
        ...

    def update(self, settings: PoolSettings) -> None:
        """Let other limits and times hold from now on, for those who wait and what is idle, too.

        Nothing that is lent is taken away; what is too much is closed as it comes back.
        """
        ...

    async def warm_up(self, connection: Connection, count: int) -> int:
        """Have so many sessions open ahead of need, within the limits; how many are open then.

        The others are tried again in the background, at a server that is down ever more seldom.

        Raises:
            Failure: The pool lends nothing, or the login is not tried any more.
        """
        ...

    def drain(self, key_text: str) -> bool:
        """Give no leases at a pool until it is resumed; close what is idle, and the lent later."""
        ...

    def pause(self, key_text: str = "") -> bool:
        """Let leases at a pool, or at all, wait."""
        ...

    def resume(self, key_text: str = "") -> bool:
        """Undo `pause` and `drain` at a pool, or at all and over all."""
        ...

    def reconnect_all(self) -> None:
        """Lend no session again that is open now: close the idle, and the lent as they return."""
        ...

    def close_idle(self) -> int:
        """Close all idle sessions; how many."""
        ...

    def release_credential(self, name: str) -> bool:
        """Let a login be tried again that was refused; whether it was locked.

        By the credential's name; without a credential, by the pool's `key_text`.
        """
        ...
