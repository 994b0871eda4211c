"""Text files: what one holds or why it cannot be had, and how one is replaced in one step."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from etltui.domain.errors import ConfigError, Mistake


def _content(path: Path) -> bytes | Mistake | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the path
        return Mistake(
            where=str(path),
            key="",
            problem=f"cannot be read: {getattr(fault, 'strerror', None) or fault}",
            way_out="Check the path and who may read it",
        )


def text_of(path: Path) -> str | Mistake | None:
    """A file's text, None where there is no file, or why it cannot be read. Never raises."""
    content = _content(path)
    if not isinstance(content, bytes):
        return content
    try:
        # Windows editors put a mark before the first byte.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        column = fault.start - content.rfind(b"\n", 0, fault.start)
        return Mistake(
            where=str(path),
            key="",
            problem=f"is not UTF-8 (at line {line}, column {column})",
            way_out="Save it as UTF-8",
        )


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _take_owner(descriptor: int, path: Path) -> None:
    """Leave to its owner what the superuser writes: the service must still be able to read it."""
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.parent).stat()
        with suppress(PermissionError):  # a share, on which root is a stranger
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _write(path: Path, text: str, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            _take_owner(descriptor, path)
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def replace_text(path: Path, text: str, *, private: bool = False) -> None:
    """Put a text in a file's place, so that a reader sees all of the old or all of the new.

    A link stays, and what it leads to is replaced. The permissions stay as they were; a new file
    is its owner's alone.

    Args:
        path: The file.
        text: Written as UTF-8.
        private: Whether nobody but the owner may read it, whatever was before.

    Raises:
        ConfigError: It cannot be written; the old one is still there.
    """
    try:
        place = path.resolve()
        _write(place, text, 0o600 if private else _mode(place) or 0o600)
    except (OSError, ValueError) as fault:  # ValueError: a NUL in the path
        raise ConfigError(
            [
                Mistake(
                    where=str(path),
                    key="",
                    problem=f"cannot be written: {getattr(fault, 'strerror', None) or fault}",
                    way_out="Check the folder, who may write to it, and the space on its disk",
                ),
            ],
        ) from fault
