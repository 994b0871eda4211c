"""Retention: what of runs, parts, checkpoints and logs has served its time, and its removal."""

import asyncio
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from etltui.domain.ports import History, Store
from etltui.domain.run import RESUMABLE, RunStatus
from etltui.domain.stored import RunRow
from etltui.engine.checkpoints import UNDER_WAY, discard, part_folders
from etltui.engine.log import LOG
from etltui.engine.tools import Mirror

_T = TypeVar("_T")
_MB = 1024 * 1024
_DAY = 86400
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long and how much is kept; 0: without limit.

    Attributes:
        keep_runs_days: Records of runs that ended.
        checkpoint_keep_days: What a run can be resumed from.
        keep_parts_mb: Parts of runs that ended, of all together; what a run can be resumed from
            counts, but stays.
        keep_logs_mb: The log, its former files, and the extractors' words.
    """

    keep_runs_days: int = 365
    checkpoint_keep_days: int = 30
    keep_parts_mb: int = 0
    keep_logs_mb: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Stock:
    """What is there.

    Attributes:
        runs: All, newest first.
        queued: Runs that wait for a turn, to begin or to go on.
        keep_parts_days: The job's own limit, for runs that completed with errors and have parts.
        parts: From the name of each folder of parts to its bytes.
        logs: From each file of the logs' folder that is not being written to its bytes, the
            oldest first.
        log_bytes: Of the file that is being written.
    """

    runs: Sequence[RunRow]
    queued: frozenset[str] = frozenset()
    keep_parts_days: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    logs: Mapping[Path, int] = field(default_factory=dict)
    log_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """What has served its time.

    Attributes:
        checkpoints: Unfinished runs that are too old to be resumed.
        parts: Names of folders of parts, of whatever is known or unknown.
        runs: Ids of runs to forget.
        logs: Files.
    """

    checkpoints: tuple[RunRow, ...] = ()
    parts: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    logs: tuple[Path, ...] = ()


def plan(stock: Stock, *, now: float, limits: Limits) -> Removal:
    """What to remove.

    Never the newest run of a job, never a run that waits or is under way, never what a run can be
    resumed from before `checkpoint_keep_days` have passed.

    Args:
        stock: What is there.
        now: Unix time in seconds.
        limits: What to keep.
    """
    newest = _newest(stock.runs)
    checkpoints = tuple(
        row
        for row in stock.runs
        if row.run in newest
        and row.run not in stock.queued
        and row.status in RESUMABLE
        and _over(row, now, limits.checkpoint_keep_days)
    )
    return Removal(
        checkpoints=checkpoints,
        parts=tuple(_spent_parts(stock, newest, now, limits)),
        runs=tuple(
            row.run
            for row in stock.runs
            if row.run not in newest
            and not _open(row, stock)
            and _over(row, now, limits.keep_runs_days)
        ),
        logs=tuple(_oldest(stock.logs, limits.keep_logs_mb, stock.log_bytes)),
    )


def _open(row: RunRow, stock: Stock) -> bool:
    waits = row.status is RunStatus.QUEUED or row.run in stock.queued
    return waits or row.status in UNDER_WAY


def _newest(runs: Sequence[RunRow]) -> set[str]:
    """Of each job the newest run that has begun: the only one that can be resumed or patched."""
    found: dict[str, str] = {}
    for row in runs:
        if row.status is not RunStatus.QUEUED:
            found.setdefault(row.job, row.run)
    return set(found.values())


def _over(row: RunRow, now: float, days: int) -> bool:
    return days > 0 and now - _ended(row) > days * _DAY


def _ended(row: RunRow) -> float:
    return row.started if row.ended is None else row.ended


def _spent_parts(
    stock: Stock,
    newest: set[str],
    now: float,
    limits: Limits,
) -> Iterator[str]:
    """Folders that nobody can use any more, then the oldest of those that only might be used."""
    known = {row.run: row for row in stock.runs}
    kept: dict[str, int] = {}
    for name, size in stock.parts.items():
        row = known.get(name)
        if row is None or _useless(row, stock, newest, now):
            yield name
        elif not _open(row, stock):
            kept[name] = size
    patchable = {
        name: kept[name]
        for name in sorted(kept, key=lambda name: _ended(known[name]))
        if known[name].status is RunStatus.COMPLETED_WITH_ERRORS
    }
    besides = sum(kept.values()) - sum(patchable.values())
    yield from _oldest(patchable, limits.keep_parts_mb, besides)


def _useless(row: RunRow, stock: Stock, newest: set[str], now: float) -> bool:
    if _open(row, stock):
        return False
    if row.run not in newest or row.status in {RunStatus.COMPLETED, RunStatus.DISCARDED}:
        return True
    if row.status is not RunStatus.COMPLETED_WITH_ERRORS:
        return False
    # Late branches can be patched in as long as the parts of the others are there.
    days = stock.keep_parts_days.get(row.run, 0)
    return days == 0 or _over(row, now, days)


def _oldest(sizes: Mapping[_T, int], most_mb: int, besides: int) -> Iterator[_T]:
    """The first ones, until what is left and what lies besides fit."""
    over = sum(sizes.values()) + besides - most_mb * _MB
    for name, size in sizes.items():
        if most_mb == 0 or over <= 0:
            return
        over -= size
        yield name


async def tidy(
    store: Store,
    mirror: Mirror,
    state: Path,
    *,
    now: datetime,
    limits: Limits,
) -> Removal:
    """Remove what has served its time, and say what that was.

    Args:
        store: Its folder is held.
        mirror: The checkpoints' JSON files.
        state: The state folder.
        now: With a time zone.
        limits: What to keep.

    Raises:
        StateError: The store or the mirror could not be changed; what was removed stays removed.
    """
    removal = plan(await take_stock(store, state), now=now.timestamp(), limits=limits)
    for row in removal.checkpoints:
        reason = f"its checkpoint was older than {limits.checkpoint_keep_days} days"
        await discard(store, mirror, state / "parts", row, reason)
    await asyncio.to_thread(_remove, state / "parts", removal)
    if removal.runs:
        await store.delete_runs(removal.runs)
    if removal != Removal():
        _log.info(
            "Removed: %d checkpoints, parts of %d runs, %d runs, %d log files",
            len(removal.checkpoints),
            len(removal.parts),
            len(removal.runs),
            len(removal.logs),
        )
    return removal


async def take_stock(store: History, state: Path) -> Stock:
    """What is there now."""
    # Folders first: one that is made meanwhile is of a run that was recorded before.
    parts = await asyncio.to_thread(part_folders, state / "parts")
    logs = await asyncio.to_thread(_logs, state / "logs")
    # The queue before the runs: of one whose turn ends in between, the new status counts.
    queued = frozenset(entry.run for entry in await store.queued())
    runs = await store.runs(limit=-1)
    return Stock(
        runs=runs,
        queued=queued,
        keep_parts_days={
            row.run: (await store.plan(row.run)).job.keep_parts_days
            for row in runs
            if row.run in parts and row.status is RunStatus.COMPLETED_WITH_ERRORS
        },
        parts=parts,
        logs={path: size for path, size in logs.items() if path.name != LOG},
        log_bytes=sum(size for path, size in logs.items() if path.name == LOG),
    )


def _logs(folder: Path) -> dict[Path, int]:
    """Files of the logs' folder, the one that was written longest ago first."""
    found: list[tuple[float, Path, int]] = []
    with suppress(OSError):
        for path in folder.iterdir():
            facts = path.stat()
            found.append((facts.st_mtime, path, facts.st_size))
    return {path: size for _, path, size in sorted(found)}


def _remove(parts_folder: Path, removal: Removal) -> None:
    for name in removal.parts:
        shutil.rmtree(parts_folder / name, ignore_errors=True)
    for path in removal.logs:
        # One that is held or away is tried again the next time.
        with suppress(OSError):
            path.unlink(missing_ok=True)
