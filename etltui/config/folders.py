"""Targets that are folders: which of their files are ours, and how one is removed or put back."""

import json
import shutil
from pathlib import Path

from etltui.domain.owner_file import is_owner_file
from etltui.domain.targets import MANIFEST, aside_path


def foreign_file(folder: Path) -> str:
    """The name of something in a folder that no run has put there, empty where there is none.

    Raises:
        OSError: The folder cannot be read.
    """
    ours = {MANIFEST, *_listed(folder / MANIFEST)}
    names = sorted(path.name for path in folder.iterdir())
    return next((name for name in names if name not in ours and not _passing(name)), "")


def _passing(name: str) -> bool:
    """Whether a file goes by itself.

    It tells who has another one open, or is one that NFS keeps for whoever still has it open.
    """
    return is_owner_file(name) or name.startswith(".nfs")


def _listed(manifest: Path) -> set[str]:
    """The files that a manifest lists, none where there is no manifest of ours."""
    try:
        return {str(file["name"]) for file in json.loads(manifest.read_bytes())["files"]}
    except (OSError, ValueError, LookupError, TypeError):
        return set()


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there; never through a link.

    Raises:
        OSError: It is still there, or some of it.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def put_back(target: Path) -> None:
    """Mend what a crash has left that moved the old folder aside and not the new one in.

    Raises:
        OSError: It is as it was.
    """
    aside = aside_path(target)
    if aside.is_dir() and not target.exists():
        aside.rename(target)
    remove(aside)
