"""The state folder is private: its owner alone may look, whatever the umask says."""

import os
from collections.abc import Collection
from pathlib import Path

from etltui.config.disk import lacking
from etltui.domain.errors import StateError

DATABASE = "state.db"
_FOLDER = 0o700
_FILE = 0o600


def make_folder(folder: Path) -> None:
    """Make the folder with mode 0700, or give an existing one that mode.

    Raises:
        StateError: It cannot be made, or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        folder.chmod(_FOLDER)
    except OSError as error:
        raise StateError(
            f"the state folder {folder} cannot be used: {error.strerror}. "
            "Use a folder of your own with --state-dir",
        ) from error


def refuse_others(folder: Path, ours: Collection[str]) -> None:
    """Refuse a folder that holds things but nothing of ours.

    It is left as it is: making it private might lock out whoever uses it.

    Raises:
        StateError: It is such a folder, or cannot be looked into.
    """
    try:
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    except OSError as error:
        raise StateError(f"the state folder {folder} cannot be used: {error.strerror}") from error
    if names and not names & set(ours):
        raise StateError(
            f"the state folder {folder} holds other things, such as {min(names)}. "
            "Use a folder of your own with --state-dir",
        )


def make_file(path: Path) -> int:
    """Open a file for reading and writing with mode 0600, made if it is not there.

    Programs that are started later do not inherit the descriptor (PEP 446).

    Raises:
        StateError: It cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _FILE)
    except OSError as error:
        reason = f"{error.strerror}{lacking(path, error)}"
        raise StateError(f"{path} cannot be opened: {reason}") from error
    os.fchmod(descriptor, _FILE)
    return descriptor


def sync_folder(folder: Path) -> None:
    """Make the folder's list of names durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary(path: Path) -> Path:
    """Always the same name, so that what a kill leaves is overwritten and never piles up."""
    return path.with_name(f".{path.name}.tmp")


def delete_file(path: Path) -> None:
    """Delete what `replace_file` has made, and what it left where it was killed or failed.

    Raises:
        OSError: It is still there.
    """
    path.unlink(missing_ok=True)
    _temporary(path).unlink(missing_ok=True)


def replace_file(path: Path, content: bytes) -> None:
    """Put content in a file's place, durably: a reader sees all of the old or all of the new.

    Raises:
        StateError: The file or its folder cannot be made.
        OSError: It cannot be written; the former one is as it was.
    """
    make_folder(path.parent)
    temporary = _temporary(path)
    descriptor = make_file(temporary)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.truncate()
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    sync_folder(path.parent)


def make_private(path: Path) -> None:
    """Make an empty database file with mode 0600 durably, or give an existing one that mode.

    Its `-wal` and `-shm` are treated alike; SQLite gives later ones the mode of the database. An
    existing file is not opened: closing it would drop the locks that SQLite holds on it for this
    process.

    Raises:
        StateError: It cannot be made, or belongs to somebody else.
    """
    if not path.exists():
        os.close(make_file(path))
        sync_folder(path.parent)
    try:
        for file in (path, *path.parent.glob(f"{path.name}-*")):
            file.chmod(_FILE)
    except OSError as error:
        raise StateError(f"{path} cannot be made private: {error.strerror}") from error
