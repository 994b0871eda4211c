"""Retention: what of runs, parts, checkpoints and logs has served its time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from etltui.domain.run import NOT_ENDED, RESUMABLE, RunStatus
from etltui.domain.stored import RunRow, newest_begun

_T = TypeVar("_T")
_MB = 1024 * 1024
_DAY = 86400


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
    newest = {row.run for row in newest_begun(stock.runs).values()}
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
            and not is_open(row, stock.queued)
            and _over(row, now, limits.keep_runs_days)
        ),
        logs=tuple(_oldest(stock.logs, limits.keep_logs_mb, stock.log_bytes)),
    )


def is_open(row: RunRow, queued: Collection[str]) -> bool:
    """Whether a run waits, to begin or to go on, or is under way.

    Args:
        row: The run.
        queued: Ids of the runs that have an entry in the queue.
    """
    return row.run in queued or row.status in NOT_ENDED


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
        if row is not None and is_open(row, stock.queued):
            continue
        days = stock.keep_parts_days.get(name, 0)
        if row is None or useless(row, newest=newest, keep_parts_days=days, now=now):
            yield name
        else:
            kept[name] = size
    patchable = {
        name: kept[name]
        for name in sorted(kept, key=lambda name: _ended(known[name]))
        if known[name].status is RunStatus.COMPLETED_WITH_ERRORS
    }
    besides = sum(kept.values()) - sum(patchable.values())
    yield from _oldest(patchable, limits.keep_parts_mb, besides)


def useless(row: RunRow, *, newest: Collection[str], keep_parts_days: int, now: float) -> bool:
    """Whether nobody can use a run's parts any more, if it neither waits nor is under way.

    Args:
        row: The run.
        newest: Ids of the newest begun run of each job.
        keep_parts_days: Of its job; late branches can be patched in as long as the parts of the
            others are there.
        now: Unix time in seconds.
    """
    if row.run not in newest or row.status in {RunStatus.COMPLETED, RunStatus.DISCARDED}:
        return True
    if row.status is not RunStatus.COMPLETED_WITH_ERRORS:
        return False
    return keep_parts_days == 0 or _over(row, now, keep_parts_days)


def _oldest(sizes: Mapping[_T, int], most_mb: int, besides: int) -> Iterator[_T]:
    """The first ones, until what is left and what lies besides fit."""
    over = sum(sizes.values()) + besides - most_mb * _MB
    for name, size in sizes.items():
        if most_mb == 0 or over <= 0:
            return
        over -= size
        yield name
