"""What can go wrong, as values: the error tree, the classes of failure, and what to try.

    EtltuiError
    ├── ConfigError       mistakes in files, flags or environment; nothing has started
    ├── PlanChangedError  an unfinished run was made by another plan; nothing has started
    ├── StateHeldError    another engine holds the state folder
    ├── RefusedError      a start that is not allowed now; nothing has started
    ├── NoSuchRunError    there is no run of this name, or it cannot be asked for that
    ├── StateError        the state folder cannot be used
    ├── StatusError       a move between statuses that is not allowed (a mistake of ours)
    └── Failure           something a run met; its class says transient or permanent

An error takes facts, builds its sentence and keeps the facts; it never renders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class EtltuiError(Exception):
    """Anything this program raises on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """One wrong setting: where it stands, what is wrong with it, and the way out."""

    where: str
    """The file, `environment` or `command line`."""
    key: str
    """Dotted key, such as `jobs.gst_sales.query`; empty for the file as a whole."""
    problem: str
    """What is wrong, naming the value unless it is secret."""
    way_out: str = ""
    """The nearest right key, the range, the choices, or what to do."""

    def __str__(self) -> str:
        place = f"{self.where}: {self.key}" if self.key else self.where
        return f"{place}: {self.problem}" + (f". {self.way_out}" if self.way_out else "")


class ConfigError(EtltuiError):
    """All the mistakes found in the configuration, at once."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class PlanChangedError(EtltuiError):
    """The unfinished run that should be resumed was made by another plan."""

    def __init__(self, *, run: str, job: str, differences: Sequence[str]) -> None:
        self.run = run
        self.job = job
        self.differences = tuple(differences)
        super().__init__(
            f"{job}: the unfinished run {run} was started with another plan "
            f"(changed: {', '.join(self.differences)}). Its finished connections would not fit. "
            "Undo the change to resume it, or start afresh with --no-resume",
        )


class StateHeldError(EtltuiError):
    """Another engine holds the state folder."""

    def __init__(self, *, folder: Path, holder: str) -> None:
        self.folder = folder
        self.holder = holder
        super().__init__(
            f"the state folder {folder} is held by {holder}. "
            "Wait until it has finished, stop it, or use another --state-dir",
        )


class RefusedError(EtltuiError):
    """A job may not be started now: it has a run already, or it is paused."""

    def __init__(self, *, job: str, why: str, way_out: str) -> None:
        self.job = job
        super().__init__(f"{job} was not started: {why}. {way_out}")


class NoSuchRunError(EtltuiError):
    """A run that is asked for is not there, or has nothing of what is asked for."""

    def __init__(self, *, run: str, why: str, way_out: str) -> None:
        self.run = run
        super().__init__(f"{run}: {why}. {way_out}")


class StateError(EtltuiError):
    """The state folder or what is in it cannot be used."""


class StatusError(EtltuiError):
    """A move between statuses that the table of moves does not hold."""

    def __init__(self, *, thing: str, current: str, wanted: str) -> None:
        self.current = current
        self.wanted = wanted
        super().__init__(f"{thing} is {current} and cannot become {wanted}")


class ErrorClass(StrEnum):
    """The kinds of failure a run connection can meet."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    TLS = "tls"
    LOGIN = "login"
    SECRET = "secret"  # noqa: S105 - the class of a failure, not a password
    DRIVER = "driver"
    NO_DATABASE = "no_database"
    PERMISSION = "permission"
    SYNTAX = "syntax"
    BUSY = "busy"
    TIMEOUT = "timeout"
    STALLED = "stalled"
    LOST = "lost"
    DRIFT = "drift"
    CONTROL = "control"
    VALUE = "value"
    CORRUPT = "corrupt"
    TARGET = "target"
    DISK = "disk"
    MEMORY = "memory"
    DRIVER_CRASH = "driver_crash"
    POISON = "poison"
    CANCELLED = "cancelled"
    HELD = "held"
    HOURS = "outside_hours"
    IDENTITY = "identity"
    ENGINE = "engine"
    EMPTY = "empty"
    INTERNAL = "internal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What a class of failure means to an operator, and whether trying again can help."""

    transient: bool
    means: str
    try_: str
    once: bool = False
    """Trying again can help once: what is met a second time stays so."""
    stops_run: bool = False
    """The next connection would meet it too: stop the whole run, resumably."""


ADVICE: Mapping[ErrorClass, Advice] = {
    ErrorClass.UNREACHABLE: Advice(
        transient=True,
        means="The branch's line or VPN is down, or its address changed.",
        try_="Ping it, check the VPN, then call the branch.",
    ),
    ErrorClass.REFUSED: Advice(
        transient=True,
        means="The machine answers, but no database listens there.",
        try_="Check that the database service is running and the port is right.",
    ),
    ErrorClass.TLS: Advice(
        transient=False,
        means="The encrypted connection could not be agreed on.",
        try_="Check the server's certificate and name, and the TLS settings of the connection.",
    ),
    ErrorClass.LOGIN: Advice(
        transient=False,
        means="The database does not accept this user and password.",
        try_="Check the credential; it is not tried again, so that the account is not locked.",
    ),
    ErrorClass.SECRET: Advice(
        transient=False,
        means="The reference to a password could not be resolved.",
        try_="Mend the variable, file or command that the message names.",
    ),
    ErrorClass.DRIVER: Advice(
        transient=False,
        means="The driver for this kind of database is not installed here, or cannot be loaded.",
        try_="Install it or name another, as the message says, and look with `etltui doctor`.",
    ),
    ErrorClass.NO_DATABASE: Advice(
        transient=False,
        means="There is no database of this name or file at the connection's address.",
        try_="Check the connection's url; for a file, that it exists and the disk is mounted.",
    ),
    ErrorClass.PERMISSION: Advice(
        transient=False,
        means="The user may not read what the query asks for, or the query tries to write.",
        try_="Grant SELECT on what the query reads, and make sure that the query only reads.",
    ),
    ErrorClass.SYNTAX: Advice(
        transient=False,
        means="The database does not understand the query, or lacks a table or column it names.",
        try_="Run the query there by hand; give the connection its own query if it differs.",
    ),
    ErrorClass.BUSY: Advice(
        transient=True,
        means="Somebody else holds a lock on what the query reads.",
        try_="Wait, or find the session that holds the lock.",
    ),
    ErrorClass.TIMEOUT: Advice(
        transient=True,
        means="It took longer than the time limit.",
        try_="Look at the branch's load; raise the limit that the message names if it needs more.",
    ),
    ErrorClass.STALLED: Advice(
        transient=True,
        means="No row came for longer than the stall limit.",
        try_="Look at the branch's line and load.",
    ),
    ErrorClass.LOST: Advice(
        transient=True,
        means="The connection broke while it was in use.",
        try_="Look at the branch's line; the run tries again by itself.",
    ),
    ErrorClass.DRIFT: Advice(
        transient=False,
        means="The columns differ from those of the other connections.",
        try_='Mend the branch\'s table, give it its own query, or set drift = "align".',
    ),
    ErrorClass.CONTROL: Advice(
        transient=True,
        once=True,
        means="The rows that were written are not those that its control query counted.",
        try_=(
            "Compare the query with its control query: they must read the same rows. Set "
            'on_control = "warn" where the branch goes on selling while it is read.'
        ),
    ),
    ErrorClass.VALUE: Advice(
        transient=False,
        means="A value cannot be written faithfully with these settings.",
        try_="Change the query or the destination's settings as the message says.",
    ),
    ErrorClass.CORRUPT: Advice(
        transient=False,
        means="A file is damaged: a branch's database, a part, or a target that was just made.",
        try_=(
            "Check a database's file on the branch's machine and restore it from a backup; for a "
            "part or a target look at the disk here, then run again with --resume."
        ),
    ),
    ErrorClass.TARGET: Advice(
        transient=False,
        means="The target file could not be put in its place.",
        try_="Check the folder and who may write there, then run again with --resume.",
    ),
    ErrorClass.DISK: Advice(
        transient=False,
        means="The disk is full or does not take what is written.",
        try_="Free space or mend the disk, then run again with --resume.",
        stops_run=True,
    ),
    ErrorClass.MEMORY: Advice(
        transient=False,
        means="The memory threshold is reached.",
        try_="Raise memory_threshold_mb or lower max_parallel, then run again with --resume.",
        stops_run=True,
    ),
    ErrorClass.DRIVER_CRASH: Advice(
        transient=True,
        means="The process that reads this kind of database died.",
        try_=(
            "The run tries again by itself; if it happens again, its last words are in "
            "logs/extractor.log of the state folder."
        ),
    ),
    ErrorClass.POISON: Advice(
        transient=False,
        means="Reading this connection killed its reading process twice.",
        try_="Leave it out with --only, and try another driver for it.",
    ),
    ErrorClass.CANCELLED: Advice(
        transient=False,
        means="Somebody cancelled it.",
        try_="Run again with --resume to read what is missing.",
    ),
    ErrorClass.HELD: Advice(
        transient=False,
        means="An operator holds this connection: no run reads it.",
        try_="Let it go with `etltui release`, then retry the run.",
    ),
    ErrorClass.HOURS: Advice(
        transient=False,
        means="It is outside the hours in which this connection may be read.",
        try_=(
            "Retry the run within its hours, or change `hours` of the connection or its tag with "
            "whoever looks after the branch."
        ),
    ),
    ErrorClass.IDENTITY: Advice(
        transient=False,
        means="Another database answers than the one that was read there before, or expected.",
        try_=(
            "Ask the branch whether its server was replaced or restored; if so, approve it with "
            "`etltui identities approve`, else mend the connection's address or identity_query."
        ),
    ),
    ErrorClass.EMPTY: Advice(
        transient=False,
        means="It answers, but has no rows where it usually has some on such a day.",
        try_=(
            "Ask the branch whether it was open and its till has sent its sales, then retry the "
            "run; a day off belongs into its calendar."
        ),
    ),
    ErrorClass.ENGINE: Advice(
        transient=False,
        means="The processes that read databases cannot start on this machine.",
        try_=(
            "Mend what the message says (their last words are in logs/extractor.log of the state "
            "folder), look with `etltui doctor`, then run again with --resume."
        ),
        stops_run=True,
    ),
    ErrorClass.INTERNAL: Advice(
        transient=False,
        means="This is a mistake in the program.",
        try_="Report it with the log of this run.",
    ),
}


class Failure(EtltuiError):  # noqa: N818 - the field's word; it crosses processes as a value
    """Something a run met, with a class that decides what happens next.

    Args:
        error_class: The kind of failure.
        message: What happened, in one line, without secrets.
        facts: Strings that explain it (pool numbers, names of columns), without secrets.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        message: str,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        self.error_class = error_class
        self.message = message
        self.facts = dict(facts or {})
        super().__init__(message)

    @property
    def advice(self) -> Advice:
        """What the failure means and what to try."""
        return ADVICE[self.error_class]

    @property
    def transient(self) -> bool:
        """Whether trying again can help."""
        return self.advice.transient


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """A failure as a value: what the store keeps, a target's Index lists, a surface shows."""

    error_class: ErrorClass
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, failure: Failure) -> "Trouble":
        """The value of a failure."""
        return cls(
            error_class=failure.error_class,
            message=failure.message,
            facts=failure.facts,
        )

    def raised(self) -> Failure:
        """The failure of the value."""
        return Failure(self.error_class, self.message, self.facts)


def misused(key: str, problem: str, way_out: str) -> ConfigError:
    """The error of a command line that asks for what cannot be.

    Args:
        key: The option or argument.
        problem: What is wrong with it.
        way_out: What to write instead.
    """
    return ConfigError(
        [Mistake(where="command line", key=key, problem=problem, way_out=way_out)],
    )
