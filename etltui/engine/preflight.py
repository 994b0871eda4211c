"""Whether a target can be written at all: asked before anything is read."""

import os
from pathlib import Path

from etltui.engine.space import existing


def obstacle(target: Path, state: Path) -> str:
    """What stands in the way of a target, in words; empty where nothing does.

    Args:
        target: Absolute.
        state: The state folder, which no target may lie in.
    """
    if target.is_relative_to(state):
        return f"{target} lies in the state folder"
    if target.exists() and not target.is_file():
        # Renaming onto a device would replace it for the whole machine.
        return f"{target} is {'a folder' if target.is_dir() else 'no regular file'}"
    folder = existing(target.parent)
    if not folder.is_dir():
        return f"{folder} is no folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} may not be written"
    return ""
