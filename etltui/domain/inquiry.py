"""What may be asked before a run: who answers, what a query brings, what a run would take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from etltui.domain.columns import Column
from etltui.domain.errors import Trouble
from etltui.domain.identity import Code
from etltui.domain.progress import Eta
from etltui.domain.server import ServerFacts, ServerReading

_MB = 1024 * 1024


class Stage(StrEnum):
    """How far asking a database comes, in order; of a file there is no way there."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    LOGIN = "login"
    DATABASE = "database"
    FILE = "file"
    ANSWER = "answer"
    QUERY = "query"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One stage that was come to.

    Attributes:
        passed: Whether it was passed; else it was the last.
        milliseconds: What it took; None where it cannot be told from the one beside it.
    """

    stage: Stage
    passed: bool = True
    milliseconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """What came of asking one database.

    Attributes:
        milliseconds: From asking to the answer, over a session that was open by then; the least.
        trouble: Why there is none.
        contact: Whom to call.
        steps: The stages that it came to; the last one is where the trouble is.
        server: What the database said of itself; None: no session was opened.
        odd: What is odd about it, a sentence each.
        queries: How many queries of jobs it would answer.
        code: What its identity query was answered; None: it was not asked.
    """

    connection: str
    milliseconds: float = 0.0
    trouble: Trouble | None = None
    contact: str = ""
    steps: tuple[Step, ...] = ()
    server: ServerFacts | None = None
    odd: tuple[str, ...] = ()
    queries: int = 0
    code: Code | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DryQuery:
    """What one query brought.

    Attributes:
        columns: As a target would have them.
        first: The first rows, each value as text; empty where they cannot be told.
    """

    name: str
    columns: tuple[Column, ...]
    rows: int = 0
    first: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DryRun:
    """What a job's queries brought at one connection, of which nothing was kept.

    Attributes:
        queries: Empty where there is trouble.
        columns_of: The run whose columns were to be met; empty: the connection's own.
        bytes: Of its parts for all destinations of the job.
        seconds: Time spent by part of the work, as in `ConnectionResult`.
        notes: As in `ConnectionResult`.
        trouble: Why there is nothing.
    """

    job: str
    connection: str
    queries: tuple[DryQuery, ...] = ()
    columns_of: str = ""
    rows: int = 0
    bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    trouble: Trouble | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryPlan:
    """How a database would answer one query.

    Attributes:
        plan: In its own words, a line for each step; empty where it tells none. The query's values
            may stand in it.
    """

    name: str
    plan: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """How one connection would answer a job's queries, none of which was run.

    Attributes:
        queries: Empty where there is trouble.
        trouble: Why there is nothing.
    """

    job: str
    connection: str
    queries: tuple[QueryPlan, ...] = ()
    trouble: Trouble | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerChecked:
    """What one server told of its load.

    Attributes:
        server: As `host:port`.
        connection: Over whose session it was asked.
        product: Name and version.
        readings: Empty where there is trouble, or where its kind tells nothing.
        trouble: Why there is nothing.
    """

    server: str
    connection: str
    product: str = ""
    readings: tuple[ServerReading, ...] = ()
    trouble: Trouble | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What a disk has free, and what is to be written to it, in bytes.

    Attributes:
        folder: One on that disk.
        reserve: What is to stay free.
    """

    folder: str
    free: int
    need: int
    reserve: int = 0

    @property
    def enough(self) -> bool:
        """Whether it all fits."""
        return self.free >= self.need + self.reserve

    def __str__(self) -> str:
        return (
            f"the disk of {self.folder} has {self.free // _MB:,} MB free; "
            f"{self.need // _MB:,} MB to come and disk_reserve_mb = "
            f"{self.reserve // _MB:,} need {(self.need + self.reserve) // _MB:,} MB"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetSize:
    """How large a target is likely to be.

    Attributes:
        path: Where a run that starts now writes it.
        bytes: None: no run has told.
    """

    type: str
    path: str
    bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What a run of a job is likely to take, from what its last runs took.

    Attributes:
        connections: How many it reads.
        known: Of how many of them the usual rows are known.
        rows: The usual rows of those, together.
        targets: Their sizes; connections of which nothing is known count as the others do.
        eta: From start to end; None: not known.
        memory: Bytes that the process tree may come to weigh.
        memory_is: What that number is, in words.
        disks: What it is going to write to each, parts and targets.
        warnings: What stands against it, a sentence each.
    """

    job: str
    connections: int
    known: int
    rows: int
    targets: tuple[TargetSize, ...]
    eta: Eta | None
    memory: int
    memory_is: str
    disks: tuple[Room, ...]
    warnings: tuple[str, ...] = ()
