"""`etltui snapshot`: how everything stands at this moment, on one screen or as one object."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from etltui.bootstrap import is_held, open_history
from etltui.cli.listening import NO_POOLS, listening
from etltui.cli.options import config_option, errors_leave, state_of, state_option
from etltui.cli.picture import bar
from etltui.cli.pools import each, fitted, totals
from etltui.domain.late import tried_on
from etltui.domain.pools import PoolStats
from etltui.domain.progress import LateView, RunView, Snapshot
from etltui.domain.queue import QueueEntry, QueueMetrics
from etltui.domain.run import RunStatus
from etltui.domain.safe_text import middle_cut
from etltui.domain.words import (
    age,
    because,
    counted,
    duration,
    local,
    moment,
    short,
    size,
    words,
)
from etltui.door.client import GoneError
from etltui.encode import documents
from etltui.encode import events as encode

ANSWER_S = 1.0
"""An engine that does not answer within it is looked at through what it recorded."""
_UNDER_WAY = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PUBLISHING})
_NAME = 18


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A snapshot, and what it is worth.

    Attributes:
        engine: Whether an engine runs.
        told: Whether anything was ever told.
    """

    snapshot: Snapshot
    engine: bool
    told: bool = True


async def taken(state: Path, now: float) -> Taken:
    """Everything as the engine says, else as it is recorded."""
    try:
        async with asyncio.timeout(ANSWER_S), listening(state) as remote:
            if remote is not None:
                return Taken(snapshot=await remote.snapshot(), engine=True)
    except (TimeoutError, GoneError):
        pass
    held = await asyncio.to_thread(is_held, state)
    async with await open_history(state) as history:
        found = await history.live()
        if found is not None and held:
            return Taken(snapshot=found, engine=True)
        waiting, paused = await history.queued(), await history.paused()
    still = left_behind(found or _nothing(now), waiting, paused)
    return Taken(snapshot=still, engine=False, told=found is not None)


def _nothing(now: float) -> Snapshot:
    return Snapshot(
        at=now,
        holder="",
        runs=(),
        pending=(),
        queue=QueueMetrics(),
        pools=NO_POOLS,
        pool_info=(),
        memory=0,
        threshold=0,
    )


def left_behind(last: Snapshot, waiting: list[QueueEntry], paused: list[str]) -> Snapshot:
    """What is left of an engine's last words now that it has ended.

    Its sessions are closed, its memory is free, what it had at work is stopped.

    Args:
        last: Its last words.
        waiting: Entries of the queue that outlived it.
        paused: Jobs that get no turn; the empty name stands for the whole queue.
    """
    kept = {entry.run for entry in waiting}

    def ended(view: RunView) -> RunView:
        never_began = view.status is RunStatus.QUEUED and view.run in kept
        if view.status not in _UNDER_WAY or never_began:
            return view
        return replace(view, status=RunStatus.STOPPED, reason="its engine died")

    return replace(
        last,
        runs=tuple(map(ended, last.runs)),
        pending=tuple(waiting),
        queue=replace(
            last.queue,
            pending=len(waiting),
            delayed=sum(entry.not_before > last.at for entry in waiting),
            running=0,
            paused="" in paused,
            paused_jobs=tuple(filter(None, paused)),
        ),
        pools=NO_POOLS,
        pool_info=(),
        memory=0,
        late=(),
    )


def _head(found: Taken, now: float, timezone: str) -> str:
    if not found.told:
        return "No engine runs, and none has told anything here yet. Start one: etltui run JOB"
    at = f"{moment(found.snapshot.at, timezone)}, {age(now - found.snapshot.at)} ago"
    if found.engine:
        return f"{found.snapshot.holder}  {at}"
    return f"No engine runs; the last was that of {found.snapshot.holder}, {at}"


def _run(view: RunView, now: float) -> Iterator[str]:
    trouble = f"  ✗ {view.failed}" if view.failed else ""
    took = duration((now if view.status in _UNDER_WAY else view.changed) - view.started)
    what = view.step if view.status is RunStatus.RUNNING and view.step else words(view.status)
    yield (
        f"  {middle_cut(view.job, _NAME):<{_NAME}} {bar(view.percent / 100)} {view.percent:>3}%  "
        f"{view.completed}/{view.total}{trouble}  {counted(view.rows, 'row')}  "
        f"{took if view.started else '–'}"
    )
    yield f"    {short(view.run)}  {because(what, view.reason)}"


def _queue(value: QueueMetrics, pending: tuple[QueueEntry, ...], now: float) -> Iterator[str]:
    delayed = f" ({value.delayed} not due yet)" if value.delayed else ""
    paused = "; paused" if value.paused else ""
    yield (
        f"QUEUE   {value.pending} waiting{delayed}, {value.running} running, "
        f"{value.completed} completed, {value.failed} failed{paused}"
    )
    if value.paused_jobs:
        yield f"  paused: {', '.join(value.paused_jobs)}"
    for entry in pending:
        yield (
            f"  {middle_cut(entry.job, _NAME):<{_NAME}} {short(entry.run)}  "
            f"priority {entry.priority}, since {age(now - entry.submitted)}, "
            f"{middle_cut(entry.owner, _NAME)}"
        )


def _late(view: LateView, timezone: str) -> str:
    said = tried_on(len(view.connections), view.until, timezone)
    return f"LATE    {view.job}: {said}, next at {local(view.next_at, timezone):%H:%M}"


def _busy(pool: PoolStats) -> bool:
    return bool(pool.lent or pool.connecting or pool.waiting or pool.last_error)


def picture(found: Taken, now: float, timezone: str) -> list[str]:
    """The lines of a snapshot."""
    value = found.snapshot
    lines = [_head(found, now, timezone)]
    if found.told:
        lines.append(f"RUNS    {counted(len(value.runs), 'run')}")
        lines += [line for view in value.runs for line in _run(view, now)]
    lines += _queue(value.queue, value.pending, now)
    if found.engine:
        lines += [_late(view, timezone) for view in value.late]
        lines += totals(value.pools)
        lines += each(tuple(filter(_busy, value.pool_info)))
        share = value.memory / value.threshold if value.threshold else 0.0
        lines.append(
            f"MEMORY  {bar(share)} {share:.0%}  {size(value.memory)} of {size(value.threshold)}",
        )
        for stray in value.strays:
            lines.append(f"  not given back for {stray.seconds:.0f} s: {stray}")
    return lines


@click.command("snapshot")
@click.option("--json", "as_json", is_flag=True, help="One object, as JSON.")
@config_option
@state_option
@errors_leave
def command(*, as_json: bool, config_file: Path | None, state_dir: Path | None) -> None:
    """Show runs, queue, pools and memory at this moment.

    Asks the engine that holds the state folder; where none runs, what the last one recorded.
    """
    state, timezone = state_of(config_file, state_dir)
    now = datetime.now(UTC).timestamp()
    found = asyncio.run(taken(state, now))
    if as_json:
        said = {"engine": found.engine, **documents.snapshot(found.snapshot)}
        click.echo(encode.line(said))
        return
    click.echo(fitted(picture(found, now, timezone)))
