"""`etltui runs`: the runs that the state folder knows."""

import asyncio
from dataclasses import replace
from pathlib import Path

import click

from etltui.bootstrap import SqliteHistory, is_held, open_history
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.domain.queue import QueueEntry
from etltui.domain.run import NOT_ENDED, RunStatus
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.stored import RunRow
from etltui.domain.words import duration, local, number, short, some, today, words
from etltui.encode import events as encode

_JOB = 16


def settled(row: RunRow, *, held: bool, waits: bool = False) -> RunRow:
    """The run as the next engine will find it: one whose engine has died is stopped.

    Args:
        row: As it is recorded.
        held: Whether an engine runs.
        waits: Whether it is in the queue, as `waiting` says.
    """
    if held or waits or row.status not in NOT_ENDED:
        return row
    return replace(row, status=RunStatus.STOPPED, reason="its engine died; go on with --resume")


async def waiting(history: SqliteHistory, *, held: bool) -> list[QueueEntry]:
    """What waits for its turn, in the order of turns; without an engine, what waits for one."""
    entries = [e for e in await history.queued() if not e.taken and (held or e.keep)]
    live = await history.live() if held else None
    if live is None:
        return sorted(entries, key=lambda entry: (entry.priority, entry.submitted))
    turns = {entry.run: turn for turn, entry in enumerate(live.pending)}
    # What the engine has not told of yet came last.
    return sorted(entries, key=lambda entry: turns.get(entry.run, len(turns)))


async def _rows(state: Path, job: str, limit: int) -> tuple[list[tuple[RunRow, int]], list[str]]:
    """Runs and their places in the queue, 0 for none; damaged rows that were left out."""
    held = is_held(state)
    async with await open_history(state) as history:
        entries = await waiting(history, held=held)
        places = {entry.run: place for place, entry in enumerate(entries, start=1)}
        rows = [
            (settled(row, held=held, waits=row.run in places), places.get(row.run, 0))
            for row in await history.runs(job=job, limit=limit)
        ]
        return rows, history.flaws


def _started(unix: float, timezone: str) -> str:
    """When, as short as a table wants it: of another year only the day."""
    then = local(unix, timezone)
    return f"{then:%m-%d %H:%M}" if then.year == today(timezone).year else f"{then:%Y-%m-%d}"


def _line(row: RunRow, place: int, timezone: str) -> str:
    status = words(row.status).removeprefix("completed ") + (f", place {place}" if place else "")
    result = row.result
    done = f"{result.completed}/{row.total}" if result else f"–/{row.total}"
    rows = number(result.rows) if result else "–"
    took = duration(result.seconds) if result else "–"
    return (
        f"{short(row.run)} {middle_cut(safe_text(row.job), _JOB):<{_JOB}} {status:<16} {done:>9} "
        f"{rows:>11} {took:>6} {_started(row.started, timezone)}"
    )


def as_object(row: RunRow, place: int = 0) -> dict[str, object]:
    """A run for programs: as `run_finished`, or what is known of one that has not ended.

    Args:
        row: As `settled` makes it.
        place: In the queue, from 1; 0 for none.
    """
    queued = {"place": place} if place else {}
    if row.result is not None:
        return {**encode.finished(row.result), "type": "run", "started": row.started, **queued}
    return {
        "type": "run",
        "run": row.run,
        "job": row.job,
        "status": str(row.status),
        "started": row.started,
        "connections": {"total": row.total},
        "reason": row.reason,
        **queued,
    }


@click.command("runs")
@click.option("--job", default="", help="Only of this job.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A run a line, as JSON.")
@config_option
@state_option
@errors_leave
def command(
    *,
    job: str,
    limit: int,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """List runs, newest first; also while an engine is running.

    RUN is the end of a run's id, which is what other commands take; `--json` has it whole.
    """
    state, timezone = state_of(config_file, state_dir)
    rows, flaws = asyncio.run(_rows(state, job, limit))
    if flaws:
        click.echo(
            f"etltui: damaged and left out: {some(flaws)}. The next `etltui run` makes the state "
            "database anew",
            err=True,
        )
    if as_json:
        for row, place in rows:
            click.echo(encode.line(as_object(row, place)))
        return
    if not rows:
        whose = f" of a job {safe_text(repr(job))}" if job else ""
        click.echo(f"No runs{whose} yet. Start one with: etltui run {safe_text(job) or 'JOB'}")
        return
    click.echo(
        f"{'RUN':<4} {'JOB':<{_JOB}} {'STATUS':<16} {'DONE':>9} {'ROWS':>11} {'TIME':>6} STARTED",
    )
    for row, place in rows:
        click.echo(_line(row, place, timezone))
