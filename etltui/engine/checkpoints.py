"""Checkpoints as an operator sees them: what an unfinished run holds, and how it is given up."""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from etltui.config.folders import remove
from etltui.domain.checkpoint import CheckpointFile
from etltui.domain.ports import History, Store
from etltui.domain.run import AT_WORK, RESUMABLE, ConnectionResult, ConnectionStatus, RunStatus
from etltui.domain.stored import ConnectionRow, RunRow, newest_begun
from etltui.engine.log import about
from etltui.engine.tools import Mirror

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What of a run is durable.

    Attributes:
        connections: By their number.
        bytes: Size of its parts on disk.
    """

    row: RunRow
    connections: tuple[ConnectionRow, ...]
    bytes: int

    @property
    def completed(self) -> tuple[str, ...]:
        """Names of the connections whose rows are durable."""
        return tuple(row.connection for row in self.connections if row.done)

    @property
    def failed(self) -> tuple[ConnectionResult, ...]:
        """How the connections that failed ended."""
        results = (row.result for row in self.connections)
        return tuple(r for r in results if r and r.status is ConnectionStatus.FAILED)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of the connections that have not ended."""
        ended = {*self.completed, *(result.connection for result in self.failed)}
        return tuple(row.connection for row in self.connections if row.connection not in ended)

    def file(self, now: datetime) -> CheckpointFile:
        """As other programs read it; of a run that goes on, as it is now."""
        ended = self.row.ended
        return CheckpointFile(
            job=self.row.job,
            title=self.row.title,
            completed=self.completed,
            failed=tuple(result.connection for result in self.failed),
            total=self.row.total,
            updated=now if ended is None else datetime.fromtimestamp(ended, now.tzinfo),
        )


async def checkpoint(history: History, row: RunRow, parts_folder: Path) -> Checkpoint:
    """What of the run is durable."""
    connections = await history.connections(row.run)
    size = await asyncio.to_thread(folder_bytes, parts_folder / row.run)
    return Checkpoint(row=row, connections=tuple(connections), bytes=size)


async def newest(history: History) -> dict[str, RunRow]:
    """The newest run of each job, of those that have begun."""
    return newest_begun(await history.runs(limit=-1))


async def named(history: History, text: str) -> RunRow | None:
    """The newest run that has begun of a job, else a run by its id or an end of it."""
    of_job = newest_begun(await history.runs(job=text, limit=-1)).get(text)
    return of_job or await history.run(text)


async def checkpoints(history: History, parts_folder: Path) -> list[Checkpoint]:
    """Those of all jobs whose newest run is unfinished or under way; the newest first."""
    return [
        await checkpoint(history, row, parts_folder)
        for row in (await newest(history)).values()
        if row.status in RESUMABLE | AT_WORK
    ]


async def discard(
    store: Store,
    mirror: Mirror,
    parts_folder: Path,
    row: RunRow,
    reason: str = "its checkpoint was deleted",
) -> None:
    """Give an unfinished run up: nobody can resume it any more, its parts and mirror are gone.

    What was recorded of its connections stays, as history. Marked first: a crash in between leaves
    files that the next start removes.

    Raises:
        StatusError: The run cannot be resumed anyhow, or is under way.
        StateError: It could not be recorded, or the mirror not be deleted.
    """
    with about(run=row.run):
        if row.result is None:
            await store.move_run(row.run, RunStatus.DISCARDED, reason)
        else:
            ended = replace(row.result, status=RunStatus.DISCARDED, reason=reason)
            await store.finish_run(ended)
        temporaries = [Path(each.temporary) for each in await store.publications(row.run)]
        await asyncio.to_thread(_remove, parts_folder / row.run, temporaries)
        if (await newest(store)).get(row.job, row).run == row.run:
            await mirror.delete(row.job)
        _log.info("Checkpoint deleted: %s of %s", row.run, row.job)


def _remove(folder: Path, temporaries: list[Path]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path in temporaries:
        # A share that is away keeps its file; the next assembly replaces it.
        with suppress(OSError):
            remove(path)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder, as far as they are there."""
    size = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            facts = path.lstat()
            size += facts.st_size if not path.is_dir() else 0
    return size


def part_folders(parts_folder: Path) -> Mapping[str, int]:
    """From each run that has a folder of parts to their bytes; hidden folders are of no run."""
    with suppress(OSError):
        return {
            path.name: folder_bytes(path)
            for path in parts_folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        }
    return {}
