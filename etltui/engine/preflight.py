"""Whether a target can be written at all: asked before anything is read."""

import os
from collections.abc import Sequence
from pathlib import Path

from etltui.config.folders import foreign_file
from etltui.domain.errors import RefusedError
from etltui.engine.space import existing
from etltui.engine.target_lock import taken_by


def obstacle(target: Path, state: Path, *, is_folder: bool = False) -> str:
    """What stands in the way of a target, in words; empty where nothing does.

    Args:
        target: Absolute.
        state: The state folder, which no target may lie in.
        is_folder: Whether the target is a folder of files.
    """
    if target.is_relative_to(state):
        return f"{target} lies in the state folder"
    if target.exists() and (problem := _in_its_place(target, is_folder=is_folder)):
        return f"{target} {problem}"
    folder = existing(target.parent)
    if not folder.is_dir():
        return f"{folder} is no folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} may not be written"
    return ""


def refuse_taken(job: str, targets: Sequence[str], timezone: str) -> None:
    """Refuse a start whose targets somebody else is writing.

    Raises:
        RefusedError: An engine of another state folder is; who, where and since when.
    """
    for target in targets:
        if who := taken_by(Path(target), timezone):
            raise RefusedError(
                job=job,
                why=f"{target} is being written by {who}",
                way_out="Wait for its end, or give one of both another path",
            )


def _in_its_place(target: Path, *, is_folder: bool) -> str:
    """Why what stands there may not be replaced, empty where it may."""
    if is_folder and target.is_dir():
        found = foreign_file(target)
        return f"holds {found}, which no run has put there" if found else ""
    if is_folder or not target.is_file():
        # Renaming onto a device would replace it for the whole machine.
        kinds = ("a folder", target.is_dir()), ("a file", target.is_file())
        return f"is {next((kind for kind, so in kinds if so), 'no regular file')}"
    return ""
