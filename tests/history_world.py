"""Past runs and how their connections ended, as the store would give them."""

import console_world as cw
from etltui.domain.errors import ErrorClass, Trouble
from etltui.domain.logbook import Action, Outcome
from etltui.domain.run import ConnectionResult, ConnectionStatus, RunResult, RunStatus
from etltui.domain.stored import ConnectionRow, RunRow

DAY = 86400.0
S = ConnectionStatus


def name_of(back: int, letters: str = "AAAA") -> str:
    """The run that began so many days ago."""
    return f"202611{18 - back:02d}T090000Z-{letters}"


def run_row(back=0, *, job="gst_sales", completed=8, total=8, rows=8000, **facts) -> RunRow:
    status = RunStatus.COMPLETED if completed == total else RunStatus.COMPLETED_WITH_ERRORS
    facts.setdefault("status", status)
    facts.setdefault("run", name_of(back))
    result = RunResult(
        run=facts["run"],
        job=job,
        status=facts["status"],
        total=total,
        completed=completed,
        failed=total - completed,
        skipped=0,
        rows=rows,
        seconds=72.0,
    )
    facts.setdefault("result", result)
    return RunRow(
        job=job,
        title={"gst_sales": "GST sales", "stock": "Stock snapshot"}[job],
        plan_hash="abc",
        attempt=1,
        total=total,
        started=cw.AT - back * DAY - 7600,
        ended=cw.AT - back * DAY - 7528,
        **facts,
    )


def outcome(branch, back=0, *, bad=None, job="gst_sales", letters="AAAA", **facts) -> Outcome:
    facts.setdefault("at", cw.AT - back * DAY - 7550)
    facts.setdefault("status", S.FAILED if bad else S.COMPLETED)
    facts.setdefault("rows", 0 if bad else 1000)
    return Outcome(
        connection=f"branch_{branch:03d}",
        job=job,
        run=name_of(back, letters) if back < 18 else f"20261001T090000Z-{letters}",
        error_class=bad,
        **facts,
    )


def result_row(branch, rows=1000, *, bad: ErrorClass | None = None) -> ConnectionRow:
    name = f"branch_{branch:03d}"
    result = ConnectionResult(
        connection=name,
        status=S.FAILED if bad else S.COMPLETED,
        rows=0 if bad else rows,
        seconds={"query": 1.5},
        trouble=Trouble(error_class=bad, message="no route") if bad else None,
    )
    return ConnectionRow(run="r", number=branch, connection=name, hash="h", result=result)


def asked_by(who: str, run: str) -> Action:
    return Action(at=cw.AT, who=who, what="submit", target="gst_sales", outcome=run)
