"""Files that an operator asks the console to write: new, never in another's place."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path


def write_new(path: Path, text: str) -> Path:
    """Write a file that was not there before, for its owner alone; where it is.

    Raises:
        OSError: It is there already, or cannot be made.
    """
    place = path.expanduser()
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return place


def why_not_written(path: Path, error: OSError) -> str:
    """Why a file could not be written, and what to do."""
    if isinstance(error, FileExistsError):
        return f"{path} is there already; choose another name"
    return f"{path} cannot be written: {error.strerror}"


def as_csv(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Lines as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return out.getvalue()
