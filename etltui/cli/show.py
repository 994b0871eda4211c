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
from etltui.domain.control import told
from etltui.domain.days import of_days
from etltui.domain.deadline import Outlook, outlook
from etltui.domain.errors import misused
from etltui.domain.late import late_rows, late_until, tried_on
from etltui.domain.part import Receipt
from etltui.domain.plan import Plan
from etltui.domain.ports import History
from etltui.domain.queue import QueueEntry
from etltui.domain.run import ConnectionResult, ConnectionStatus
from etltui.domain.safe_text import middle_cut, safe_text
from etltui.domain.stored import (
    ConnectionRow,
    PublicationRow,
    PublicationState,
    RunRow,
    newest_begun,
)
from etltui.domain.verdict import far_of
from etltui.domain.words import duration, moment, noted, number, size, words
from etltui.encode import events as encode
from etltui.engine.delivery import in_sight
from etltui.engine.prepare import whole

_MARKS = {
    ConnectionStatus.COMPLETED: "✓",
    ConnectionStatus.FAILED: "✗",
    ConnectionStatus.SKIPPED: "»",
    ConnectionStatus.WAITING: "·",
}
_NAME = 28
_LOOKED_AT = 200
_DELIVERED = PublicationState.DELIVERED


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A run with all that belongs to it.

    Attributes:
        plan: None where it has not begun.
        waiting: What waits for its turn, this run perhaps among it.
        usual: From a connection to the median of its rows in the runs before.
        outlook: How the run stands against its deadline; None where it is not at work.
        written: Names of the connections whose parts hold just the rows that were read.
        late: Names of the connections that are tried on.
        held: Whether an engine runs.
    """

    row: RunRow
    plan: Plan | None
    connections: list[ConnectionRow]
    publications: list[PublicationRow]
    waiting: list[QueueEntry]
    usual: dict[str, int]
    outlook: Outlook | None = None
    written: frozenset[str] = frozenset()
    late: tuple[str, ...] = ()
    held: bool = False

    @property
    def read_back(self) -> bool:
        """Whether every cell of its targets was read back before they got their names."""
        full = self.plan is not None and self.plan.job.verify == "full"
        there = all(_stands(each.state) == _DELIVERED for each in self.publications)
        return full and bool(self.publications) and there

    @property
    def place(self) -> int:
        """In the queue, from 1; 0 for none."""
        runs = [entry.run for entry in self.waiting]
        return runs.index(self.row.run) + 1 if self.row.run in runs else 0


async def _find(state: Path, run: str, timezone: str) -> _Found:
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
            written=await _written(history, row) if row.plan_hash else frozenset(),
            late=await _late(history, row, timezone),
            held=held,
        )


async def _late(history: History, row: RunRow, timezone: str) -> tuple[str, ...]:
    """The run's connections that are tried on; of runs before the job's newest none are."""
    newest = newest_begun(await history.runs(job=row.job, limit=_LOOKED_AT)).get(row.job)
    if not row.plan_hash or newest is None or newest.run != row.run:
        return ()
    plan = await history.plan(row.run)
    if late_until(row.status, plan, timezone) <= time.time():
        return ()
    return late_rows(plan, await history.connections(row.run))


async def _written(history: History, row: RunRow) -> frozenset[str]:
    """Connections whose rows are written as often as their targets want them, none less or more."""
    plan = await history.plan(row.run)
    parts: dict[str, list[Receipt]] = {}
    for receipt in await history.receipts(row.run):
        parts.setdefault(receipt.connection, []).append(receipt)
    return frozenset(
        each.connection
        for each in await history.connections(row.run)
        if each.done and each.result and whole(plan, parts.get(each.connection, []), each.result)
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
    if found.plan is not None and found.plan.day is not None and of_days(found.plan.job):
        lines.append(f"  business day {found.plan.day}")
    if row.reason:
        lines.append(f"  {row.reason}")
    if found.late and found.plan is not None:
        until = late_until(row.status, found.plan, timezone)
        who = "" if found.held else " once a console or etltui serve runs"
        lines.append(f"  {tried_on(len(found.late), until, timezone)}{who}")
    if found.plan is not None and (due := _due(found, found.plan, timezone)):
        lines.append(f"  {due}")
    lines.extend(
        f"  {target.target}  {_stands(target.state)}  {number(target.rows)} rows"
        f"  {size(target.bytes)}{_beside(target)}"
        for target in found.publications
    )
    lines += _revisions(found.plan, timezone)
    lines += _proof(found)
    return lines


def _revisions(plan: Plan | None, timezone: str) -> list[str]:
    """How targets were patched once they were finished."""
    if plan is None:
        return []
    return [
        f"  revision {each.number} of {Path(plan.targets[each.destination]).name}, "
        f"{moment(each.at, timezone)} by {each.who}: {each.told}"
        for each in plan.revisions
    ]


def _proof(found: _Found) -> list[str]:
    """Of targets that were read back, that these are the rows that were read and written."""
    if not found.read_back:
        return []
    done = [row for row in found.connections if row.done]
    rows = number(sum(_result(row).rows for row in done if row.connection in found.written))
    counted = f"{len(found.written)} of {len(done)} connections"
    return [f"  {rows} rows read = written = read back, {counted}, each by itself"]


def _due(found: _Found, plan: Plan, timezone: str) -> str:
    return due_words(found.row, plan, timezone=timezone, now=time.time(), outlook=found.outlook)


def _stands(state: PublicationState) -> str:
    """How a target stands; that its parts are gone as well is nothing to an operator."""
    return str(PublicationState.DELIVERED if state is PublicationState.CLEANED else state)


def _beside(target: PublicationRow) -> str:
    """Where the rows of a target lie that could not have its place."""
    waits = target.state is PublicationState.ASSEMBLED and in_sight(target)
    return f"  until its place is free: {target.temporary}" if waits else ""


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
    far = far_of(result.judged, result.rows, usual) if done else ""
    remark = far or (result.judged.why if result.judged else "")
    notes = [remark] if remark else []
    notes += [f"time limit {result.limit}"] if result.limit else []
    notes += [f"asked twice, the {result.hedged} answer kept"] if result.hedged else []
    notes += [noted(note, count) for note, count in result.notes.items()]
    if result.provisional:
        notes.append(f"provisional: {result.provisional}")
    if controlled := told(result.controls):
        notes.append(f"control {controlled}")
    if result.server is not None and result.server.encrypted is False:
        notes.append("not encrypted")
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
        yield from (f"       {said}" for said in result.odd)
    results = (row.result for row in found.connections if row.result)
    yield from advice_lines(classes_of(results))
    if more := go_on(found.row.run, found.row.job, found.row.status):
        yield more


def _rows(found: _Found, row: ConnectionRow) -> dict[str, int | None]:
    """Rows written and read back, where they are known."""
    written = _result(row).rows if row.connection in found.written else None
    return {"rows_written": written, "rows_read_back": written if found.read_back else None}


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
    found = asyncio.run(_find(state, run, timezone))
    if not as_json:
        for line in folded(map(safe_text, _lines(found, timezone)), width()):
            click.echo(line)
        return
    results = [
        {
            **encode.connection(_result(row)),
            "usual_rows": found.usual.get(row.connection),
            **_rows(found, row),
        }
        for row in found.connections
    ]
    head = {**as_object(found.row, found.place), "late": list(found.late)}
    click.echo(encode.line({**head, "results": results}))
