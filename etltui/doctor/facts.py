"""What the checks judge: plain values, gathered in one go and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etltui.config.schema import Config
from etltui.custody import Files
from etltui.domain.driver import Driver
from etltui.domain.errors import Mistake
from etltui.domain.progress import Snapshot
from etltui.domain.queue import QueueEntry
from etltui.domain.run import ConnectionResult, RunStatus
from etltui.domain.stored import RunRow
from etltui.engine.checkpoints import Checkpoint
from etltui.engine.log_files import LogLine


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """The state folder.

    Attributes:
        obstacle: Why it cannot be used or made, empty where it can.
        mode: Permission bits, None where it is not there.
        file_system: Its type as the kernel names it, empty where it does not.
        journal: Why a database in it could not be kept safe, empty where it could, None where
            there is none yet to try it beside.
    """

    path: Path
    obstacle: str = ""
    mode: int | None = None
    file_system: str = ""
    journal: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who has written its name into the state folder's lock.

    Attributes:
        started: Unix time of the holding.
        alive: Whether a process of this number runs.
        other: Whether that process began after the holding: it is another one.
    """

    pid: int
    host: str
    command: str
    started: float
    alive: bool
    other: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """A file system that runs write to.

    Attributes:
        folder: The first folder on it that was looked at.
        free: Bytes; None where it cannot be told.
        need: Bytes that the last runs of all jobs wrote to it.
    """

    folder: Path
    free: int | None
    need: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Limits and packages.

    Attributes:
        files: Soft and hard limit of open files; None for no limit.
        memory_mb: What the machine or the control group has, None where it does not say.
        free_mb: What of it could be used now.
        python: Its version.
        packages: From the name of a package to its version; empty where it is missing.
        zone: The machine's own time zone.
    """

    files: tuple[int | None, int | None]
    memory_mb: int | None
    free_mb: int | None
    python: str
    packages: Mapping[str, str]
    zone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A run that began, with how its connections ended."""

    row: RunRow
    results: tuple[ConnectionResult, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfinished:
    """A job's newest run, which can be resumed or is under way.

    Attributes:
        changed: Names of what differs between its plan and the job as it is now.
        mirrored: Whether its JSON mirror is there.
        sign: Unix time of the last sign of life on disk; 0 for none.
    """

    checkpoint: Checkpoint
    changed: tuple[str, ...] = ()
    mirrored: bool = True
    sign: float = 0.0

    @property
    def row(self) -> RunRow:
        """The run."""
        return self.checkpoint.row

    @property
    def under_way(self) -> bool:
        """Whether an engine should be working on it."""
        return self.row.status in {RunStatus.RUNNING, RunStatus.PUBLISHING}


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """What the state folder's database says.

    Attributes:
        problem: Why it cannot be read; nothing else is known then.
        past: The newest runs that began, newest first.
        unfinished: Of each job the newest run, where it is not finished.
        queued: Runs that wait for a turn.
        paused: Jobs that get none; the empty name stands for all.
        live: How an engine last said it stood.
        spent: Folders of parts that nobody can use any more, with their bytes.
        damaged: Rows of parts that are not as they were written.
        flaws: Other damaged rows, such as `20261121T230500Z-7F3K of runs`.
        broken: What of the database's structure is damaged; empty for nothing.
        files: The database as files.
    """

    problem: str = ""
    past: tuple[Past, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    queued: tuple[QueueEntry, ...] = ()
    paused: tuple[str, ...] = ()
    live: Snapshot | None = None
    spent: Mapping[str, int] = field(default_factory=dict)
    damaged: int = 0
    flaws: tuple[str, ...] = ()
    broken: str = ""
    files: Files = field(default_factory=Files)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Everything.

    Attributes:
        now: Unix time in seconds.
        config: None where it has mistakes.
        mistakes: In the configuration.
        held: Whether an engine runs in the state folder.
        targets: What stands in the way of targets, as `job: problem`.
        secrets: From a credential to why its password cannot be had, empty where it can.
        log: The last lines, oldest first.
        mirror_problem: Why checkpoints cannot be mirrored, empty where they can.
        drivers: Of each kind of database that is configured, what there is to read it.
    """

    now: float
    config: Config | None
    mistakes: tuple[Mistake, ...]
    folder: Folder
    holder: Holder | None
    held: bool
    disks: tuple[Disk, ...]
    machine: Machine
    targets: tuple[str, ...]
    secrets: Mapping[str, str]
    records: Records
    log: tuple[LogLine, ...]
    mirror_problem: str
    drivers: Mapping[str, tuple[Driver, ...]] = field(default_factory=dict)
