"""Rows of days that were not closed when they were read: which runs hold some, and what then.

They are read again with the job's next run, and patched into the target that holds them, until the
branch has closed the day or twice the same rows have come.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from etltui.domain.job import Job
from etltui.domain.part import Receipt
from etltui.domain.plan import Plan
from etltui.domain.ports import Store
from etltui.domain.run import AT_WORK, RESUMABLE, ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.stored import ConnectionRow, RunRow

_LOOKED_AT = 200
_NOT_PATCHED = {*AT_WORK, RunStatus.QUEUED, RunStatus.DISCARDED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """What a run holds of a connection that is read again.

    Attributes:
        result: How it ended when it was read before.
        receipts: Of its parts, which stay until others take their place.
    """

    result: ConnectionResult
    receipts: tuple[Receipt, ...]

    def after(
        self,
        result: ConnectionResult,
        receipts: tuple[Receipt, ...],
    ) -> ConnectionResult | None:
        """What reading it again has come to; None where all stays as it was.

        Args:
            result: How it ended this time.
            receipts: Of the parts that it has left; none where it did not complete.
        """
        if result.status is not ConnectionStatus.COMPLETED:
            return None
        if _rows_of(receipts) == _rows_of(self.receipts):
            # Nothing has moved from one night to the next: nobody is going to close the day.
            return replace(result, provisional="")
        return result


def _rows_of(receipts: Sequence[Receipt]) -> set[tuple[object, ...]]:
    return {
        (r.destination, r.variant, r.query, r.segment, r.rows, r.raw_bytes, r.raw_crc)
        for r in receipts
    }


def provisional(rows: Sequence[ConnectionRow]) -> set[str]:
    """Names of the connections whose rows may still change."""
    return {row.connection for row in rows if row.done and row.result and row.result.provisional}


def unfinished(row: RunRow, plan: Plan) -> bool:
    """Whether a run was being patched when it was broken off: its targets may be behind."""
    return row.status in RESUMABLE and bool(plan.published)


async def patchable(
    store: Store,
    job: Job,
    today: date,
    taken: Collection[str],
) -> list[RunRow]:
    """Runs of the job that hold provisional rows, the newest of each day, newest first.

    Args:
        store: Of the runs.
        job: Says how many days back.
        today: Where the operator is.
        taken: Targets that the job's next run makes itself: what lies there is not patched.
    """
    if not (job.day_closed or job.day_until) or any(each.is_sent for each in job.destinations):
        return []
    found = []
    days: set[date] = set()
    oldest = today - timedelta(days=job.provisional_days)
    for row in await store.runs(job=job.name, limit=_LOOKED_AT):
        if not row.plan_hash or row.status in _NOT_PATCHED:
            continue
        plan: Plan = await store.plan(row.run)
        if plan.day is None or plan.day < oldest or plan.day in days:
            continue
        waits = unfinished(row, plan) or provisional(await store.connections(row.run))
        if waits and not set(taken) & set(plan.targets):
            found.append(row)
        if row.result is not None and row.result.outputs:
            days.add(plan.day)
    return found
