"""What happened, as frozen values that the bus carries to every surface."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypedDict

from etltui.domain.errors import Trouble
from etltui.domain.run import ConnectionResult, RunResult
from etltui.domain.usual import Past


class Topic(StrEnum):
    """Which stream an event belongs to: `failed` at the queue may still be retried."""

    QUEUE = "queue"
    PROGRESS = "progress"


class Moment(TypedDict):
    """When and where an event happens: the fields that every event of a run has."""

    at: float
    run: str
    job: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to a run.

    Attributes:
        at: Unix time in seconds.
    """

    at: float
    run: str
    job: str
    topic: Topic = Topic.PROGRESS


@dataclass(frozen=True, kw_only=True, slots=True)
class RunQueued(Event):
    """A run waits for its turn.

    Attributes:
        not_before: Unix time in seconds of a delayed run.
        title: Of its job; empty where the job is gone.
    """

    priority: int
    owner: str = ""
    title: str = ""
    not_before: float = 0.0
    topic: Topic = Topic.QUEUE


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRetrying(Event):
    """A run failed and gets another turn after `wait_s`; what is done of it is not done again.

    Attributes:
        tries: Turns that it had.
    """

    reason: str
    tries: int
    wait_s: float
    topic: Topic = Topic.QUEUE

    @property
    def will_retry(self) -> bool:
        """True: a run that failed for good has finished."""
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueCleared(Event):
    """Whatever waited was cancelled."""

    count: int
    run: str = ""
    job: str = ""
    topic: Topic = Topic.QUEUE


@dataclass(frozen=True, kw_only=True, slots=True)
class LineDown(Event):
    """Most of what was tried behind a gateway or at a server failed: all behind it wait.

    Attributes:
        line: Such as `gateway VPN-North`.
        connections: Those that failed.
        error: What the last of them met.
    """

    line: str
    connections: tuple[str, ...]
    error: str
    run: str = ""
    job: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LineUp(Event):
    """One of the connections behind a line that was down answered: all go on.

    Attributes:
        line: As in `LineDown`.
        connections: Those that waited.
        down_s: For how long it was down.
    """

    line: str
    connections: tuple[str, ...]
    down_s: float
    run: str = ""
    job: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted(Event):
    """A run began, or goes on with what an earlier attempt left.

    Attributes:
        skipped: Connections that are durable already.
        attempt: 1 for a new run.
        title: Of its job.
        parallel: Connections that it reads at once at most.
        before: Results of connections that stay as an earlier attempt left them.
        waiting: Names of the connections that it is about to read, in order.
        past: What its job's last runs were.
        due: Unix time in seconds of its deadline; 0 without one.
    """

    total: int
    skipped: int = 0
    attempt: int = 1
    title: str = ""
    parallel: int = 1
    before: tuple[ConnectionResult, ...] = ()
    waiting: tuple[str, ...] = ()
    past: Past = field(default_factory=Past)
    due: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunProgress(Event):
    """A run's step or percentage moved. Newer ones may replace older ones in a backlog."""

    step: str
    percent: int
    completed: int
    failed: int
    total: int
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionStarted(Event):
    """A run connection began its first or a further try."""

    connection: str
    tries: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionProgress(Event):
    """A run connection moved. Newer ones may replace older ones in a backlog."""

    connection: str
    step: str
    rows: int
    bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionCompleted(Event):
    """A run connection's rows are durable and recorded."""

    connection: str
    result: ConnectionResult


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionFailed(Event):
    """A try failed; `will_retry` says whether another follows, after `wait_s`.

    Attributes:
        seconds: As in `ConnectionResult`.
    """

    connection: str
    trouble: Trouble
    will_retry: bool
    tries: int
    wait_s: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionSkipped(Event):
    """A run connection is not read in this attempt: somebody holds it.

    Attributes:
        tries: How often it was tried before it was held.
    """

    connection: str
    trouble: Trouble
    tries: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetPublished(Event):
    """A target, or a partial one while the run goes on, is in its place.

    Attributes:
        type: Of its destination.
        destination: Its position in the job, from 0.
    """

    path: str
    rows: int
    bytes: int
    final: bool
    type: str = ""
    destination: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFinished(Event):
    """A run ended: completed, failed, stopped or cancelled."""

    result: RunResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Overflow(Event):
    """A subscriber was too slow: what it missed is in `engine.snapshot()`."""

    lost: int
    run: str = ""
    job: str = ""
    topic: Topic = field(default=Topic.QUEUE)


def is_for(event: Event, runs: Collection[str]) -> bool:
    """Whether who follows these runs, or all for none, is to hear of an event.

    What lines and losses are told of belongs to no run, and holds up any.
    """
    return not runs or event.run in runs or isinstance(event, LineDown | LineUp | Overflow)
