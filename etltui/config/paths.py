"""A path as an operator writes it: from a folder, with `~` for the home folder."""

import os
from pathlib import Path


def expanded(text: str) -> str:
    """The text with a leading `~` or `~name` replaced, as it is where there is no such home."""
    return os.path.expanduser(text)  # noqa: PTH111 - Path's own raises where there is none


def located(text: str, folder: Path) -> Path:
    """The path that a text names, a relative one from the folder."""
    return folder / expanded(text)
