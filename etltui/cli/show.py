"""`etltui show`: one run, connection by connection."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from etltui.bootstrap import is_held, open_history
from etltui.cli.due import due_words
from etltui.cli.failures import advice_lines, classes_of, failure_line, folded, width
from etltui.cli.options import config_option, errors_leave, job_names, state_of, state_option
from etltui.cli.report import go_on
from etltui.cli.runs import as_object, settled, waiting
from etltui.domain.deadline import Outlook, outlook
from etltui.domain.errors import misused
from etltui.domain.plan import Plan
from etltui.domain.ports import History
from etltui.domain.queue import QueueEntry
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.stored import ConnectionRow, PublicationRow, PublicationState, RunRow
from etltui.domain.usual import deviation
from etltui.domain.words import duration, moment, noted, number, size, words
from etltui.encode import events as encode

_MARKS = {
    ConnectionStatus.COMPLETED: "✓",
    ConnectionStatus.FAILED: "✗",
    ConnectionStatus.SKIPPED: "»",
    ConnectionStatus.WAITING: "·",
}
_NAME = 28


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A run with all that belongs to it.

    Attributes:
        plan: None where it has not begun.
        waiting: What waits for its turn, this run perhaps among it.
        usual: From a connection to the median of its rows in the runs before.
        outlook: How the run stands against its deadline; None where it is not at work.
    """

    row: RunRow
    plan: Plan | None
    connections: list[ConnectionRow]
    publications: list[PublicationRow]
    waiting: list[QueueEntry]
    usual: dict[str, int]
    outlook: Outlook | None = None

    @property
    def place(self) -> int:
        """In the queue, from 1; 0 for none."""
        runs = [entry.run for entry in self.waiting]
        return runs.index(self.row.run) + 1 if self.row.run in runs else 0


async def _find(state: Path, run: str) -> _Found:
    async with await open_history(state) as history:
        newest = await history.runs(job=run, limit=1) if run else []
        row = newest[0] if newest else await history.run(run)
        if row is None:
            problem = f"there is no run or job {run!r} in {state}, or more than one run ends so"
            raise misused("RUN|JOB", problem, "etltui runs lists them")
        held = is_held(state)
        entries = await waiting(history, held=held)
        before = await history.usual(row.job, besides=row.run)
        return _Found(
            row=settled(row, held=held, waits=row.run in {entry.run for entry in entries}),
            plan=await history.plan(row.run) if row.plan_hash else None,
            connections=await history.connections(row.run),
            publications=await history.publications(row.run),
            waiting=entries,
            usual={name: each.rows for name, each in before.items()},
            outlook=await _outlook(history, row.run) if held else None,
        )


async def _outlook(history: History, run: str) -> Outlook | None:
    """How the engine that is at work sees the run's deadline."""
    live = await history.live()
    views = live.runs if live is not None else ()
    found = next((view for view in views if view.run == run), None)
    return outlook(found, live.at) if live is not None and found is not None else None


def _result(row: ConnectionRow) -> ConnectionResult:
    waiting = ConnectionResult(
        connection=row.connection,
        status=ConnectionStatus.WAITING,
        tries=0,
    )
    return row.result or waiting


def _head(found: _Found, timezone: str) -> list[str]:
    row, result = found.row, found.row.result
    started = moment(row.started, timezone)
    lines = [
        f"{row.job} ▸ run {row.run}  {words(row.status)}",
        f"  {row.title}; started {started}, attempt {row.attempt}"
        + (f", {duration(result.seconds)}" if result else "")
        if found.plan
        else f"  {row.title}; asked for {started}, not begun",
        *_queue(found, timezone),
    ]
    if row.reason:
        lines.append(f"  {row.reason}")
    if found.plan is not None and (due := _due(found, found.plan, timezone)):
        lines.append(f"  {due}")
    lines.extend(
        f"  {target.target}  {_stands(target.state)}  {number(target.rows)} rows"
        f"  {size(target.bytes)}"
        for target in found.publications
    )
    return lines


def _due(found: _Found, plan: Plan, timezone: str) -> str:
    return due_words(found.row, plan, timezone=timezone, now=time.time(), outlook=found.outlook)


def _stands(state: PublicationState) -> str:
    """How a target stands; that its parts are gone as well is nothing to an operator."""
    return str(PublicationState.DELIVERED if state is PublicationState.CLEANED else state)


def _queue(found: _Found, timezone: str) -> list[str]:
    """Where the run stands in the queue, if it does."""
    if not found.place:
        return []
    entry = found.waiting[found.place - 1]
    due = f", not before {moment(entry.not_before, timezone)}" if entry.not_before else ""
    place = f"place {found.place} of {len(found.waiting)} in the queue"
    return [f"  {place}, priority {entry.priority}{due}; asked for by {entry.owner}"]


def _line(number_: int, result: ConnectionResult, usual: int | None) -> str:
    mark = _MARKS.get(result.status, "?")
    took = duration(sum(result.seconds.values())) if result.seconds else "–"
    done = result.status is ConnectionStatus.COMPLETED
    rows = number(result.rows) if done else "–"
    far = deviation(result.rows, usual) if done else ""
    notes = [far] if far else []
    notes += [noted(note, count) for note, count in result.notes.items()]
    name = middle_cut(result.connection, _NAME)
    return (
        f"{number_:>4} {name:<{_NAME}} {mark} {words(result.status):<10} {rows:>11} "
        f"{'–' if usual is None else number(usual):>11} {took:>7}  {', '.join(notes)}"
    ).rstrip()


def _lines(found: _Found, timezone: str) -> Iterator[str]:
    yield from _head(found, timezone)
    if found.plan is None:
        return
    contacts = {p.name: p.connection.contact for p in found.plan.connections}
    yield ""
    yield f"{'#':>4} {'CONNECTION':<{_NAME}}   STATUS            ROWS       USUAL    TIME"
    for row in found.connections:
        result = _result(row)
        yield _line(row.number, result, found.usual.get(row.connection))
        yield from failure_line(result, contacts.get(row.connection, ""))
    results = (row.result for row in found.connections if row.result)
    yield from advice_lines(classes_of(results))
    if more := go_on(found.row.run, found.row.job, found.row.status):
        yield more


@click.command("show")
@click.argument("run", metavar="RUN|JOB", shell_complete=job_names)
@click.option("--json", "as_json", is_flag=True, help="One object, as JSON.")
@config_option
@state_option
@errors_leave
def command(
    *,
    run: str,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show RUN (its id, or the letters at its end), connection by connection; of JOB the newest."""
    state, timezone = state_of(config_file, state_dir)
    found = asyncio.run(_find(state, run))
    if not as_json:
        for line in folded(map(safe_text, _lines(found, timezone)), width()):
            click.echo(line)
        return
    results = [
        {**encode.connection(_result(row)), "usual_rows": found.usual.get(row.connection)}
        for row in found.connections
    ]
    click.echo(encode.line({**as_object(found.row, found.place), "results": results}))
