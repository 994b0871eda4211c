"""The settings of the program: each with its default, its range, its variable and its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from etltui.config.checks import Flag, Number, OneOf, Text, Whole, Zone
from etltui.config.console import Console
from etltui.config.profiles import PROFILES
from etltui.config.rule import Rule, SettingCheck, default_of, rules_of
from etltui.domain.job import Connection, Credential, Job, Overlap, RunType
from etltui.domain.policy import OnHeld

QUERY_TIMEOUT = STALL_TIMEOUT = Whole(1, 86400)
"""Seconds; a job may say its own of both."""
RETRIES = Whole(0, 100)
MULTIPLIER = Number(1, 10)
PRIORITY = Whole(0, 1000)
RUNS_AT_ONCE = Whole(1, 50)


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
        metadata=_rule("Jobs that run at once.", RUNS_AT_ONCE, "JOB_QUEUE_MAX_CONCURRENT"),
    )
    max_jobs_per_type: int = field(
        default=5,
        metadata=_rule(
            "Jobs of one run type that run at once; a run type may say its own.",
            RUNS_AT_ONCE,
            "WORKER_CONCURRENCY",
        ),
    )
    overlap: Overlap = field(
        default="join",
        metadata=_rule(
            "What a start of a job does while a run of it is queued or running: follow that run, "
            "be refused, or wait for its end; a job may say its own.",
            OneOf(get_args(Overlap)),
        ),
    )
    ageing_s: int = field(
        default=60,
        metadata=_rule(
            "Seconds of waiting in the queue that are worth one step of priority.",
            Whole(1, 86400),
        ),
    )
    retries: int = field(
        default=3,
        metadata=_rule("Times that a transient failure is tried again.", RETRIES),
    )
    retry_delay_s: int = field(
        default=5,
        metadata=_seconds(
            "Seconds before the first retry.",
            Whole(0, 3600),
            "JOB_QUEUE_RETRY_DELAY_MS",
        ),
    )
    retry_multiplier: float = field(
        default=2.0,
        metadata=_rule(
            "What each further wait is multiplied by.",
            MULTIPLIER,
            "JOB_QUEUE_BACKOFF_MULTIPLIER",
        ),
    )
    retry_max_delay_s: int = field(
        default=300,
        metadata=_rule(
            "Seconds that no wait exceeds; at least the first counts in full.",
            Whole(0, 86400),
        ),
    )
    max_connections: int = field(
        default=50,
        metadata=_rule(
            "Database sessions open at once, over all jobs.",
            Whole(1, 500),
            "MAX_CONCURRENT_CONNECTIONS",
        ),
    )
    max_per_host: int = field(
        default=20,
        metadata=_rule("Sessions that one server (host and port) may have.", Whole(1, 500)),
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
    pool_lifetime_s: int = field(
        default=1800,
        metadata=_rule("Seconds after which a session is replaced.", Whole(60, 86400)),
    )
    pool_keepalive_s: int = field(
        default=120,
        metadata=_rule("Seconds between looks at an unused session.", Whole(10, 3600)),
    )
    validate_after_s: int = field(
        default=30,
        metadata=_rule("Seconds unused after which a session is tested first.", Whole(0, 3600)),
    )
    ping_timeout_s: int = field(
        default=2,
        metadata=_rule("Seconds that such a test may take.", Whole(1, 60)),
    )
    leak_s: int = field(
        default=60,
        metadata=_rule(
            "Seconds beyond its expected end after which a held session is reported.",
            Whole(0, 86400),
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
    request_timeout_s: int = field(
        default=30,
        metadata=_seconds(
            "Seconds that a probe, the catalogue or an ad-hoc query may take.",
            Whole(1, 3600),
            "DB_REQUEST_TIMEOUT",
        ),
    )
    query_timeout_s: int = field(
        default=300,
        metadata=_seconds(
            "Seconds that a connection's queries may take; a job may say its own.",
            QUERY_TIMEOUT,
            "QUERY_TIMEOUT_MS",
        ),
    )
    query_timeout_learned: bool = field(
        default=False,
        metadata=_rule(
            "Whether a connection's queries may take no more than 3 times the longest of its last "
            "runs, at least a minute and at most query_timeout_s, once there were 5 of them; its "
            "last try may take all of query_timeout_s.",
            Flag(),
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
            "Memory of all processes together above which no work is started; 0: the smaller of "
            "1024 and half of the memory that is available.",
            Whole(64, 1048576, or_zero=True),
            "MEMORY_THRESHOLD_MB",
        ),
    )
    disk_reserve_mb: int = field(
        default=256,
        metadata=_rule("Space to leave free on every disk written to.", Whole(0, 1048576)),
    )
    keep_runs_days: int = field(
        default=365,
        metadata=_rule("Days after which the record of a run is deleted.", Whole(1, 36500)),
    )
    keep_logs_mb: int = field(
        default=160,
        metadata=_rule("Space that logs may take; the oldest go first.", Whole(1, 1048576)),
    )
    checkpoint_keep_days: int = field(
        default=30,
        metadata=_rule("Days after which a checkpoint is deleted.", Whole(1, 3650)),
    )
    keep_parts_mb: int = field(
        default=0,
        metadata=_rule(
            "Space that the parts of ended runs may take, the oldest go first; 0: no limit.",
            Whole(0, 1048576),
        ),
    )
    state_readers: int = field(
        default=10,
        metadata=_rule(
            "Connections that read the state database at once; one to begin with.",
            Whole(1, 50),
        ),
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

    streaming: bool = field(
        default=True,
        metadata=_rule("Whether progress is shown while it happens.", Flag()),
    )
    on_identity: Literal["warn", "refuse"] = field(
        default="warn",
        metadata=_rule(
            "What happens where another database answers than before: it is named, or not read.",
            OneOf(("warn", "refuse")),
        ),
    )
    on_held: OnHeld = field(
        default="beside",
        metadata=_rule(
            "What becomes of a target that somebody has open (~$NAME, .~lock.NAME#) or that is "
            "read-only: the new one waits beside it until it is free, or replaces it.",
            OneOf(get_args(OnHeld)),
        ),
    )
    on_hangup: Literal["finish", "stop"] = field(
        default="finish",
        metadata=_rule(
            "What running jobs do when the terminal is closed: finish, or stop resumably.",
            OneOf(("finish", "stop")),
        ),
    )
    shutdown_timeout_s: int = field(
        default=30,
        metadata=_rule("Seconds that work has to stop when the program ends.", Whole(1, 600)),
    )
    profile: str = field(
        default="",
        metadata=_rule(
            "Settings by the name of what they suit, laid under all others.",
            OneOf(("", *PROFILES)),
        ),
    )
    connections_file: str = field(
        default="",
        metadata=_rule(
            "A CSV file with more connections, from this file's folder; empty for none.",
            Text(),
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
    return rules_of(Settings)


EXTRACT: str = default_of(Job, "type")
"""The run type of a job that says none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Everything an operator has configured, checked.

    Attributes:
        connections: In the order of the file; behind them those of the connections file.
        credentials: By name; passwords are references still.
        jobs: By name, in the order of the file.
        path: The file, absolute.
        origins: Where each setting comes from: `default`, `profile NAME`, `file`, `local`,
            `environment NAME`, `flag`, or what was measured, as `half of the available memory`.
            Those of the console are named as `console.theme`.
        run_types: By name; holds "extract" always.
        console: How the console looks and is steered.
        strays: Dotted keys of the local file that name a connection or a job that is not there.
    """

    settings: Settings
    connections: tuple[Connection, ...]
    credentials: Mapping[str, Credential]
    jobs: Mapping[str, Job]
    path: Path
    origins: Mapping[str, str]
    run_types: Mapping[str, RunType] = field(default_factory=dict)
    console: Console = field(default_factory=Console)
    strays: tuple[str, ...] = ()
