"""What a run is and may become: statuses, the table of moves, steps, results, run ids."""

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from etltui.domain.columns import Column
from etltui.domain.control import Control
from etltui.domain.errors import ErrorClass, StatusError, Trouble
from etltui.domain.server import ServerFacts
from etltui.domain.verdict import Judged
from etltui.domain.words import words


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
    # What was read before its day was closed is read again and patched into the targets.
    RunStatus.COMPLETED: frozenset({RunStatus.RUNNING}),
    # What is missing is read again and patched into the targets.
    RunStatus.COMPLETED_WITH_ERRORS: frozenset({RunStatus.RUNNING}),
    RunStatus.FAILED: frozenset({RunStatus.RUNNING, RunStatus.DISCARDED}),
    # Its targets could have their places after all.
    RunStatus.STOPPED: frozenset(
        {
            RunStatus.RUNNING,
            RunStatus.COMPLETED,
            RunStatus.COMPLETED_WITH_ERRORS,
            RunStatus.DISCARDED,
        },
    ),
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


Hedged = Literal["", "first", "second"]
"""Which of two answers was kept; empty where one was asked for."""


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
        columns: Of each query as its database gave them, where they are not those that the run
            has fixed.
        controls: What control queries said of its rows, beside what was written.
        provisional: Why its rows may still change: the branch had not closed the day when they
            were read. Empty where they will not.
        server: What its database said of itself; None: no session was opened.
        odd: What is odd about that database, a sentence each: another than before, the same as
            that of another connection, a clock that is off.
        judged: What is to be thought of the number of rows; None: nobody has.
        limit: Where the time limit of its queries came from, in words; empty: it is configured.
        hedged: Which answer was kept, where it was asked twice in one try as its first rows did not
            come; empty: it was asked once.
    """

    connection: str
    status: ConnectionStatus
    rows: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    trouble: Trouble | None = None
    tries: int = 1
    notes: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    columns: tuple[tuple[Column, ...], ...] = ()
    controls: tuple[Control, ...] = ()
    provisional: str = ""
    server: ServerFacts | None = None
    odd: tuple[str, ...] = ()
    judged: Judged | None = None
    limit: str = ""
    hedged: Hedged = ""


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
        held: Connections of the run that were not read on purpose: an operator holds them, or it
            was outside their hours.
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

    @property
    def unread(self) -> str:
        """Why connections were not read on purpose, counted: `1 held, 2 outside hours`."""
        found = unread(self.connections)
        return ", ".join(f"{count} {words(why)}" for why, count in found.items())


def unread(results: Iterable[ConnectionResult]) -> Counter[ErrorClass]:
    """How many were not read on purpose, by what kept them."""
    return Counter(
        each.trouble.error_class
        for each in results
        if each.status is ConnectionStatus.SKIPPED and each.trouble is not None
    )


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
