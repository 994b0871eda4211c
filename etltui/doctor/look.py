"""Looks at files and the kernel; each function may block for as long as a disk takes."""

import json
import os
import platform
import resource
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil

from etltui.config.file_systems import file_system
from etltui.config.memory import available
from etltui.config.schema import Config
from etltui.config.secrets import resolve
from etltui.config.templates import render
from etltui.doctor.drivers import CORE, SPEED
from etltui.doctor.facts import Disk, Folder, Holder, Machine, Past
from etltui.domain.errors import Failure, StateError
from etltui.engine.log_files import LogLine, backwards, opened
from etltui.engine.preflight import obstacle
from etltui.engine.space import device, existing, free_bytes
from etltui.store.folder import DATABASE, refuse_others
from etltui.store.lock import LOCK
from etltui.store.mirror import FOLDER

_LINES = 2000
_MB = 1024 * 1024
_SOON_S = 2.0
"""What two clocks may differ by: that of the lock and that of the kernel."""
_OWN = "etltui-doctor-"


def log_tail(folder: Path) -> tuple[LogLine, ...]:
    """The last lines of the log, the oldest first; none where it cannot be read."""
    with suppress(OSError), opened(folder) as files:
        return tuple(islice(backwards(files), _LINES))[::-1]
    return ()


def folder(state: Path) -> Folder:
    """The state folder as it is."""
    if not state.exists():
        near = existing(state)
        problem = _unusable(near)
        obstacle = f"{state} cannot be made: {problem}" if problem else ""
        return Folder(path=state, obstacle=obstacle, file_system=file_system(near))
    return Folder(
        path=state,
        obstacle=_obstacle(state),
        mode=state.stat().st_mode & 0o7777,
        file_system=file_system(state),
        journal=journal(state) if (state / DATABASE).exists() else None,
    )


def _unusable(near: Path) -> str:
    """Why no folder can be made there, empty where one can."""
    if not near.is_dir():
        return f"{near} is no folder"
    if not os.access(near, os.W_OK | os.X_OK):
        return f"{near} may not be written"
    try:
        # The superuser may write anywhere, even where the kernel makes nothing (/proc).
        with tempfile.TemporaryDirectory(prefix=_OWN, dir=near):
            return ""
    except OSError as error:
        return f"{near} takes no folder: {error.strerror}"


def _obstacle(state: Path) -> str:
    if not state.is_dir():
        return f"{state} is no folder"
    try:
        refuse_others(state, {LOCK, DATABASE})
    except StateError as error:
        return str(error)
    if state.stat().st_uid != os.geteuid():
        return f"{state} belongs to somebody else"
    if not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        return f"{state} may not be written"
    return ""


def journal(state: Path) -> str:
    """Why a database beside ours could not be kept safe, empty where it could."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix=_OWN, dir=state) as trial,
            closing(sqlite3.connect(Path(trial) / "trial.db")) as database,
        ):
            (mode,) = database.execute("PRAGMA journal_mode = WAL").fetchone()
            database.execute("CREATE TABLE trial (x)")
            return "" if mode == "wal" else f"the disk of {state} allows no write-ahead log"
    except (OSError, sqlite3.Error) as error:
        return f"a database in {state} cannot be written: {error}"


def holder(state: Path) -> Holder | None:
    """What the lock says; None where nobody has written into it."""
    try:
        words = json.loads((state / LOCK).read_bytes())
        pid = int(words["pid"])
        started = datetime.fromisoformat(words["started"]).timestamp()
        command, host = str(words["command"]), str(words["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        begun = psutil.Process(pid).create_time()
    except (psutil.Error, OSError, ValueError, OverflowError):
        return Holder(pid=pid, host=host, command=command, started=started, alive=False)
    return Holder(
        pid=pid,
        host=host,
        command=command,
        started=started,
        alive=True,
        other=begun > started + _SOON_S,
    )


def disks(config: Config | None, state: Path, past: Sequence[Past]) -> tuple[Disk, ...]:
    """Each file system that runs write to, with what the newest whole run of each job wrote."""
    found: dict[int, tuple[Path, int]] = {}
    away = []
    for place, need in _written(config, state, past).items():
        near = existing(place)
        try:
            number = device(near)
            first, so_far = found.get(number, (near, 0))
            found[number] = (first, so_far + need)
        except OSError:
            away.append(Disk(folder=near, free=None, need=need))
    return tuple(_disk(near, need) for near, need in found.values()) + tuple(away)


def _written(config: Config | None, state: Path, past: Sequence[Past]) -> dict[Path, int]:
    """Bytes by folder: each target in its own, and once more as parts in the state folder."""
    wrote = {state: 0}
    for job in config.jobs.values() if config else ():
        for destination in job.destinations:
            if destination.path and "{" not in destination.path.rpartition("/")[0]:
                wrote.setdefault((job.folder / destination.path).parent, 0)
    whole = [run.row.result for run in past if run.row.result and run.row.result.outputs]
    newest = {result.job: result for result in reversed(whole)}
    for result in newest.values():
        for output in result.outputs:
            place = Path(output.path).parent
            wrote[place] = wrote.get(place, 0) + output.bytes
            wrote[state] += output.bytes
    return wrote


def _disk(near: Path, need: int) -> Disk:
    try:
        free: int | None = free_bytes(near)
    except OSError:
        free = None
    return Disk(folder=near, free=free, need=need)


def machine() -> Machine:
    """Limits and packages."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    total = psutil.virtual_memory().total // _MB
    memory = available()
    names = {*CORE, *SPEED}
    return Machine(
        files=(_limit(soft), _limit(hard)),
        memory_mb=total,
        free_mb=memory.mb,
        python=platform.python_version(),
        packages={name: _version(name) for name in sorted(names)},
        zone=datetime.now(UTC).astimezone().tzname() or "UTC",
    )


def _limit(value: int) -> int | None:
    return None if value == resource.RLIM_INFINITY else value


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def targets(config: Config | None, state: Path, now: float) -> tuple[str, ...]:
    """What stands in the way of targets, were their jobs to start now."""
    problems = []
    zone = config.settings.timezone if config else ""
    started = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone) if zone else None)
    for job in config.jobs.values() if config else ():
        for destination in job.destinations:
            if not destination.path:
                continue
            path = render(
                destination.path,
                job,
                run="run",
                started=started,
                day=started.date(),
            )
            try:
                problem = obstacle(path, state, is_folder=destination.is_folder)
            except OSError as error:
                problem = f"{path} cannot be looked at: {error.strerror}"
            problems += [f"{job.name}: {problem}"] if problem else []
    return tuple(problems)


def secrets(config: Config | None, environ: Mapping[str, str]) -> dict[str, str]:
    """From each credential with a password to why it cannot be had; no command is started."""
    found: dict[str, str] = {}
    for credential in config.credentials.values() if config else ():
        scheme, _, rest = credential.password.partition(":")
        if scheme == "cmd":
            program = shlex.split(rest)[0]
            base = config.path.parent if config else Path()
            there = shutil.which(program, path=environ.get("PATH")) or (base / program).exists()
            found[credential.name] = "" if there else f"there is no program {program}"
        elif credential.password:
            found[credential.name] = _unresolved(credential.password, config, environ)
    return found


def _unresolved(reference: str, config: Config | None, environ: Mapping[str, str]) -> str:
    try:
        resolve(reference, base=config.path.parent if config else Path(), environ=environ)
    except Failure as failure:
        return failure.message
    return ""


def newest_time(folder: Path, *others: Path) -> float:
    """Unix time at which something in the folder, or one of the other files, was last written."""
    newest = 0.0
    for path in (folder, *folder.rglob("*"), *others):
        with suppress(OSError):
            newest = max(newest, path.stat().st_mtime)
    return newest


def mirror_problem(state: Path) -> str:
    """Why checkpoints cannot be mirrored, empty where they can."""
    place = state / FOLDER
    if not place.exists():
        return ""
    if not place.is_dir():
        return f"{place} is no folder"
    return "" if os.access(place, os.W_OK | os.X_OK) else f"{place} may not be written"
