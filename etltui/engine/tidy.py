"""Removes what has served its time; `retention` decides what that is."""

import asyncio
import logging
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from etltui.domain.errors import StateError
from etltui.domain.ports import History, Store
from etltui.domain.run import RunStatus
from etltui.domain.stored import RunRow, newest_begun
from etltui.engine.acts import Acts
from etltui.engine.checkpoints import discard, part_folders
from etltui.engine.log import LOG, about
from etltui.engine.prepare import remove_orphans
from etltui.engine.retention import Limits, Removal, Stock, is_open, plan, useless
from etltui.engine.tools import Mirror

_log = logging.getLogger(__name__)


async def tidy(
    store: Store,
    mirror: Mirror,
    state: Path,
    *,
    now: datetime,
    limits: Limits,
    acts: Acts,
) -> Removal:
    """Remove what has served its time, and say what that was.

    Args:
        store: Its folder is held.
        mirror: The checkpoints' JSON files.
        state: The state folder.
        now: With a time zone.
        limits: What to keep.
        acts: Has recorded what is removed, before it is.

    Raises:
        StateError: The store or the mirror could not be changed; what was removed stays removed.
    """
    removal = plan(await take_stock(store, state), now=now.timestamp(), limits=limits)
    if removal != Removal():
        async with acts.recording("retention", _told(removal)):
            await acts.recorded()
            await _removed(removal, store, mirror, state, limits)
    return removal


def _told(removal: Removal) -> dict[str, object]:
    """What is removed, for the record."""
    return {
        "target": "",
        "checkpoints": tuple(row.run for row in removal.checkpoints),
        "parts": removal.parts,
        "runs": removal.runs,
        "logs": tuple(path.name for path in removal.logs),
    }


async def _removed(
    removal: Removal, store: Store, mirror: Mirror, state: Path, limits: Limits
) -> None:
    for row in removal.checkpoints:
        reason = f"its checkpoint was older than {limits.checkpoint_keep_days} days"
        await discard(store, mirror, state / "parts", row, reason)
    await asyncio.to_thread(_remove, state / "parts", removal)
    if removal.runs:
        await store.delete_runs(removal.runs)
    _log.info(
        "Removed: %d checkpoints, parts of %d runs, %d runs, %d log files",
        len(removal.checkpoints),
        len(removal.parts),
        len(removal.runs),
        len(removal.logs),
    )


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
            row.run: await _keep_parts_days(store, row) for row in runs if row.run in parts
        },
        parts=parts,
        logs={path: size for path, size in logs.items() if path.name != LOG},
        log_bytes=sum(size for path, size in logs.items() if path.name == LOG),
    )


async def _keep_parts_days(store: History, row: RunRow) -> int:
    """How long the run's own job keeps its parts; 0 where parts do not wait for anybody."""
    if row.status is not RunStatus.COMPLETED_WITH_ERRORS:
        return 0
    return (await store.plan(row.run)).job.keep_parts_days


async def sweep(store: Store, parts_folder: Path, now: datetime) -> None:
    """Remove part folders that no run can use any more, and parts that nobody recorded.

    For a start, while nothing runs: parts that are being written are not recorded either.
    """
    queued = {entry.run for entry in await store.queued()}
    runs = await store.runs(limit=-1)
    known = {row.run: row for row in runs}
    newest = {row.run for row in newest_begun(runs).values()}

    async def spent(row: RunRow) -> bool:
        if is_open(row, queued):
            return False
        days = await _keep_parts_days(store, row)
        return useless(row, newest=newest, keep_parts_days=days, now=now.timestamp())

    for folder in await asyncio.to_thread(_folders, parts_folder):
        row = known.get(folder.name)
        try:
            if row is None or await spent(row):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            else:
                recorded = {receipt.path for receipt in await store.receipts(row.run)}
                await asyncio.to_thread(remove_orphans, folder, recorded)
        except StateError as error:
            # Whoever resumes that run is told; it must not keep the others from going on.
            with about(run=folder.name):
                _log.warning("The parts in %s were left as they are: %s", folder, error)


def _folders(parts: Path) -> list[Path]:
    return [path for path in parts.iterdir() if path.is_dir()] if parts.is_dir() else []


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
