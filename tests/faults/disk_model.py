"""A disk that forgets: what may be left of files and names when the power goes.

Data that was not synced since may be there, be lost, be there in part (by sectors), or be zeros.
Names that were made, taken away or exchanged since their folder was synced may have been so or
not, each for itself, a rename as one. What was synced is there.
"""

import hashlib
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from faults.shim import Kind, Operation

SECTOR = 512


@dataclass
class _File:
    """A file's bytes as they are safe, and what was done to them since."""

    safe: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | int]] = field(default_factory=list)
    doomed: int = 0
    """So many of these were dropped by a sync that failed: a later one does not save them."""

    def sync(self) -> None:
        for offset, what in self.since[self.doomed :]:
            apply(self.safe, offset, what)
        self.since, self.doomed = [], 0


@dataclass
class _Folder:
    """Names as they are safe, as they are, and the changes in between."""

    safe: dict[str, int] = field(default_factory=dict)
    now: dict[str, int] = field(default_factory=dict)
    since: list[int] = field(default_factory=list)
    """Numbers of the changes, in order."""


_OF_FILES = {Kind.WRITE, Kind.TRUNCATE, Kind.SYNC, Kind.SYNC_FAILED}
Change = list[tuple[int, str, int]]
"""Folder, name, and the inode that it names; 0 for a name taken away. Done as one."""


def apply(data: bytearray, offset: int, what: bytes | int) -> None:
    """Write bytes at an offset, or cut or extend to a length."""
    length = what if isinstance(what, int) else offset + len(what)
    if len(data) < length:
        data.extend(bytes(length - len(data)))
    if isinstance(what, int):
        del data[what:]
    else:
        data[offset:length] = what


class Disk:
    """What operations leave behind.

    Args:
        roots: Folders that are there and stay.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self.roots = [(path, path.stat().st_ino) for path in roots]
        self._files: dict[int, _File] = {}
        self._folders: dict[int, _Folder] = {}
        self._changes: dict[int, Change] = {}
        self._count = 0
        for path, _ in self.roots:
            self._take(path)

    def _take(self, path: Path) -> int:
        inode = path.stat().st_ino
        if path.is_dir():
            names = {each.name: self._take(each) for each in path.iterdir()}
            self._folders[inode] = _Folder(safe=dict(names), now=names)
        else:
            self._files[inode] = _File(safe=bytearray(path.read_bytes()))
        return inode

    def _at(self, path: str) -> tuple[int, str]:
        """The folder of a path, and the name in it."""
        for root, top in self.roots:
            if path.startswith(f"{root}/"):
                *between, name = path[len(str(root)) + 1 :].split("/")
                inode = top
                for each in between:
                    inode = self._folders[inode].now[each]
                return inode, name
        raise LookupError(path)

    def _change(self, *changes: tuple[str, int]) -> None:
        self._count += 1
        done: Change = [(*self._at(path), inode) for path, inode in changes]
        self._changes[self._count] = done
        for folder, name, inode in done:
            _put(self._folders[folder].now, name, inode)
            self._folders[folder].since.append(self._count)

    def do(self, operation: Operation) -> None:
        """Take in the next operation."""
        if operation.kind in _OF_FILES:
            self._do_file(operation)
        elif operation.kind is Kind.SYNC_FOLDER:
            self._sync_folder(operation.inode)
        else:
            self._do_name(operation)

    def _do_file(self, operation: Operation) -> None:
        if operation.kind is Kind.SYNC_FAILED and operation.inode in self._folders:
            return
        file = self._files[operation.inode]
        match operation.kind:
            case Kind.WRITE:
                file.since.append((operation.offset, operation.data))
            case Kind.TRUNCATE:
                file.since.append((0, operation.length))
            case Kind.SYNC:
                file.sync()
            case Kind.SYNC_FAILED:
                file.doomed = len(file.since)

    def _do_name(self, operation: Operation) -> None:
        inode, name, second = operation.inode, operation.name, operation.second
        match operation.kind:
            case Kind.OPEN | Kind.LINK:
                self._files.setdefault(inode, _File())
                self._change((second or name, inode))
            case Kind.MKDIR:
                self._folders[inode] = _Folder()
                self._change((name, inode))
            case Kind.RENAME:
                self._change((name, 0), (second, inode))
            case Kind.EXCHANGE:
                self._change((name, operation.other), (second, inode))
            case Kind.UNLINK | Kind.RMDIR:
                self._change((name, 0))

    def _sync_folder(self, inode: int) -> None:
        folder = self._folders.get(inode)
        if folder is not None:
            folder.safe, folder.since = dict(folder.now), []

    def cut(self, chance: random.Random) -> "Left":
        """One of the many things that may be left if the power goes now."""
        names, data = chance.choice(_MOODS)
        kept = {
            number
            for folder in self._folders.values()
            for number in folder.since
            if _likely(names, chance)
        }
        folders = {}
        for inode, folder in self._folders.items():
            left = dict(folder.safe)
            for number in folder.since:
                if number in kept:
                    for where, name, what in self._changes[number]:
                        if where == inode:
                            _put(left, name, what)
            folders[inode] = left
        files = {inode: _left(file, data, chance) for inode, file in self._files.items()}
        return Left(self.roots, folders, files)


_MOODS = [
    *[(names, data) for names in ("all", "none", "some") for data in ("all", "none", "some")],
    ("all", "torn"),
    ("all", "zeros"),
    ("some", "torn"),
    ("some", "zeros"),
]
"""What happens to names and what to data: names may be written first, or data, or neither."""


def _likely(mood: str, chance: random.Random) -> bool:
    return mood == "all" or (mood == "some" and chance.random() < 0.5)


def _put(names: dict[str, int], name: str, inode: int) -> None:
    if inode:
        names[name] = inode
    else:
        names.pop(name, None)


def _left(file: _File, mood: str, chance: random.Random) -> bytes:
    if not file.since:
        return bytes(file.safe)
    data = bytearray(file.safe)
    for number, (offset, what) in enumerate(file.since):
        if number < file.doomed:
            continue
        if mood in {"all", "none", "some"} or isinstance(what, int):
            if _likely("some" if mood in {"torn", "zeros"} else mood, chance):
                apply(data, offset, what)
        elif mood == "zeros":
            # The new length is written before the data: where there was some it stays.
            apply(
                data, offset, what if chance.random() < 0.5 else data[offset : offset + len(what)]
            )
            apply(data, max(len(data), offset + len(what)), b"")
        else:
            _tear(data, offset, what, chance)
    return bytes(data)


def _tear(data: bytearray, offset: int, what: bytes, chance: random.Random) -> None:
    """Write some of the sectors that a write touches."""
    at = 0
    while at < len(what):
        end = min(len(what), (offset + at) // SECTOR * SECTOR + SECTOR - offset)
        if chance.random() < 0.5:
            apply(data, offset + at, what[at:end])
        at = end


@dataclass
class Left:
    """Folders and files as a program finds them after the power came back."""

    roots: list[tuple[Path, int]]
    folders: dict[int, dict[str, int]]
    files: dict[int, bytes]

    def tree(self) -> dict[str, bytes | None]:
        """From each path to what it holds; None for a folder."""
        found: dict[str, bytes | None] = {}

        def walk(path: str, inode: int) -> None:
            if inode in self.files:
                found[path] = self.files[inode]
                return
            found[path] = None
            for name, below in self.folders[inode].items():
                walk(f"{path}/{name}", below)

        for path, inode in self.roots:
            walk(str(path), inode)
        return found

    def mark(self) -> str:
        """The same for what is the same."""
        told = hashlib.sha1(usedforsecurity=False)
        for path, data in sorted(self.tree().items()):
            told.update(f"{path}\0{-1 if data is None else len(data)}\0".encode())
            told.update(data or b"")
        return told.hexdigest()

    def make(self) -> None:
        """Put it on the real disk in the place of what is there."""
        for path, _ in self.roots:
            shutil.rmtree(path, ignore_errors=True)
        for name, data in self.tree().items():
            path = Path(name)
            if data is None:
                path.mkdir(mode=0o700)
            else:
                path.write_bytes(data)
                path.chmod(0o600)
