"""The queue as plain lines: how many wait, what is paused, whose turn is next."""

from collections.abc import Iterator, Sequence

from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.safe_text import middle_cut
from etltui.domain.words import age, moment

_NAME = 18


def counts(value: QueueMetrics, *, ended: bool = True) -> str:
    """The queue in numbers.

    Args:
        value: They.
        ended: Whether to say what has ended, too.
    """
    delayed = f" ({value.delayed} not due yet)" if value.delayed else ""
    ends = f", {value.completed} completed, {value.failed} failed" if ended else ""
    return f"{value.pending} waiting{delayed}, {value.running} running{ends}"


def pauses(value: QueueMetrics) -> Iterator[str]:
    """What gets no turn, and how it gets one again; nothing where nothing is paused."""
    if value.paused:
        yield "The queue is paused; let it go on with: etltui queue resume"
    if value.paused_jobs:
        yield f"Paused jobs: {', '.join(value.paused_jobs)}"


def entries(
    working: Sequence[QueueEntry], pending: Sequence[QueueEntry], now: float, timezone: str
) -> Iterator[str]:
    """A line for each run that has its turn, then for each that waits; none without a run.

    Args:
        working: Those that have it.
        pending: Those that wait, in the order of their turns.
        now: Unix time in seconds.
        timezone: Of the times; empty for the machine's own.
    """
    if working or pending:
        yield f"{'RUN':<23} {'JOB':<{_NAME}} {'PRIO':>4} {'SINCE':>6}  {'STATE':<9} OWNER"
    for entry in (*working, *pending):
        state = "running" if entry in working else "waiting"
        yield (
            f"{entry.run:<23} {middle_cut(entry.job, _NAME):<{_NAME}} {entry.priority:>4} "
            f"{age(now - entry.submitted):>6}  {state:<9} {entry.owner}"
        )
        if entry.not_before > now:
            yield f"    not before {moment(entry.not_before, timezone)}"
