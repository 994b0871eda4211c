"""Builds the shim, and says from Python what is to go wrong at which operation.

The shim is a small C library that the subjects of these tests are started with (LD_PRELOAD): the
product knows nothing of it. Where there is no C compiler these tests are skipped.
"""

import ctypes
import errno
import hashlib
import mmap
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
_VARIABLE = "FAULTS_SHIM"
_JOURNAL = 64 << 20
ENGINE, EXTRACTOR = 1, 2
ROLES = {ENGINE: "engine", EXTRACTOR: "extractor"}


class Kind(IntEnum):
    """What a program does."""

    OPEN = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    SYNC_FOLDER = 5
    RENAME = 6
    EXCHANGE = 7
    LINK = 8
    UNLINK = 9
    MKDIR = 10
    RMDIR = 11
    SPAWN = 12
    MESSAGE = 13
    NOTE = 14
    SYNC_FAILED = 15


class How(IntEnum):
    """What goes wrong."""

    NOTHING = 0
    BEFORE = 1
    AFTER = 2
    TORN = 3
    FAIL = 4


class Control(ctypes.Structure):
    """The memory that all processes of a trial share; the twin of the shim's own."""

    _fields_ = (
        *((name, ctypes.c_long) for name in ("role", "nth", "how", "error", "sticky")),
        ("hit", ctypes.c_long),
        ("hit_kind", ctypes.c_long),
        ("count", ctypes.c_long * 4),
        ("kinds", (ctypes.c_long * 16) * 4),
        ("broken", ctypes.c_long * 3),
        ("again", ctypes.c_long),
        ("poison", ctypes.c_long * 64),
        ("poisons", ctypes.c_long),
        *((name, ctypes.c_long) for name in ("lock", "recording", "used", "size", "lost")),
        ("root", (ctypes.c_char * 512) * 3),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What goes wrong in a trial.

    Attributes:
        role: In which process.
        nth: At which of its operations, from 1.
        error: Of a call that fails.
        lasts: Whether the whole disk fails from then on.
    """

    role: int
    nth: int
    how: How
    error: int = 0
    lasts: bool = False

    def __str__(self) -> str:
        what = f"{errno.errorcode[self.error]} at" if self.error else f"killed {self.how.name} at"
        return f"{ROLES[self.role]} {what.lower() if not self.error else what} {self.nth}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry of the journal."""

    kind: Kind
    role: int
    inode: int
    other: int
    offset: int
    length: int
    name: str
    second: str
    data: bytes


class Shim:
    """The shim as it is loaded in this process; shared with those that are forked from it."""

    _RECORD = struct.Struct("9l")

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._memory = mmap.mmap(-1, ctypes.sizeof(Control))
        self._journal = mmap.mmap(-1, _JOURNAL)
        self.control = Control.from_buffer(self._memory)
        journal = ctypes.addressof(ctypes.c_char.from_buffer(self._journal))
        self._library.faults_use(ctypes.byref(self.control), ctypes.c_void_p(journal))

    def arm(
        self,
        fault: Fault | None,
        state: Path,
        output: Path,
        *,
        record: bool = False,
        goes_on: bool = False,
    ) -> None:
        """Forget the trial before, and say what is to go wrong in the next one.

        Args:
            fault: What goes wrong.
            state: One folder whose operations count.
            output: Another one, on another disk.
            record: Whether a journal is kept.
            goes_on: Whether it is that of the trial before.
        """
        control = self.control
        used = control.used if goes_on else 0
        ctypes.memset(ctypes.byref(control), 0, ctypes.sizeof(Control))
        control.used = used
        control.root[1].value = os.fsencode(state)
        control.root[2].value = os.fsencode(output)
        control.size, control.recording = _JOURNAL, record
        if fault is not None:
            control.role, control.nth, control.how = fault.role, fault.nth, fault.how
            control.error, control.sticky = fault.error, fault.lasts

    def be(self, role: int) -> None:
        """Play this part from now on."""
        self._library.faults_role(ctypes.c_long(role))

    def talk(self, fd: int) -> None:
        """Count what is sent over a socket."""
        self._library.faults_talk(fd)

    def point(self, kind: Kind) -> None:
        """Pass a point at which this process may have to die."""
        self._library.faults_point(int(kind))

    def note(self, text: str) -> None:
        """Record what the program has told the world."""
        self._library.faults_note(text.encode())

    def operations(self) -> Iterator[Operation]:
        """What was recorded, in order."""
        if self.control.lost:
            raise AssertionError(f"{self.control.lost} operations were not recorded")
        at = 0
        while at < self.control.used:
            row = self._RECORD.unpack_from(self._journal, at)
            size, kind, role, inode, other, offset, length, name, second = row
            start = at + self._RECORD.size
            texts = self._journal[start : start + name + second].decode()
            start += name + second
            data = self._journal[start : start + length] if kind == Kind.WRITE else b""
            yield Operation(
                Kind(kind), role, inode, other, offset, length, texts[:name], texts[name:], data
            )
            at += size


def missing() -> str:
    """Why there can be no shim here; empty where there can."""
    if not sys.platform.startswith("linux"):
        return "the shim is made for Linux"
    return "" if shutil.which("cc") or shutil.which("gcc") else "there is no C compiler"


def build() -> Path:
    """The library; compiled once for each source."""
    source = SOURCE.read_bytes()
    folder = Path(tempfile.gettempdir()) / f"etltui-faults-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    library = folder / f"{hashlib.sha256(source).hexdigest()[:16]}.so"
    if not library.exists():
        made = library.with_suffix(f".{os.getpid()}")
        compiler = shutil.which("cc") or shutil.which("gcc") or "cc"
        flags = ["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(made)]
        subprocess.run([compiler, *flags, str(SOURCE), "-ldl"], check=True)
        made.replace(library)
    return library


def loaded() -> bool:
    """Whether this process was started with the shim."""
    return os.environ.get(_VARIABLE) == "1"


def environment() -> dict[str, str]:
    """Of a process that is to have the shim."""
    roots = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    return {
        **os.environ,
        _VARIABLE: "1",
        "LD_PRELOAD": str(build()),
        "PYTHONPATH": os.pathsep.join([*roots, os.environ.get("PYTHONPATH", "")]),
    }
