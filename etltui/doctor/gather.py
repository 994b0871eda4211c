"""Gathers the facts: from files, from the kernel, from what is recorded; changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from etltui.bootstrap import is_held, open_history
from etltui.config.schema import Config
from etltui.custody import Health, check, files
from etltui.doctor import look
from etltui.doctor.facts import Facts, Past, Records, Unfinished
from etltui.doctor.probe import probed
from etltui.domain.errors import Mistake, StateError
from etltui.domain.plan import differences, plan_hash
from etltui.domain.ports import History
from etltui.domain.progress import Snapshot
from etltui.domain.run import AT_WORK, RESUMABLE, RunStatus
from etltui.domain.stored import RunRow, newest_begun
from etltui.engine.checkpoints import checkpoint
from etltui.engine.log_files import LogLine
from etltui.engine.retention import Limits, Stock, plan
from etltui.engine.tidy import take_stock
from etltui.store.mirror import mirror_path

RUNS = 10
"""So many of the newest runs are looked at."""

LiveSource = Callable[[], Awaitable[Snapshot | None]]
"""Asks a running engine how it stands; None where it does not answer."""


async def gather(
    *,
    config: Config | None,
    mistakes: Sequence[Mistake],
    state: Path,
    environ: Mapping[str, str],
    now: float,
    live: LiveSource | None = None,
) -> Facts:
    """All facts.

    Args:
        config: None where it has mistakes.
        mistakes: In the configuration.
        state: The state folder; it need not be there.
        environ: What `env:` references read.
        now: Unix time in seconds.
        live: Where an engine can be asked; else what it last recorded counts.
    """
    log = await asyncio.to_thread(look.log_tail, state / "logs")
    records = await _records(config, state, now, log)
    if live is not None and (told := await live()) is not None:
        records = replace(records, live=told)
    return Facts(
        now=now,
        config=config,
        mistakes=tuple(mistakes),
        folder=await asyncio.to_thread(look.folder, state),
        holder=await asyncio.to_thread(look.holder, state),
        held=is_held(state),
        disks=await asyncio.to_thread(look.disks, config, state, records.past),
        machine=await asyncio.to_thread(look.machine),
        targets=await asyncio.to_thread(look.targets, config, state, now),
        secrets=await asyncio.to_thread(look.secrets, config, environ),
        records=records,
        log=log,
        drivers=await probed(sorted({each.kind for each in config.connections} if config else ())),
        mirror_problem=await asyncio.to_thread(look.mirror_problem, state),
    )


async def _records(
    config: Config | None,
    state: Path,
    now: float,
    log: Sequence[LogLine],
) -> Records:
    there = await asyncio.to_thread(files, state)
    health = await asyncio.to_thread(_health, state)
    try:
        async with await open_history(state) as history:
            stock = await take_stock(history, state)
            return Records(
                past=await _past(history, stock),
                unfinished=tuple(
                    [
                        await _unfinished(history, row, config, state, log)
                        for row in newest_begun(stock.runs).values()
                        if row.status in RESUMABLE | AT_WORK
                    ],
                ),
                queued=tuple(await history.queued()),
                paused=tuple(await history.paused()),
                live=await _told(history),
                spent={
                    name: stock.parts[name] for name in plan(stock, now=now, limits=Limits()).parts
                },
                damaged=history.damaged,
                flaws=health.rows,
                broken=health.problem,
                files=there,
            )
    except StateError as error:
        return Records(problem=str(error), broken=health.problem, files=there)


def _health(state: Path) -> Health:
    """How the database is; one that is not there or cannot be read is told of elsewhere."""
    try:
        return check(state)
    except StateError:
        return Health()


async def _told(history: History) -> Snapshot | None:
    """How an engine last stood; what one of another version told is no reason to see nothing."""
    try:
        return await history.live()
    except StateError:
        return None


async def _past(history: History, stock: Stock) -> tuple[Past, ...]:
    begun = [row for row in stock.runs if row.status is not RunStatus.QUEUED]
    return tuple(
        [
            Past(
                row=row,
                results=tuple(
                    found.result for found in await history.connections(row.run) if found.result
                ),
            )
            for row in begun[:RUNS]
        ],
    )


async def _unfinished(
    history: History,
    row: RunRow,
    config: Config | None,
    state: Path,
    log: Sequence[LogLine],
) -> Unfinished:
    job = config.jobs.get(row.job) if config else None
    changed: tuple[str, ...] = ()
    if job is not None and row.plan_hash != plan_hash(job):
        changed = differences((await history.plan(row.run)).job, job)
    mirror = mirror_path(state, row.job)
    written = await asyncio.to_thread(look.newest_time, state / "parts" / row.run, mirror)
    logged = next((line.time for line in reversed(log) if line.run == row.run), 0.0)
    return Unfinished(
        checkpoint=await checkpoint(history, row, state / "parts"),
        changed=changed,
        mirrored=await asyncio.to_thread(mirror.exists),
        sign=max(written, logged),
    )
