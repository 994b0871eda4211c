"""What crosses the borders between rooms, as protocols."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from etltui.domain.columns import Column
from etltui.domain.events import Event
from etltui.domain.job import Connection
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.plan import Plan
from etltui.domain.run import ConnectionResult, RunResult, RunStatus
from etltui.domain.stored import ConnectionRow, PublicationRow, PublicationState, RunRow
from etltui.domain.task import Extracted, ExtractTask, Progress, PublishTask, QueryTask


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
        """Whether the extractor that holds it still lives."""
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

    async def extract(
        self,
        task: ExtractTask,
        progress: Callable[[Progress], None],
    ) -> Extracted:
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
    ) -> AbstractAsyncContextManager[Session]:
        """A session for the time of the block; a lower priority number is served first.

        Raises:
            Failure: No session could be opened, or none was free in time.
        """
        ...


class Parts(Protocol):
    """Works on part files and targets, in an extractor."""

    async def verify(self, folder: str, receipts: Sequence[Receipt]) -> tuple[bool, ...]:
        """For each receipt whether its file is there with the same footer, size and CRC."""
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


class History(Protocol):
    """What is recorded, for reading only; nobody needs to hold the folder for it."""

    async def run(self, run: str) -> RunRow | None:
        """A run by its id, or by a beginning or end of it that no other run has."""
        ...

    async def runs(self, *, job: str = "", limit: int = 50) -> list[RunRow]:
        """Runs, newest first."""
        ...

    async def unfinished(self, job: str) -> RunRow | None:
        """The newest run of the job, if it may be resumed."""
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

    async def aclose(self) -> None:
        """Finish what is being read and close."""
        ...


class Store(History, Protocol):
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
        """Move a run to a status.

        Raises:
            StatusError: The move is not allowed.
        """
        ...

    async def next_attempt(self, run: str) -> int:
        """Count and return the number of a further attempt, from 2."""
        ...

    async def finish_run(self, result: RunResult) -> None:
        """Record how a run ended."""
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


class Subscription(Protocol):
    """A reader of the bus with a bounded backlog."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Events in order, newer progress in place of older of the same run connection."""
        ...
