"""Folders that a power cut does not take away, and what is said of a disk that is full."""

import errno
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from etltui.config.file_systems import NETWORK, file_system

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LEAST = 16 * 1024 * 1024
"""Bytes that a few small files and the state database may take."""
_NO_PROMISE = frozenset({errno.EINVAL, errno.ENOTSUP})
_SHARES_REFUSE = frozenset({errno.EIO, errno.EBADF, errno.EACCES, errno.EPERM, errno.ENOSYS})
"""What CIFS servers say to a folder's fsync, or to opening one for it. A local disk that says so
is broken."""

_log = logging.getLogger(__name__)
_told: set[str] = set()


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable; a share that cannot is left at its own promise, told once.

    Raises:
        OSError: They may be lost.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno not in _NO_PROMISE:
            if error.errno not in _SHARES_REFUSE or file_system(folder) not in NETWORK:
                raise
            if str(folder) not in _told:
                _told.add(str(folder))
                _log.warning("%s keeps names as its share promises: %s", folder, error.strerror)


def make_durable(folder: Path) -> None:
    """Make a folder and those above it, so that what is put into it cannot be lost with its name.

    Raises:
        OSError: One could not be made, or its name may be lost.
    """
    made = folder
    missing = []
    while not made.exists():
        missing.append(made)
        made = made.parent
    if os.access(made.parent, os.R_OK):
        # Whoever made it may have been killed before its name was durable.
        sync_folder(made.parent)
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)
    folder.mkdir(exist_ok=True)  # refuses a file of that name


def lacking(path: str | Path, error: OSError, need: int = LEAST) -> str:
    """What a full disk has and what is needed, as the end of a sentence; empty of other errors.

    Args:
        path: On that disk.
        error: Why something could not be written.
        need: Bytes, at least.
    """
    if error.errno not in FULL:
        return ""
    mount = Path(path).absolute()
    while not mount.exists() or not mount.is_mount():
        mount = mount.parent
    free = ""
    with suppress(OSError):
        free = f"has {shutil.disk_usage(mount).free:,} bytes free and "
    return f"; the disk at {mount} {free}needs at least {max(need, 1):,}"
