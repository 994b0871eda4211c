"""Whether somebody has a target open, as the owner file beside it says; or has locked it."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from etltui.domain.owner_file import is_owner_file, owner, owner_files

FORGOTTEN_S = 7 * 24 * 3600.0
"""An owner file that is older was left by a program that crashed: nobody has a file open so long.
"""
_MOST = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who keeps a target from being replaced.

    Attributes:
        why: For a file's name: `held by Anna`, `read-only`.
        words: For a sentence, with the file that says so and since when.
    """

    why: str
    words: str


def holder(target: Path, now: datetime) -> Holder | None:
    """Who has a target open, None where nobody has, or nothing says so.

    On POSIX an owner file keeps nobody from renaming; but whoever has the old file open saves it
    over the new one, or loses what he has written.

    Args:
        target: A file, or a folder whose files count.
        now: With the zone of the times in the words.

    Raises:
        OSError: Its folder cannot be read.
    """
    for path in _owner_files(target):
        try:
            since = path.stat().st_mtime
        except FileNotFoundError:
            continue
        if now.timestamp() - since <= FORGOTTEN_S:
            who = owner(path.name, _content(path)) or "somebody"
            return Holder(
                why=f"held by {who}",
                words=f"is held by {who} since {_moment(since, now.tzinfo)}: {path.name} says so",
            )
    if target.is_file() and not stat.S_IMODE(target.stat().st_mode) & 0o222:
        return Holder(why="read-only", words="is read-only")
    return None


def _owner_files(target: Path) -> Iterator[Path]:
    yield from owner_files(target)
    if target.is_dir():
        yield from sorted(path for path in target.iterdir() if is_owner_file(path.name))


def _content(path: Path) -> bytes:
    """What an owner file says; nothing where its program lets nobody read it."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST)
    except OSError:
        return b""


def _moment(at: float, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"
