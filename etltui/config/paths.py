"""Paths as an operator writes them, with `~` for the home folder, and what stands at them."""

import json
import os
from pathlib import Path

from etltui.domain.targets import MANIFEST


def expanded(text: str) -> str:
    """The text with a leading `~` or `~name` replaced, as it is where there is no such home."""
    return os.path.expanduser(text)  # noqa: PTH111 - Path's own raises where there is none


def located(text: str, folder: Path) -> Path:
    """The path that a text names, a relative one from the folder."""
    return folder / expanded(text)


def foreign_file(folder: Path) -> str:
    """The name of something in a folder that no run has put there, empty where there is none.

    Raises:
        OSError: The folder cannot be read.
    """
    ours = {MANIFEST, *_listed(folder / MANIFEST)}
    names = sorted(path.name for path in folder.iterdir())
    return next((name for name in names if name not in ours), "")


def _listed(manifest: Path) -> set[str]:
    """The files that a manifest lists, none where there is no manifest of ours."""
    try:
        return {str(file["name"]) for file in json.loads(manifest.read_bytes())["files"]}
    except (OSError, ValueError, LookupError, TypeError):
        return set()
