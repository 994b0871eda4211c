"""Mirrors a run's checkpoints as a small JSON file for other programs; the store is the truth."""

import asyncio
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from etltui.domain.checkpoint import CheckpointFile
from etltui.domain.errors import StateError
from etltui.store.folder import delete_file, replace_file

FOLDER = "checkpoints"


def mirror_path(state: Path, job: str) -> Path:
    """Where a job's mirror lies in the state folder."""
    name = quote(job, safe=" ")
    if len(name) > 200:  # a file name has 255 bytes at most
        name = f"{name[:180]}-{zlib.crc32(job.encode()):08x}"
    return state / FOLDER / f"{name}.json"


class CheckpointMirror:
    """The files `<folder>/checkpoints/<job>.json`.

    Whoever reads one sees a whole file, the former or the latter. Writes follow one another in
    the order of their calls, also where a caller is cancelled.
    """

    def __init__(self, folder: Path) -> None:
        self._state = folder
        self._lock = asyncio.Lock()

    async def write(
        self,
        job: str,
        title: str,
        *,
        completed: Sequence[str],
        failed: Sequence[str],
        total: int,
        now: datetime,
    ) -> None:
        """Replace the job's file.

        Args:
            job: The job's name.
            title: The job's title.
            completed: Names of the connections whose rows are durable.
            failed: Names of those that failed.
            total: Connections of the run.
            now: With a time zone.

        Raises:
            StateError: The file cannot be written; the former one is as it was.
        """
        text = CheckpointFile(
            job=job,
            title=title,
            completed=tuple(completed),
            failed=tuple(failed),
            total=total,
            updated=now,
        ).text()
        await self._do(lambda: replace_file(mirror_path(self._state, job), text.encode()))

    async def delete(self, job: str) -> None:
        """Delete the job's file if it is there.

        Raises:
            StateError: It is there and cannot be deleted.
        """
        await self._do(lambda: delete_file(mirror_path(self._state, job)))

    async def _do(self, work: Callable[[], None]) -> None:
        async def alone() -> None:
            async with self._lock:
                try:
                    await asyncio.to_thread(work)
                except OSError as error:
                    raise StateError(
                        f"the checkpoint mirror in {self._state / FOLDER} cannot be changed: "
                        f"{error.strerror}",
                    ) from error

        await asyncio.shield(asyncio.create_task(alone(), name="checkpoint mirror"))
