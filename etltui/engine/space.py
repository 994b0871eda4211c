"""The disk gate: no connection starts, and no target is begun, on a disk without room."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from etltui.domain.errors import ErrorClass, Failure

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

    def check(self, needs: Mapping[Path, int]) -> None:
        """Hold what is free against what is still to be written.

        Args:
            needs: Bytes to come, by folder; folders of one file system are added up.

        Raises:
            Failure: Of class `disk`, naming the folder, what is free and what is needed.
        """
        try:
            free_and_need = [
                (folder, self._free(folder), need)
                for folder, need in _by_device(needs.items()).values()
            ]
        except OSError as error:
            # A share that is away stops the run resumably; it is no mistake in the program.
            folders = ", ".join(map(str, needs))
            raise Failure(
                ErrorClass.DISK,
                f"the free space of {folders} cannot be told: {error.strerror}",
            ) from error
        for folder, free, need in free_and_need:
            if free < need + self._reserve:
                raise Failure(
                    ErrorClass.DISK,
                    f"the disk of {folder} has {free // _MB:,} MB free; "
                    f"{need // _MB:,} MB to come and disk_reserve_mb = "
                    f"{self._reserve // _MB:,} need {(need + self._reserve) // _MB:,} MB",
                    {"folder": str(folder), "free": str(free), "need": str(need)},
                )


def _by_device(needs: Iterable[tuple[Path, int]]) -> dict[int, tuple[Path, int]]:
    summed: dict[int, tuple[Path, int]] = {}
    for wanted, need in needs:
        folder = existing(wanted)
        number = device(folder)
        first, so_far = summed.get(number, (folder, 0))
        summed[number] = (first, so_far + need)
    return summed
