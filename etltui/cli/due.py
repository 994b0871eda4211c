"""What is said of a run's deadline on the command line."""

from etltui.domain.deadline import Outlook, clock_of, due_at, finishes, verdict
from etltui.domain.plan import Plan
from etltui.domain.run import AT_WORK, RunStatus
from etltui.domain.stored import RunRow

_DONE = frozenset({RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS})


def due_words(
    row: RunRow,
    plan: Plan,
    *,
    timezone: str,
    now: float,
    outlook: Outlook | None = None,
) -> str:
    """The deadline of a run and what becomes, or became, of it; empty where it has none.

    Args:
        row: The run.
        plan: Its plan.
        timezone: Of the deadline; empty for the machine's own.
        now: Unix time in seconds.
        outlook: As the engine sees it that is at work on the run.
    """
    due = due_at(plan.job.deadline, plan.started, timezone)
    if not due:
        return ""
    if row.status in AT_WORK and outlook is not None:
        when = finishes(outlook, timezone)
        said = f"deadline {verdict(outlook, now, timezone)}"
        return f"{when}, {said}" if when else said
    clock = clock_of(due, plan.started.timestamp(), timezone)
    return " ".join(filter(None, ("deadline", clock, _came_of_it(row, plan, due, now))))


def _came_of_it(row: RunRow, plan: Plan, due: float, now: float) -> str:
    if row.status not in _DONE:
        return "missed" if now > due else ""
    # What is patched later ends later: when it had first published is not recorded.
    if plan.published or row.ended is None:
        return ""
    return "met" if row.ended <= due else "missed"
