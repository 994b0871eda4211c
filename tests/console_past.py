"""What a store tells a console of runs that were, and a queue of those that wait."""

import console_world as cw
from etltui.domain.queue import QueueEntry
from etltui.domain.run import RunResult, RunStatus
from etltui.domain.stored import RunRow

HOUR = 3600.0


def row(name="20261118T080000Z-OLD1", *, status=RunStatus.COMPLETED, rows=1000, **facts):
    """A run of the GST sales an hour ago."""
    result = RunResult(
        run=name,
        job="gst_sales",
        status=status,
        total=8,
        completed=8,
        failed=0,
        skipped=0,
        rows=rows,
        seconds=4.0,
        **facts,
    )
    return RunRow(
        run=name,
        job="gst_sales",
        title="GST sales",
        status=status,
        plan_hash="h",
        attempt=1,
        total=8,
        started=cw.AT - HOUR,
        ended=cw.AT - HOUR + 4,
        result=result,
    )


def crashed():
    """A run that the end of an engine has stopped."""
    return RunRow(
        run="20261118T080000Z-CRSH",
        job="gst_sales",
        title="GST sales",
        status=RunStatus.STOPPED,
        plan_hash="h",
        attempt=1,
        total=8,
        started=cw.AT - HOUR,
        reason="the engine ended without notice",
    )


def entry(run, *, job="gst_sales", not_before=0.0):
    """A run that waits for its turn."""
    return QueueEntry(
        run=run,
        job=job,
        type="extract",
        priority=100,
        submitted=cw.AT,
        not_before=not_before,
        owner="op@server",
    )
