"""What crosses the borders between rooms, as protocols."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from etltui.domain.columns import Column
from etltui.domain.job import Connection
from etltui.domain.logbook import Logbook, LogbookWriter
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.plan import Plan
from etltui.domain.pools import PoolHistory, PoolMetrics, PoolSettings, PoolStats, StatementRun
from etltui.domain.progress import Snapshot
from etltui.domain.queue import QueueEntry
from etltui.domain.run import ConnectionResult, RunResult, RunStatus
from etltui.domain.stored import ConnectionRow, PublicationRow, PublicationState, RunRow
from etltui.domain.task import Extracted, ExtractTask, Progress, PublishTask, QueryTask
from etltui.domain.usual import Usual


class Clock(Protocol):
    """Time that a test can turn."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Session(Protocol):
    """An open database session somewhere in an extractor; a handle, never the session itself."""

    @property
    def alive(self) -> bool:
        """Whether it can be used still: its extractor lives and takes work."""
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

    async def explain(self, queries: Sequence[QueryTask]) -> tuple[str, ...]:
        """As `describe`, the database's own plan of each query; empty where it tells none."""
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


class Leases(Protocol):
    """Lends sessions under the limits."""

    def lease(
        self,
        connection: Connection,
        *,
        priority: int = 0,
        holder: str = "",
        expected_s: float | None = None,
        waited: Callable[[float], None] | None = None,
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

        Raises:
            Failure: No session could be opened, or none was free in time; of class `login` at once
                where the same credential was refused before.
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


class Parts(Protocol):
    """Works on part files and targets, in an extractor."""

    async def verify(self, folder: str, receipts: Sequence[Receipt]) -> tuple[bool, ...]:
        """For each receipt whether its file is there with the same footer, size and CRC."""
        ...

    async def restore(
        self,
        folder: str,
        target: str,
        members: Sequence[Member],
        receipts: Sequence[Receipt],
    ) -> tuple[bool, ...]:
        """Make parts of one destination that are gone from where they lie in its target.

        For each receipt whether its part is there now.
        """
        ...

    async def assemble(self, task: PublishTask) -> Published:
        """Write the temporary file from the parts, durable and verified.

        Raises:
            Failure: Of class `disk`, `target` or `corrupt`.
        """
        ...

    async def deliver(self, temporary: str, target: str, published: Published | None) -> bool:
        """Rename the temporary file onto the target, durably.

        True when the target is (or, where the temporary file is gone, already was) what was
        published; False when the target has to be assembled again. `published` None skips that
        check: a partial target is replaced without proof.

        Raises:
            Failure: Of class `disk` or `target`.
        """
        ...


class History(Logbook, Protocol):
    """What is recorded, for reading only; nobody needs to hold the folder for it."""

    async def run(self, run: str) -> RunRow | None:
        """A run by its id, or by a beginning or end of it that no other run has."""
        ...

    async def crashed(self) -> list[RunRow]:
        """Runs that a crash has stopped and nobody has taken up since, newest first.

        Each is the newest of its job; one that waits to be taken up by itself is not among them.
        """
        ...

    async def plan(self, run: str) -> Plan:
        """The frozen plan of a run.

        Raises:
            StateError: There is no such run.
        """
        ...

    async def connections(self, run: str) -> list[ConnectionRow]:
        """The connections of a run, by their number.

        One of whose parts a record is missing or damaged has no result: it is not done.
        """
        ...

    async def receipts(self, run: str) -> list[Receipt]:
        """The parts of a run that are recorded as durable."""
        ...

    async def publication(self, run: str, destination: int) -> PublicationRow | None:
        """How far a destination's publication is."""
        ...

    async def publications(self, run: str = "") -> list[PublicationRow]:
        """All publications of a run, or of all runs that are not cleaned."""
        ...

    async def members(self, run: str, destination: int) -> list[Member]:
        """Where each part lies in a published target."""
        ...

    async def published_at(self, target: str) -> list[PublicationRow]:
        """Publications to a target, that of the newest run first."""
        ...

    async def queued(self) -> list[QueueEntry]:
        """The entries of the queue, in the order in which they came."""
        ...

    async def paused(self) -> list[str]:
        """Jobs that get no turn; the empty name stands for the whole queue."""
        ...

    async def live(self) -> Snapshot | None:
        """How an engine stood when it last told."""
        ...

    async def usual(self, job: str, *, besides: str = "", runs: int = 10) -> dict[str, Usual]:
        """From a connection to what it was in the last `runs` runs of the job that completed it.

        The run `besides` and those after it do not count.
        """
        ...

    async def aclose(self) -> None:
        """Finish what is being read and close."""
        ...


class Store(History, LogbookWriter, Protocol):
    """The state on disk. Every method that returns has made its change durable.

    A caller that is cancelled stops waiting; the change is made nevertheless.
    """

    async def create_run(self, plan: Plan, status: RunStatus) -> None:
        """Record a new run with all its connections waiting."""
        ...

    async def replan(self, plan: Plan) -> None:
        """Record the plan of a further attempt: connections added and removed, columns fixed."""
        ...

    async def move_run(self, run: str, status: RunStatus, reason: str = "") -> None:
        """Move a run to a status; with `running` its entry in the queue has its turn.

        Raises:
            StatusError: The move is not allowed.
        """
        ...

    async def next_attempt(self, run: str) -> int:
        """Count and return the number of a further attempt, from 2."""
        ...

    async def finish_run(self, result: RunResult, again: QueueEntry | None = None) -> None:
        """Record how a run ended, and in the same transaction whether it gets another turn."""
        ...

    async def enqueue(self, entries: Sequence[QueueEntry], title: str) -> None:
        """Record entries of the queue, and a run for each that does not take one up."""
        ...

    async def requeue(self, entry: QueueEntry) -> None:
        """Rewrite an entry that waits; one that is gone stays gone."""
        ...

    async def dequeue(self, names: Sequence[str], status: RunStatus, reason: str = "") -> None:
        """Drop entries; a run that never began ends with this status."""
        ...

    async def pause(self, job: str, *, paused: bool) -> None:
        """Record a pause of a job, or with an empty name of the whole queue, or its end."""
        ...

    async def put_live(self, snapshot: Snapshot) -> None:
        """Replace the snapshot that others look at without asking the engine."""
        ...

    async def delete_runs(self, names: Sequence[str]) -> None:
        """Forget runs with all that belongs to them."""
        ...

    async def checkpoint(
        self,
        run: str,
        result: ConnectionResult,
        receipts: Sequence[Receipt] = (),
    ) -> None:
        """Record how a connection ended, and its parts, in one transaction.

        Calls that come within 50 ms of each other may share the transaction.
        """
        ...

    async def forget_parts(self, run: str, connections: Sequence[str] | None = None) -> None:
        """Unrecord the parts of some connections, which are then not done any more.

        None: of all. Results stay only where the run cannot be resumed: its targets hold the rows.
        """
        ...

    async def move_publication(
        self,
        row: PublicationRow,
        state: PublicationState,
        published: Published | None = None,
    ) -> PublicationRow:
        """Record a publication's next state; with `assembled` what was assembled."""
        ...

    async def aclose(self) -> None:
        """Finish what is being committed and let go of the folder."""
        ...
