"""Windows paths on a machine that is none: which folder here stands for which there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from etltui.config.checks import RefusedError, shown

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def is_windows(path: str) -> bool:
    """Whether a path begins with a drive or a server, as only Windows knows them."""
    return _WINDOWS.match(path) is not None


def check_here(path: str) -> None:
    """Refuse a path that cannot exist on this machine."""
    if is_windows(path):
        raise RefusedError(
            f"{shown(path)} is a Windows path, and this machine is not Windows",
            'Mount the share and write its path here, as in "/mnt/reports/{job}.xlsx"',
        )


def _slashed(path: str) -> str:
    return path.replace("\\", "/").rstrip("/")


@dataclass(frozen=True, slots=True)
class Mounts:
    """Which folders of Windows machines are mounted here, and where.

    Attributes:
        folders: From a path there to a path here.
    """

    folders: Mapping[str, str] = field(default_factory=dict)

    def here(self, path: str) -> str:
        """The path on this machine; one that is none of Windows is taken as it is.

        Raises:
            RefusedError: It is a Windows path below no folder that is mounted.
        """
        if not is_windows(path):
            return path
        plain = _slashed(path)
        for there, here in self.folders.items():
            folder = f"{_slashed(there)}/"
            if plain.casefold().startswith(folder.casefold()):
                return f"{here.rstrip('/')}/{plain[len(folder) :]}"
        folder = plain.rpartition("/")[0]
        raise RefusedError(
            f"{shown(path)} is a Windows path, and this machine is not Windows",
            f'Mount the share and say where: --map "{folder}=/mnt/reports"',
        )
