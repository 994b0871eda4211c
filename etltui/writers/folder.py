"""A target that is a folder: made beside its place, known by its manifest, put there as a whole.

The manifest lists every file with its size and checksum, so its own checksum stands for all of
them. It also tells our folders from others: what a manifest does not list is never replaced.
"""

import ctypes
import errno
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from etltui.config.disk import sync_folder
from etltui.config.folders import foreign_file, remove
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.targets import MANIFEST, aside_path
from etltui.writers.chain import Chained, chain
from etltui.writers.part import crc_of, disk_errors

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
"""From Linux's <fcntl.h> and <linux/fs.h>."""
_NO_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}
"""Network file systems, old kernels, some containers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filed:
    """A part under the name that its file will have."""

    name: str
    receipt: Receipt


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    """A file as the manifest lists it."""

    name: str
    connection: str
    rows: int
    bytes: int
    crc32: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Manifest:
    """What a folder holds, and the names of the connections that it lacks."""

    files: tuple[_File, ...]
    missing: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.bytes for file in self.files)


def make_folder(
    folder: Path,
    parts: Path,
    files: Sequence[Filed],
    *,
    missing: Sequence[str],
) -> Published:
    """Make a folder with a file for each part, durable and read back; or leave nothing.

    Args:
        folder: Replaced if it exists; it must be a temporary one of ours.
        parts: That the receipts' paths are relative to.
        files: What goes into it.
        missing: Connections that have no part.

    Returns:
        Its checksum is the manifest's, its size that of all files.

    Raises:
        Failure: Of class `disk`, `target` or `corrupt`.
    """
    need = sum(file.receipt.bytes for file in files)
    with disk_errors(folder, ErrorClass.TARGET, need=need):
        remove(folder)
        folder.mkdir()
        try:
            return _filled(folder, parts, files, missing)
        except BaseException:
            remove(folder)
            raise


def _filled(
    folder: Path,
    parts: Path,
    files: Sequence[Filed],
    missing: Sequence[str],
) -> Published:
    listed: list[_File] = []
    members: list[Member] = []
    for file in files:
        made = chain(folder / file.name, parts, [file.receipt])
        listed.append(_listed(file, made))
        members += made.members
    manifest = _Manifest(files=tuple(listed), missing=tuple(missing))
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    written = chain(folder / MANIFEST, parts, [content])
    sync_folder(folder.parent)
    return Published(
        bytes=written.bytes + manifest.bytes,
        crc=written.crc,
        rows=sum(file.rows for file in listed),
        members=tuple(members),
    )


def _listed(file: Filed, made: Chained) -> _File:
    return _File(
        name=file.name,
        connection=file.receipt.connection,
        rows=file.receipt.rows,
        bytes=made.bytes,
        crc32=made.crc,
    )


def file_of(target: Path, member: Member) -> Path:
    """Where a member's bytes lie: in the target itself, or in a file that its manifest lists.

    Raises:
        OSError: There is no such target, or no manifest in it.
        LookupError: The manifest lists no such file.
        msgspec.DecodeError: The manifest is not as it was written.
    """
    if not target.is_dir():
        return target
    manifest = msgspec.json.decode((target / MANIFEST).read_bytes(), type=_Manifest)
    wanted = member.connection, member.length, member.crc
    files = {(file.connection, file.bytes, file.crc32): file.name for file in manifest.files}
    return target / files[wanted]


def is_published(folder: Path, published: Published) -> bool:
    """Whether a folder is what was published; the manifest is looked at before anything else."""
    try:
        content = (folder / MANIFEST).read_bytes()
        if zlib.crc32(content) != published.crc:
            return False
        manifest = msgspec.json.decode(content, type=_Manifest)
        return len(content) + manifest.bytes == published.bytes and all(
            _is_there(folder / file.name, file) for file in manifest.files
        )
    except (OSError, msgspec.DecodeError):
        return False


def _is_there(path: Path, file: _File) -> bool:
    right_size = path.is_file() and path.stat().st_size == file.bytes
    return right_size and crc_of(path, offset=0, length=file.bytes) == file.crc32


def deliver_folder(source: Path, final: Path, published: Published | None) -> bool:
    """Put a folder in its place as a whole; may be repeated after a crash. See `publish.deliver`.

    Where the file system can exchange two names nobody ever sees another folder than the old or
    the new one. Elsewhere the old one is moved aside first, and a crash in between is mended by
    the next call or the next start.

    Raises:
        OSError: The source is still there.
        Failure: Of class `target`; something else is in the way.
    """
    if published is not None:
        if is_published(final, published):
            # Who renamed it may have died, or failed, before the name was durable.
            sync_folder(final.parent)
            remove(source)
            remove(aside_path(final))
            return True
        if not is_published(source, published):
            return False
    elif not source.is_dir():
        return False
    _check_place(final)
    if final.exists():
        with suppress(OSError):  # shares know no modes, or only their own
            source.chmod(final.stat().st_mode & 0o777)
        if not exchange(source, final):
            _in_two_steps(source, final)
    else:
        source.rename(final)
    sync_folder(final.parent)
    # What bears the temporary name now is the old folder; the new one is safe.
    with suppress(OSError):
        remove(source)
        remove(aside_path(final))
    return True


def _in_two_steps(source: Path, final: Path) -> None:
    aside = aside_path(final)
    remove(aside)
    final.rename(aside)
    try:
        source.rename(final)
    except OSError:
        # Nobody is to miss the old one because the new one was refused.
        with suppress(OSError):
            aside.rename(final)
        raise


def _check_place(final: Path) -> None:
    if not final.exists():
        return
    if not final.is_dir():
        problem = "is no folder"
    elif found := foreign_file(final):
        problem = f"holds {found}, which is no file of an earlier run"
    else:
        return
    raise Failure(
        ErrorClass.TARGET,
        f"{final} {problem}; move it away or give the destination another path",
        {"path": str(final)},
    )


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system cannot, and nothing has changed.

    Raises:
        OSError: It can, and did not.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:  # pragma: no cover - a C library without it
        return False
    paths = os.fsencode(one), os.fsencode(other)
    if call(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))
