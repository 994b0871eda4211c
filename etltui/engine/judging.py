"""Judges the rows of a run connection by its past and its calendar."""

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.usual import Usual
from etltui.domain.verdict import Judged, Verdict, judge


def judged(plan: Plan, planned: PlanConnection, rows: int, usual: Usual | None) -> Judged:
    """What is to be thought of what was read.

    Args:
        plan: Of the run.
        planned: The connection.
        rows: What was read of it.
        usual: What its past runs were.

    Raises:
        Failure: There are no rows although there usually are some, and the job does not take that.
    """
    day_off = planned.connection.days.day_off(plan.day or plan.started.date())
    found = judge(rows, usual, day_off)
    if found.verdict is Verdict.EMPTY and plan.job.on_suspicious == "fail":
        raise Failure(ErrorClass.EMPTY, f"no rows: {found.why}")
    return found
