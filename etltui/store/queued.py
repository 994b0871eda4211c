"""Writes the queue: entries, their end, pauses; inside a transaction."""

from collections.abc import Sequence

from etltui.domain.queue import Mode, QueueEntry
from etltui.domain.run import RunStatus
from etltui.store.database import Statements
from etltui.store.rows import checked, intact, queued_of, queued_row, seal
from etltui.store.runs import CRASH, end_placeholder, placeholder


async def enqueue(statements: Statements, entries: Sequence[QueueEntry], title: str) -> None:
    """Record entries, and a run for each that does not take one up."""
    for entry in entries:
        if entry.ask.mode is Mode.NEW:
            await placeholder(statements, entry, title)
    await statements.change("put_queued", [queued_row(entry) for entry in entries])


async def change(statements: Statements, entry: QueueEntry) -> None:
    """Rewrite an entry that waits; one that is gone stays gone."""
    if await statements.row("queued", run=entry.run):
        await statements.change("put_queued", [queued_row(entry)])


async def take(statements: Statements, run: str) -> None:
    """Record that a run has its turn."""
    row = await statements.row("queued", run=run)
    if row is not None:
        await statements.change("put_queued", [seal({**checked("queue", row), "taken": 1})])


async def dequeue(
    statements: Statements,
    names: Sequence[str],
    status: RunStatus,
    *,
    reason: str,
    now: float,
) -> None:
    """Drop entries; a run that never began ends so."""
    await statements.change("drop_queued", [{"run": run} for run in names])
    for run in names:
        await end_placeholder(statements, run, status, reason=reason, now=now)


async def recover(statements: Statements, *, now: float) -> None:
    """Drop what does not outlive its engine; what had its turn has to be given it again."""
    # A damaged entry can be given to nobody; its run shows that it never ended.
    gone = [
        str(row["run"])
        for row in await statements.rows("queue")
        if not intact(row) or not queued_of(row).keep
    ]
    await dequeue(statements, gone, RunStatus.STOPPED, reason=CRASH, now=now)


async def pause(statements: Statements, job: str, *, paused: bool) -> None:
    """Record a pause of a job, or of the queue as a whole, or its end."""
    row = seal({"job": job})
    await statements.change("put_pause" if paused else "drop_pause", [row])
