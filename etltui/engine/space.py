"""The disk gate: no connection starts, and no target is begun, on a disk without room."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.inquiry import Room

_MB = 1024 * 1024


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written there."""
    return shutil.disk_usage(folder).free


def device(folder: Path) -> int:
    """Tells file systems apart."""
    return folder.stat().st_dev


class Space:
    """Looks at the disks that a run writes to.

    Args:
        reserve_mb: Free space to leave on each.
        free: Bytes free at a folder.
    """

    def __init__(self, *, reserve_mb: int, free: Callable[[Path], int] = free_bytes) -> None:
        self._reserve = reserve_mb * _MB
        self._free = free

    def leave(self, reserve_mb: int) -> None:
        """Leave so much on each disk from now on."""
        self._reserve = reserve_mb * _MB

    def check(self, needs: Mapping[Path, int]) -> None:
        """Hold what is free against what is still to be written.

        Args:
            needs: Bytes to come, by folder; folders of one file system are added up.

        Raises:
            Failure: Of class `disk`, naming the folder, what is free and what is needed.
        """
        for room in self.rooms(needs):
            if not room.enough:
                raise Failure(
                    ErrorClass.DISK,
                    str(room),
                    {"folder": room.folder, "free": str(room.free), "need": str(room.need)},
                )

    def rooms(self, needs: Mapping[Path, int]) -> tuple[Room, ...]:
        """What is free on each disk, and what is still to be written to it.

        Args:
            needs: Bytes to come, by folder; folders of one file system are added up.

        Raises:
            Failure: Of class `disk`; a disk does not say.
        """
        try:
            return tuple(
                Room(folder=str(folder), free=self._free(folder), need=need, reserve=self._reserve)
                for folder, need in _by_device(needs.items()).values()
            )
        except OSError as error:
            # A share that is away stops the run resumably; it is no mistake in the program.
            folders = ", ".join(map(str, needs))
            raise Failure(
                ErrorClass.DISK,
                f"the free space of {folders} cannot be told: {error.strerror}",
            ) from error


def _by_device(needs: Iterable[tuple[Path, int]]) -> dict[int, tuple[Path, int]]:
    summed: dict[int, tuple[Path, int]] = {}
    for wanted, need in needs:
        folder = existing(wanted)
        number = device(folder)
        first, so_far = summed.get(number, (folder, 0))
        summed[number] = (first, so_far + need)
    return summed
