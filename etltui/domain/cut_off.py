"""When a run closes: nothing more begins in it, and what waits for its next try is given up."""

from dataclasses import dataclass
from datetime import datetime

from etltui.domain.deadline import due_at
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class CutOff:
    """The moment at which a run closes.

    Attributes:
        at: Unix time in seconds; 0: it does not.
        clock: The time of day, as the job says it.
    """

    at: float = 0.0
    clock: str = ""

    def behind(self, moment: float) -> bool:
        """Whether a moment, in Unix seconds, is one at which nothing may begin any more."""
        return bool(self.at) and moment >= self.at

    def given_up(self, last: Failure | None) -> Failure:
        """Why a connection is not tried any more.

        Args:
            last: What it met last; None where its turn had not come.
        """
        why = f"the run closed at {self.clock}"
        if last is None:
            return Failure(ErrorClass.TIMEOUT, f"not read: {why} before its turn came")
        text = f"{last.message}; not tried any more: {why}"
        return Failure(last.error_class, text, last.facts)


def cut_off_of(plan: Plan, now: datetime, timezone: str) -> CutOff:
    """When an attempt of a run that begins now closes.

    One that begins behind that moment was asked for all the same, and what is patched into targets
    that are published is late anyway: neither closes.

    Args:
        plan: The run's.
        now: With a time zone.
        timezone: Of the time of day; empty for the machine's own.
    """
    at = due_at(plan.job.cut_off, plan.started, timezone)
    if plan.published or plan.late or now.timestamp() >= at:
        return CutOff()
    return CutOff(at=at, clock=plan.job.cut_off)
