"""What crosses the borders between rooms, as protocols."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from etltui.domain.logbook import Logbook, LogbookWriter
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.plan import Plan
from etltui.domain.progress import Snapshot
from etltui.domain.queue import QueueEntry
from etltui.domain.read_back import ReadTask, TargetRead
from etltui.domain.run import ConnectionResult, RunResult, RunStatus
from etltui.domain.stored import ConnectionRow, PublicationRow, PublicationState, RunRow
from etltui.domain.task import GuardTask, PublishTask
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


class Guard(Protocol):
    """Looks at queries before any database is asked them, in an extractor."""

    async def refusals(self, tasks: Sequence[GuardTask]) -> tuple[str, ...]:
        """For each query why it may not run, as a part of a sentence; empty where it may.

        Raises:
            Failure: No extractor could tell.
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

    async def read_back(self, task: ReadTask) -> TargetRead:
        """Read every cell of a target and hold it against what was written.

        Raises:
            Failure: It cannot be read.
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

    rebuilt: str
    """What was lost and what was kept of a damaged store, as it was opened; empty: it was sound."""

    async def settle(self) -> None:
        """Make what is recorded small on disk, at a moment at which nothing runs."""
        ...

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
