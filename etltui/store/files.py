"""The database as files: how large they are, what lies beside them, how they are copied."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from etltui.domain.errors import StateError
from etltui.domain.words import size
from etltui.store.database import ERRORS, unusable
from etltui.store.folder import DATABASE, make_file, sync_folder
from etltui.store.health import Health, examine, look_into

BESIDE = ("-wal", "-shm", "")
"""The database last: as long as it is there, what belongs to it is."""
LARGE = 2 * 1024**3
"""Bytes of a database that is worth a look: a year of nights of 500 branches is half of it."""
LARGE_LOG = 256 * 1024**2
"""Bytes of a write-ahead log that somebody keeps from being merged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """What there is.

    Attributes:
        database: Its bytes; 0 where it is not there.
        log: Bytes of its write-ahead log.
        aside: Names of former databases that were set aside, the oldest first.
        aside_bytes: Of these together, and of what belongs to them.
    """

    database: int = 0
    log: int = 0
    aside: tuple[str, ...] = ()
    aside_bytes: int = 0

    @property
    def too_large(self) -> str:
        """Which file is larger than it should come to be, as a sentence; empty for none."""
        if self.log > LARGE_LOG:
            return (
                f"The write-ahead log of the state database has {size(self.log)}: a program reads "
                "it all the time, or no transaction ends"
            )
        if self.database > LARGE:
            return (
                f"The state database has {size(self.database)}: lower keep_runs_days, then "
                "`etltui state vacuum`"
            )
        return ""


def files(folder: Path) -> Files:
    """The files in a state folder, as far as they can be looked at."""
    others = [
        path for ending in ("damaged", "replaced") for path in folder.glob(f"{DATABASE}.{ending}-*")
    ]
    names = {path.name.removesuffix("-wal").removesuffix("-shm") for path in others}
    return Files(
        database=_bytes(folder / DATABASE),
        log=_bytes(folder / f"{DATABASE}-wal"),
        aside=tuple(sorted(names)),
        aside_bytes=sum(map(_bytes, others)),
    )


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def free_name(folder: Path, why: str, now: datetime) -> str:
    """A dated name that nothing has: two may be set aside within a second."""
    first = name = f"{DATABASE}.{why}-{now:%Y%m%d-%H%M%S}"
    number = 1
    while any(folder.glob(f"{name}*")):
        number += 1
        name = f"{first}-{number}"
    return name


def replace_database(folder: Path, new: Path, aside: str) -> None:
    """Put a database in the place of the present one, which gets another name.

    Raises:
        OSError: The folder cannot be written.
    """
    path = folder / DATABASE
    for ending in BESIDE:
        file = path.with_name(path.name + ending)
        if file.exists():
            file.rename(folder / f"{aside}{ending}")
    new.rename(path)
    sync_folder(folder)


def copy(source: Path, target: Path) -> Health:
    """Copy a database while others may write to it, and look at the copy.

    Args:
        source: The database.
        target: It must not be there; it is durable and whole, or not there.

    Raises:
        StateError: One of them cannot be used, or the copy is damaged: then so is the source.
        OSError: The target cannot be written.
    """
    if not source.exists():
        raise StateError(f"there is no state database {source}. The first run makes it")
    if target.exists():
        raise StateError(f"{target} is there already. Name a file that is not")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        descriptor = make_file(part)
        _copied(source, part)
        found = examine(part)
        if not found.sound:
            raise StateError(
                f"{source} is damaged: {found.why}. The next `etltui run` makes it anew; so does "
                "`etltui state rebuild`",
            )
        os.fsync(descriptor)
        os.close(descriptor)
        part.rename(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)
    return found


def _copied(source: Path, target: Path) -> None:
    try:
        with closing(look_into(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            # The copy is one file, wherever it goes.
            new.execute("PRAGMA journal_mode = DELETE")
    except ERRORS as error:
        raise unusable(source, error) from error


def work_on(path: Path, statements: Sequence[str]) -> None:
    """Run statements on a database that nobody else has open.

    Raises:
        StateError: They fail.
    """
    if not path.exists():
        raise StateError(f"there is no state database {path}. The first run makes it")
    try:
        with closing(look_into(path, mode="rw")) as database:
            database.isolation_level = None
            database.executescript(";\n".join(statements))
    except ERRORS as error:
        raise unusable(path, error) from error
