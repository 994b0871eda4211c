"""Writes runs, their plans and their moves between statuses, inside a transaction."""

from dataclasses import replace

from etltui.domain.errors import StateError
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.queue import QueueEntry
from etltui.domain.run import RunResult, RunStatus, moved
from etltui.store.database import Row, Statements
from etltui.store.rows import checked, intact, seal, to_json

CRASH = "the engine ended without finishing this run (crash)"

_UNDER_WAY = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PUBLISHING})


async def create(statements: Statements, plan: Plan, status: RunStatus) -> None:
    """Record a new run with its plan and its connections, all of them waiting.

    It may be there already, if it has not begun: as a place in the queue, or prepared before the
    engine ended.
    """
    there = await statements.row("run", run=plan.run)
    if there and there["status"] != RunStatus.QUEUED:
        raise StateError(f"the run {plan.run} is recorded already")
    for row in await statements.rows("connections", run=plan.run):
        await statements.change("drop_connection", [row])
    run: Row = {
        "run": plan.run,
        "job": plan.job.name,
        "title": plan.job.title,
        "status": status,
        "plan_hash": plan.hash,
        "attempt": 1,
        "total": len(plan.connections),
        "started": plan.started.timestamp(),
        "ended": None,
        "reason": "",
        "result": None,
    }
    await statements.change("put_run", [seal(run)])
    await _put_plan(statements, plan)
    await statements.change("put_connection", [_new(plan.run, c) for c in plan.connections])


async def placeholder(statements: Statements, entry: QueueEntry, title: str) -> None:
    """Record a run that waits for its turn and has no plan yet."""
    if await statements.row("run", run=entry.run):
        raise StateError(f"the run {entry.run} is recorded already")
    run: Row = {
        "run": entry.run,
        "job": entry.job,
        "title": title,
        "status": RunStatus.QUEUED,
        "plan_hash": "",
        "attempt": 1,
        "total": 0,
        "started": entry.submitted,
        "ended": None,
        "reason": "",
        "result": None,
    }
    await statements.change("put_run", [seal(run)])


async def end_placeholder(
    statements: Statements,
    run: str,
    status: RunStatus,
    *,
    reason: str,
    now: float,
) -> None:
    """End a run that never began; any other is left as it is."""
    row = await statements.row("run", run=run)
    if row is not None and intact(row) and row["status"] == RunStatus.QUEUED:
        await _move(statements, row, status, reason, now)


async def replan(statements: Statements, plan: Plan) -> None:
    """Replace a run's plan.

    A connection with the same name and hash keeps its result and parts, one with another hash
    loses both, one that the plan lacks is dropped.
    """
    run = await _run(statements, plan.run)
    recorded = {
        row["connection"]: checked("run_connections", row)
        for row in await statements.rows("connections", run=plan.run)
    }
    wanted = {connection.name: connection for connection in plan.connections}
    gone = [row for name, row in recorded.items() if name not in wanted]
    changed = [
        row for name, row in recorded.items() if name in wanted and row["hash"] != wanted[name].hash
    ]
    # Dropped first: a number that became free may be given again.
    await statements.change("drop_connection", gone)
    await statements.change("drop_parts", changed)
    await statements.change(
        "put_connection",
        [
            seal({**recorded[name], "number": connection.number})
            if name in recorded and recorded[name]["hash"] == connection.hash
            else _new(plan.run, connection)
            for name, connection in wanted.items()
        ],
    )
    await _put_plan(statements, plan)
    new: Row = {"plan_hash": plan.hash, "title": plan.job.title, "total": len(plan.connections)}
    await statements.change("put_run", [seal({**run, **new})])


async def move(
    statements: Statements,
    run: str,
    status: RunStatus,
    *,
    reason: str,
    now: float,
) -> None:
    """Move a run to a status; what an earlier attempt left as its end is forgotten."""
    row = await _run(statements, run)
    await _move(statements, {**row, "result": None}, status, reason, now)


async def next_attempt(statements: Statements, run: str) -> int:
    """Count a further attempt."""
    row = await _run(statements, run)
    attempt = int(row["attempt"] or 0) + 1
    await statements.change("put_run", [seal({**row, "attempt": attempt})])
    return attempt


async def finish(statements: Statements, result: RunResult, *, now: float) -> None:
    """Record a run's end; the results of its connections have their own rows."""
    row = await _run(statements, result.run)
    short = to_json(replace(result, connections=()))
    await _move(statements, {**row, "result": short}, result.status, result.reason, now)


async def recover(statements: Statements, *, now: float) -> None:
    """Stop the runs that an engine left under way when it ended; who waits in the queue waits."""
    waiting = {row["run"] for row in await statements.rows("queue") if not row["taken"]}
    for row in await statements.rows("runs_open"):
        queued = row["status"] == RunStatus.QUEUED and row["run"] in waiting
        # A damaged row is reported to whoever reads it; it must not keep the others from going on.
        if intact(row) and not queued:
            await _move(statements, {**row, "result": None}, RunStatus.STOPPED, CRASH, now)


async def _run(statements: Statements, run: str) -> Row:
    row = await statements.row("run", run=run)
    if row is None:
        raise StateError(f"the state database knows no run {run}")
    return checked("runs", row)


async def _move(
    statements: Statements,
    row: Row,
    status: RunStatus,
    reason: str,
    now: float,
) -> None:
    moved(RunStatus(str(row["status"])), status)
    ended = None if status in _UNDER_WAY else now
    new: Row = {"status": status, "reason": reason, "ended": ended}
    await statements.change("put_run", [seal({**row, **new})])


async def _put_plan(statements: Statements, plan: Plan) -> None:
    await statements.change("put_plan", [seal({"run": plan.run, "plan": to_json(plan)})])


def _new(run: str, connection: PlanConnection) -> Row:
    return seal(
        {
            "run": run,
            "number": connection.number,
            "connection": connection.name,
            "hash": connection.hash,
            "result": None,
            "parts": 0,
        },
    )
