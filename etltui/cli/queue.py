"""`etltui queue`: what waits for its turn, and the levers on it, whether or not an engine runs."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from etltui.bootstrap import open_history, open_records, operator
from etltui.cli import cancel
from etltui.cli.group import SHOW, Showing
from etltui.cli.listening import listening
from etltui.cli.noted import noted
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    job_names,
    state_of,
    state_option,
)
from etltui.cli.pools import fitted
from etltui.config.checks import nearest_or_all
from etltui.config.schema import PRIORITY
from etltui.domain.errors import NoSuchRunError, misused
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import RunStatus
from etltui.domain.safe_text import safe_text
from etltui.domain.words import counted
from etltui.encode import documents, queue_lines
from etltui.encode import events as encode

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """The queue as it stands.

    Attributes:
        engine: Whether one runs.
    """

    metrics: QueueMetrics
    working: tuple[QueueEntry, ...]
    pending: tuple[QueueEntry, ...]
    engine: bool


async def _found(state: Path, now: float) -> _Found:
    async with listening(state) as remote:
        if remote is not None:
            return _Found(
                metrics=await remote.get_queue_metrics(),
                working=await remote.get_running_jobs(),
                pending=await remote.get_pending_jobs(),
                engine=True,
            )
    async with await open_history(state) as history:
        return stored(await history.queued(), await history.paused(), now)


def stored(entries: Sequence[QueueEntry], paused: Sequence[str], now: float) -> _Found:
    """What the next engine will find: whoever had a turn when the last one ended waits again."""
    pending = sorted(entries, key=lambda entry: (entry.priority, entry.submitted))
    metrics = QueueMetrics(
        pending=len(pending),
        delayed=sum(entry.not_before > now for entry in pending),
        paused="" in paused,
        paused_jobs=tuple(filter(None, paused)),
    )
    return _Found(metrics=metrics, working=(), pending=tuple(pending), engine=False)


def _lines(found: _Found, now: float, timezone: str) -> Iterator[str]:
    if not found.engine:
        yield "No engine runs: nobody gets a turn before one is started."
    yield queue_lines.counts(found.metrics, ended=found.engine)
    yield from queue_lines.pauses(found.metrics)
    yield from queue_lines.entries(found.working, found.pending, now, timezone)


@click.group("queue", cls=Showing)
def command() -> None:
    """Show what waits for its turn; with a command, steer it.

    Where no engine runs, what the last one left: a pause and an entry outlive the engine that
    took them in.
    """


@command.command(SHOW, short_help="Show what `queue` shows.")
@_json
@config_option
@state_option
@errors_leave
def show(*, as_json: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """Show the queue; as JSON its numbers alone."""
    now = datetime.now(UTC).timestamp()
    state, timezone = state_of(config_file, state_dir)
    found = asyncio.run(_found(state, now))
    if as_json:
        click.echo(encode.line(documents.queue_metrics(found.metrics)))
    else:
        click.echo(fitted(list(_lines(found, now, timezone))))


@command.command("list", short_help="List what waits, a run a line.")
@_json
@config_option
@state_option
@errors_leave
def list_(*, as_json: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """List the runs that have their turn, then those that wait, in the order of their turns."""
    now = datetime.now(UTC).timestamp()
    state, timezone = state_of(config_file, state_dir)
    found = asyncio.run(_found(state, now))
    if not as_json:
        click.echo(fitted(list(_lines(found, now, timezone))))
        return
    for status, entries in (("running", found.working), ("pending", found.pending)):
        for one in documents.queued(entries):
            click.echo(encode.line({**one, "status": status}))


async def _pause(state: Path, job: str, *, paused: bool) -> bool:
    """Pause a job, or all, or let it go on; whether that was not so before."""
    async with listening(state) as remote:
        if remote is not None:
            metrics = await remote.get_queue_metrics()
            was = job in metrics.paused_jobs if job else metrics.paused
            await remote.call("queue.pause", job=job, paused=paused)
            return was is not paused
    async with open_records(state) as (store, _):
        was = job in await store.paused()
        async with noted(store, "queue.pause", job, f"paused={paused}"):
            await store.pause(job, paused=paused)
        return was is not paused


@command.command("pause", short_help="Give a job, or nobody, a turn any more.")
@click.argument("job", required=False, default="", shell_complete=job_names)
@config_option
@state_option
@errors_leave
def pause(job: str, *, config_file: Path | None, state_dir: Path | None) -> None:
    """Give JOB, or without one nobody, a turn any more; what runs goes on.

    It holds until `etltui queue resume`, also for engines that start later.
    """
    state, _ = state_of(config_file, state_dir)
    if job:
        jobs = configuration(config_file).jobs
        if job not in jobs:
            raise misused("JOB", f"there is no job {job!r}", nearest_or_all(job, jobs))
    changed = asyncio.run(_pause(state, job, paused=True))
    click.echo(f"{safe_text(job) or 'the queue'} {'is' if changed else 'was already'} paused")


@command.command("resume", short_help="Undo a pause.")
@click.argument("job", required=False, default="", shell_complete=job_names)
@config_option
@state_option
@errors_leave
def resume(job: str, *, config_file: Path | None, state_dir: Path | None) -> None:
    """Let JOB, or the queue as a whole, go on; a pause of the other kind stays."""
    state, _ = state_of(config_file, state_dir)
    changed = asyncio.run(_pause(state, job, paused=False))
    click.echo(f"{safe_text(job) or 'the queue'} {'goes on' if changed else 'was not paused'}")


async def _clear(state: Path) -> int:
    async with listening(state) as remote:
        if remote is not None:
            cleared: int = await remote.call("queue.clear")
            return cleared
    async with open_records(state) as (store, _):
        runs = [entry.run for entry in await store.queued()]
        why = f"the queue was cleared by {operator()}"
        async with noted(store, "queue.clear", "", ", ".join(runs), outcome=str(len(runs))):
            await store.dequeue(runs, RunStatus.CANCELLED, why)
        return len(runs)


@command.command("clear", short_help="Cancel whatever waits.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@state_option
@errors_leave
def clear(*, yes: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """Cancel whatever waits for its turn; what runs goes on."""
    state, timezone = state_of(config_file, state_dir)
    now = datetime.now(UTC).timestamp()
    found = asyncio.run(_found(state, now))
    if not found.pending:
        click.echo("Nothing waits.")
        return
    if not yes:
        click.echo(fitted(list(_lines(found, now, timezone))))
        if not (sys.stdin.isatty() and click.confirm("Cancel what waits?")):
            raise misused("--yes", "nothing was cancelled", "Say --yes to cancel what waits")
    click.echo(f"{counted(asyncio.run(_clear(state)), 'run')} cancelled")


def _named(entries: Sequence[QueueEntry], name: str) -> QueueEntry:
    """The first entry that a run's id, an end of it, or a job's name means.

    Raises:
        NoSuchRunError: There is none.
    """
    for entry in entries:
        if name in {entry.run, entry.job} or entry.run.casefold().endswith(name.casefold()):
            return entry
    raise NoSuchRunError(run=name, why="no such run waits", way_out="See `etltui queue`")


async def _prioritise(state: Path, name: str, priority: int) -> QueueEntry:
    async with listening(state) as remote:
        if remote is not None:
            entry = _named(await remote.get_pending_jobs(), name)
            if not await remote.call("queue.reprioritise", run=entry.run, priority=priority):
                why = "it has its turn, or its end, by now"
                raise NoSuchRunError(run=entry.run, why=why, way_out="See `etltui queue`")
            return entry
    async with open_records(state) as (store, _):
        entry = _named(await store.queued(), name)
        async with noted(store, "queue.reprioritise", entry.run, f"priority={priority}"):
            await store.requeue(replace(entry, priority=priority))
        return entry


@command.command("priority", short_help="Serve a waiting run sooner or later.")
@click.argument("run", metavar="RUN|JOB")
@click.argument("priority", metavar="N", type=click.IntRange(PRIORITY.low, PRIORITY.high))
@config_option
@state_option
@errors_leave
def prioritise(
    run: str,
    priority: int,
    *,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Give a run that waits the priority N; a lower number is served first."""
    state, _ = state_of(config_file, state_dir)
    entry = asyncio.run(_prioritise(state, run, priority))
    click.echo(f"{entry.run} {safe_text(entry.job)}: priority {entry.priority} → {priority}")


command.add_command(cancel.command)
