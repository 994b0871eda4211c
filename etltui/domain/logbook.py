"""What is written down beside the runs: how the engine stood, who did what, what is held."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from etltui.domain.audit import BEFORE_ALL, Link, Recorder
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.identity import Identity
from etltui.domain.run import ConnectionStatus, RunStatus
from etltui.domain.stored import RunRow

_DAY = 86400.0
FINE_DAYS = 1
"""Days for which each sample is kept; older ones are told by the minute."""
COARSE_DAYS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """How an engine stood at one moment; of several moments the mean of each number.

    Attributes:
        at: Unix time in seconds; of several moments the first.
        lent: Sessions that are lent.
        idle: Sessions that are open and not lent.
        open: Sessions that are open or being opened.
        waiting: Who waits for a session; of several moments the most.
        max_connections: What `open` is limited to.
        pending: Runs that wait.
        running: Runs that have their turn.
        completed: Runs that completed, with errors or without, since the sample before; of several
            moments all of them.
        failed: … that failed, likewise.
        connections_active: Connections that are being read.
        rows_per_s: Rows that came in since the sample before, by the second.
        cpu_percent: What the process tree used of all cores since the sample before.
        memory: Bytes that the process tree weighs; of several moments the most.
        threshold: Bytes that are 100 % of memory.
        lag_ms: How late the engine's loop was at the worst since the sample before; of several
            moments the worst.
    """

    at: float
    lent: float = 0.0
    idle: float = 0.0
    open: float = 0.0
    waiting: float = 0.0
    max_connections: float = 0.0
    pending: float = 0.0
    running: float = 0.0
    completed: float = 0.0
    failed: float = 0.0
    connections_active: float = 0.0
    rows_per_s: float = 0.0
    cpu_percent: float = 0.0
    memory: float = 0.0
    threshold: float = 0.0
    lag_ms: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Something that somebody did to the engine.

    Attributes:
        at: Unix time in seconds.
        who: As `user@host`.
        what: The call, such as `submit` or `queue.pause`.
        target: The run, job, connection or pool that it was done to.
        detail: What else was asked for, without secrets.
        outcome: `done`, what came of it, or why it was refused.
    """

    at: float
    who: str
    what: str
    target: str = ""
    detail: str = ""
    outcome: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A connection that no run is to read.

    Attributes:
        reason: Why, in the words of who holds it.
        since: Unix time in seconds.
        until: Unix time in seconds at which it ends by itself; 0: when it is released.
    """

    connection: str
    reason: str
    who: str
    since: float
    until: float = 0.0

    def in_force(self, now: float) -> bool:
        """Whether it holds at a time."""
        return self.until == 0 or now < self.until

    def trouble(self, since: str) -> Trouble:
        """Why the connection has no rows.

        Args:
            since: The time as an operator reads it.
        """
        said = f"{self.reason} ({self.who}, since {since})"
        return Trouble(error_class=ErrorClass.HELD, message=said, facts={"who": self.who})


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a connection ended in a run, the last time it ended there.

    Attributes:
        at: Unix time in seconds of its end.
        seconds: How long it took.
        far: How far its rows were from usual, in words; empty where they were near, and until its
            run has ended.
        error_class: Why it did not complete; None where it did.
    """

    connection: str
    job: str
    run: str
    at: float
    status: ConnectionStatus
    rows: int = 0
    seconds: float = 0.0
    far: str = ""
    error_class: ErrorClass | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """Until when each kind of entry has served its time, in Unix seconds; 0: none has.

    Attributes:
        fine: Samples as they were taken.
        coarse: Samples by the minute.
        actions: What was done.
        holds: Holds that ended by themselves.
    """

    fine: float
    coarse: float
    actions: float
    holds: float


def spent(now: float, *, keep_runs_days: int) -> Spent:
    """What of the logbook has served its time: what was done is kept as long as runs are.

    Args:
        now: Unix time in seconds.
        keep_runs_days: 0: without limit.
    """
    return Spent(
        fine=now - FINE_DAYS * _DAY,
        coarse=now - COARSE_DAYS * _DAY,
        actions=now - keep_runs_days * _DAY if keep_runs_days else 0.0,
        holds=now,
    )


REBUILT = "state rebuild"
"""What an engine notes that has found its records damaged; the detail says what was lost."""
LATELY_S = 3600.0
"""A console that is opened so soon afterwards says it, too."""


def rebuilt(actions: Iterable[Action]) -> str:
    """What was lost and kept the last time that the records were made anew, empty for never."""
    return next((each.detail for each in actions if each.what == REBUILT), "")


class Logbook(Protocol):
    """The reading half; nobody needs to hold the folder for it."""

    async def samples(self, since: float, until: float, points: int = 200) -> list[Sample]:
        """How engines stood between two times, the oldest first, in at most so many samples.

        Args:
            since: Unix time in seconds.
            until: Unix time in seconds; it does not belong to it.
            points: At least 1.
        """
        ...

    async def actions(self, since: float = 0.0, limit: int = 200) -> list[Action]:
        """What was done from a time on, the newest first."""
        ...

    async def holds(self) -> list[Hold]:
        """The connections that are held, by name; one whose time has passed may be among them."""
        ...

    async def identities(self) -> list[Identity]:
        """Which database each connection is known to be, by its name."""
        ...

    async def audit(self, after: int = BEFORE_ALL, limit: int = 1000) -> list[Link]:
        """Records of the audit behind one, in their order."""
        ...

    async def outcomes(self, since: float) -> list[Outcome]:
        """How connections ended in all runs from a time on, the oldest first."""
        ...

    async def connection_history(self, connection: str, limit: int = 30) -> list[Outcome]:
        """How a connection ended in its last runs, the newest first."""
        ...

    async def runs(
        self,
        *,
        job: str = "",
        status: Collection[RunStatus] = (),
        since: float = 0.0,
        limit: int = 50,
    ) -> list[RunRow]:
        """Runs of a job, in one of these statuses, begun from a time on; the newest first.

        Args:
            job: Empty for all.
            status: Empty for any.
            since: Unix time in seconds.
            limit: At most so many; -1 for all.
        """
        ...

    async def unfinished(self, job: str) -> RunRow | None:
        """The newest run of the job that has a plan, if it may be resumed."""
        ...

    async def last_by_job(self) -> dict[str, RunRow]:
        """The newest run of each job, of those that have begun."""
        ...


class LogbookWriter(Recorder, Protocol):
    """The writing half. Every method that returns has made its change durable."""

    async def put_samples(self, samples: Sequence[Sample]) -> None:
        """Add samples, later than all before."""
        ...

    async def put_actions(self, actions: Sequence[Action]) -> None:
        """Add what was done; it is never changed afterwards."""
        ...

    async def put_holds(self, holds: Sequence[Hold]) -> None:
        """Hold connections; one that is held already is held so from now on."""
        ...

    async def drop_holds(self, connections: Sequence[str]) -> None:
        """Hold connections no more."""
        ...

    async def put_identities(self, identities: Sequence[Identity]) -> None:
        """Record which databases connections are known to be."""
        ...

    async def drop_spent(self, until: Spent) -> None:
        """Forget what has served its time."""
        ...
