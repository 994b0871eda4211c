"""The settings of the program: each with its default, its range, its variable and its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from etltui.config.checks import Flag, OneOf, Text, Whole, Zone
from etltui.domain.job import Connection, Credential, Job

QUERY_TIMEOUT = STALL_TIMEOUT = Whole(1, 86400)
"""Seconds; a job may say its own of both."""

SettingCheck = Whole | OneOf | Flag | Text | Zone


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What a setting means and may be.

    Attributes:
        help: One sentence for an operator.
        check: Returns the value or refuses it; `check.allowed` says the range in words.
        environment: The variable that sets it, empty for none.
        milliseconds: Whether the variable counts milliseconds where the setting counts seconds.
    """

    help: str
    check: SettingCheck
    environment: str = ""
    milliseconds: bool = False


def _rule(help_: str, check: SettingCheck, environment: str = "") -> dict[str, Rule]:
    return {"rule": Rule(help=help_, check=check, environment=environment)}


def _seconds(help_: str, check: Whole, environment: str) -> dict[str, Rule]:
    return {"rule": Rule(help=help_, check=check, environment=environment, milliseconds=True)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How the program runs, whatever the job.

    Raises:
        ValueError: A value is out of its rule; the text names the setting and the range.
    """

    max_jobs: int = field(
        default=10,
        metadata=_rule("Jobs that run at once.", Whole(1, 50), "JOB_QUEUE_MAX_CONCURRENT"),
    )
    max_connections: int = field(
        default=50,
        metadata=_rule(
            "Database sessions open at once, over all jobs.",
            Whole(1, 500),
            "MAX_CONCURRENT_CONNECTIONS",
        ),
    )
    pool_size: int = field(
        default=20,
        metadata=_rule("Sessions that one database may have.", Whole(1, 100), "DB_POOL_MAX"),
    )
    pool_idle_s: int = field(
        default=30,
        metadata=_seconds(
            "Seconds after which an unused session is closed.",
            Whole(1, 3600),
            "DB_POOL_IDLE_MS",
        ),
    )
    connection_timeout_s: int = field(
        default=30,
        metadata=_seconds(
            "Seconds that opening a session may take.",
            Whole(1, 300),
            "DB_CONNECTION_TIMEOUT",
        ),
    )
    acquire_timeout_s: int = field(
        default=30,
        metadata=_rule("Seconds to wait for a free session.", Whole(1, 3600)),
    )
    query_timeout_s: int = field(
        default=300,
        metadata=_seconds(
            "Seconds that a connection's queries may take; a job may say its own.",
            QUERY_TIMEOUT,
            "QUERY_TIMEOUT_MS",
        ),
    )
    stall_timeout_s: int = field(
        default=120,
        metadata=_rule(
            "Seconds without a row after which a connection counts as stalled.",
            STALL_TIMEOUT,
        ),
    )
    memory_threshold_mb: int = field(
        default=1024,
        metadata=_rule(
            "Memory of all processes together above which no work is started.",
            Whole(64, 1048576),
            "MEMORY_THRESHOLD_MB",
        ),
    )
    disk_reserve_mb: int = field(
        default=256,
        metadata=_rule("Space to leave free on every disk written to.", Whole(0, 1048576)),
    )
    timezone: str = field(
        default="",
        metadata=_rule("The zone of times and of {date} in paths.", Zone()),
    )
    log_level: str = field(
        default="info",
        metadata=_rule(
            "The least weight of a line that is logged.",
            OneOf(("error", "warning", "info", "debug")),
            "LOG_LEVEL",
        ),
    )
    state_dir: str = field(
        default="",
        metadata=_rule(
            "The folder of runs, parts and logs, from this file's folder; empty for "
            "~/.local/state/etltui. A local disk, no share.",
            Text(),
        ),
    )
    extractors: int = field(
        default=-1,
        metadata=_rule(
            "Processes that read databases; -1: as many as suit the machine, 0: none of their own.",
            Whole(-1, 64),
        ),
    )
    resume_jobs: bool | None = field(
        default=None,
        metadata=_rule(
            "Whether every job takes up its unfinished run; unsaid, each job says.",
            Flag(),
            "RESUME_JOBS",
        ),
    )

    def __post_init__(self) -> None:
        for name, rule in rules().items():
            value = getattr(self, name)
            if value is None and name == "resume_jobs":  # the one setting that may stay unsaid
                continue
            try:
                rule.check(value)
            except ValueError as refused:
                raise ValueError(f"{name}: {refused}") from None


def rules() -> Mapping[str, Rule]:
    """The rule of each setting, in the order of declaration."""
    return {each.name: each.metadata["rule"] for each in fields(Settings)}


def default_of(record: type[Any], name: str) -> Any:
    """The default that a record declares, so that no decoder says it a second time."""
    return next(each.default for each in fields(record) if each.name == name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Everything an operator has configured, checked.

    Attributes:
        connections: In the order of the file.
        credentials: By name; passwords are references still.
        jobs: By name, in the order of the file.
        path: The file, absolute.
        origins: Where each setting comes from: `default`, `file`, `local`, `environment NAME` or
            `flag`.
    """

    settings: Settings
    connections: tuple[Connection, ...]
    credentials: Mapping[str, Credential]
    jobs: Mapping[str, Job]
    path: Path
    origins: Mapping[str, str]
