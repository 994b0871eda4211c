"""`etltui runs`: the runs that the state folder knows."""

import asyncio
from dataclasses import replace
from pathlib import Path

import click

from etltui.bootstrap import is_held, open_history
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.cli.words import duration, moment, number, words
from etltui.domain.run import RunStatus
from etltui.domain.safe_text import safe_text
from etltui.domain.stored import RunRow
from etltui.encode import events as encode

_UNDER_WAY = {RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PUBLISHING}


def settled(row: RunRow, *, held: bool) -> RunRow:
    """The run as the next engine will find it: one whose engine has died is stopped."""
    if held or row.status not in _UNDER_WAY:
        return row
    return replace(row, status=RunStatus.STOPPED, reason="its engine died; go on with --resume")


async def _rows(state: Path, job: str, limit: int) -> list[RunRow]:
    held = is_held(state)
    async with await open_history(state) as history:
        return [settled(row, held=held) for row in await history.runs(job=job, limit=limit)]


def _line(row: RunRow, timezone: str) -> str:
    result = row.result
    done = f"{result.completed}/{row.total}" if result else f"–/{row.total}"
    rows = number(result.rows) if result else "–"
    took = duration(result.seconds) if result else "–"
    return (
        f"{row.run:<23} {safe_text(row.job):<20} {words(row.status):<22} {done:>9} {rows:>14} "
        f"{took:>7}  {moment(row.started, timezone)}"
    )


def as_object(row: RunRow) -> dict[str, object]:
    """A run for programs: as `run_finished`, or what is known of one that has not ended."""
    if row.result is not None:
        return {**encode.finished(row.result), "type": "run", "started": row.started}
    return {
        "type": "run",
        "run": row.run,
        "job": row.job,
        "status": str(row.status),
        "started": row.started,
        "connections": {"total": row.total},
        "reason": row.reason,
    }


@click.command("runs", short_help="List runs, newest first.")
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
    """List runs, newest first; also while an engine is running."""
    state, timezone = state_of(config_file, state_dir)
    rows = asyncio.run(_rows(state, job, limit))
    if as_json:
        for row in rows:
            click.echo(encode.line(as_object(row)))
        return
    if not rows:
        click.echo("No runs yet. Start one with: etltui run JOB")
        return
    click.echo(
        f"{'RUN':<23} {'JOB':<20} {'STATUS':<22} {'DONE':>9} {'ROWS':>14} {'TIME':>7}  STARTED",
    )
    for row in rows:
        click.echo(_line(row, timezone))
