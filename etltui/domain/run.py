"""What a run is and may become: statuses, the table of moves, steps, results, run ids."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from etltui.domain.errors import StatusError, Trouble


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PUBLISHING = "publishing"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"
    """Its checkpoint was deleted: nobody can take it up any more."""


class ConnectionStatus(StrEnum):
    """Where a run connection stands."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What is being done, in the specification's words."""

    CONNECTING = "Connecting to database"
    QUERYING = "Executing query"
    PROCESSING = "Processing results"
    SENDING = "Sending to destinations"


AT_WORK = frozenset({RunStatus.RUNNING, RunStatus.PUBLISHING})
"""Of runs that have a turn now."""
NOT_ENDED = AT_WORK | {RunStatus.QUEUED}
RESUMABLE = frozenset({RunStatus.STOPPED, RunStatus.CANCELLED, RunStatus.FAILED})
"""Runs that `--resume` may take up; a run found `running` at the start becomes `stopped`."""

RUN_MOVES: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset(
        {
            RunStatus.RUNNING,
            RunStatus.FAILED,
            RunStatus.STOPPED,
            RunStatus.CANCELLED,
        },
    ),
    RunStatus.RUNNING: frozenset(
        {
            RunStatus.PUBLISHING,
            RunStatus.FAILED,
            RunStatus.STOPPED,
            RunStatus.CANCELLED,
        },
    ),
    RunStatus.PUBLISHING: frozenset(
        {
            RunStatus.COMPLETED,
            RunStatus.COMPLETED_WITH_ERRORS,
            RunStatus.FAILED,
            RunStatus.STOPPED,
            RunStatus.CANCELLED,
        },
    ),
    RunStatus.COMPLETED: frozenset(),
    # What is missing is read again and patched into the targets.
    RunStatus.COMPLETED_WITH_ERRORS: frozenset({RunStatus.RUNNING}),
    RunStatus.FAILED: frozenset({RunStatus.RUNNING, RunStatus.DISCARDED}),
    RunStatus.STOPPED: frozenset({RunStatus.RUNNING, RunStatus.DISCARDED}),
    RunStatus.CANCELLED: frozenset({RunStatus.RUNNING, RunStatus.DISCARDED}),
    RunStatus.DISCARDED: frozenset(),
}


def moved(current: RunStatus, wanted: RunStatus) -> RunStatus:
    """The wanted status.

    Raises:
        StatusError: The table of moves does not hold this move.
    """
    if wanted not in RUN_MOVES[current]:
        raise StatusError(thing="the run", current=current, wanted=wanted)
    return wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionResult:
    """How a run connection ended.

    Attributes:
        rows: Rows durable in its parts, of all queries together.
        bytes: Of these rows in memory, as they were read; 0: not known.
        seconds: Time spent by part of the work: wait, connect, query, fetch, write.
        trouble: Why it did not complete.
        tries: How often it was tried in this attempt.
        notes: Counted cuts and substitutions, by what was done.
    """

    connection: str
    status: ConnectionStatus
    rows: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    trouble: Trouble | None = None
    tries: int = 1
    notes: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """A target, as `run_finished` names it.

    Attributes:
        final: Whether the finished target has its final name.
    """

    type: str
    path: str
    rows: int
    bytes: int
    final: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """How a run ended.

    Attributes:
        completed: Connections whose rows are durable, those of earlier attempts among them.
        skipped: Of those, durable already before this attempt.
        rows: Rows in the target.
        seconds: From start to end of this attempt.
        publish_s: Of these, in which the finished targets were made.
        left_out: Connections of the job that the run was told not to read.
        held: Connections of the run that were not read because an operator holds them.
        reason: Why it stopped or failed, as one sentence; empty otherwise.
        unusual: From each connection whose rows are far from usual to how far, in words.
    """

    run: str
    job: str
    status: RunStatus
    total: int
    completed: int
    failed: int
    skipped: int
    rows: int
    seconds: float
    publish_s: float = 0.0
    outputs: tuple[Output, ...] = ()
    left_out: int = 0
    held: int = 0
    reason: str = ""
    unusual: Mapping[str, str] = field(default_factory=dict)
    connections: tuple[ConnectionResult, ...] = ()


def run_id(started: datetime, entropy: Callable[[int], bytes]) -> str:
    """A sortable name: UTC start and four base32 letters, as in `20261121T230500Z-7F3K`."""
    letters = base64.b32encode(entropy(5))[:4].decode("ascii")
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{letters}"


def percent(finished: int, total: int) -> int:
    """Connections finished, failed ones among them, as a whole percentage."""
    return 100 if total == 0 else finished * 100 // total


def final_status(*, total: int, completed: int) -> RunStatus:
    """What a run that ran to its end has become."""
    if completed == total:
        return RunStatus.COMPLETED
    return RunStatus.COMPLETED_WITH_ERRORS if completed else RunStatus.FAILED
