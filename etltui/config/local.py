"""What the program itself writes: the local file beside the operator's, never the operator's."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from etltui.config.document import local_path, merge, said
from etltui.config.files import replace_text
from etltui.domain.errors import ConfigError, Mistake

_HEAD = "# Written by etltui and laid over {name}; comments here are not kept.\n"


def write_local(path: Path, changes: Mapping[str, Any]) -> Path:
    """Write changes into the local file beside a configuration, keeping what else is there.

    They are not checked here: load the configuration with these `changes` first.

    Args:
        path: The operator's file, which is left alone.
        changes: Tables as TOML would nest them, such as `{"settings": {"max_jobs": 5}}`.

    Returns:
        The local file.

    Raises:
        ConfigError: The local file cannot be read or written; it is as it was.
    """
    import tomli_w  # noqa: PLC0415 - only who writes needs it

    local = local_path(path)
    with _alone(local.parent):
        before = said(local) or {}
        if isinstance(before, Mistake):
            raise ConfigError([before])
        text = _HEAD.format(name=path.name) + tomli_w.dumps(merge(before, changes, "", set()))
        replace_text(local, text, private=True)
    return local


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let nobody else write in between, so far as the disk knows of locks: a share may not."""
    with ExitStack() as stack:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
