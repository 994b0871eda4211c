"""What the control plane asks an extractor to do, as values that cross the process border."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etltui.domain.closing import Closing
from etltui.domain.columns import Column
from etltui.domain.control import Control
from etltui.domain.errors import Trouble
from etltui.domain.job import Drift, Scalar
from etltui.domain.part import Receipt
from etltui.domain.policy import ReadPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionTask:
    """How to open a session.

    Attributes:
        password: Resolved; travels over the extractor's socket only and is never printed.
        connect_timeout_s: After which opening fails as `timeout`.
        policy: How to read.
    """

    connection: str
    kind: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    connect_timeout_s: float = 30.0
    policy: ReadPolicy = field(default_factory=ReadPolicy)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardTask:
    """One query of which is asked whether it only reads.

    Attributes:
        dialect: As `domain.dialect.dialect_of` names it.
        procedures: Names of those that it may call.
    """

    dialect: str
    sql: str
    procedures: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryTask:
    """One query to read.

    Attributes:
        columns: What the parts must hold; empty for `describe`.
        drift: What to do where the result differs from `columns`.
        control: What the rows must come to, as a query; empty for none. `control_tolerance` and
            `on_control` as in `domain.job.Query`.
        limit_s: What the extract allows the query, for a server that can end it by itself should
            nobody be left who does; 0: no limit.
        procedures: Names of those that it may call, where the database has such.
    """

    name: str
    sql: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    drift: Drift = "fail"
    aliases: Mapping[str, str] = field(default_factory=dict)
    control: str = ""
    control_tolerance: float = 0.0
    on_control: str = "fail"
    limit_s: float = 0.0
    procedures: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WriterTask:
    """One destination's part writer.

    Attributes:
        type: The writer's name.
        folder: Absolute folder of the part files; exists.
        options: The fields of the type's options record.
        query: Position of the only query whose rows it takes; None for all.
    """

    destination: int
    type: str
    folder: str
    options: Mapping[str, Any]
    variant: str = ""
    query: int | None = None

    def takes(self, query: int) -> bool:
        """Whether it takes the rows of the query at a position."""
        return self.query in {None, query}


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtractTask:
    """Everything a child needs to move one connection's rows into parts.

    Attributes:
        batch_bytes: How large a batch may be, beside what the extractor's own budget allows; 0:
            that alone.
        rows_per_s: Rows read in a second at most; 0: no limit.
    """

    run: str
    connection: str
    number: int
    attempt: int
    queries: tuple[QueryTask, ...]
    writers: tuple[WriterTask, ...]
    plan_hash: str
    connection_hash: str
    query_timeout_s: float = 300.0
    stall_timeout_s: float = 120.0
    closing: Closing | None = None
    batch_bytes: int = 0
    rows_per_s: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryCost:
    """What one query of an extract took.

    Attributes:
        name: The query's.
        rows: Rows read.
        seconds: Waiting for the database, from sending the query to its last row.
    """

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """What an extract left on disk, durable before this value exists.

    Attributes:
        rows: Rows read, of all queries together.
        bytes: Of these rows in memory, as they were read.
        seconds: `query` until the first batch, `fetch` waiting for batches, `write` the rest.
        costs: Of each query.
        columns: Of each query, as the database gave them.
        controls: What control queries said, beside what was written.
        provisional: Why the rows may still change; empty where the day is closed.
    """

    receipts: tuple[Receipt, ...]
    rows: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    costs: tuple[QueryCost, ...] = ()
    bytes: int = 0
    columns: tuple[tuple[Column, ...], ...] = ()
    controls: tuple[Control, ...] = ()
    provisional: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishEntry:
    """A connection's place in a target, in the job's order.

    Attributes:
        status: A `ConnectionStatus`.
        receipts: This destination's parts of the connection; empty where it did not complete.
        number: As in the plan; 0 for one that the run does not read.
        contact: Whom to call.
        usual: The median of its rows in past runs; None where there is none.
        remark: What is to be said of their number; empty for nothing.
        odd: What is odd about its database, a sentence each.
        controls: What control queries said of its rows, beside what was written.
        provisional: Why the rows may still change; empty where they will not.
    """

    connection: str
    status: str
    rows: int = 0
    usual: int | None = None
    trouble: Trouble | None = None
    receipts: tuple[Receipt, ...] = ()
    contact: str = ""
    notes: Mapping[str, int] = field(default_factory=dict)
    number: int = 0
    provisional: str = ""
    odd: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    remark: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishTask:
    """Everything a child needs to assemble a target from parts.

    Attributes:
        parts: Absolute folder that the receipts' paths are relative to.
        temporary: Where to write, in the target's folder; replaced if it exists.
        target: The final name; only read, for formats that need its name (`.gz`).
        queries: Names, in the job's order.
        columns: For each query.
        facts: What the Run sheet shows, in order: times, run id, attempt, operator.
        run: Its id.
        job: Its name.
        folder: Absolute folder that relative paths in `options` start from.
        query: Position of the only query whose rows it holds; None for all.
        revisions: How it was patched once it was finished: its number, when and by whom, what.
    """

    destination: int
    type: str
    parts: str
    temporary: str
    target: str
    options: Mapping[str, Any]
    queries: tuple[str, ...]
    columns: tuple[tuple[Column, ...], ...]
    entries: tuple[PublishEntry, ...]
    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    run: str = ""
    job: str = ""
    folder: str = ""
    query: int | None = None
    revisions: tuple[tuple[str, str, str], ...] = ()

    @property
    def held(self) -> Sequence[int]:
        """Positions of the queries whose rows it holds."""
        return range(len(self.queries)) if self.query is None else (self.query,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an extract is; rows and bytes only grow."""

    request: int
    step: str
    rows: int
    bytes: int
