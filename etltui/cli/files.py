"""Files that a command writes because it was asked to: new, whole, for their owner alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from etltui.domain.errors import misused


@contextmanager
def new_file(path: Path, key: str) -> Iterator[TextIO]:
    """A file that was not there before, with mode 0600; what ends in an error leaves none.

    Args:
        path: Never overwritten.
        key: The option or argument that names it, for the message.

    Raises:
        ConfigError: It is there already, or cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        problem = f"{path} cannot be made: {(error.strerror or 'no reason').lower()}"
        way_out = "Name a file that is not there yet, in a folder that you may write"
        raise misused(key, problem, way_out) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
