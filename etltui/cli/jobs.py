"""`etltui jobs`: what jobs there are, how each ended last, and what it is doing now."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from etltui.bootstrap import is_held, open_history
from etltui.cli.options import (
    config_option,
    configuration,
    errors_leave,
    job_names,
    state_option,
)
from etltui.cli.runs import as_object, settled
from etltui.cli.wrapping import wrapped
from etltui.config.checks import nearest_or_all
from etltui.config.load import state_folder
from etltui.config.schema import Config
from etltui.config.select import select
from etltui.domain.days import of_days
from etltui.domain.errors import ConfigError, Mistake
from etltui.domain.job import Connection, Job
from etltui.domain.ports import History
from etltui.domain.queue import QueueEntry
from etltui.domain.run import AT_WORK, NOT_ENDED, RESUMABLE, RunStatus
from etltui.domain.safe_text import safe_text
from etltui.domain.stored import RunRow
from etltui.domain.words import counted, duration, moment, short, today, words
from etltui.encode import events as encode

_RUNS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class JobView:
    """A job, and how it stands.

    Attributes:
        connections: Those that it would read today, in their order.
        runs: Newest first.
        waiting: Its places in the queue.
        paused: Whether it gets no turn.
        resumes: Whether a start takes up its unfinished run, unless it is told otherwise.
    """

    job: Job
    connections: tuple[Connection, ...]
    runs: tuple[RunRow, ...]
    waiting: tuple[QueueEntry, ...]
    paused: bool
    resumes: bool

    @property
    def now(self) -> str:
        """`running`, `waiting`, `disabled`, `paused` or `idle`."""
        if any(row.status in AT_WORK for row in self.runs):
            return "running"
        if self.waiting:
            return "waiting"
        if not self.job.enabled:
            return "disabled"
        return "paused" if self.paused else "idle"

    @property
    def last(self) -> RunRow | None:
        """The newest run that has ended."""
        return next((row for row in self.runs if row.status not in NOT_ENDED), None)


async def _view(config: Config, job: Job, history: History, *, held: bool) -> JobView:
    queued, paused = await history.queued(), await history.paused()
    rows = await history.runs(job=job.name, limit=_RUNS)
    waiting = [entry for entry in queued if entry.job == job.name and not (held and entry.taken)]
    kept = {entry.run for entry in waiting}
    resumes = config.settings.resume_jobs
    return JobView(
        job=job,
        connections=select(
            config.connections,
            job.connections,
            day=today(config.settings.timezone),
        ),
        # One that never began waits for the next engine; others ended with theirs.
        runs=tuple(
            row if row.status is RunStatus.QUEUED and row.run in kept else settled(row, held=held)
            for row in rows
        ),
        waiting=tuple(waiting),
        paused=not {"", job.name}.isdisjoint(paused),
        resumes=job.resume if resumes is None else resumes,
    )


async def _views(config: Config, state: Path, names: Sequence[str]) -> list[JobView]:
    held = is_held(state)
    async with await open_history(state) as history:
        return [await _view(config, config.jobs[name], history, held=held) for name in names]


def _found(config: Config, name: str) -> list[str]:
    """The names of the jobs that are asked for.

    Raises:
        ConfigError: There is no such job.
    """
    if not name:
        return list(config.jobs)
    if name in config.jobs:
        return [name]
    mistake = Mistake(
        where=str(config.path),
        key="jobs",
        problem=f"there is no job {name!r}",
        way_out=nearest_or_all(name, config.jobs),
    )
    raise ConfigError([mistake])


def _hanging(text: str, indent: str) -> list[str]:
    return wrapped(text, indent, f"{indent}  ")


def _run(row: RunRow, timezone: str) -> str:
    """A run in a line: its letters, how it ended, when, how long, how much."""
    result = row.result
    text = f"{short(row.run)}  {words(row.status)}  {moment(row.started, timezone)}"
    if result is None:
        return text
    return (
        f"{text}  {duration(result.seconds)}  {result.completed}/{result.total}  "
        f"{counted(result.rows, 'row')}"
    )


def _head(view: JobView) -> Iterator[str]:
    job = view.job
    title = f"  {job.title}" if job.title and job.title != job.name else ""
    yield f"{job.name}{title}"
    kinds = ", ".join(each.type for each in job.destinations)
    resumes = ", resumes" if view.resumes else ""
    yield f"  {counted(len(view.connections), 'connection')} → {kinds}{resumes}; {view.now}"


def _short(view: JobView, timezone: str) -> Iterator[str]:
    yield from _head(view)
    yield f"  last: {_run(view.last, timezone)}" if view.last else "  never run"


def _long(view: JobView, timezone: str) -> Iterator[str]:
    job = view.job
    yield from _head(view)
    yield f"  connections: {', '.join(each.name for each in view.connections) or 'none'}"
    for each in job.destinations:
        yield f"  {each.type} → {job.folder / each.path}"
    yield from (f"  query {query.name}: {' '.join(query.sql.split())}" for query in job.queries)
    priority = "" if job.priority is None else f", priority {job.priority}"
    tries = "1 retry" if job.retry.retries == 1 else f"{job.retry.retries} retries"
    retry = f"{tries} from {job.retry.delay_s:g} s on"
    yield f"  type {job.type}{priority}; {job.max_parallel} at once; {retry}; drift: {job.drift}"
    yield from _of_days(job)
    yield from _times(job)
    if job.canary:
        yield "  canary: begins with one connection, then five"
    if view.paused:
        yield "  paused: gets no turn until etltui queue resume"
    if not job.enabled:
        yield f"  disabled: not started until etltui config set jobs.{job.name}.enabled true"
    for entry in view.waiting:
        yield f"  waits: {entry.run}, priority {entry.priority}, asked for by {entry.owner}"
    yield "  runs:" if view.runs else "  never run"
    yield from (f"    {_run(row, timezone)}" for row in view.runs)
    if view.runs and view.runs[0].status in RESUMABLE:
        yield f"  go on with: etltui run {job.name} --resume"


def _of_days(job: Job) -> Iterator[str]:
    """Which day is read, how it is known to be closed, and what the rows are held against."""
    if of_days(job):
        begins = f", begins {job.day_lag_h}:00" if job.day_lag_h else ""
        yield f"  business day: {job.business_day}{begins}, at each branch by its own clock"
    if sql := job.day_closed or job.day_until:
        until = f" come to {job.day_until_slack_h:g} h before its end" if job.day_until else ""
        yield f"  day closed by{until}: {' '.join(sql.split())}"
    for query in job.queries:
        if query.control:
            sql = " ".join(query.control.split())
            yield f"  control of {query.name} ({query.on_control}): {sql}"


def _lines(lines: Iterator[str]) -> str:
    said: list[str] = []
    for line in lines:
        text = line.lstrip()
        said += _hanging(text, line[: len(line) - len(text)])
    return "\n".join(said)


def _object(view: JobView) -> dict[str, object]:
    job = view.job
    return {
        "type": "job",
        "job": job.name,
        "title": job.title,
        "connections": len(view.connections),
        "destinations": [
            {"type": each.type, "path": str(job.folder / each.path)} for each in job.destinations
        ],
        "resume": view.resumes,
        "now": view.now,
        "paused": view.paused,
        "enabled": job.enabled,
        "last": as_object(view.last) if view.last else None,
    }


def _whole(view: JobView) -> dict[str, object]:
    """Everything about a job; bind values stay with it, they may be confidential."""
    job = view.job
    more: Mapping[str, object] = {
        "connection_names": [each.name for each in view.connections],
        "queries": [
            {
                "name": each.name,
                "sql": each.sql,
                "params": sorted(each.params),
                "control": each.control,
                "on_control": each.on_control,
            }
            for each in job.queries
        ],
        "run_type": job.type,
        "priority": job.priority,
        "max_parallel": job.max_parallel,
        "retry": asdict(job.retry),
        "drift": job.drift,
        "deadline": job.deadline,
        "cut_off": job.cut_off,
        "late_until": job.late_until,
        "business_day": job.business_day if of_days(job) else None,
        "day_closed": job.day_closed or job.day_until,
        "canary": job.canary,
        "waiting": [entry.run for entry in view.waiting],
        "runs": [as_object(row) for row in view.runs],
    }
    return {**_object(view), **more}


def _times(job: Job) -> Iterator[str]:
    """When a run of it has to be done, closes, and is not patched any more."""
    if job.deadline:
        yield f"  deadline {job.deadline}"
    if job.cut_off:
        yield f"  closes at {job.cut_off}"
    if job.late_until:
        yield f"  late connections are tried on until {job.late_until}"


@click.command("jobs")
@click.argument("name", required=False, default="", shell_complete=job_names)
@click.option("--json", "as_json", is_flag=True, help="A job a line, as JSON.")
@config_option
@state_option
@errors_leave
def command(
    name: str,
    *,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """List the jobs: what each reads and makes, how it ended last, what it does now.

    With NAME everything about one, its last runs among it. Also while an engine is running.
    """
    config = configuration(config_file)
    state = state_folder(config, state_dir, os.environ)
    views = asyncio.run(_views(config, state, _found(config, name)))
    if as_json:
        for view in views:
            click.echo(encode.line((_whole if name else _object)(view)))
    elif not views:
        click.echo(f"{safe_text(str(config.path))} has no jobs: add a table [jobs.NAME]")
    else:
        told = _long if name else _short
        timezone = config.settings.timezone
        click.echo("\n".join(_lines(told(view, timezone)) for view in views))
