"""What waits in the queue, in which order it is served, and how the queue is counted."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from etltui.domain.errors import ErrorClass


class Mode(StrEnum):
    """How a run begins."""

    NEW = "new"
    RESUME = "resume"
    """Where it stopped, as the job is now."""
    RETRY = "retry"
    """With what it lacks, as the job was then; its targets are patched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What somebody wants of a run.

    Attributes:
        only: Selectors (names, globs, `tag:NAME`) over the connections; empty for all.
        only_failed: Of a retry, read only connections that failed or were held.
        classes: … and only those that failed with one of these; empty for any.
        canary: Begin with few connections, and stop where one of them fails; None as the job
            says, which a retry does not ask.
        day: The business day that a new run reads; None as the job says.
        provisional: Of a retry, read again what was read before its day was closed, and only that.
        late: Of a retry, read only what could not be reached and answers now: `only` holds names.
    """

    mode: Mode = Mode.NEW
    only: tuple[str, ...] = ()
    only_failed: bool = False
    classes: tuple[ErrorClass, ...] = ()
    canary: bool | None = None
    day: date | None = None
    provisional: bool = False
    late: bool = False

    @property
    def patches(self) -> bool:
        """Whether the engine asks it of itself, for a run that had ended."""
        return self.provisional or self.late


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueEntry:
    """A run that waits for its turn, or has it.

    Attributes:
        priority: Lower is served first.
        submitted: Unix time in seconds.
        not_before: Unix time in seconds; later than `submitted` for a delayed run.
        owner: Who asked for it, as `user@host`.
        tries: How often the queue has given it its turn, this time among them.
        keep: Whether it outlives the engine that took it in.
        taken: Whether it has its turn.
    """

    run: str
    job: str
    type: str
    priority: int
    submitted: float
    not_before: float = 0.0
    owner: str = ""
    ask: Ask = Ask()
    tries: int = 1
    keep: bool = False
    taken: bool = False

    def rank(self, ageing_s: float) -> tuple[float, str]:
        """The place in the order of service, lowest first.

        Who waited `ageing_s` longer counts as one priority better, so that nobody starves: what
        waits ages alike, so the order of two entries never changes.
        """
        return self.priority + self.submitted / ageing_s, self.run

    def again(self, not_before: float) -> "QueueEntry":
        """The entry for a further turn, which takes the run up where this one left it."""
        mode = Mode.RETRY if self.ask.mode is Mode.RETRY else Mode.RESUME
        return replace(
            self,
            ask=replace(self.ask, mode=mode),
            tries=self.tries + 1,
            not_before=not_before,
            taken=False,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueMetrics:
    """The queue in numbers, since the engine started.

    Attributes:
        delayed: Of those pending, how many are not due yet.
        failed: Runs that failed for good; a retry is counted in `retried` alone.
        average_ms: Time from a run's turn to its end.
    """

    pending: int = 0
    delayed: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    retried: int = 0
    total_processed: int = 0
    average_ms: float = 0.0
    paused: bool = False
    paused_jobs: tuple[str, ...] = ()
