"""Who writes a target: a file beside it, for engines of other state folders and other machines.

Made with O_EXCL, the one thing that every share does as it should: no flock, no link, no folder's
fsync. A holder that died on this machine is known by its process; one of another machine by a file
that nobody has touched for a while, by the clock of the machine that keeps the file.
"""

import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.safe_text import safe_text
from etltui.domain.targets import lock_path
from etltui.domain.words import moment

STALE_S = 300.0
"""After so long without a touch a holder on another machine counts as dead."""
BEAT_S = 60.0
"""How often a holder touches what it holds."""
UNWRITTEN_S = 5.0
"""So long a lock may be without its holder's words: who is killed or loses power in between leaves
it so. Who is slower finds another's words in it, and gives way."""
HOLDER = "holder"
"""The fact of a failure that tells who writes the target."""
_TRIES = 5
_MOST = 65536

_numbers = count()
_ours: set[str] = set()
"""Tokens of what this process holds."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a lock.

    Attributes:
        started: When the process began, in the kernel's ticks: its number alone may be another's.
        machine: The kernel's start and the process numbers' space: another one of the same name
            is another machine.
        since: Unix time in seconds.
        token: Of this holding alone.
    """

    host: str
    pid: int
    started: int
    machine: str
    state: str
    job: str
    run: str
    since: float
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """A target that this process writes and nobody else; see `take`."""

    path: Path
    token: str

    def beat(self) -> bool:
        """Show that the holder lives; False where it is somebody else's by now.

        Raises:
            OSError: It cannot be touched at this moment.
        """
        record = _read(self.path)
        if record is None or record.token != self.token:
            return False
        # Written, not set: so it gets the time of the machine that keeps it.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, msgspec.json.encode(record), 0)
        finally:
            os.close(descriptor)
        return True

    def release(self) -> None:
        """Let it go; nothing stays.

        Raises:
            OSError: It is still there. Whoever wants it finds that its holder is dead.
        """
        _ours.discard(self.token)
        record = _read(self.path)
        if record is not None and record.token == self.token:
            self.path.unlink(missing_ok=True)


def take(target: Path, *, state: Path, job: str, run: str, now: float, timezone: str = "") -> Lock:
    """Be the one who writes a target, until `Lock.release`.

    Args:
        target: Its folder is there.
        state: The state folder, for whoever finds it taken.
        job: Likewise.
        run: Likewise.
        now: Unix time in seconds, likewise.
        timezone: Of the times in words.

    Raises:
        Failure: Of class `target`, with the fact `holder`: somebody else writes it.
        OSError: The lock cannot be made.
    """
    path, token = lock_path(target), _token()
    record = Record(
        host=socket.gethostname(),
        pid=os.getpid(),
        started=started(os.getpid()),
        machine=machine(),
        state=str(state),
        job=job,
        run=run,
        since=now,
        token=token,
    )
    for _ in range(_TRIES):
        if _made(path, record):
            _ours.add(token)
            return Lock(path=path, token=token)
        found = _read(path)
        if not _is_dead(path, found, token):
            raise _taken(target, path, found, timezone)
        _take_away(path, found, token)
    raise _taken(target, path, None, timezone)


def taken_by(target: Path, timezone: str = "") -> str:
    """Who else writes a target, in words; empty where nobody does or it cannot be told."""
    path = lock_path(target)
    try:
        if not path.exists():
            return ""
        found = _read(path)
        if found is not None and found.token in _ours and found.machine == machine():
            return ""
        return "" if _is_dead(path, found, _token()) else _words(path, found, timezone)
    except OSError:
        return ""


def started(pid: int) -> int:
    """When a process began, in ticks since the machine did; 0 where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # proc_pid_stat(5): the 22nd field; the second may hold blanks and brackets.
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def machine() -> str:
    """What tells this machine since its start, and this container, from any other."""
    boot = space = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    return f"{boot} {space}".strip()


def _token() -> str:
    """What nobody else has; it becomes part of a file's name."""
    return f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}-{next(_numbers)}"


def _made(path: Path, record: Record) -> bool:
    """Make the lock; False where there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, msgspec.json.encode(record))
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)
    # A share may answer the second of two calls that it got twice.
    found = _read(path)
    return found is not None and found.token == record.token


def _read(path: Path) -> Record | None:
    """What stands in a lock; None where there is none, or nothing that can be read."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MOST), type=Record)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _is_dead(path: Path, found: Record | None, token: str) -> bool:
    """Whether whoever holds it cannot come back to it."""
    if found is not None and found.started and found.machine == machine():
        if found.pid == os.getpid() and found.started == started(found.pid):
            return found.token not in _ours
        return started(found.pid) != found.started
    return _age(path, token) > (UNWRITTEN_S if found is None else STALE_S)


def _age(path: Path, token: str) -> float:
    """Seconds since a lock was touched, by the clock of whoever keeps the folder."""
    probe = path.with_name(f"{path.name}.{token}")
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            return probe.stat().st_mtime - path.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)
    except FileNotFoundError:
        return 0.0


def _take_away(path: Path, found: Record | None, token: str) -> None:
    """Remove a dead lock, and no other one that has come in its place meanwhile."""
    aside = path.with_name(f"{path.name}.{token}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    moved = _read(aside)
    if moved is not None and moved != found:
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            try:
                os.write(descriptor, msgspec.json.encode(moved))
            finally:
                os.close(descriptor)
    aside.unlink(missing_ok=True)


def _taken(target: Path, path: Path, found: Record | None, timezone: str) -> Failure:
    who = _words(path, found, timezone)
    return Failure(
        ErrorClass.TARGET,
        f"{target} is being written by {who}",
        {"path": str(target), HOLDER: who},
    )


def _words(path: Path, found: Record | None, timezone: str) -> str:
    if found is None:
        return f"another engine, which has just begun: {path.name} says so"
    away = (
        ""
        if found.machine == machine()
        else (
            f"; if it has crashed, it counts as gone {STALE_S / 60:.0f} min after it last touched "
            f"{path.name}"
        )
    )
    since = moment(found.since, timezone)
    return safe_text(
        f"process {found.pid} on host {found.host} (job {found.job}, run {found.run}, since "
        f"{since}, state folder {found.state}){away}"
    )
